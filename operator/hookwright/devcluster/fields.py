"""The fields of an object, for those who share it: which there are, in which two versions differ, how they are merged.

A set of fields is written as in `FieldsV1`: `f:NAME` is a member, `k:{...}` the item of a list that has these keys,
`v:VALUE` an item of a set; what leads to nothing else is in the set, and so is what holds a `.`. A value that is not
divided is owned as a whole. The rules are those of sigs.k8s.io/structured-merge-diff: custom kinds are divided as their
schemas say, built-in ones by the table of the strategic merge patch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from hookwright.devcluster.patches import MERGED_SETS, merge_key
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.schemas import HEAD
from hookwright.devcluster.values import Json, JsonObject, same

Fields = JsonObject
"""A set of fields."""

# Maps of built-in kinds that are owned as a whole: the `mapType=atomic` tags of k8s.io/api.
_WHOLE: Final = frozenset(
    (
        *("selector", "labelSelector", "nodeSelector", "roleRef", "involvedObject", "ownerReferences[]"),
        *("fieldRef", "resourceFieldRef", "configMapRef", "configMapKeyRef", "secretRef", "secretKeyRef"),
    )
)
_SECOND_KEYS: Final = {"containerPort": {"protocol": "TCP"}, "port": {"protocol": "TCP"}}
_text: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode


class Shape(NamedTuple):
    """What decides how a value is divided.

    `schema` is that of a custom kind; without one the value belongs to a built-in kind, and `name` is its field's. Of
    an item of a list it is the list's, with `[]`. `is_root` marks a whole custom object, whose metadata has no schema.
    """

    schema: JsonObject | None
    name: str = ""
    is_root: bool = False

    def divide(self, value: Json) -> dict[str, tuple[Json, Shape]] | None:
        """Return the parts of a value that are owned apart, with their shapes; None if it is owned as a whole."""
        if isinstance(value, dict):
            is_whole = self.name in _WHOLE if self.schema is None else self._extension("map-type") == "atomic"
            return None if is_whole else {f"f:{name}": (part, self.of(f"f:{name}")) for name, part in value.items()}
        if not isinstance(value, list) or (elements := self._elements(value)) is None:
            return None
        item = self.of("")
        parts = {element: (part, item) for element, part in zip(elements, value, strict=True)}
        return parts if len(parts) == len(value) else None

    def of(self, element: str) -> Shape:
        """Return the shape of a part: of a member, or of an item of a list."""
        is_member, name = element.startswith("f:"), element[2:]
        if self.schema is None or (self.is_root and name in HEAD):
            return Shape(None, name if is_member else f"{self.name}[]")
        if not is_member:
            return Shape(self.schema.get("items") or {})
        known = self.schema.get("properties", {}).get(name, self.schema.get("additionalProperties"))
        return Shape(known if isinstance(known, dict) else {})

    def declares(self, element: str) -> bool:
        """Say whether a part is a field of the kind; keys of free maps and items of lists are not."""
        return element.startswith("f:") and (self.schema is None or element[2:] in self.schema.get("properties", {}))

    def _elements(self, items: list[Json]) -> list[str] | None:
        """Name the items of a list; None if they have no names."""
        if self.schema is None:
            is_set, key = self.name in MERGED_SETS, merge_key(self.name, items)
            keys = {key: None, **_SECOND_KEYS.get(key, {})} if key else {}
        else:
            is_set = self._extension("list-type") == "set"
            known = (self.schema.get("items") or {}).get("properties", {})
            names = self._extension("list-map-keys") if self._extension("list-type") == "map" else None
            keys = {name: known.get(name, {}).get("default") for name in names or ()}
        if is_set:
            return [f"v:{_text(item)}" for item in items]
        if not keys or not all(isinstance(item, dict) for item in items):
            return None
        return [f"k:{_text({key: item.get(key, default) for key, default in keys.items()})}" for item in items]

    def _extension(self, name: str) -> Json:
        return (self.schema or {}).get(f"x-kubernetes-{name}")


def shape_of(resource: Resource) -> Shape:
    """Return the shape of a kind's objects."""
    return Shape(resource.schema, is_root=True) if resource.custom else Shape(None)


def stated(value: Json, shape: Shape) -> Fields:
    """Return the fields that an applied configuration states."""
    fields: Fields = {}
    for element, (part, inner) in (shape.divide(value) or {}).items():
        found = stated(part, inner)
        # An empty list of named items states nothing.
        if found or inner.divide(part) is None or part == {}:
            fields[element] = found if shape.declares(element) or not found else {".": {}, **found}
    return fields


