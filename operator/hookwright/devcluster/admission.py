"""What becomes of an object on its way in: completed by the server, and checked by its kind."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Final

from hookwright.devcluster import workloads
from hookwright.devcluster.definitions import prepare_definition
from hookwright.devcluster.errors import Cause, invalid_value, undecodable
from hookwright.devcluster.resources import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEFINITIONS,
    EVENTS,
    JOBS,
    NAMESPACES,
    PODS,
    SECRETS,
    Key,
    Resource,
)
from hookwright.devcluster.schemas import HEAD, prune, set_defaults, validate
from hookwright.devcluster.values import JsonObject, find, without_nulls

Prepare = Callable[[JsonObject, JsonObject | None], Iterator[Cause]]


def admit(resource: Resource, new: JsonObject, old: JsonObject | None) -> tuple[JsonObject, list[Cause], list[str]]:
    """Complete an object and check it.

    Takes the object as it would be stored and, of an update, the one that is. Returns what to store, what is wrong in
    it, and the paths of the fields that its kind does not know (which are gone from what is returned).
    Raises ApiError 400 where a field of a built-in kind has a type that it cannot hold.
    """
    if resource.custom:
        return _admit_custom(resource, new)
    new = without_nulls(new)
    schema = _SCHEMAS.get(resource.key, {})
    causes = list(validate(new, schema))
    for cause in causes:
        if cause.reason == "FieldValueTypeInvalid":
            raise undecodable(resource, f"{cause.field}: {cause.message}")
    prepare = _PREPARATIONS.get(resource.key)
    # What is missing altogether needs no second complaint.
    if prepare and not causes:
        causes = list(prepare(new, old))
    return new, causes, []


def _admit_custom(resource: Resource, new: JsonObject) -> tuple[JsonObject, list[Cause], list[str]]:
    unknown: list[str] = []
    body = prune(new, resource.schema, "", unknown, embedded=True)
    head = {name: body[name] for name in HEAD}
    set_defaults(body, resource.schema)
    # Schemas may not default the head; what they say about the name is checked with the rest.
    body |= head
    return body, list(validate(body, resource.schema)), unknown


def _prepare_namespace(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    metadata = new["metadata"]
    metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata.get("name", "")
    if old is None:
        new["spec"] = {"finalizers": ["kubernetes"]}
        new["status"] = {"phase": "Active"}
    yield from ()


def _prepare_secret(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    new.setdefault("type", "Opaque")
    for key, text in new.pop("stringData", {}).items():
        new.setdefault("data", {})[key] = base64.b64encode(text.encode(errors="surrogatepass")).decode()
    for key, text in new.get("data", {}).items():
        try:
            base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            # The value is a secret even when it is broken: it is not repeated.
            yield Cause("FieldValueInvalid", f"data[{key}]", "Invalid value: illegal base64 data")


def _prepare_event(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    namespace = find(new, "involvedObject", "namespace") or "default"
    if namespace != new["metadata"].get("namespace"):
        yield invalid_value("involvedObject.namespace", namespace, "does not match event.namespace")


def _prepare_pod(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    if old is None:
        new.setdefault("status", {"phase": "Pending", "qosClass": "BestEffort"})
    yield from workloads.check_pod(new)


def _prepare_job(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    if old is None:
        workloads.set_job_defaults(new)
    yield from workloads.check_job(new)


def _prepare_cron_job(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    yield from workloads.check_cron_job(new)


_TEXTS: Final[JsonObject] = {"type": "object", "additionalProperties": {"type": "string"}}
_DATA: Final[JsonObject] = {"type": "object", "properties": {"data": _TEXTS, "stringData": _TEXTS}}
_SCHEMAS: Final[dict[Key, JsonObject]] = {
    CONFIG_MAPS: _DATA,
    SECRETS: _DATA,
    PODS: workloads.POD,
    JOBS: workloads.JOB,
    CRON_JOBS: workloads.CRON_JOB,
}
_PREPARATIONS: Final[dict[Key, Prepare]] = {
    NAMESPACES: _prepare_namespace,
    SECRETS: _prepare_secret,
    EVENTS: _prepare_event,
    PODS: _prepare_pod,
    JOBS: _prepare_job,
    CRON_JOBS: _prepare_cron_job,
    DEFINITIONS: prepare_definition,
}
