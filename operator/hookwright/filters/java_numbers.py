"""Numbers as Java's BigDecimal has them: their exact values, their texts, and which texts are numbers.

Jayway turns every number it compares into a BigDecimal by way of its text. BigDecimal and Python's Decimal hold, print
and order numbers alike, so what is left to do here is Java's way of writing a double and of reading a string.

What cannot be the same, because the payload's own spelling is lost once it is read: Jayway keeps a number with more
digits than a double holds as it was written, here it is the nearest double. And a few doubles have other digits in
Java: releases before 19 write some with a digit too many, all write the two smallest as `4.9E-324` and `9.9E-324`.
"""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal

# Java takes the decimal digits of any script, as `\d` does, but only those of Unicode's first plane.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?)0*(\d{1,10}))?")
_LAST_OF_FIRST_PLANE = "\uffff"
_MAX_INT = 2**31 - 1
_EXACT = Context(prec=20)  # a double's shortest text has at most 17 digits
# Where `Double.toString` changes from `1234.5` to `1.2345E3`.
_PLAIN_FROM, _PLAIN_TO = 1e-3, 1e7


class ComparisonError(Exception):
    """A number of the document that is too large for a double: Jayway fails on it."""


def exact(number: float | Decimal) -> int | Decimal:
    """Give the exact value of an integer or decimal, and of a double the value of its shortest text."""
    if not isinstance(number, float):
        return number
    if not math.isfinite(number):
        raise ComparisonError
    return Decimal(repr(number))


def java_text(number: float | Decimal) -> str:
    """Give the text of a number as Jayway compares it with strings: Java's for a double, then BigDecimal's for that."""
    value = Decimal(exact(number))
    if isinstance(number, float) and not _PLAIN_FROM <= abs(number) < _PLAIN_TO:
        value = _with_java_digits(value)
    return str(value)


def _with_java_digits(value: Decimal) -> Decimal:
    """Give the same number with the digits that Java writes for a large or tiny double: `1.0E22`, `1.25E-7`, `0.0`."""
    if not value:
        return Decimal("0.0")
    shortest = value.normalize(_EXACT)
    if len(shortest.as_tuple().digits) > 1:
        return shortest
    return shortest.quantize(shortest.scaleb(-1, _EXACT), context=_EXACT)  # a digit always follows the point


def read_number(text: str) -> Decimal | None:
    """Read a string as `new BigDecimal(text)` would; None where that raises."""
    parts = _NUMBER.fullmatch(text)
    if parts is None or not (text.isascii() or max(text) <= _LAST_OF_FIRST_PLANE):
        return None
    fraction, exponent = parts[1] or parts[2] or "", int(f"{parts[3] or ''}{parts[4] or 0}")
    if abs(exponent) > _MAX_INT or abs(len(fraction) - exponent) > _MAX_INT:
        return None
    return Decimal(text)


def double_text(number: float) -> str:
    """Give what `Double.toString` does: `1.0`, `0.001`, `1.0E7`, `1.25E-7`."""
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if not number or _PLAIN_FROM <= abs(number) < _PLAIN_TO:
        text = format(Decimal(repr(number)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = Decimal(repr(number)).normalize(_EXACT).as_tuple()
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{digits[0]}.{rest}E{int(exponent) + len(digits) - 1}"


def int_value(number: float | Decimal) -> int:
    """Give what `BigDecimal.intValue` does: without the fraction, the last 32 bits."""
    return (int(exact(number)) + 2**31) % 2**32 - 2**31
