"""The three ways to patch: JSON merge patch (RFC 7396), JSON patch (RFC 6902), Kubernetes' strategic merge patch."""

from __future__ import annotations

import copy
from typing import Final

from hookwright.devcluster.errors import ApiError, bad_request
from hookwright.devcluster.values import Json, JsonObject, same

MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"

_OPERATIONS: Final = 10_000
"""How many operations one JSON patch may have, as on the real server."""


def merge(target: Json, patch: Json) -> Json:
    """Return `target` with a merge patch applied; null removes, lists are replaced. The target is not changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, member in patch.items():
        if member is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), member)
    return merged


# Which member tells the items of a list apart: the `patchMergeKey` tags of k8s.io/api, for the kinds built in here.
_MERGE_KEYS: Final = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
MERGED_SETS: Final = frozenset(("finalizers",))
_DELETE_ITEMS: Final = "$deleteFromPrimitiveList/"
_ORDER: Final = "$setElementOrder/"


def strategic(target: Json, patch: Json, field: str = "") -> Json:
    """Return `target` with a strategic merge patch applied: lists of named things are merged by their names.

    Knows the directives `$patch` (replace, delete, merge), `$deleteFromPrimitiveList` and `$retainKeys`;
    `$setElementOrder` is accepted, and the order left as it comes.
    """
    if isinstance(patch, dict):
        return _strategic_object(target, patch)
    if isinstance(patch, list):
        return _strategic_list(target, patch, field)
    return patch


def _strategic_object(target: Json, patch: JsonObject) -> Json:
    directive = patch.get("$patch")
    if directive == "delete":
        return {}
    merged = dict(target) if isinstance(target, dict) and directive != "replace" else {}
    for name, member in patch.items():
        if name.startswith(_DELETE_ITEMS):
            listed = name.removeprefix(_DELETE_ITEMS)
            merged[listed] = [item for item in merged.get(listed) or () if item not in member]
        elif name == "$retainKeys":
            merged = {kept: value for kept, value in merged.items() if kept in member}
        elif name == "$patch" or name.startswith(_ORDER):
            continue
        elif member is None or (isinstance(member, dict) and member.get("$patch") == "delete"):
            merged.pop(name, None)
        else:
            merged[name] = strategic(merged.get(name), member, name)
    return merged


def _strategic_list(target: Json, patch: list[Json], field: str) -> Json:
    directives = [item.get("$patch") if isinstance(item, dict) else None for item in patch]
    present = target if isinstance(target, list) and "replace" not in directives else []
    if field in MERGED_SETS:
        return [*present, *(item for item in patch if item not in present)]
    key = merge_key(field, [*present, *patch])
    if not key:
        return [item for item, directive in zip(patch, directives, strict=True) if not directive]
    merged = list(present)
    for item, directive in zip(patch, directives, strict=True):
        places = [place for place, known in enumerate(merged) if key in item and known.get(key) == item[key]]
        if directive == "delete":
            merged = [known for place, known in enumerate(merged) if place not in places]
        elif places:
            merged[places[0]] = strategic(merged[places[0]], item)
        elif directive != "replace":
            # Merging with nothing takes the directives out.
            merged.append(strategic({}, item))
    return merged


def merge_key(field: str, items: list[Json]) -> str:
    """Return what tells the items of a list in a built-in kind apart; empty if the list is replaced as a whole."""
    if not all(isinstance(item, dict) for item in items):
        return ""
    plain = [item for item in items if item.get("$patch") != "replace"]
    return next((key for key in _MERGE_KEYS.get(field, ()) if all(key in item for item in plain)), "")


def json_patch(target: Json, operations: Json) -> Json:
    """Return `target` with a JSON patch applied; the target is not changed.

    Raises ApiError 400 for what is no JSON patch, 422 for one that does not fit (a `test` that fails among them).
    """
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise bad_request("json: cannot unmarshal the patch into a list of JSON patch operations")
    if len(operations) > _OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {_OPERATIONS}, got {len(operations)}"
        raise ApiError(413, "RequestEntityTooLarge", message)
    document = {"": copy.deepcopy(target)}
    for operation in operations:
        try:
            _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            what = f"{operation.get('op')} {operation.get('path')}"
            message = f"the server rejected our request due to an error in our request: {what}: {error}"
            raise ApiError(422, "Invalid", message) from error
    return document[""]


def _operate(document: JsonObject, operation: JsonObject) -> None:
    parent, key = _locate(document, operation["path"])
    match operation["op"]:
        case "test":
            # To the real server, what is not there is null.
            found = parent.get(key) if isinstance(parent, dict) else parent[key]
            if not same(found, operation.get("value")):
                raise ValueError("testing value failed")
        case "add":
            _add(parent, key, copy.deepcopy(operation["value"]))
        case "remove":
            parent.pop(key)
        case "replace":
            # The real server replaces members that are not there, too.
            parent.pop(*((key, None) if isinstance(parent, dict) else (key,)))
            _add(parent, key, copy.deepcopy(operation["value"]))
        case "move":
            source, name = _locate(document, operation["from"])
            value = source.pop(name)
            # Taking it away may have moved the place.
            _add(*_locate(document, operation["path"]), value)
        case "copy":
            source, name = _locate(document, operation["from"])
            _add(parent, key, copy.deepcopy(source[name]))
        case other:
            raise ValueError(f"unexpected kind: {other}")


def _locate(document: Json, pointer: Json) -> tuple[Json, Json]:
    """Return the list or object that a JSON pointer leads into, and the index or name there.

    The document itself is the member '' of a wrapper, so that it can be replaced too.
    """
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise ValueError(f"not a JSON pointer: {pointer!r}")
    *path, last = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/"))
    for part in path:
        document = document[_key(document, part)]
    return document, _key(document, last)


def _key(parent: Json, part: str) -> str | int:
    if not isinstance(parent, list):
        return part
    if part == "-":
        return len(parent)
    if not (part.isascii() and part.isdigit()) or int(part) > len(parent):
        raise IndexError(f"no index {part} in a list of {len(parent)}")
    return int(part)


def _add(parent: Json, key: Json, value: Json) -> None:
    if isinstance(parent, list):
        parent.insert(key, value)
    else:
        parent[key] = value
