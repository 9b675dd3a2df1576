"""JSON values: how they are read, written, compared and looked into."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any, Final

# Any: a decoded JSON value may have any shape; schemas.py and metadata.py find out which one it has.
Json = Any
JsonObject = dict[str, Any]


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"invalid character {name[0]!r} looking for beginning of value")


_ENCODER = json.JSONEncoder(separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def encode(value: Json) -> bytes:
    """Write a value as compact JSON; what is not ASCII is escaped, so lone surrogates survive."""
    return _ENCODER.encode(value).encode("ascii")


def decode(text: bytes) -> Json:
    """Read JSON strictly: no NaN, no infinities. Raise ValueError (or RecursionError) for anything else."""
    return _DECODER.decode(text.decode())


def quote(value: Json) -> str:
    """Write a value as error messages show it."""
    return _ENCODER.encode(value)


def without_nulls(value: Json) -> Json:
    """Copy a JSON value without the members that are null, which is how typed kinds read it."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def find(value: Json, *path: str) -> Json:
    """Follow member names; None where the path ends early."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def same(left: Json, right: Json) -> bool:
    """Compare as JSON does: 1 equals 1.0, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return bool(left == right)


def timestamp() -> str:
    """Return the present second as Kubernetes writes it (RFC 3339, UTC, `Z`)."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_MICRO_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)", re.ASCII)


def to_micro_time(text: str) -> str:
    """Return a time in UTC as Kubernetes writes a MicroTime; raise ValueError if it has not exactly six decimals."""
    if not _MICRO_TIME.fullmatch(text):
        raise ValueError(f'parsing time {quote(text)} as "2006-01-02T15:04:05.000000Z07:00": cannot parse it')
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
