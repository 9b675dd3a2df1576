"""The life of an object: how it is created, changed and deleted, whoever asks for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from hookwright.devcluster import errors
from hookwright.devcluster.admission import admit
from hookwright.devcluster.definitions import CLEANUP, condition
from hookwright.devcluster.errors import Cause
from hookwright.devcluster.metadata import check_metadata, decode_metadata, generate_name
from hookwright.devcluster.registry import Registry
from hookwright.devcluster.resources import DEFINITIONS, LEASES, NAMESPACES, Resource
from hookwright.devcluster.store import Store, Stored
from hookwright.devcluster.values import Json, JsonObject, clone, encode, same, timestamp

_KEPT_BY_SERVER: Final = (
    *("uid", "creationTimestamp", "generation", "name", "namespace"),
    *("deletionTimestamp", "deletionGracePeriodSeconds"),
)
_PROTECTED: Final = ("default", "kube-system")


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteOptions:
    """How to write.

    `validation` is `Strict`, `Warn` or `Ignore` and says what becomes of unknown fields. `subresource` is `status` or
    empty. `is_patch` tells what was patched from what was sent whole. `keeps_status` lets one write everything at once.
    """

    dry_run: bool = False
    validation: str = "Warn"
    subresource: str = ""
    is_patch: bool = False
    keeps_status: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteOptions:
    """How to delete: `policy` is `Orphan` or anything else, preconditions are empty where there are none."""

    dry_run: bool = False
    policy: str = ""
    uid: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An object as it was written, or would be after a dry run (`stored` is None then), and warnings for the caller."""

    obj: JsonObject
    stored: Stored | None
    warnings: list[str]


