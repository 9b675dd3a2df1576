"""Structural schemas as functions of values: pruning, defaults, validation, patterns."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.devcluster.schemas import compile_pattern, prune, set_defaults, validate

TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "properties": {
        "text": {**TEXT, "default": "x"},
        "maybe": {**TEXT, "nullable": True},
        "list": {"type": "array", "items": {"type": "object", "properties": {"a": {**TEXT, "default": "y"}}}},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"b": TEXT}}},
        "free": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "object", "properties": {"c": TEXT}}},
        },
        "embedded": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": TEXT}},
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "maybe", "list", "map", "free", "a", "b", "c"]), inner, max_size=4)
    ),
    max_leaves=10,
)


def _causes(value: Any, schema: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(cause.reason, cause.field, cause.message) for cause in validate(value, schema, "x")]


def test_pruning() -> None:
    """Unknown fields go, at any depth, and are named; what a schema preserves stays."""
    value = {
        "odd": 1,
        "list": [{"a": "1", "odd": 2}],
        "map": {"any": {"b": "1", "odd": 3}},
        "free": {"odd": 4, "known": {"c": "1", "odd": 5}},
        "embedded": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": "1", "odd": 6},
    }
    before = copy.deepcopy(value)
    unknown: list[str] = []
    assert prune(value, SCHEMA, "", unknown) == {
        "list": [{"a": "1"}],
        "map": {"any": {"b": "1"}},
        "free": {"odd": 4, "known": {"c": "1"}},
        "embedded": {"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "spec": "1"},
    }
    assert sorted(unknown) == ["embedded.odd", "free.known.odd", "list[0].odd", "map.any.odd", "odd"]
    assert value == before


def test_nulls() -> None:
    """A null goes where it is not allowed, so that the default takes its place; elsewhere it stays."""
    value = prune({"text": None, "maybe": None}, SCHEMA, "", [])
    set_defaults(value, SCHEMA)
    assert value == {"text": "x", "maybe": None}


@given(value=st.dictionaries(st.sampled_from(["text", "list", "map", "free", "z"]), VALUES))
@settings(deadline=None)
def test_pruning_and_defaults_happen_once(value: dict[str, Any]) -> None:
    """What was pruned and defaulted is not changed by pruning and defaulting it again."""
    once = prune(value, SCHEMA, "", [])
    set_defaults(once, SCHEMA)
    again = prune(copy.deepcopy(once), SCHEMA, "", unknown := [])
    set_defaults(again, SCHEMA)
    assert (again, unknown) == (once, [])


def test_defaults_are_copies() -> None:
    """Two objects do not share a default."""
    schema = {"type": "object", "properties": {"a": {"type": "object", "default": {"b": []}}}}
    one: dict[str, Any] = {}
    other: dict[str, Any] = {}
    set_defaults(one, schema)
    one["a"]["b"].append(1)
    set_defaults(other, schema)
    assert other == {"a": {"b": []}}


@given(value=VALUES)
@settings(deadline=None)
def test_validation_of_anything(value: Any) -> None:
    """Any value can be validated; a schema that says nothing takes all but null."""
    list(validate(value, SCHEMA))
    assert _causes(value, {}) == []


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        ("a", {"type": "integer"}, 'Invalid value: "string": x in body must be of type integer: "string"'),
        (1.5, {"type": "integer"}, 'Invalid value: "number": x in body must be of type integer: "number"'),
        (True, {"type": "integer"}, 'Invalid value: "boolean": x in body must be of type integer: "boolean"'),
        (None, {"type": "string"}, 'Invalid value: "null": x in body must be of type string: "null"'),
        ("", {"minLength": 1}, 'Invalid value: "": x in body should be at least 1 chars long'),
        (5, {"maximum": 5, "exclusiveMaximum": True}, "Invalid value: 5: x in body should be less than 5"),
        (5, {"minimum": 5, "exclusiveMinimum": True}, "Invalid value: 5: x in body should be greater than 5"),
        (5, {"multipleOf": 2}, "Invalid value: 5: x in body should be a multiple of 2"),
        (2**31, {"format": "int32"}, 'Invalid value: 2147483648: x in body must be of type int32: "2147483648"'),
        ([], {"minItems": 1}, "Invalid value: 0: x in body should have at least 1 items"),
        ({}, {"minProperties": 1}, "Invalid value: {}: x in body should have at least 1 properties"),
        ({"a": 1}, {"maxProperties": 0}, "Too many: 1: must have at most 0 items"),
        ([1, 1], {"x-kubernetes-list-type": "set"}, "Duplicate value: 1"),
        ("b", {"enum": ["a", 1]}, 'Unsupported value: "b": supported values: "a", 1'),
        ("a", {"anyOf": [{"enum": ["b"]}]}, 'Invalid value: "a": "x" must validate at least one schema (anyOf)'),
        ("a", {"not": {"enum": ["a"]}}, 'Invalid value: "a": "x" must not validate the schema (not)'),
        ("a", {"allOf": [{"maxLength": 0}]}, "Too long: may not be more than 0 bytes"),
        (
            "a",
            {"oneOf": [{"enum": ["b"]}]},
            'Invalid value: "a": "x" must validate one and only one schema (oneOf). Found none valid',
        ),
    ],
)
def test_messages(value: Any, schema: dict[str, Any], message: str) -> None:
    """Each mistake is told in the API server's words."""
    assert [cause[2] for cause in _causes(value, schema)] == [message]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (3.0, {"type": "integer"}),
        (3, {"type": "number"}),
        (None, {"type": "string", "nullable": True}),
        (1, {"x-kubernetes-int-or-string": True}),
        ("1", {"x-kubernetes-int-or-string": True}),
        ("a", {"oneOf": [{"enum": ["a"]}, {"enum": ["b"]}]}),
        ({"b": 1}, {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
    ],
)
def test_what_is_right(value: Any, schema: dict[str, Any]) -> None:
    """What fits gives no complaint."""
    assert _causes(value, schema) == []


