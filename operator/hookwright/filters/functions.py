"""Jayway's functions: what each makes of a value and of its arguments.

Two are not here. `append` changes the document, so what it gives depends on what was evaluated before. And `length` of
a path in parentheses is the length of something else (see `grammar.functions`).

The aggregates are of doubles, and begin as Java's do: `max` of negative numbers alone is the smallest positive double.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from hookwright.filters.failures import Failed, OutOfBounds
from hookwright.filters.java_numbers import double_text
from hookwright.filters.nodes import FunctionName
from hookwright.filters.values import JsonValue, weigh

Spend = Callable[[int], None]
Function = Callable[[JsonValue, Sequence[JsonValue], Spend], JsonValue]

_SMALLEST = math.ulp(0.0)
_CHARACTERS_PER_NODE = 64
# What json-smart escapes in a string: controls, and what is dangerous in a web page.
_ESCAPED = re.compile('["\\\\/\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _length(value: JsonValue, _arguments: Sequence[JsonValue], _spend: Spend) -> JsonValue:
    """Give the number of elements or members; null for all else, texts included."""
    return len(value) if isinstance(value, (list, dict)) else None


def _keys(value: JsonValue, _arguments: Sequence[JsonValue], spend: Spend) -> JsonValue:
    """Give the names of the members; null for all else."""
    if not isinstance(value, dict):
        return None
    spend(len(value))
    return list(value)


def _first(value: JsonValue, _arguments: Sequence[JsonValue], _spend: Spend) -> JsonValue:
    return _element("first", value, 0)


def _last(value: JsonValue, _arguments: Sequence[JsonValue], _spend: Spend) -> JsonValue:
    return _element("last", value, -1)


def _index(value: JsonValue, arguments: Sequence[JsonValue], _spend: Spend) -> JsonValue:
    (place,) = arguments
    return _element("index", value, place if isinstance(place, int) else 0)


def _element(name: str, value: JsonValue, place: int) -> JsonValue:
    """Give an element as Jayway does: counted from the end, it never is the first one."""
    if not isinstance(value, list):
        raise Failed(f"{name}() needs an array")
    if place < 0 and len(value) + place <= 0:
        raise Failed(f"{name}() counts from the end and never reaches the first element, as Jayway has it")
    if place >= len(value):
        raise OutOfBounds
    return value[place]


def _concat(value: JsonValue, arguments: Sequence[JsonValue], spend: Spend) -> JsonValue:
    """Join the texts of an array and then all arguments; the elements of an array among them one by one."""
    texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    spend(len(value) if isinstance(value, list) else 0)
    for argument in arguments:
        for one in argument if isinstance(argument, list) else (argument,):
            if one is not None:
                texts.append(_write(one, spend))  # noqa: PERF401 - what it costs is counted one by one
    spend(sum(map(len, texts)) // _CHARACTERS_PER_NODE)
    return "".join(texts)


def _write(value: JsonValue, spend: Spend) -> str:
    """Give the text of a value; no payload that is read is deep enough to fail, Java would fail on a deeper one too."""
    try:
        return _java_string(value, spend)
    except RecursionError as error:
        raise Failed("concat() of what is nested too deep to be written") from error


def _java_string(value: JsonValue, spend: Spend) -> str:
    """Give what `toString()` does: an object as `{a=1}`, an array as JSON."""
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={_java_string(one, spend)}" for key, one in value.items())
        spend(1 + len(inner) // _CHARACTERS_PER_NODE)
        return f"{{{inner}}}"
    if isinstance(value, list):
        return _json(value, spend)
    if isinstance(value, float):
        return double_text(value)
    return value if isinstance(value, str) else _json(value, spend)


def _json(value: JsonValue, spend: Spend) -> str:  # noqa: PLR0911 - one for each kind of value
    """Write JSON as json-smart does."""
    spend(1)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            spend(len(value) // _CHARACTERS_PER_NODE)
            return '"' + _ESCAPED.sub(lambda char: _ESCAPES.get(char[0]) or f"\\u{ord(char[0]):04X}", value) + '"'
        case int():
            spend(2 * weigh(value))
            return str(Decimal(value))  # which is not limited to 4300 digits
        case float():
            return double_text(value) if math.isfinite(value) else "null"
        case list():
            inner = ",".join(_json(one, spend) for one in value)
            spend(len(inner) // _CHARACTERS_PER_NODE)
            return f"[{inner}]"
        case dict():
            inner = ",".join(f"{_json(key, spend)}:{_json(one, spend)}" for key, one in value.items())
            spend(len(inner) // _CHARACTERS_PER_NODE)
            return f"{{{inner}}}"


def _numbers(value: JsonValue, arguments: Sequence[JsonValue], spend: Spend) -> Iterator[float]:
    """Give the numbers of an array, then those of the arguments, as doubles."""
    for one in (value if isinstance(value, list) else (), *(a if isinstance(a, list) else (a,) for a in arguments)):
        spend(len(one))
        for number in one:
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                yield _double(number)


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _aggregate(name: str, combine: Callable[[list[float]], float]) -> Function:
    def aggregate(value: JsonValue, arguments: Sequence[JsonValue], spend: Spend) -> JsonValue:
        numbers = list(_numbers(value, arguments, spend))
        if not numbers:
            raise Failed(f"{name}() needs numbers, and there are none")
        return combine(numbers)

    return aggregate


def _add(numbers: Sequence[float]) -> float:
    """Add from left to right: Python's `sum` is more exact than Java from 3.12 on."""
    total = 0.0
    for number in numbers:
        total += number
    return total


def _min(numbers: Sequence[float]) -> float:
    return min(sys.float_info.max, *numbers)


def _max(numbers: Sequence[float]) -> float:
    return max(_SMALLEST, *numbers)


def _avg(numbers: Sequence[float]) -> float:
    return _add(numbers) / len(numbers)


def _stddev(numbers: Sequence[float]) -> float:
    count, total = len(numbers), _add(numbers)
    variance = _add([number * number for number in numbers]) / count - total * total / count / count
    return math.sqrt(variance) if variance >= 0 else math.nan


APPLY: Final[dict[FunctionName, Function]] = {
    "length": _length,
    "size": _length,
    "keys": _keys,
    "first": _first,
    "last": _last,
    "index": _index,
    "concat": _concat,
    "sum": _aggregate("sum", _add),
    "min": _aggregate("min", _min),
    "max": _aggregate("max", _max),
    "avg": _aggregate("avg", _avg),
    "stddev": _aggregate("stddev", _stddev),
}
