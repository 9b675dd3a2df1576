"""The life of an object: how it is created, changed and deleted, whoever asks for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from hookwright.devcluster import errors
from hookwright.devcluster.admission import admit
from hookwright.devcluster.definitions import CLEANUP, condition
from hookwright.devcluster.metadata import check_metadata, decode_metadata, generate_name
from hookwright.devcluster.ownership import Writer, track
from hookwright.devcluster.resources import DEFINITIONS, LEASES, NAMESPACES, Resource, built_in
from hookwright.devcluster.store import Store, Stored
from hookwright.devcluster.values import Json, JsonObject, encode, quote, same, timestamp

_KEPT: Final = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
_DROPPED: Final = ("resourceVersion", "managedFields", "selfLink")
_PROTECTED: Final = ("default", "kube-system")
_OUTDATED: Final = "the object has been modified; please apply your changes to the latest version and try again"


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteOptions:
    """How to write.

    `validation` is `Strict`, `Warn` or `Ignore` and says what becomes of unknown fields. `subresource` is `status` or
    empty. `is_patch` tells what was patched from what was sent whole. `with_status` writes everything at once.
    `manager` is the field manager; server-side apply says in `managed` whose which field is.
    """

    dry_run: bool = False
    validation: str = "Warn"
    subresource: str = ""
    is_patch: bool = False
    with_status: bool = False
    manager: str = "devcluster"
    managed: list[JsonObject] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteOptions:
    """How to delete: `policy` is `Orphan` or anything else, preconditions are empty where there are none."""

    dry_run: bool = False
    policy: str = ""
    uid: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An object as it was written, or would be after a dry run, as JSON in the stored form; and warnings."""

    json: bytes
    warnings: list[str]