class Lifecycle:
    """All writes go through here, and nothing else changes the store."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def get(self, resource: Resource, namespace: str, name: str) -> Stored:
        """Return an object; raise ApiError 404 if there is none."""
        stored = self._store.get(resource.key, namespace, name)
        if stored is None:
            raise errors.not_found(resource, name)
        return stored

    def create(self, resource: Resource, namespace: str, body: JsonObject, options: WriteOptions) -> Written:
        """Create an object from `body`, which is used up by it.

        Raises ApiError: 400 for what cannot be decoded, 403 and 404 for the namespace, 409 where the name is taken, 422
        for what is wrong in the fields.
        """
        obj, metadata, unknown = self._decode(resource, namespace, body)
        if metadata.get("resourceVersion"):
            raise errors.bad_request("resourceVersion should not be set on objects to be created")
        self._check_surroundings(resource, namespace, metadata.get("name", ""))
        if metadata.get("generateName") and not metadata.get("name"):
            metadata["name"] = generate_name(metadata["generateName"])
        for name in (*_KEPT_BY_SERVER, "resourceVersion", "managedFields", "selfLink"):
            if name not in ("name", "namespace"):
                metadata.pop(name, None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp()}
        if resource.has_generation:
            metadata["generation"] = 1
        if resource.has_status and not options.keeps_status:
            obj.pop("status", None)
        obj, warnings = self._admit(resource, obj, None, unknown, options)
        if self._store.get(resource.key, namespace, metadata["name"]):
            raise errors.already_exists(resource, metadata["name"])
        stored = None if options.dry_run else self._store.put(resource.key, obj)
        return Written(obj=obj, stored=stored, warnings=warnings)

    def update(self, resource: Resource, namespace: str, name: str, body: JsonObject, options: WriteOptions) -> Written:
        """Replace an object by `body`, which is used up by it.

        What did not change is not written. An object that waits for its finalizers is removed with the last of them.
        Raises ApiError as `create` does, and 409 if `body` stands on an older version.
        """
        stored = self.get(resource, namespace, name)
        obj, metadata, unknown = self._decode(resource, namespace, body)
        self._check_identity(resource, stored, metadata, options)
        if options.subresource == "status":
            obj = {**stored.obj, "status": obj.get("status")}
            obj["metadata"] = metadata = clone(stored.obj["metadata"])
            if obj["status"] is None:
                del obj["status"]
        elif resource.has_status and not options.keeps_status:
            obj.pop("status", None)
            if "status" in stored.obj:
                obj["status"] = clone(stored.obj["status"])
        self._keep_system_fields(stored, metadata)
        obj, warnings = self._admit(resource, obj, stored.obj, unknown, options)
        if obj == stored.obj and same(obj, stored.obj):
            return Written(obj=stored.obj, stored=stored, warnings=warnings)
        if "generation" in metadata and _content(obj, resource) != _content(stored.obj, resource):
            obj["metadata"]["generation"] += 1
        if options.dry_run:
            return Written(obj=obj, stored=None, warnings=warnings)
        write = self._store.remove if stored.terminating and not _is_held(obj) else self._store.put
        return Written(obj=obj, stored=write(resource.key, obj), warnings=warnings)

    def delete(self, resource: Resource, namespace: str, name: str, options: DeleteOptions) -> Stored | None:
        """Delete an object; return what remains of it while finalizers hold it, None if it is gone.

        Raises ApiError: 403 for what may not be deleted, 404, 409 where a precondition is not met.
        """
        stored = self.get(resource, namespace, name)
        for wanted, found in ((options.uid, stored.uid), (options.version, str(stored.version))):
            if wanted and wanted != found:
                raise errors.conflict(resource, name, f"Precondition failed: wanted {wanted}, found {found}")
        if resource.key == NAMESPACES and name in _PROTECTED:
            raise errors.forbidden(resource, name, "this namespace may not be deleted")
        if options.dry_run:
            return stored
        if options.policy == "Orphan":
            for dependent in self._store.dependents(stored.uid):
                self.disown(dependent, [stored.uid])
        if resource.key != DEFINITIONS and not _is_held(stored.obj):
            self._store.remove(resource.key, clone(stored.obj))
            return None
        return stored if stored.terminating else self._store.put(resource.key, _terminate(stored))

    def disown(self, stored: Stored, owners: list[str]) -> None:
        """Take the owners with these UIDs from an object."""
        obj = clone(stored.obj)
        kept = [owner for owner in stored.owners if owner["uid"] not in owners]
        if kept:
            obj["metadata"]["ownerReferences"] = kept
        else:
            del obj["metadata"]["ownerReferences"]
        self._store.put(stored.key, obj)

    def release(self, stored: Stored) -> None:
        """End the wait of a terminating namespace or definition that is empty by now."""
        obj = clone(stored.obj)
        if stored.key == NAMESPACES:
            obj["spec"]["finalizers"] = []
        else:
            finalizers = obj["metadata"].get("finalizers", ())
            obj["metadata"]["finalizers"] = [finalizer for finalizer in finalizers if finalizer != CLEANUP]
        if obj == stored.obj:
            return
        write = self._store.put if _is_held(obj) else self._store.remove
        write(stored.key, obj)

    def set_status(self, stored: Stored, status: JsonObject) -> None:
        """Write a status as a controller does."""
        self._store.put(stored.key, {**clone(stored.obj), "status": status})

    def _decode(self, resource: Resource, namespace: str, body: Json) -> tuple[JsonObject, JsonObject, list[str]]:
        """Check that the body is an object of this kind and place; return it in the stored form, with its metadata."""
        if not isinstance(body, dict):
            raise errors.bad_request("the object provided is unrecognized (must be of type Object)")
        for name, wanted in (("apiVersion", resource.api_version), ("kind", resource.kind)):
            given = body.get(name)
            if resource.custom and not given:
                raise errors.bad_request(f"Object '{name}' is missing in '{encode(body)[:200].decode()}'")
            if given and given != wanted:
                text = f"the {name} in the data ({given}) does not match the expected {name} ({wanted})"
                raise errors.bad_request(text)
        # These come first in what is stored, and so in what is shown.
        obj = resource.inward({"apiVersion": resource.api_version, "kind": resource.kind, **body})
        metadata, unknown = decode_metadata(resource, obj)
        if not resource.namespaced:
            metadata.pop("namespace", None)
        elif metadata.setdefault("namespace", namespace) != namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise errors.bad_request(text)
        return obj, metadata, unknown

    def _check_surroundings(self, resource: Resource, namespace: str, name: str) -> None:
        """Refuse a new object where its namespace, or its kind, is absent or going away."""
        if resource.namespaced:
            space = self._store.get(NAMESPACES, "", namespace)
            if space is None:
                kind = self._registry.by_key(NAMESPACES)
                raise errors.not_found(kind or resource, namespace)
            if space.terminating:
                why = f"unable to create new content in namespace {namespace} because it is being terminated"
                message = f"namespace {namespace} is being terminated"
                cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
                raise errors.forbidden(resource, name, why, [cause])
        if resource.custom:
            definition = self._store.get(DEFINITIONS, "", resource.full_name)
            if definition and definition.terminating:
                why = "create not allowed while custom resource definition is terminating"
                raise errors.forbidden(resource, name, why)

    def _check_identity(self, resource: Resource, stored: Stored, metadata: JsonObject, options: WriteOptions) -> None:
        """Refuse an update that is about another object, or about an older version of this one."""
        name = metadata.setdefault("name", stored.name)
        if name != stored.name:
            text = f"the name of the object ({name}) does not match the name on the URL ({stored.name})"
            raise errors.bad_request(text)
        version = metadata.get("resourceVersion")
        if version and version != str(stored.version):
            raise errors.conflict(resource, name)
        guarded = resource.custom or resource.key in (DEFINITIONS, LEASES)
        if not version and guarded and not options.is_patch:
            cause = errors.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
            raise errors.invalid(resource, name, [cause])
        uid = metadata.get("uid")
        if uid and uid != stored.uid:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.uid}"
            raise errors.conflict(resource, name, why)

    def _keep_system_fields(self, stored: Stored, metadata: JsonObject) -> None:
        before = stored.obj["metadata"]
        for name in _KEPT_BY_SERVER:
            if name in before:
                metadata[name] = before[name]
            else:
                metadata.pop(name, None)
        metadata["resourceVersion"] = before["resourceVersion"]
        metadata.pop("managedFields", None)
        metadata.pop("selfLink", None)

    def _admit(
        self, resource: Resource, obj: JsonObject, old: JsonObject | None, unknown: list[str], options: WriteOptions
    ) -> tuple[JsonObject, list[str]]:
        """Complete and check an object; return it, and warnings."""
        obj, causes, more = admit(resource, obj, old)
        complaints = [f'unknown field "{field}"' for field in (*unknown, *more)]
        if complaints and options.validation == "Strict":
            raise _undecodable(resource, f"strict decoding error: {', '.join(complaints)}", obj, options)
        metadata = obj["metadata"]
        causes = [*check_metadata(resource, metadata), *causes]
        added = set(metadata.get("finalizers", ())) - set((old or {"metadata": {}})["metadata"].get("finalizers", ()))
        if "deletionTimestamp" in metadata and added:
            why = "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
            causes.append(Cause("FieldValueForbidden", "metadata.finalizers", f"{why}{sorted(added)}"))
        if causes:
            raise errors.invalid(resource, metadata.get("name", ""), causes)
        return obj, complaints if options.validation == "Warn" else []


def _undecodable(resource: Resource, why: str, obj: JsonObject, options: WriteOptions) -> errors.ApiError:
    if options.is_patch:
        return errors.invalid_kind("", "", "", [errors.invalid_value("patch", encode(obj).decode(), why)])
    return errors.undecodable(resource, why)


def _content(obj: JsonObject, resource: Resource) -> JsonObject:
    """Return what counts for the generation: everything but metadata, and status where it is a subresource."""
    apart = ("metadata", "status") if resource.has_status else ("metadata",)
    return {name: member for name, member in obj.items() if name not in apart}


def _is_held(obj: JsonObject) -> bool:
    """Say whether something has to happen before a deleted object may go."""
    spec = obj.get("spec")
    waits = obj["kind"] == "Namespace" and obj["apiVersion"] == "v1" and isinstance(spec, dict) and spec["finalizers"]
    return bool(obj["metadata"].get("finalizers") or waits)


def _terminate(stored: Stored) -> JsonObject:
    """Return the object as it waits for its end."""
    obj: JsonObject = clone(stored.obj)
    metadata = obj["metadata"]
    metadata |= {"deletionTimestamp": timestamp(), "deletionGracePeriodSeconds": 0}
    if "generation" in metadata:
        metadata["generation"] += 1
    if stored.key == NAMESPACES:
        obj["status"]["phase"] = "Terminating"
    if stored.key == DEFINITIONS:
        metadata["finalizers"] = [*metadata.get("finalizers", ()), CLEANUP]
        why = "CustomResource deletion is in progress"
        obj["status"]["conditions"].append(condition("Terminating", "InstanceDeletionInProgress", why))
    return obj
