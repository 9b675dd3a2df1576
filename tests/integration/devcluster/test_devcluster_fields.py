"""The sets of fields, and what is done with shared values, as functions of values."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.devcluster.fields import Shape, changed, common, difference, merge, stated, union, without
from hookwright.devcluster.ownership import Writer, apply, track
from hookwright.devcluster.resources import CONFIG_MAPS, Resource, built_in

TEXT = {"type": "string"}
ITEM = {"type": "object", "properties": {"name": TEXT, "value": TEXT}}
SCHEMA = {
    "type": "object",
    "properties": {
        "list": {
            "type": "array",
            "items": ITEM,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
        "whole": {"type": "array", "items": TEXT},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "text": TEXT,
    },
}
SHAPE = Shape(SCHEMA)
WORDS = st.sampled_from("abc")
FREE = st.recursive(
    st.booleans() | st.integers(0, 1) | WORDS, lambda inner: st.dictionaries(WORDS, inner), max_leaves=4
)
ITEMS = st.lists(
    st.fixed_dictionaries({"name": WORDS}, optional={"value": WORDS}), max_size=3, unique_by=lambda one: one["name"]
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "list": ITEMS,
        "set": st.lists(WORDS, max_size=3, unique=True),
        "whole": st.lists(WORDS, max_size=2),
        "free": st.dictionaries(WORDS, FREE, max_size=2),
        "text": WORDS,
    },
)
SETS = st.builds(lambda old, new: changed(old, new, SHAPE)[0], OBJECTS, OBJECTS) | st.builds(
    lambda value: stated(value, SHAPE), OBJECTS
)


def _paths(fields: dict[str, Any] | None) -> set[tuple[str, ...]]:
    return set(common(fields or {}, fields or {}))


@given(one=SETS, other=SETS)
@settings(deadline=None)
def test_sets_of_fields(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Sets of fields are sets: united, taken from each other, and cut as those are."""
    assert _paths(difference(one, other) if one and other else one) == _paths(one) - _paths(other)
    assert set(common(one, other)) == _paths(one) & _paths(other)
    if one and other:
        assert _paths(union(one, other)) == _paths(one) | _paths(other)


@given(live=OBJECTS, config=OBJECTS)
@settings(deadline=None)
def test_merging(live: dict[str, Any], config: dict[str, Any]) -> None:
    """What is merged twice is as if merged once; then nothing stated is otherwise; neither value is changed itself."""
    before = copy.deepcopy((live, config))
    merged = merge(live, config, SHAPE)
    assert merge(merged, config, SHAPE) == merged
    touched, _ = changed(merged, merge(merged, config, SHAPE), SHAPE)
    assert (touched, (live, config)) == ({}, before)


@given(old=OBJECTS, new=OBJECTS)
@settings(deadline=None)
def test_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    """What was added one way was removed the other way; between equal values nothing changed."""
    added, removed = (_paths(side) for side in changed(old, new, SHAPE))
    back_added, back_removed = (_paths(side) for side in changed(new, old, SHAPE))
    assert removed <= back_added
    assert back_removed <= added
    assert changed(old, copy.deepcopy(old), SHAPE) == ({}, {})


@given(value=OBJECTS)
@settings(deadline=None)
def test_removal_of_everything(value: dict[str, Any]) -> None:
    """Without all its fields, nothing of a value is left."""
    assert not without(value, changed({}, value, SHAPE)[0], SHAPE)


@pytest.mark.parametrize(
    ("old", "new", "is_changed"),
    [
        (1, True, True),
        (0, False, True),
        (1, 1.0, False),
        ({"a": 1}, {"a": True}, True),
        ([], {}, True),
        ("", None, True),
    ],
)
def test_what_counts_as_a_change(old: Any, new: Any, *, is_changed: bool) -> None:
    """A number is no truth value, but 1 is 1.0; an empty list is no empty object."""
    touched, _ = changed({"free": {"x": old}}, {"free": {"x": new}}, SHAPE)
    assert bool(touched) == is_changed


ENTRIES = st.recursive(
    st.none() | st.integers() | st.text('fkv:.{}"a', max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("manager", "operation", "apiVersion", "time", "fieldsV1", ".", "f:a", "k:{", "v:1", "f:")),
            inner | st.sampled_from(("Apply", "Update")),
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(given_fields=ENTRIES)
@settings(deadline=None, max_examples=300)
def test_any_owners(given_fields: Any) -> None:
    """Whatever comes as managedFields is taken for owners, or passed over; what is taken can be applied over."""
    kind, writer = built_in(CONFIG_MAPS), Writer(manager="m")
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "a": "1"}
    new = {**old, "a": "2"}
    owners = track(kind, old, new, given_fields, writer)
    assert all(one["fieldsV1"] for one in owners)
    live = {**new, "metadata": {"name": "c", "managedFields": owners}}
    merged, _ = apply(kind, live, {**old, "a": "3"}, Writer(manager="n"), force=True)
    assert merged["a"] == "3"


def test_metadata_that_nobody_owns() -> None:
    """Who states no label any more loses the label, and not what else is in the metadata."""
    kind, writer = built_in(CONFIG_MAPS), Writer(manager="m")
    head = {"apiVersion": "v1", "kind": "ConfigMap"}
    live, owners = apply(kind, {}, {**head, "metadata": {"name": "c", "labels": {"a": "b"}}}, writer, force=False)
    live["metadata"] |= {"annotations": {"a": "b"}, "managedFields": owners}
    merged, _ = apply(kind, live, {**head, "metadata": {"name": "c"}}, writer, force=False)
    assert merged["metadata"] == {"name": "c", "annotations": {"a": "b"}, "managedFields": owners}


def test_names_of_list_items() -> None:
    """Items are told apart by all their keys, with defaults for those that are missing; twins make a list one whole."""
    keys = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]}
    item = {"type": "object", "properties": {"protocol": {**TEXT, "default": "TCP"}, "port": {"type": "integer"}}}
    shape = Shape({"type": "array", "items": item, **keys})
    assert list(shape.divide([{"port": 1}, {"port": 1, "protocol": "UDP"}])) == [
        'k:{"port":1,"protocol":"TCP"}',
        'k:{"port":1,"protocol":"UDP"}',
    ]
    assert shape.divide([{"port": 1}, {"port": 1, "protocol": "TCP"}]) is None
    assert shape.divide([{"port": 1}, 5]) is None


def test_owner_of_another_version() -> None:
    """An applier stays the same in another version of a kind; an updater does not."""
    spec = {"group": "a.example", "plural": "things", "kind": "Thing", "custom": True, "schema": SCHEMA}
    first, second = (Resource(version=version, **spec) for version in ("v1", "v2"))
    head = {"metadata": {"name": "t"}}
    for write, count in (("apply", 1), ("track", 2)):
        obj: dict[str, Any] = {}
        for number, kind in enumerate((first, second)):
            new = head | {"free": {f"x{number}": number}}
            if write == "apply":
                _, owners = apply(kind, obj, new, Writer(manager="m"), force=False)
            else:
                owners = track(kind, obj, merge(obj, new, SHAPE), None, Writer(manager="m"))
            obj = merge(obj, new, SHAPE) | {"metadata": {"name": "t", "managedFields": owners}}
        assert [one["apiVersion"] for one in owners][-1] == "a.example/v2"
        assert len(owners) == count
