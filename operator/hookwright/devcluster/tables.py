"""Tables: what `kubectl get` shows, columns and cells, as the server computes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Final

from hookwright.devcluster.jsonpaths import look_up, parse_path
from hookwright.devcluster.resources import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEFINITIONS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    SECRETS,
    Key,
    Resource,
)
from hookwright.devcluster.values import Json, JsonObject, find, quote

Cell = str | int | float | None
Column = tuple[JsonObject, Callable[[JsonObject], Cell]]
"""A column's head as clients see it, and how its cells are made; a priority above 0 is shown with `-o wide` only."""


class TableWriter:
    """Writes objects of one kind as tables; of a watch, only the first one names the columns.

    `include` is the request's `includeObject`: `Metadata` (default), `Object` or `None`.
    """

    def __init__(self, resource: Resource, include: str) -> None:
        self._resource = resource
        self._include = include
        self._columns = _columns(resource)
        self._heads = [head for head, _ in self._columns]

    def rows(self, objects: Iterable[JsonObject], metadata: JsonObject) -> JsonObject:
        """Return a Table of stored objects; `metadata` is the list's, or the one object's."""
        rows = [{"cells": [cell(obj) for _, cell in self._columns], "object": self._embed(obj)} for obj in objects]
        kept = {name: member for name, member in metadata.items() if name in _LIST_METADATA}
        heads, self._heads = self._heads, []
        head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": kept}
        return head | {"columnDefinitions": heads, "rows": rows}

    def _embed(self, obj: JsonObject) -> Json:
        if self._include == "None":
            return None
        if self._include == "Object":
            return self._resource.outward(obj)
        return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


_LIST_METADATA: Final = ("resourceVersion", "continue", "remainingItemCount")


def _columns(resource: Resource) -> list[Column]:
    """Return a kind's columns: of a custom one as its definition says, else a choice of our own."""
    if resource.columns:
        return [_NAME, *(_custom_column(**definition) for definition in resource.columns)]
    return _BUILT_IN.get(resource.key, [_NAME, _AGE])


def _custom_column(*, name: str, type: str, jsonPath: str, **rest: Json) -> Column:  # noqa: A002, N803 - Kubernetes' names
    steps = parse_path(jsonPath)
    head = {"name": name, "type": type, "format": "", "description": "", "priority": 0}
    return head | rest, lambda obj: _show(next(iter(look_up(obj, steps)), None), type)


def _show(value: Json, kind: str) -> Cell:
    match kind:
        case "integer" | "number" | "boolean":
            return value if isinstance(value, int | float) and isinstance(value, bool) == (kind == "boolean") else None
        case "date":
            return None if value is None else age(value)
        case _:
            return value if isinstance(value, str) or value is None else quote(value)


def age(text: Json) -> str:
    """Say how long ago a time was."""
    try:
        then = dt.datetime.fromisoformat(text)
        return duration((dt.datetime.now(dt.UTC) - then).total_seconds())
    except (TypeError, ValueError):
        return "<invalid>" if text else "<unknown>"


_MINUTE, _HOUR, _DAY = 60, 60 * 60, 24 * 60 * 60


def duration(seconds: float) -> str:
    """Write a duration as kubectl does (k8s.io/apimachinery `duration.HumanDuration`): the longer, the coarser."""
    total = max(0, int(seconds))
    days, hours, minutes = total // _DAY, total // _HOUR, total // _MINUTE
    steps = (
        (2 * _MINUTE, f"{total}s", ""),
        (10 * _MINUTE, f"{minutes}m", f"{total % _MINUTE}s"),
        (3 * _HOUR, f"{minutes}m", ""),
        (8 * _HOUR, f"{hours}h", f"{minutes % 60}m"),
        (2 * _DAY, f"{hours}h", ""),
        (8 * _DAY, f"{days}d", f"{hours % 24}h"),
    )
    coarse, fine = next(((coarse, fine) for limit, coarse, fine in steps if total < limit), (f"{days}d", ""))
    return coarse if fine[:-1] in ("", "0") else coarse + fine


def _column(name: str, cell: Callable[[JsonObject], Cell], type: str = "string", format: str = "") -> Column:  # noqa: A002 - as above
    return {"name": name, "type": type, "format": format, "description": "", "priority": 0}, cell


def _at(*path: str) -> Callable[[JsonObject], Cell]:
    return lambda obj: _show(find(obj, *path), "string")


def _since(*path: str) -> Callable[[JsonObject], Cell]:
    return lambda obj: age(find(obj, *path))


def _data(obj: JsonObject) -> Cell:
    return len(obj.get("data", ())) + len(obj.get("binaryData", ()))


def _job_status(obj: JsonObject) -> Cell:
    conditions = find(obj, "status", "conditions") or ()
    true = [one["type"] for one in conditions if one["status"] == "True"]
    return next((name for name in ("Complete", "Failed", "Suspended") if name in true), "Running")


def _job_completions(obj: JsonObject) -> Cell:
    return f"{find(obj, 'status', 'succeeded') or 0}/{find(obj, 'spec', 'completions') or 1}"


def _job_duration(obj: JsonObject) -> Cell:
    start, end = find(obj, "status", "startTime"), find(obj, "status", "completionTime")
    if not start or not end:
        return age(start) if start else None
    begun, ended = map(dt.datetime.fromisoformat, (start, end))
    return duration((ended - begun).total_seconds())


def _or_none(*path: str) -> Callable[[JsonObject], Cell]:
    return lambda obj: find(obj, *path) or "<none>"


def _last_schedule(obj: JsonObject) -> Cell:
    last = find(obj, "status", "lastScheduleTime")
    return age(last) if last else "<none>"


def _event_age(obj: JsonObject) -> Cell:
    return age(obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"]["creationTimestamp"])


def _event_object(obj: JsonObject) -> Cell:
    return f"{(find(obj, 'involvedObject', 'kind') or '').lower()}/{find(obj, 'involvedObject', 'name') or ''}"


_NAME: Final = _column("Name", _at("metadata", "name"), format="name")
_AGE: Final = _column("Age", _since("metadata", "creationTimestamp"))
_EVENT_HEAD: Final = [_column("Last Seen", _event_age), _column("Type", _at("type")), _column("Reason", _at("reason"))]
_BUILT_IN: Final[dict[Key, list[Column]]] = {
    NAMESPACES: [_NAME, _column("Status", _at("status", "phase")), _AGE],
    CONFIG_MAPS: [_NAME, _column("Data", _data, "integer"), _AGE],
    SECRETS: [_NAME, _column("Type", _at("type")), _column("Data", _data, "integer"), _AGE],
    LEASES: [_NAME, _column("Holder", _at("spec", "holderIdentity")), _AGE],
    DEFINITIONS: [_NAME, _column("Created At", _at("metadata", "creationTimestamp"))],
    EVENTS: [*_EVENT_HEAD, _column("Object", _event_object), _column("Message", _at("message"))],
    CRON_JOBS: [
        _NAME,
        _column("Schedule", _at("spec", "schedule")),
        _column("Timezone", _or_none("spec", "timeZone")),
        _column("Suspend", lambda obj: str(bool(find(obj, "spec", "suspend"))), "boolean"),
        _column("Active", lambda obj: len(find(obj, "status", "active") or ()), "integer"),
        _column("Last Schedule", _last_schedule),
        _AGE,
    ],
    JOBS: [
        _NAME,
        _column("Status", _job_status),
        _column("Completions", _job_completions),
        _column("Duration", _job_duration),
        _AGE,
    ],
}
