"""Label and field selectors: which objects a list, a watch or a deletion is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from hookwright.devcluster.errors import bad_request
from hookwright.devcluster.metadata import check_label_key, check_label_value
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.values import JsonObject, find

Labels = Mapping[str, str]
Selector = Callable[[JsonObject], bool]

_REQUIREMENT: Final = re.compile(
    r"""\s*(?:
        (?P<not>!)\s*(?P<absent>[^\s,=!()<>]+)
      | (?P<key>[^\s,=!()<>]+)\s*(?:
            (?P<operator>==|=|!=|<|>)\s*(?P<value>[^\s,=!()<>]*)
          | \s(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
        )?
    )\s*(?:,|\Z)""",
    re.VERBOSE,
)


def select(resource: Resource, *, labels: str = "", fields: str = "") -> Selector | None:
    """Return a test for stored objects, or None if everything is selected.

    Raises ApiError 400 for selectors that cannot be read, and for fields that this kind does not let select by.
    """
    tests = [*_label_tests(labels), *_field_tests(resource, fields)]
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]
    return lambda obj: all(test(obj) for test in tests)


def _label_tests(text: str) -> list[Selector]:
    tests: list[Selector] = []
    position = 0
    if not text.strip():
        return tests
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if not found:
            raise bad_request(f"unable to parse requirement: found {text[position:]!r} in {text!r}")
        position = found.end()
        tests.append(_on_labels(_requirement(found)))
    if text.rstrip().endswith(","):
        raise bad_request(f"unable to parse requirement: found '' after ',' in {text!r}")
    return tests


def _on_labels(test: Callable[[Labels], bool]) -> Selector:
    return lambda obj: test(obj["metadata"].get("labels") or {})


def _requirement(found: re.Match[str]) -> Callable[[Labels], bool]:
    key = found["key"] or found["absent"]
    values = [value.strip() for value in (found["values"] or found["value"] or "").split(",")]
    for cause in [
        *check_label_key("key", key),
        *(cause for value in values for cause in check_label_value(key, value)),
    ]:
        raise bad_request(f"unable to parse requirement: {cause.field}: {cause.message}")
    wanted = frozenset(values)
    if found["not"]:
        return lambda labels: key not in labels
    match found["operator"] or found["set"]:
        case None:
            return lambda labels: key in labels
        case "=" | "==" | "in":
            return lambda labels: labels.get(key) in wanted
        case "!=" | "notin":
            # What lacks the label is selected too.
            return lambda labels: labels.get(key) not in wanted
        case sign:
            return _comparison(key, sign, values[0])


def _comparison(key: str, sign: str, limit: str) -> Callable[[Labels], bool]:
    if not re.fullmatch(r"-?\d{1,18}", limit):
        raise bad_request(
            f"unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer: {limit!r}"
        )
    bound = int(limit)

    def test(labels: Labels) -> bool:
        value = labels.get(key, "")
        if not re.fullmatch(r"-?\d{1,18}", value):
            return False
        return int(value) > bound if sign == ">" else int(value) < bound

    return test


def _field_tests(resource: Resource, text: str) -> list[Selector]:
    tests = []
    for part in text.split(",") if text else ():
        if not part:
            continue
        found = re.fullmatch(r"\s*([\w.\-/]+)\s*(!=|==|=)(.*)", part, re.DOTALL)
        if not found:
            raise bad_request(f"invalid field selector {text!r}; can't understand {part!r}")
        name, operator, value = found.groups()
        if name not in ("metadata.name", "metadata.namespace", *resource.selectable):
            raise bad_request(f"field label not supported: {name}")
        tests.append(_on_field(tuple(name.split(".")), value.strip(), wanted=operator != "!="))
    return tests


def _on_field(path: tuple[str, ...], value: str, *, wanted: bool) -> Selector:
    def test(obj: JsonObject) -> bool:
        found = find(obj, *path)
        text = "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)
        return (text == value) == wanted

    return test
