"""Who owns which field: `metadata.managedFields`, and server-side apply, which stands on it.

Who changes a field owns it from then on; who applies a configuration owns what it states. Applying a value other than
somebody else's is a conflict, unless forced. What an applier states no longer, and nobody else owns, is removed. The
rules are those of k8s.io/apimachinery `pkg/util/managedfields` and sigs.k8s.io/structured-merge-diff `merge/update.go`,
but for this: fields are not converted between the versions of a kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

from hookwright.devcluster.errors import apply_conflict
from hookwright.devcluster.fields import (
    Fields,
    Shape,
    changed,
    common,
    difference,
    is_member,
    merge,
    shape_of,
    stated,
    union,
    without,
)
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.values import Json, JsonObject, find, same, timestamp

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_UPDATES: Final = 10
"""How many updaters an object tells apart; the oldest ones become one."""

_SYSTEM: Final = frozenset(
    f"f:{name}"
    for name in (
        *("name", "namespace", "uid", "resourceVersion", "generation"),
        *("creationTimestamp", "selfLink", "managedFields"),
    )
)

_NAME: Final[Fields] = {"f:metadata": {"f:name": {}}}
"""What is never removed, though nobody owns it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writer:
    """Who writes now: the field manager, and to which subresource."""

    manager: str
    subresource: str = ""

    def reach(self, resource: Resource, fields: Fields) -> Fields:
        """Return those of the fields that the writer can own: status, or all but status where that is apart."""
        is_status = self.subresource == "status"
        own = {
            element: inner
            for element, inner in fields.items()
            if element not in (".", "f:apiVersion", "f:kind", "f:metadata")
            and (not resource.has_status or (element == "f:status") == is_status)
        }
        metadata = {} if is_status else fields.get("f:metadata", {})
        if names := {name: inner for name, inner in metadata.items() if name != "." and name not in _SYSTEM}:
            own["f:metadata"] = names
        return own


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """One entry of managedFields: who wrote, by `Apply` or `Update`, and what is theirs; `time` may be empty."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    fields: Fields | None

    def is_same(self, other: Owner) -> bool:
        """Say whether this is the same owner, whatever it owns; an applier stays itself in another version."""
        one, two = ((it.manager, it.operation, it.subresource) for it in (self, other))
        return one == two and (self.operation == "Apply" or self.api_version == other.api_version)

    def less(self, *lost: Fields) -> Owner:
        """Return the owner without these fields."""
        fields = self.fields
        for one in lost:
            fields = difference(fields, one) if fields and one else fields
        return self if fields is self.fields else replace(self, fields=fields)


def track(resource: Resource, old: JsonObject, new: JsonObject, given: Json, writer: Writer) -> list[JsonObject]:
    """Return the managedFields of `new`, which a writer has made of `old` (empty if it is created).

    `given` are the managedFields that came with it: they replace the object's own, if they can be read.
    """
    owners = _read(find(old, "metadata", "managedFields"))
    if given and isinstance(given, list) and not writer.subresource and all(map(_is_entry, given)):
        # A list with one empty entry forgets all owners; from then on nothing is tracked until somebody applies.
        owners = [] if given == [{}] else _read(given)
    if old and not owners:
        return []
    return _write(_update(resource, owners, changed(old, new, shape_of(resource)), writer))


def _update(resource: Resource, owners: list[Owner], changes: tuple[Fields, Fields], writer: Writer) -> list[Owner]:
    mine, others = _split(resource, owners, writer, "Update")
    touched, removed = changes
    mine = mine.less(removed)
    if taken := writer.reach(resource, touched):
        mine = replace(mine, fields=union(mine.fields, taken) if mine.fields else taken, time=timestamp())
    return [*(owner.less(touched, removed) for owner in others), mine]


def _split(resource: Resource, owners: list[Owner], writer: Writer, operation: str) -> tuple[Owner, list[Owner]]:
    """Return the writer as an owner, and the other owners."""
    own = Owner(
        manager=writer.manager,
        operation=operation,
        api_version=resource.stored_as or resource.api_version,
        subresource=writer.subresource,
        time="",
        fields=None,
    )
    mine = next((owner for owner in owners if owner.is_same(own)), own)
    return replace(mine, api_version=own.api_version), [owner for owner in owners if not owner.is_same(own)]


def apply(
    resource: Resource, live: JsonObject, config: JsonObject, writer: Writer, *, force: bool
) -> tuple[JsonObject, list[JsonObject]]:
    """Merge an applied configuration into an object (empty if it is created); return it, and its managedFields.

    Raises ApiError 409 for conflicts with other owners.
    """
    shape = shape_of(resource)
    owners = _read(find(live, "metadata", "managedFields"))
    if live and not owners:
        owners = _update(resource, [], changed({}, live, shape), Writer(manager="before-first-apply"))
    mine, others = _split(resource, owners, writer, "Apply")
    wanted = writer.reach(resource, stated(config, shape))
    lost = _unclaimed(mine.fields or {}, [_NAME, wanted, *(owner.fields or {} for owner in others)], shape)
    merged: JsonObject = without(merge(live, config, shape), lost, shape)
    touched, removed = (writer.reach(resource, fields) for fields in changed(live, merged, shape))
    is_kubectl = writer.manager == "kubectl" and find(live, "metadata", "annotations", LAST_APPLIED)
    if not force:
        # What kubectl has applied from the client's side, kubectl may apply from the server's.
        _check_conflicts(others, (difference(touched, _last_applied(resource, live)) if is_kubectl else touched) or {})
    time = mine.time if merged == live and same(merged, live) else timestamp()
    if is_kubectl:
        merged["metadata"]["annotations"][LAST_APPLIED] = _as_last_applied(config)
    others = [owner.less(touched, removed) for owner in others]
    return merged, _write([*others, replace(mine, fields=wanted, time=time)])


def _unclaimed(fields: Fields, claims: list[Fields], shape: Shape) -> Fields:
    """Return the outermost of these fields that no claim holds.

    A claim, and a set of fields, holds the declared members, too, that lead to what it names.
    """
    lost: Fields = {}
    for element, inner in fields.items():
        within = [claim[element] for claim in claims if element in claim]
        is_declared = shape.declares(element)
        is_held = any(is_declared or is_member(claim) for claim in within)
        if element != "." and not is_held and (is_declared or is_member(inner)):
            lost[element] = {}
        elif rest := _unclaimed(inner, within, shape.of(element)):
            lost[element] = rest
    return lost


def _check_conflicts(others: list[Owner], touched: Fields) -> None:
    conflicts = {}
    for owner in sorted(others, key=lambda owner: (owner.manager, owner.operation)):
        if paths := list(common(owner.fields or {}, touched)):
            within = f' with subresource "{owner.subresource}"' if owner.subresource else ""
            using = f" using {owner.api_version}" if owner.operation == "Update" else ""
            conflicts[f'"{owner.manager}"{within}{using}'] = list(map(_show, paths))
    if conflicts:
        raise apply_conflict(conflicts)


def _show(path: tuple[str, ...]) -> str:
    """Write a path as people read it: `.spec.containers[name="a"].image`."""
    texts = []
    for element in path:
        kind, text = element[0], element[2:]
        if kind == "k":
            text = ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(text).items())
        texts.append(f".{text}" if kind == "f" else f"[{'=' if kind == 'v' else ''}{text}]")
    return "".join(texts)


def _last_applied(resource: Resource, live: JsonObject) -> Fields:
    """Return the fields that `kubectl apply` has set and that have their values still."""
    try:
        last = json.loads(live["metadata"]["annotations"][LAST_APPLIED])
    except ValueError:
        return {}
    shape = shape_of(resource)
    fields: Fields | None = stated(last, shape)
    for one in changed(last, live, shape):
        fields = difference(fields, one) if fields and one else fields
    return fields or {}


def _as_last_applied(config: JsonObject) -> str:
    metadata = dict(config["metadata"])
    annotations = metadata.pop("annotations", None) or {}
    if kept := {name: text for name, text in annotations.items() if name != LAST_APPLIED}:
        metadata["annotations"] = kept
    return json.dumps(config | {"metadata": metadata}, separators=(",", ":"), sort_keys=True) + "\n"


def _is_entry(entry: Json) -> bool:
    """Say whether this can be an entry of managedFields; the empty one may stand there alone."""
    return entry == {} or (find(entry, "operation") in ("Apply", "Update") and _is_fields(find(entry, "fieldsV1")))


def _is_fields(fields: Json) -> bool:
    return isinstance(fields, dict) and all(
        element[:2] in (".", "f:", "k:", "v:") and _is_fields(inner) for element, inner in fields.items()
    )


_HEAD: Final = (
    *(("manager", "manager"), ("operation", "operation"), ("api_version", "apiVersion")),
    *(("time", "time"), ("subresource", "subresource")),
)


def _read(entries: Json) -> list[Owner]:
    heads = [{name: str(entry.get(key) or "") for name, key in _HEAD} for entry in entries or ()]
    return [Owner(fields=entry.get("fieldsV1"), **head) for entry, head in zip(entries or (), heads, strict=True)]


def _write(owners: Iterable[Owner]) -> list[JsonObject]:
    """Write managedFields, in the real server's order; who owns nothing is left out."""
    left = [owner for owner in owners if owner.fields]
    updates = sorted((owner for owner in left if owner.operation == "Update"), key=lambda owner: owner.time)
    if len(updates) > _UPDATES:
        oldest = updates[: len(updates) - _UPDATES + 1]
        everything = reduce(union, (owner.fields or {} for owner in oldest))
        ancient = replace(oldest[-1], manager="ancient-changes", subresource="", fields=everything)
        left = [*(owner for owner in left if owner not in oldest), ancient]
    left.sort(key=lambda owner: (owner.operation, owner.time, owner.manager, owner.api_version, owner.subresource))
    return [
        {key: value for name, key in _HEAD if (value := getattr(owner, name))}
        | {"fieldsType": "FieldsV1", "fieldsV1": owner.fields}
        for owner in left
    ]
