"""JSON values, and the text that one has in a comparison or in a build's parameter."""

from __future__ import annotations

import math

# What `pydantic_core.from_json` returns: objects keep the order of their keys, of doubled keys the last one counts,
# integers are exact, other numbers are doubles.
JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]

# Python refuses to print integers of more than 4300 digits; no text that a user may give is nearly as long.
_MAX_INTEGER_BITS = 14_000


def render_value(value: JsonValue) -> str | None:
    """Give the text of a scalar: 42 is `42`, 1.0 is `1.0`, true is `true`, a string is itself.

    Integers are exact, however long. Other numbers are the shortest text that reads back as the same double
    (`repr` of Python): `1e3` in a payload is `1000.0`, `1E-7` is `1e-07`, `1e22` is `1e+22`.
    None stands for what has no text: null, objects, arrays, and numbers too large for a double or of more than
    about 4200 digits.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= _MAX_INTEGER_BITS else None
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    return None


def weigh(value: JsonValue) -> int:
    """Give the number of nodes that reading or writing a scalar's decimal digits counts as; 0 for what has none.

    For long integers the work grows with the square of their length: 4,300 digits, the most that are read from a
    payload, take a quarter of a millisecond.
    """
    if isinstance(value, int):
        return (value.bit_length() >> 6) ** 2 >> 7
    return 2 if isinstance(value, float) else 0
