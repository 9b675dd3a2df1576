"""Whether one JSON value equals, or comes before, another: Jayway's rules, which convert between strings and numbers.

Numbers are compared exactly, as decimals. A number equals a string that Java reads as that number; a string equals a
number whose Java text it is: which of the two happens depends on what stands on the left. Strings come in the order of
their UTF-16 units. True, false, null, what is missing, arrays and objects equal only their like, and have no order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Final, TypeGuard

from hookwright.filters.java_numbers import exact, java_text, read_number
from hookwright.filters.values import JsonValue, weigh


class Missing(Enum):
    """What a path gives that finds nothing: different from null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

Value = JsonValue | Decimal | Missing
"""A side of a comparison: of the document, a number literal, or nothing."""

Spend = Callable[[int], None]
"""Called with the number of nodes that are looked at; raises to end the evaluation."""

Compare = Callable[[Value, Value, Spend], bool]

_CHARACTERS_PER_NODE = 64  # comparing so many characters counts as looking at one node
_CHARACTERS_OF_NUMBER_PER_NODE = 16  # so does reading so many as a number


def equal(left: Value, right: Value, spend: Spend) -> bool:
    """Tell whether `left` equals `right`, in this order."""
    if isinstance(left, str):
        if isinstance(right, str):
            spend(min(len(left), len(right)) // _CHARACTERS_PER_NODE)
            return left == right
        return is_number(right) and left == _spell(right, spend)
    if is_number(left):
        if is_number(right):
            spend(_weigh(left) + _weigh(right))
            return exact(left) == exact(right)
        return isinstance(right, str) and _equals_text(left, right, spend)
    if isinstance(left, (list, dict)):
        return isinstance(right, (list, dict)) and _same(left, right, spend)
    return left is right and left is not MISSING


def _equals_text(number: float | Decimal, text: str, spend: Spend) -> bool:
    spend(2 + len(text) // _CHARACTERS_OF_NUMBER_PER_NODE + _weigh(number))
    read = read_number(text)
    return read is not None and exact(number) == read


def before(left: Value, right: Value, spend: Spend) -> bool:
    """Tell whether `left` comes before `right`."""
    if isinstance(left, str) and isinstance(right, str):
        spend(min(len(left), len(right)) // _CHARACTERS_PER_NODE)
        return _units_before(left, right)
    if is_number(left) and is_number(right):
        spend(_weigh(left) + _weigh(right))
        return exact(left) < exact(right)
    return False


def _not_equal(left: Value, right: Value, spend: Spend) -> bool:
    return not equal(left, right, spend)


def _after(left: Value, right: Value, spend: Spend) -> bool:
    return before(right, left, spend)


def _not_after(left: Value, right: Value, spend: Spend) -> bool:
    return _have_order(left, right) and not before(right, left, spend)


def _not_before(left: Value, right: Value, spend: Spend) -> bool:
    return _have_order(left, right) and not before(left, right, spend)


def _strictly_equal(left: Value, right: Value, spend: Spend) -> bool:
    """Tell whether both are of one kind, and equal: a text is no number."""
    return isinstance(left, str) == isinstance(right, str) and equal(left, right, spend)


def _strictly_unequal(left: Value, right: Value, spend: Spend) -> bool:
    return not _strictly_equal(left, right, spend)


COMPARE: Final[dict[str, Compare]] = {
    "==": equal,
    "!=": _not_equal,
    "===": _strictly_equal,
    "!==": _strictly_unequal,
    "<": before,
    "<=": _not_after,
    ">": _after,
    ">=": _not_before,
}


def _have_order(left: Value, right: Value) -> bool:
    return (isinstance(left, str) and isinstance(right, str)) or (is_number(left) and is_number(right))


def is_number(value: Value) -> TypeGuard[int | float | Decimal]:
    """Tell whether a value is a number, which true and false are not."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _spell(number: float | Decimal, spend: Spend) -> str:
    spend(1 + 2 * _weigh(number))
    return java_text(number)


def _weigh(number: float | Decimal) -> int:
    """Give the number of nodes that a number counts as when it is compared: one from the expression is short."""
    return 0 if isinstance(number, Decimal) else weigh(number)


def _units_before(left: str, right: str) -> bool:
    """Compare by UTF-16 units, as Java does: characters beyond U+FFFF come before those from U+E000 on."""
    if left.isascii() or right.isascii():
        return left < right
    shared = min(len(left), len(right))
    if left[:shared] == right[:shared]:
        return len(left) < len(right)
    return _units(left[:shared]) < _units(right[:shared])


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _same(left: JsonValue, right: JsonValue, spend: Spend) -> bool:
    """Compare two trees as Java's collections do: kinds of numbers differ (1 and 1.0), order of members does not."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            spend(len(one))
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if len(one) != len(other):
                return False
            spend(len(one) + sum(map(len, one)) // _CHARACTERS_PER_NODE)
            if one.keys() != other.keys():
                return False
            pairs.extend((value, other[key]) for key, value in one.items())
        elif isinstance(one, str) and isinstance(other, str):
            spend(min(len(one), len(other)) // _CHARACTERS_PER_NODE)
            if one != other:
                return False
        elif not _same_scalar(one, other):
            return False
    return True


def _same_scalar(one: JsonValue, other: JsonValue) -> bool:
    """Compare as Java's boxes do: by kind, and with two different zeros."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return type(one) is type(other) and one == other