def changed(old: Json, new: Json, shape: Shape) -> tuple[Fields, Fields]:
    """Return the fields that were added or changed, and those that were removed; both values are objects."""
    touched: Fields = {}
    removed: Fields = {}
    before, after = shape.divide(old) or {}, shape.divide(new) or {}
    for element, (part, inner) in after.items():
        if element not in before:
            touched[element] = _everything(part, inner)
        # Most is as it was. Not by equality: in Python, 1 is true.
        elif repr(part) != repr(was := before[element][0]) and not same(part, was):
            more, less = changed(was, part, inner)
            # A null stands for whatever is opposite.
            parts = [inner.divide(value) for value in (was, part) if value is not None]
            if None in parts or not any(parts):
                touched[element] = {".": {}, **more} if more else {}
            elif more:
                touched[element] = more
            if less:
                removed[element] = less
    removed |= {element: _everything(part, inner) for element, (part, inner) in before.items() if element not in after}
    return touched, removed


def _everything(value: Json, shape: Shape) -> Fields:
    parts = shape.divide(value) or {}
    fields = {element: _everything(part, inner) for element, (part, inner) in parts.items()}
    return {".": {}, **fields} if fields else {}


def union(one: Fields, other: Fields) -> Fields:
    """Return the fields that are in either set; an empty one is taken for a field in itself."""
    if one == other:
        return one
    both = {element: union(inner, other[element]) if element in other else inner for element, inner in one.items()}
    both |= {element: inner for element, inner in other.items() if element not in one}
    return both if one and other else {".": {}, **both}


def difference(one: Fields, other: Fields) -> Fields | None:
    """Return the fields of one set that are not in the other; None if there are none."""
    if not one:
        return None if is_member(other) else {}
    left = {}
    for element, inner in one.items():
        rest = inner if element not in other else difference(inner, other[element])
        if element == ".":
            rest = None if is_member(other) else {}
        if rest is not None:
            left[element] = rest
    if not left:
        return None
    return {} if left.keys() == {"."} else left


def common(one: Fields, other: Fields, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths that are in both sets, as the real server lists them: on each level first what ends there."""
    elements = sorted(element for element in one if element != "." and element in other)
    for element in elements:
        if is_member(one[element]) and is_member(other[element]):
            yield (*path, element)
    for element in elements:
        yield from common(one[element], other[element], (*path, element))


def is_member(fields: Fields) -> bool:
    """Say whether what leads here is in the set itself."""
    return not fields or "." in fields


def merge(live: Json, config: Json, shape: Shape) -> Json:
    """Return `live` with an applied configuration merged in; what is not divided is replaced."""
    before, after = shape.divide(live), shape.divide(config)
    if before is None or after is None or type(live) is not type(config):
        return config
    merged = {
        element: merge(before[element][0], after[element][0], after[element][1])
        if element in before and element in after
        else (after.get(element) or before[element])[0]
        for element in _interleave(list(before), list(after))
    }
    return _assemble(merged, config)


def without(value: Json, lost: Fields, shape: Shape) -> Json:
    """Return a value without the lost fields; what becomes empty becomes null, as on the real server."""
    parts = shape.divide(value)
    if not parts:
        return value
    kept = {
        element: without(part, lost[element], inner) if element in lost else part
        for element, (part, inner) in parts.items()
        if element not in lost or not is_member(lost[element])
    }
    return _assemble(kept, value) if kept else None


def _assemble(parts: dict[str, Json], like: Json) -> Json:
    return {element[2:]: part for element, part in parts.items()} if isinstance(like, dict) else list(parts.values())


def _interleave(live: list[str], wanted: list[str]) -> list[str]:
    """Order merged items: the wanted ones as wanted, the others before the wanted ones that they stood before."""
    present, named = set(live), set(wanted)
    # For each wanted item, the next one from there on that is there already.
    anchors: list[str] = []
    for element in reversed(wanted):
        anchors.append(element if element in present or not anchors else anchors[-1])
    merged: list[str] = []
    place = 0
    for element, anchor in zip(wanted, reversed(anchors), strict=True):
        while place < len(live) and live[place] != anchor:
            merged += [live[place]] if live[place] not in named else []
            place += 1
        merged.append(element)
    return merged + [element for element in live[place:] if element not in named]
