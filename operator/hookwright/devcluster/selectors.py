"""Label and field selectors: which objects a list, a watch or a deletion is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from hookwright.devcluster.errors import bad_request
from hookwright.devcluster.metadata import check_label
from hookwright.devcluster.resources import Resource
from hookwright.devcluster.store import Stored
from hookwright.devcluster.values import find

Selector = Callable[[Stored], bool]

_REQUIREMENT: Final = re.compile(
    r"""\s*(?:
        !\s*(?P<absent>[^\s,=!()<>]+)
      | (?P<key>[^\s,=!()<>]+)\s*(?:
            (?P<operator>==|=|!=|<|>)\s*(?P<value>[^\s,=!()<>]*)
          | \s(?P<set>in|notin)\s*\((?P<values>[^()]*)\)
        )?
    )\s*(?:,(?=.)|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_INTEGER: Final = re.compile(r"-?\d{1,18}")


def select(resource: Resource, query: Mapping[str, str]) -> Selector | None:
    """Return a test for stored objects, or None if everything is selected.

    Reads `labelSelector` and `fieldSelector`. Raises ApiError 400 for what cannot be read, and for fields by which this
    kind is not selected.
    """
    tests = [*_label_tests(query.get("labelSelector", "")), *_field_tests(resource, query.get("fieldSelector", ""))]
    if len(tests) <= 1:
        return next(iter(tests), None)
    return lambda stored: all(test(stored) for test in tests)


def _label_tests(text: str) -> list[Selector]:
    tests: list[Selector] = []
    position = 0 if text.strip() else len(text)
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if not found:
            raise bad_request(f"unable to parse requirement: found {text[position:]!r} in {text!r}")
        position = found.end()
        tests.append(_label_test(found))
    return tests


def _label_test(found: re.Match[str]) -> Selector:
    key = found["key"] or found["absent"]
    wanted = {value.strip() for value in (found["values"] or found["value"] or "").split(",")}
    for value in wanted:
        for cause in check_label(key, key, value):
            raise bad_request(f"unable to parse requirement: {cause.field}: {cause.message}")
    if found["absent"]:
        return lambda stored: key not in stored.labels
    match found["operator"] or found["set"]:
        case None:
            return lambda stored: key in stored.labels
        case "=" | "==" | "in":
            return lambda stored: stored.labels.get(key) in wanted
        case "!=" | "notin":
            # What lacks the label is selected too.
            return lambda stored: stored.labels.get(key) not in wanted
        case sign:
            return _comparison(key, wanted.pop(), greater=sign == ">")


def _comparison(key: str, limit: str, *, greater: bool) -> Selector:
    if not _INTEGER.fullmatch(limit):
        raise bad_request(
            f"unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer: {limit!r}"
        )

    def test(stored: Stored) -> bool:
        value = stored.labels.get(key, "")
        return bool(_INTEGER.fullmatch(value)) and (int(value) > int(limit) if greater else int(value) < int(limit))

    return test


def _field_tests(resource: Resource, text: str) -> list[Selector]:
    tests = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"\s*([\w.\-/]+)\s*(!=|==|=)(.*)", part, re.DOTALL)
        if not found:
            raise bad_request(f"invalid field selector {text!r}; can't understand {part!r}")
        name, operator, value = found.groups()
        if name not in ("metadata.name", "metadata.namespace", *resource.selectable):
            raise bad_request(f"field label not supported: {name}")
        tests.append(_field_test(name, value.strip(), wanted=operator != "!="))
    return tests


def _field_test(name: str, value: str, *, wanted: bool) -> Selector:
    if name == "metadata.name":
        return lambda stored: (stored.name == value) == wanted
    if name == "metadata.namespace":
        return lambda stored: (stored.namespace == value) == wanted

    def test(stored: Stored) -> bool:
        found = find(stored.read(), *name.split("."))
        text = str(found).lower() if isinstance(found, bool) else "" if found is None else str(found)
        return (text == value) == wanted

    return test
