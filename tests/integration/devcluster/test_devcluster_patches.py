"""The three kinds of patches, as functions of values."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.devcluster.errors import ApiError
from hookwright.devcluster.patches import json_patch, merge, strategic

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab~/", max_size=3)
NAMES = st.text("ab~/0", max_size=2)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_examples(target: Any, patch: Any, merged: Any) -> None:
    """The examples of RFC 7396, appendix A, come out as they stand there."""
    assert merge(target, patch) == merged


@given(target=OBJECTS, patch=OBJECTS)
@settings(deadline=None)
def test_merge_patch_leaves_its_target_alone(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """A merge patch applied twice gives the same, and does not change what it is applied to."""
    before = copy.deepcopy(target)
    once = merge(target, patch)
    assert merge(once, patch) == once
    assert target == before


@given(source=OBJECTS, wanted=OBJECTS)
@settings(deadline=None)
def test_json_patch_does_what_another_library_means(source: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A patch that another library makes between two values turns one into the other."""
    operations = jsonpatch.make_patch(source, wanted).patch
    before = copy.deepcopy(source)
    assert json_patch(source, operations) == wanted
    assert source == before


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/list/1", "value": "x"}, {"list": ["a", "x", "b"], "map": {}}),
        ({"op": "add", "path": "/list/-", "value": "x"}, {"list": ["a", "b", "x"], "map": {}}),
        ({"op": "add", "path": "/list", "value": 1}, {"list": 1, "map": {}}),
        ({"op": "add", "path": "/map/a~1b~0c", "value": 1}, {"list": ["a", "b"], "map": {"a/b~c": 1}}),
        ({"op": "add", "path": "", "value": 1}, 1),
        ({"op": "remove", "path": "/list/0"}, {"list": ["b"], "map": {}}),
        ({"op": "replace", "path": "/list/1", "value": "c"}, {"list": ["a", "c"], "map": {}}),
        ({"op": "move", "from": "/list/0", "path": "/list/1"}, {"list": ["b", "a"], "map": {}}),
        ({"op": "copy", "from": "/list", "path": "/map/l"}, {"list": ["a", "b"], "map": {"l": ["a", "b"]}}),
        ({"op": "test", "path": "/map", "value": {}}, {"list": ["a", "b"], "map": {}}),
    ],
)
def test_json_patch_operations(operation: dict[str, Any], result: Any) -> None:
    """Each operation does what RFC 6902 says."""
    assert json_patch({"list": ["a", "b"], "map": {}}, [operation]) == result


def test_json_patch_of_absent_members() -> None:
    """As on the real server, and unlike RFC 6902, a member that is not there can be replaced, and tests as null."""
    operations = [
        {"op": "test", "path": "/none", "value": None},
        {"op": "replace", "path": "/none", "value": 1},
        {"op": "test", "path": "/none", "value": 1},
    ]
    assert json_patch({}, operations) == {"none": 1}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/yes", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/list/-1", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/none/x", "value": 1},
        {"op": "add", "path": "/yes/x", "value": 1},
        {"op": "add", "path": "list", "value": 1},
        {"op": "add", "path": "/list"},
        {"op": "remove", "path": "/none"},
        {"op": "remove", "path": "/list/-"},
        {"op": "remove", "path": "/text/0"},
        {"op": "replace", "path": "/list/2", "value": 1},
        {"op": "move", "from": "/list", "path": "/list/0"},
        {"op": "copy", "from": "/none", "path": "/x"},
        {"op": "jump", "path": "/list"},
        {"path": "/list"},
        {"op": "add", "path": 7, "value": 1},
    ],
)
def test_json_patch_that_does_not_fit(operation: dict[str, Any]) -> None:
    """What does not fit is refused with 422, whatever is wrong with it."""
    with pytest.raises(ApiError) as refused:
        json_patch({"list": ["a", "b"], "yes": True, "text": "abc"}, [operation])
    assert (refused.value.status, refused.value.reason) == (422, "Invalid")


@pytest.mark.parametrize("patch", [{}, "x", [1], None])
def test_what_is_no_json_patch(patch: Any) -> None:
    """What is no list of operations is refused with 400."""
    with pytest.raises(ApiError) as refused:
        json_patch({}, patch)
    assert refused.value.status == 400


def test_json_patch_without_bounds() -> None:
    """More than ten thousand operations are refused, as on the real server."""
    with pytest.raises(ApiError) as refused:
        json_patch({}, [{"op": "test", "path": "", "value": {}}] * 10_001)
    assert refused.value.status == 413


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        pytest.param(
            {"containers": [{"name": "a", "image": "1"}, {"name": "b"}]},
            {"containers": [{"name": "b", "image": "2"}, {"name": "c"}]},
            {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}, {"name": "c"}]},
            id="lists are merged by name",
        ),
        pytest.param(
            {"env": [{"name": "a"}, {"name": "b"}]},
            {"$setElementOrder/env": [{"name": "b"}], "env": [{"name": "a", "$patch": "delete"}]},
            {"env": [{"name": "b"}]},
            id="an item is deleted by directive",
        ),
        pytest.param(
            {"volumes": [{"name": "a"}]},
            {"volumes": [{"$patch": "replace"}, {"name": "b"}]},
            {"volumes": [{"name": "b"}]},
            id="a list is replaced by directive",
        ),
        pytest.param(
            {"map": {"a": 1, "b": 2}},
            {"map": {"$patch": "replace", "c": 3}},
            {"map": {"c": 3}},
            id="an object is replaced by directive",
        ),
        pytest.param({"map": {"a": 1}, "b": 1}, {"map": {"$patch": "delete"}}, {"b": 1}, id="an object is deleted"),
        pytest.param(
            {"strategy": {"type": "x", "rolling": {}}},
            {"strategy": {"$retainKeys": ["type"], "type": "y"}},
            {"strategy": {"type": "y"}},
            id="only retained keys stay",
        ),
        pytest.param({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}, id="lists of plain values are replaced"),
        pytest.param(
            {"finalizers": ["a"]}, {"finalizers": ["b", "a"]}, {"finalizers": ["a", "b"]}, id="finalizers are a set"
        ),
        pytest.param(
            {"finalizers": ["a", "b"]},
            {"$deleteFromPrimitiveList/finalizers": ["a"]},
            {"finalizers": ["b"]},
            id="a plain value is deleted from a list",
        ),
        pytest.param(
            {"ports": [{"port": 80, "name": "x"}]},
            {"ports": [{"port": 80, "name": "y"}]},
            {"ports": [{"port": 80, "name": "y"}]},
            id="a Service's ports are merged by port",
        ),
        pytest.param({}, {"env": [{"name": "a"}]}, {"env": [{"name": "a"}]}, id="a list is new"),
        pytest.param({"a": 1}, {"a": None}, {}, id="null deletes"),
    ],
)
def test_strategic_merge_patch(target: Any, patch: Any, merged: Any) -> None:
    """A strategic merge patch follows Kubernetes' merge keys and directives."""
    before = copy.deepcopy(target)
    assert strategic(target, patch) == merged
    assert target == before


@given(target=OBJECTS, patch=OBJECTS)
@settings(deadline=None)
def test_strategic_merge_patch_of_plain_values(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """Where no merge key and no directive is in play, a strategic merge patch is a merge patch."""
    assert strategic(target, patch) == merge(target, patch)
