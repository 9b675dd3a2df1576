"""Whether one JSON value equals, or comes before, another: Jayway's rules, which convert between strings and numbers.

Numbers are compared exactly, as decimals. A number equals a string that Java reads as that number; a string equals a
number whose Java text it is: which of the two happens depends on what stands on the left. Strings come in the order of
their UTF-16 units. True, false, null, what is missing, arrays and objects equal only their like, and have no order.

A double is taken by its shortest decimal text. Java releases before 19 print a few doubles with a digit too many, and
Jayway keeps numbers that no double can hold as decimals; neither can be told apart here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal
from enum import Enum
from typing import Final, TypeGuard

from hookwright.filters.nodes import Operator
from hookwright.filters.values import JsonValue


class Missing(Enum):
    """What a path gives that finds nothing: different from null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

Value = JsonValue | Decimal | Missing
"""A side of a comparison: of the document, a number literal, or nothing."""

Spend = Callable[[int], None]
"""Called with the number of nodes that are looked at; raises to end the evaluation."""

Compare = Callable[[Value, Value, Spend], bool]

_JAVA_DECIMAL = re.compile(r"[+-]?(?:\d+\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d+))?")
_MAX_SCALE = 2**31 - 1
_EXACT = Context(prec=20)  # a double's shortest text has at most 17 digits
_UNITS_PER_NODE = 256  # comparing so many characters counts as looking at one node


class ComparisonError(Exception):
    """A number of the document that is too large for a double: Jayway fails on it."""


def equal(left: Value, right: Value, spend: Spend) -> bool:
    """Tell whether `left` equals `right`, in this order."""
    if isinstance(left, str):
        if isinstance(right, str):
            spend(min(len(left), len(right)) // _UNITS_PER_NODE)
            return left == right
        return _is_number(right) and left == _java_text(right)
    if _is_number(left):
        if _is_number(right):
            return _decimal(left) == _decimal(right)
        number = _read_decimal(right) if isinstance(right, str) else None
        return number is not None and _decimal(left) == number
    if isinstance(left, (list, dict)):
        return isinstance(right, (list, dict)) and _same(left, right, spend)
    return left is right and left is not MISSING


def before(left: Value, right: Value, spend: Spend) -> bool:
    """Tell whether `left` comes before `right`."""
    if isinstance(left, str) and isinstance(right, str):
        spend(min(len(left), len(right)) // _UNITS_PER_NODE)
        return _units_before(left, right)
    return _is_number(left) and _is_number(right) and _decimal(left) < _decimal(right)


def _not_equal(left: Value, right: Value, spend: Spend) -> bool:
    return not equal(left, right, spend)


def _after(left: Value, right: Value, spend: Spend) -> bool:
    return before(right, left, spend)


def _not_after(left: Value, right: Value, spend: Spend) -> bool:
    return _have_order(left, right) and not before(right, left, spend)


def _not_before(left: Value, right: Value, spend: Spend) -> bool:
    return _have_order(left, right) and not before(left, right, spend)


COMPARE: Final[dict[Operator, Compare]] = {
    "==": equal,
    "!=": _not_equal,
    "<": before,
    "<=": _not_after,
    ">": _after,
    ">=": _not_before,
}


def _have_order(left: Value, right: Value) -> bool:
    return (isinstance(left, str) and isinstance(right, str)) or (_is_number(left) and _is_number(right))


def _is_number(value: Value) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _decimal(number: float | Decimal) -> Decimal:
    """Give the exact value of a number literal or integer, and of a double that of its shortest text."""
    if not isinstance(number, float):
        return Decimal(number)
    if not math.isfinite(number):
        raise ComparisonError
    return Decimal(repr(number))


def _java_text(number: float | Decimal) -> str:
    """Give the text of a number as Jayway has it: Java's for the double, then BigDecimal's for that text.

    BigDecimal and Python's Decimal print alike; only a double must first get Java's digits.
    """
    value = _decimal(number)
    if isinstance(number, float) and not 1e-3 <= abs(number) < 1e7:  # noqa: PLR2004 - where Double.toString changes form
        value = _with_java_digits(value)
    return str(value)


def _with_java_digits(value: Decimal) -> Decimal:
    """Give the same number with the digits that Java prints for a large or tiny double: `1.0E22`, `1.25E-7`, `0.0`."""
    if not value:
        return Decimal("0.0")
    shortest = value.normalize(_EXACT)
    if len(shortest.as_tuple().digits) > 1:
        return shortest
    return shortest.quantize(shortest.scaleb(-1, _EXACT), context=_EXACT)  # a digit always follows the point


def _read_decimal(text: str) -> Decimal | None:
    """Read a string as `new BigDecimal(text)` would; None where Java raises."""
    parts = _JAVA_DECIMAL.fullmatch(text)
    if parts is None:
        return None
    fraction, exponent = parts[1] or parts[2] or "", int(parts[3] or 0)
    if abs(exponent) > _MAX_SCALE or abs(len(fraction) - exponent) > _MAX_SCALE:
        return None
    return Decimal(text)


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
            if one.keys() != other.keys():
                return False
            spend(len(one))
            pairs.extend((value, other[key]) for key, value in one.items())
        elif not _same_scalar(one, other):
            return False
    return True


def _same_scalar(one: JsonValue, other: JsonValue) -> bool:
    """Compare as Java's boxes do: by kind, and with two different zeros."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other and math.copysign(1, one) == math.copysign(1, other)
    return type(one) is type(other) and one == other
