"""What becomes of an object on its way in: completed by the server, and checked by its kind."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Final

from hookwright.devcluster import definitions, workloads
from hookwright.devcluster.errors import WRONG_TYPE, Cause, invalid_value, undecodable
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
from hookwright.devcluster.schemas import prune, set_defaults, validate
from hookwright.devcluster.shapes import TEXTS, shape
from hookwright.devcluster.values import JsonObject, find, without_nulls

Prepare = Callable[[JsonObject, JsonObject | None], Iterator[Cause]]


def admit(resource: Resource, new: JsonObject, old: JsonObject | None) -> tuple[JsonObject, list[Cause], list[str]]:
    """Complete an object and check it.

    Takes the object as it would be stored and, of an update, the one that is. Returns what to store, what is wrong in
    it, and the paths of the fields that its kind does not know (which are gone from what is returned).
    Raises ApiError 400 where a field of a built-in kind has a type that it cannot hold.
    """
    unknown: list[str] = []
    if resource.custom:
        pruned: JsonObject = prune(new, resource.schema, "", unknown, is_object=True)
        set_defaults(pruned, resource.schema)
        return pruned, list(validate(pruned, resource.schema)), unknown
    prepare, known = _KINDS.get(resource.key, (None, {}))
    complete: JsonObject = without_nulls(new)
    causes = list(validate(complete, known))
    # What is missing altogether needs no second complaint.
    if prepare and not causes:
        causes = list(prepare(complete, old))
    for cause in causes:
        if cause.reason == WRONG_TYPE:
            raise undecodable(resource, f"{cause.field}: {cause.message}")
    return complete, causes, unknown


def _prepare_namespace(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    metadata = new["metadata"]
    metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata.get("name", "")
    new["spec"] = old["spec"] if old else {"finalizers": ["kubernetes"]}
    new.setdefault("status", {"phase": "Active"})
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
            yield Cause(WRONG_TYPE, f"data[{key}]", "illegal base64 data")


def _prepare_event(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    namespace = find(new, "involvedObject", "namespace") or "default"
    if namespace != new["metadata"].get("namespace"):
        yield invalid_value("involvedObject.namespace", namespace, "does not match event.namespace")


_DATA: Final = shape(data=TEXTS, stringData=TEXTS)
_KINDS: Final[dict[Key, tuple[Prepare | None, JsonObject]]] = {
    NAMESPACES: (_prepare_namespace, {}),
    CONFIG_MAPS: (None, _DATA),
    SECRETS: (_prepare_secret, _DATA),
    EVENTS: (_prepare_event, {}),
    PODS: (workloads.prepare_pod, workloads.POD),
    JOBS: (workloads.prepare_job, workloads.JOB),
    CRON_JOBS: (workloads.prepare_cron_job, workloads.CRON_JOB),
    DEFINITIONS: (definitions.prepare_definition, definitions.SHAPE),
}