class Lifecycle:
    """All writes go through here, and nothing else changes the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, resource: Resource, namespace: str, name: str) -> Stored:
        """Return an object; raise ApiError 404 if there is none."""
        stored = self._store.get(resource.key, namespace, name)
        if stored is None:
            raise errors.not_found(resource, name)
        return stored

    def create(self, resource: Resource, namespace: str, body: Json, options: WriteOptions) -> Written:
        """Create an object.

        Raises ApiError: 400 for what cannot be decoded, 403 and 404 for the namespace, 409 where the name is taken, 422
        for what is wrong in the fields, 500 for a resourceVersion.
        """
        obj, metadata, unknown = _decode(resource, namespace, body)
        if metadata.get("resourceVersion"):
            # A real server answers this like a mistake of its own.
            raise errors.ApiError(500, "", "resourceVersion should not be set on objects to be created")
        self._check_surroundings(resource, namespace, metadata.get("name", ""))
        if metadata.get("generateName") and not metadata.get("name"):
            metadata["name"] = generate_name(metadata["generateName"])
        given = metadata.get("managedFields")
        for name in (*_KEPT, *_DROPPED):
            metadata.pop(name, None)
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp()}
        if resource.has_generation:
            metadata["generation"] = 1
        if resource.has_status and not options.with_status:
            obj.pop("status", None)
        obj, warnings = _admit(resource, obj, None, unknown, options)
        _set_owners(resource, {}, obj, given, options)
        if self._store.get(resource.key, namespace, metadata["name"]):
            raise errors.already_exists(resource, metadata["name"])
        json = encode(obj) if options.dry_run else self._store.put(resource.key, obj).json
        return Written(json=json, warnings=warnings)

    def update(self, resource: Resource, namespace: str, name: str, body: Json, options: WriteOptions) -> Written:
        """Replace an object by `body`.

        What did not change is not written. An object that waits for its finalizers is removed with the last of them.
        Raises ApiError as `create` does, and 409 if `body` stands on an older version.
        """
        stored = self.get(resource, namespace, name)
        old = stored.read()
        obj, metadata, unknown = _decode(resource, namespace, body)
        _check_identity(resource, stored, metadata, options)
        if options.subresource == "status":
            status = {"status": obj["status"]} if obj.get("status") is not None else {}
            obj = _without_status(old) | status
            obj["metadata"] = metadata = dict(old["metadata"])
        elif resource.has_status and not options.with_status:
            obj = _without_status(obj) | ({"status": old["status"]} if "status" in old else {})
        given = metadata.get("managedFields")
        for field in (*_KEPT, *_DROPPED):
            metadata.pop(field, None)
        metadata |= {field: old["metadata"][field] for field in (*_KEPT, "resourceVersion") if field in old["metadata"]}
        obj, warnings = _admit(resource, obj, old, unknown, options)
        _set_owners(resource, old, obj, given, options)
        if obj == old and same(obj, old):
            return Written(json=stored.json, warnings=warnings)
        if "generation" in metadata and _content(resource, obj) != _content(resource, old):
            obj["metadata"]["generation"] += 1
        if options.dry_run:
            return Written(json=encode(obj), warnings=warnings)
        write = self._store.remove if stored.terminating and not _is_held(obj) else self._store.put
        return Written(json=write(resource.key, obj).json, warnings=warnings)

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
        if options.dry_run or stored.terminating:
            return stored
        if options.policy == "Orphan":
            for dependent in self._store.dependents(stored.uid):
                self.disown(dependent, [stored.uid])
        obj = stored.read()
        if _is_held(obj) or resource.key == DEFINITIONS:
            return self._store.put(resource.key, _terminate(stored, obj))
        self._store.remove(resource.key, obj)
        return None

    def disown(self, stored: Stored, owners: list[str]) -> None:
        """Take the owners with these UIDs from an object."""
        obj = stored.read()
        references = obj["metadata"].pop("ownerReferences")
        if kept := [owner for owner in references if owner["uid"] not in owners]:
            obj["metadata"]["ownerReferences"] = kept
        self._store.put(stored.key, obj)

    def release(self, stored: Stored) -> None:
        """End the wait of a terminating namespace or definition that is empty by now."""
        obj = stored.read()
        holder, field = (obj["spec"], "kubernetes") if stored.key == NAMESPACES else (obj["metadata"], CLEANUP)
        if field in holder.get("finalizers", ()):
            holder["finalizers"].remove(field)
            write = self._store.put if _is_held(obj) else self._store.remove
            write(stored.key, obj)

    def set_status(self, stored: Stored, status: JsonObject) -> None:
        """Write a status as a controller does."""
        old = stored.read()
        new = {**old, "metadata": dict(old["metadata"]), "status": status}
        options = WriteOptions(subresource="status", manager="kube-controller-manager")
        _set_owners(built_in(stored.key), old, new, None, options)
        self._store.put(stored.key, new)

    def _check_surroundings(self, resource: Resource, namespace: str, name: str) -> None:
        """Refuse a new object where its namespace, or its kind, is absent or going away."""
        space = self._store.get(NAMESPACES, "", namespace) if resource.namespaced else None
        if resource.namespaced and space is None:
            raise errors.not_found(built_in(NAMESPACES), namespace)
        if space and space.terminating:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            message = f"namespace {namespace} is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
            raise errors.forbidden(resource, name, why, cause)
        definition = self._store.get(DEFINITIONS, "", resource.full_name) if resource.custom else None
        if definition and definition.terminating:
            why = "create not allowed while custom resource definition is terminating"
            raise errors.forbidden(resource, name, why)


def _decode(resource: Resource, namespace: str, body: Json) -> tuple[JsonObject, JsonObject, list[str]]:
    """Check that a body is an object of this kind and place.

    Returns it in the stored form, its metadata, and the paths of unknown fields in that.
    """
    if not isinstance(body, dict):
        raise errors.bad_request("the object provided is unrecognized (must be of type Object)")
    for name, wanted in (("apiVersion", resource.api_version), ("kind", resource.kind)):
        given = body.get(name)
        if resource.custom and not given:
            raise errors.bad_request(f"Object '{name}' is missing in '{quote(body)[:200]}'")
        if given and given != wanted and name == "kind" and resource.custom:
            own_name = str((body.get("metadata") or {}).get("name", ""))
            raise errors.invalid(resource, own_name, [errors.invalid_value("kind", given, f"must be {wanted}")])
        if given and given != wanted:
            raise errors.bad_request(f"the {name} in the data ({given}) does not match the expected {name} ({wanted})")
    # These two come first in what is stored, and so in what is shown.
    obj = resource.inward({"apiVersion": resource.api_version, "kind": resource.kind, **body})
    metadata, unknown = decode_metadata(resource, obj)
    if not resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.setdefault("namespace", namespace) != namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    return obj, metadata, unknown


def _check_identity(resource: Resource, stored: Stored, metadata: JsonObject, options: WriteOptions) -> None:
    """Refuse an update that is about another object, or about an older version of this one."""
    name = metadata.setdefault("name", stored.name)
    if name != stored.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({stored.name})")
    version, uid = metadata.get("resourceVersion"), metadata.get("uid")
    if version and version != str(stored.version):
        raise errors.conflict(resource, name, _OUTDATED)
    if not version and not options.is_patch and (resource.custom or resource.key in (DEFINITIONS, LEASES)):
        cause = errors.invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
        raise errors.invalid(resource, name, [cause])
    if uid and uid != stored.uid:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {stored.uid}"
        raise errors.conflict(resource, name, why)


def _admit(
    resource: Resource, obj: JsonObject, old: JsonObject | None, unknown: list[str], options: WriteOptions
) -> tuple[JsonObject, list[str]]:
    """Complete and check an object; return it, and warnings."""
    obj, causes, more = admit(resource, obj, old)
    complaints = [f'unknown field "{field}"' for field in (*unknown, *more)]
    if complaints and options.validation == "Strict":
        raise _undecodable(resource, obj, f"strict decoding error: {', '.join(complaints)}", options)
    for cause in () if resource.custom else causes:
        if cause.reason == errors.WRONG_TYPE:
            raise _undecodable(resource, obj, f"{cause.field}: {cause.message}", options)
    metadata = obj["metadata"]
    causes = [*check_metadata(resource, metadata), *causes]
    if old and "deletionTimestamp" in metadata:
        added = set(metadata.get("finalizers", ())) - set(old["metadata"].get("finalizers", ()))
        if added:
            why = f"no new finalizers can be added if the object is being deleted, found new finalizers {sorted(added)}"
            causes.append(errors.forbidden_field("metadata.finalizers", why))
    if causes:
        raise errors.invalid(resource, metadata.get("name", ""), causes)
    return obj, complaints if options.validation == "Warn" else []


def _undecodable(resource: Resource, obj: JsonObject, why: str, options: WriteOptions) -> errors.ApiError:
    if not options.is_patch:
        return errors.undecodable(resource, why)
    # The real server shows all of what the patch has made; a Secret is not for error messages.
    shown = quote(obj) if resource.custom else f"{resource.kind} {obj['metadata'].get('name', '')}"
    return errors.invalid(None, "", [errors.invalid_value("patch", shown, why)])


def _set_owners(resource: Resource, old: JsonObject, new: JsonObject, given: Json, options: WriteOptions) -> None:
    managed = options.managed
    if managed is None:
        writer = Writer(manager=options.manager, subresource=options.subresource)
        managed = track(resource, old, new, given, writer)
    if managed:
        new["metadata"]["managedFields"] = managed


def _without_status(obj: JsonObject) -> JsonObject:
    return {name: member for name, member in obj.items() if name != "status"}


def _content(resource: Resource, obj: JsonObject) -> JsonObject:
    """Return what counts for the generation: everything but metadata, and status where it is a subresource."""
    content = _without_status(obj) if resource.has_status else obj
    return {name: member for name, member in content.items() if name != "metadata"}


def _is_held(obj: JsonObject) -> bool:
    """Say whether something has to happen before a deleted object may go."""
    is_namespace = (obj["apiVersion"], obj["kind"]) == ("v1", "Namespace")
    return bool(obj["metadata"].get("finalizers") or (is_namespace and obj["spec"]["finalizers"]))


def _terminate(stored: Stored, obj: JsonObject) -> JsonObject:
    """Return the object as it waits for its end."""
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