def test_list_maps() -> None:
    """Two items of a list map with the same keys are a duplicate, at the second one's place."""
    schema = {
        "type": "array",
        "items": {"type": "object"},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }
    causes = _causes([{"type": "a", "n": 1}, {"type": "b"}, {"type": "a", "n": 2}], schema)
    assert causes == [("FieldValueDuplicate", "x[2]", 'Duplicate value: {"type":"a"}')]


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("date-time", "2026-01-31T10:00:00Z", "2026-01-31"),
        ("date-time", "2026-01-31T10:00:00.5+02:00", "2026-13-31T10:00:00Z"),
        ("date", "2026-01-31", "2026-02-31"),
        ("byte", "AAE=", "A"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv6", "2001:db8::1", "::g"),
        ("cidr", "192.0.2.0/24", "192.0.2.0/33"),
        ("uuid", "00000000-0000-4000-8000-000000000000", "0"),
        ("duration", "1h30m", "PT1H"),
        ("unheard-of", "anything", None),
    ],
)
def test_formats(name: str, right: str, wrong: str | None) -> None:
    """Formats that are known are checked, others pass."""
    schema = {"type": "string", "format": name}
    assert _causes(right, schema) == []
    assert wrong is None or [cause[0] for cause in _causes(wrong, schema)] == ["FieldValueInvalid"]


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^a\$$", "a$", True),
        ("^[$]$", "$", True),
        (r"^\d$", "٣", False),
        (r"^a\z", "a", True),
        ("b", "abc", True),
        ("^[]$]$", "]", True),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:  # noqa: FBT001 - a column of the table
    """Patterns mean what they mean to the API server, not to Python: unanchored, ASCII, and `$` is the very end."""
    assert (compile_pattern(pattern).search(text) is not None) == matches
