"""Tables: what `kubectl get` shows, columns and cells, as the server computes them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hookwright.devcluster.resources import (
    CONFIG_MAPS,
    DEFINITIONS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    SECRETS,
    Key,
    Resource,
)
from hookwright.devcluster.values import Json, JsonObject, encode, find

Cell = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column; `priority` above 0 shows it with `-o wide` only."""

    name: str
    cell: Callable[[JsonObject], Cell]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


class TableWriter:
    """Writes objects of one kind as tables; of a watch, only the first one names the columns.

    `include` is the request's `includeObject`: `Metadata` (default), `Object` or `None`.
    """

    def __init__(self, resource: Resource, include: str) -> None:
        self._resource = resource
        self._include = include or "Metadata"
        self._columns = columns_of(resource)
        self._headed = False

    def rows(self, objects: Iterable[JsonObject], metadata: JsonObject) -> JsonObject:
        """Return a Table of these objects; `metadata` is the list's, or the one object's."""
        heads = [] if self._headed else [_head(column) for column in self._columns]
        self._headed = True
        rows = [
            {"cells": [column.cell(obj) for column in self._columns], "object": self._embed(obj)} for obj in objects
        ]
        names = ("resourceVersion", "continue", "remainingItemCount")
        kept = {name: metadata[name] for name in names if name in metadata}
        table = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": kept}
        return table | {"columnDefinitions": heads, "rows": rows}

    def _embed(self, obj: JsonObject) -> Json:
        if self._include == "None":
            return None
        if self._include == "Object":
            return self._resource.outward(obj)
        return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _head(column: Column) -> JsonObject:
    shown_type = "string" if column.type == "date" else column.type
    head = {"name": column.name, "type": shown_type, "format": column.format, "description": column.description}
    return head | {"priority": column.priority}


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """Return a kind's columns: of a custom one as its definition says, else a table of our own."""
    if resource.custom and resource.columns:
        return (_NAME, *map(_custom_column, resource.columns))
    return _BUILT_IN.get(resource.key, (_NAME, _AGE))


def _custom_column(definition: JsonObject) -> Column:
    kind: str = definition["type"]
    parts = parse_path(definition["jsonPath"])

    def cell(obj: JsonObject) -> Cell:
        return _show(next(look_up(obj, parts), None), kind)

    return Column(
        name=definition["name"],
        cell=cell,
        type=kind,
        format=definition.get("format", ""),
        description=definition.get("description", ""),
        priority=definition.get("priority", 0),
    )


def _show(value: Json, kind: str) -> Cell:
    if value is None:
        return None
    match kind:
        case "date":
            return age(value)
        case "integer" | "number":
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case _:
            return value if isinstance(value, str) else encode(value).decode()


_PART: Final = re.compile(
    r"""
      \.(?P<name>(?:\\.|[^.\[\\])+)
    | \[\s*(?P<index>-?\d+)\s*\]
    | \[\s*(?P<quote>['"])(?P<key>.*?)(?P=quote)\s*\]
    | (?P<all>\[\*\]|\.\*)
    | \[\?\(\s*@(?P<field>(?:\.[\w\-/]+)+)\s*==\s*(?P<mark>['"])(?P<value>.*?)(?P=mark)\s*\)\]
    """,
    re.VERBOSE,
)
Part = tuple[str, str]


@lru_cache(maxsize=1024)
def parse_path(path: str) -> tuple[Part, ...]:
    """Split the JSONPath of a printer column; what cannot be read selects nothing."""
    parts: list[Part] = []
    position = 0
    while position < len(path):
        found = _PART.match(path, position)
        if not found:
            return (("index", "never"),)
        position = found.end()
        if found["all"]:
            parts.append(("all", ""))
        elif found["index"]:
            parts.append(("index", found["index"]))
        elif found["field"]:
            parts.append((found["field"], found["value"]))
        else:
            name = found["name"] or found["key"]
            parts.append(("name", re.sub(r"\\(.)", r"\1", name)))
    return tuple(parts)


def look_up(value: Json, parts: tuple[Part, ...]) -> Iterator[Json]:
    """Yield what a path leads to."""
    if not parts:
        yield value
        return
    (kind, word), rest = parts[0], parts[1:]
    if kind == "name":
        found = [value[word]] if isinstance(value, dict) and word in value else []
    elif kind == "index":
        place = int(word) if word != "never" else 0
        found = value[place : place + 1 or None] if isinstance(value, list) and word != "never" else []
    else:
        items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        path = kind.strip(".").split(".")
        found = items if kind == "all" else [item for item in items if str(find(item, *path)) == word]
    for one in found:
        yield from look_up(one, rest)


_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def age(text: Json) -> str:
    """Say how long ago a time was."""
    try:
        then = datetime.datetime.fromisoformat(text)
        return duration((datetime.datetime.now(datetime.UTC) - then).total_seconds())
    except (TypeError, ValueError):
        return "<unknown>" if text is None else "<invalid>"


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
        (2 * 365 * _DAY, f"{days}d", ""),
    )
    for limit, coarse, fine in steps:
        if total < limit:
            return coarse if fine[:-1] in ("", "0") else coarse + fine
    return f"{days // 365}y{days % 365}d"


def _at(*path: str) -> Callable[[JsonObject], Cell]:
    return lambda obj: _show(find(obj, *path), "string")


def _since(*path: str) -> Callable[[JsonObject], Cell]:
    return lambda obj: age(find(obj, *path))


def _count(*path: str) -> Callable[[JsonObject], Cell]:
    return lambda obj: len(find(obj, *path) or ())


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
    begun, ended = map(datetime.datetime.fromisoformat, (start, end))
    return duration((ended - begun).total_seconds())


def _event_age(obj: JsonObject) -> Cell:
    return age(obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"]["creationTimestamp"])


def _event_object(obj: JsonObject) -> Cell:
    return f"{(find(obj, 'involvedObject', 'kind') or '').lower()}/{find(obj, 'involvedObject', 'name') or ''}"


_NAME: Final = Column(name="Name", cell=_at("metadata", "name"), format="name")
_AGE: Final = Column(name="Age", cell=_since("metadata", "creationTimestamp"), type="date")
_BUILT_IN: Final[dict[Key, tuple[Column, ...]]] = {
    NAMESPACES: (_NAME, Column(name="Status", cell=_at("status", "phase")), _AGE),
    CONFIG_MAPS: (_NAME, Column(name="Data", cell=_count("data"), type="integer"), _AGE),
    SECRETS: (
        _NAME,
        Column(name="Type", cell=_at("type")),
        Column(name="Data", cell=_count("data"), type="integer"),
        _AGE,
    ),
    LEASES: (_NAME, Column(name="Holder", cell=_at("spec", "holderIdentity")), _AGE),
    DEFINITIONS: (_NAME, Column(name="Created At", cell=_at("metadata", "creationTimestamp"), type="date")),
    EVENTS: (
        Column(name="Last Seen", cell=_event_age, type="date"),
        Column(name="Type", cell=_at("type")),
        Column(name="Reason", cell=_at("reason")),
        Column(name="Object", cell=_event_object),
        Column(name="Message", cell=_at("message")),
        Column(name="Name", cell=_at("metadata", "name"), format="name", priority=1),
    ),
    JOBS: (
        _NAME,
        Column(name="Status", cell=_job_status),
        Column(name="Completions", cell=_job_completions),
        Column(name="Duration", cell=_job_duration),
        _AGE,
    ),
}
