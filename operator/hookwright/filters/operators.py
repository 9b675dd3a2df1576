"""Jayway's operators that are words: whether a value is in an array, contains one, has a size, is empty.

An operand that is no array where one is needed lets the item not pass, whatever is written around the condition
(`Unusable`); an object in its place is an array without any elements that could be equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hookwright.filters.comparison import COMPARE, MISSING, Compare, Spend, Value, is_number
from hookwright.filters.elements import Doubtful, Element, JsonText, PathText, read_elements, refuse_doubt, same
from hookwright.filters.failures import Failed, Unusable
from hookwright.filters.java_numbers import int_value, java_text
from hookwright.filters.nodes import Operator
from hookwright.filters.patterns import Pattern
from hookwright.filters.values import weigh

_CHARACTERS_PER_NODE = 64


def _need_array(value: Value, spend: Spend) -> list[Element] | None:
    """Give the elements of an array, None for an object; all else is `Unusable`."""
    if isinstance(value, list):
        return read_elements(value, spend)
    if isinstance(value, dict):
        return None
    raise Unusable


def _has(elements: list[Element], value: object, spend: Spend) -> bool:
    spend(len(elements))
    return any(same(value, element, spend) for element in elements)


def _is_in(left: Value, right: Value, spend: Spend) -> bool:
    elements = _need_array(right, spend)
    return elements is not None and left is not MISSING and _has(elements, left, spend)


def _is_not_in(left: Value, right: Value, spend: Spend) -> bool:
    return not _is_in(left, right, spend)


def _contains(left: Value, right: Value, spend: Spend) -> bool:
    if isinstance(left, str):
        spend((len(left) + (len(right) if isinstance(right, str) else 0)) // _CHARACTERS_PER_NODE)
        return isinstance(right, str) and right in left
    return isinstance(left, list) and _has(read_elements(left, spend), right, spend) and right is not MISSING


def _has_size(left: Value, right: Value, spend: Spend) -> bool:
    if not is_number(right):
        return False
    spend(weigh(right) if isinstance(right, int) else 0)
    size = int_value(right)
    if isinstance(left, str):
        spend(len(left) // _CHARACTERS_PER_NODE)  # Java counts UTF-16's units
        return size == (len(left) if left.isascii() else len(left.encode("utf-16-le", "surrogatepass")) // 2)
    if isinstance(left, list):
        return size == len(left)
    return isinstance(left, dict) and size == -1


def _is_empty(left: Value, right: Value, _spend: Spend) -> bool:
    if isinstance(left, dict):
        raise Failed("`empty` of an object, with which Jayway fails")
    if not isinstance(left, (str, list)):
        return False
    if not isinstance(right, bool):
        raise Unusable
    return (not left) is right


def _pairwise(decide: Callable[[list[Element], list[Element], Spend], bool]) -> Compare:
    def compare(left: Value, right: Value, spend: Spend) -> bool:
        allowed = _need_array(right, spend)
        if allowed is None:
            return False
        elements = _need_array(left, spend)
        return elements is not None and decide(elements, allowed, spend)

    return compare


def _is_subset(elements: list[Element], allowed: list[Element], spend: Spend) -> bool:
    return all(_has(allowed, element, spend) for element in elements)


def _has_any(elements: list[Element], wanted: list[Element], spend: Spend) -> bool:
    return any(_has(wanted, element, spend) for element in elements)


def _has_none(elements: list[Element], unwanted: list[Element], spend: Spend) -> bool:
    return not _has_any(elements, unwanted, spend)


OPERATE: Final[dict[Operator, Compare]] = {
    **COMPARE,  # type: ignore[dict-item] # its keys are operators, which this package has under another name
    "in": _is_in,
    "nin": _is_not_in,
    "contains": _contains,
    "size": _has_size,
    "empty": _is_empty,
    "subsetof": _pairwise(_is_subset),
    "anyof": _pairwise(_has_any),
    "noneof": _pairwise(_has_none),
}


def matches(pattern: Pattern, value: Value, spend: Spend) -> bool:
    """Tell whether a pattern matches a value's text as a whole, or that of an element; what has no text is empty."""
    if not isinstance(value, list):
        return pattern.matches(_text_of(value, spend), spend)
    return any(_matches_element(pattern, element, spend) for element in read_elements(value, spend))


def _matches_element(pattern: Pattern, element: Element, spend: Spend) -> bool:
    if isinstance(element, Doubtful):
        found = pattern.matches(element.plain, spend)
        if found is not pattern.matches("", spend):
            refuse_doubt()
        return found
    if isinstance(element, (PathText, JsonText)):
        return pattern.matches("", spend)
    return pattern.matches(_text_of(element, spend), spend)


def _text_of(value: Value, spend: Spend) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        spend(2 * weigh(value) if isinstance(value, int) else 1)
        return java_text(value)
    return ""
