"""What becomes of an object on its way in: completed by the server, and checked by its kind."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Final

from hookwright.devcluster import definitions, workloads
from hookwright.devcluster.errors import WRONG_TYPE, ApiError, Cause, invalid, invalid_value
from hookwright.devcluster.metadata import decode_metadata
from hookwright.devcluster.resources import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEFINITIONS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    PODS,
    SECRETS,
    Key,
    Resource,
)
from hookwright.devcluster.schemas import prune, set_defaults, validate
from hookwright.devcluster.shapes import COUNT, INTEGER, TEXT, TEXTS, shape
from hookwright.devcluster.values import JsonObject, find, to_micro_time, without_nulls

Prepare = Callable[[JsonObject, JsonObject | None], Iterator[Cause]]


def admit(resource: Resource, new: JsonObject, old: JsonObject | None) -> tuple[JsonObject, list[Cause], list[str]]:
    """Complete an object and check it.

    Takes the object as it would be stored and, of an update, the one that is. Returns what to store, what is wrong in
    it, and the paths of the fields that its kind does not know (which are gone from what is returned).
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
    return complete, causes, unknown


def check_declared(resource: Resource, config: JsonObject) -> None:
    """Raise ApiError 500, as the real server does, for applied fields that the kind does not know or cannot hold."""
    _, unknown = decode_metadata(resource, dict(config))
    schema = resource.schema
    if resource.custom:
        prune(config, schema, "", unknown, is_object=True)
    else:
        _, schema = _KINDS.get(resource.key, (None, {}))
    causes = validate(without_nulls(config), schema)
    wrong = [f".{cause.field}: {cause.message}" for cause in causes if cause.reason == WRONG_TYPE]
    wrong += [f".{field}: field not declared in schema" for field in unknown]
    if wrong:
        kind, metadata = f"{resource.group}/{resource.version}, Kind={resource.kind}", config["metadata"]
        about = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {kind}"
        why = wrong[0] if len(wrong) == 1 else "\n  ".join(["errors:", *wrong])
        raise ApiError(500, "", f"failed to create typed patch object ({about}): {why}")


def check_nulls(resource: Resource, merged: JsonObject) -> None:
    """Raise ApiError 422 for a null that server-side apply has left in a custom object: there nothing takes it out."""
    causes = validate(merged, resource.schema) if resource.custom else ()
    if wrong := [cause for cause in causes if cause.reason == WRONG_TYPE]:
        raise invalid(resource, merged["metadata"].get("name", ""), wrong)


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


def _prepare_lease(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    for name in ("acquireTime", "renewTime"):
        yield from _settle_time(new, "spec", name)
    if (seconds := find(new, "spec", "leaseDurationSeconds")) is not None and seconds <= 0:
        yield invalid_value("spec.leaseDurationSeconds", seconds, "must be greater than 0")


def _settle_time(obj: JsonObject, *path: str) -> Iterator[Cause]:
    """Bring a MicroTime into its form; yield what is wrong with it."""
    parent, name = find(obj, *path[:-1]) or {}, path[-1]
    if name in parent:
        try:
            parent[name] = to_micro_time(parent[name])
        except (ValueError, OverflowError) as error:
            yield Cause(WRONG_TYPE, ".".join(path), str(error))


def _prepare_event(new: JsonObject, _: JsonObject | None) -> Iterator[Cause]:
    yield from _settle_time(new, "eventTime")
    namespace = find(new, "involvedObject", "namespace") or "default"
    if namespace != new["metadata"].get("namespace"):
        yield invalid_value("involvedObject.namespace", namespace, "does not match event.namespace")


_DATA: Final = shape(data=TEXTS, stringData=TEXTS)
_LEASE: Final = shape(
    spec=shape(
        holderIdentity=TEXT, leaseDurationSeconds=INTEGER, leaseTransitions=COUNT, acquireTime=TEXT, renewTime=TEXT
    )
)
_KINDS: Final[dict[Key, tuple[Prepare | None, JsonObject]]] = {
    NAMESPACES: (_prepare_namespace, {}),
    CONFIG_MAPS: (None, _DATA),
    SECRETS: (_prepare_secret, _DATA),
    EVENTS: (_prepare_event, shape(eventTime=TEXT)),
    LEASES: (_prepare_lease, _LEASE),
    PODS: (workloads.prepare_pod, workloads.POD),
    JOBS: (workloads.prepare_job, workloads.JOB),
    CRON_JOBS: (workloads.prepare_cron_job, workloads.CRON_JOB),
    DEFINITIONS: (definitions.prepare_definition, definitions.SHAPE),
}
