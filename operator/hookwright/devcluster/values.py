"""JSON values: how they are read, written, copied and looked into."""

from __future__ import annotations

import datetime
import json
from typing import Any

# Any: a decoded JSON value may have any shape; schemas.py and metadata.py find out which one it has.
Json = Any
JsonObject = dict[str, Any]

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"invalid character {name[0]!r} looking for beginning of value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def encode(value: Json) -> bytes:
    """Write a value as compact JSON; what is not ASCII is escaped, so lone surrogates survive."""
    return _ENCODER.encode(value).encode("ascii")


def decode(text: bytes) -> Json:
    """Read JSON strictly: no NaN, no infinities. Raise ValueError (or RecursionError) for anything else."""
    return _DECODER.decode(text.decode("utf-8"))


def clone(value: Json) -> Json:
    """Copy a JSON value in depth, several times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: clone(member) for key, member in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


def without_nulls(value: Json) -> Json:
    """Copy a JSON value without the members that are null, which is how typed kinds read it."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def find(value: Json, *path: str) -> Json:
    """Follow member names; None where the path ends early."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
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
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
