"""Structural schemas: what becomes of a custom object on its way in. It is pruned, then defaulted, then validated.

The rules and messages follow k8s.io/apiextensions-apiserver `pkg/apiserver/schema` and k8s.io/kube-openapi
`pkg/validation`. CEL rules (`x-kubernetes-validations`) are not known here; a schema that has them is served without.
"""

from __future__ import annotations

import copy
import datetime as dt
import ipaddress
import re
import uuid
from base64 import b64decode
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from hookwright.devcluster.errors import (
    WRONG_TYPE,
    Cause,
    duplicate,
    invalid_value,
    not_supported,
    required,
    too_long,
    too_many,
)
from hookwright.devcluster.values import Json, JsonObject, encode, quote

HEAD: Final = ("apiVersion", "kind", "metadata")
"""What every object has, whatever its schema says."""

_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"


def prune(value: Json, schema: JsonObject, path: str, unknown: list[str], *, is_object: bool = False) -> Json:
    """Return `value` without the fields that the schema does not know; their paths are added to `unknown`.

    Nulls go too where null is not allowed, so that a default can take their place. `is_object` says that this is a
    whole Kubernetes object.
    """
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [prune(item, schema["items"], f"{path}[{index}]", unknown) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    keeps = schema.get(_PRESERVE) or others is True
    has_head = is_object or schema.get(_EMBEDDED)
    kept: JsonObject = {}
    for name, member in value.items():
        field = f"{path}.{name}" if path else name
        known = properties.get(name, others if isinstance(others, dict) else None)
        if has_head and name in HEAD:
            kept[name] = member
        elif known is not None:
            if member is not None or known.get("nullable") or known.get(_PRESERVE):
                kept[name] = prune(member, known, field, unknown)
        elif keeps:
            kept[name] = member
        else:
            unknown.append(field)
    return kept


def set_defaults(value: Json, schema: JsonObject) -> None:
    """Put the schema's defaults where a field is absent; `value` is changed in place."""
    if isinstance(value, dict):
        others = schema.get("additionalProperties")
        for name, known in schema.get("properties", {}).items():
            if name not in value and "default" in known:
                value[name] = copy.deepcopy(known["default"])
            if name in value:
                set_defaults(value[name], known)
        if isinstance(others, dict):
            for member in value.values():
                set_defaults(member, others)
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for item in value:
            set_defaults(item, schema["items"])


def validate(value: Json, schema: JsonObject, path: str = "") -> Iterator[Cause]:
    """Yield everything in which `value` is not what the schema asks for."""
    if value is None and schema.get("nullable"):
        return
    given, wanted = _TYPES[type(value)], schema.get("type", "")
    if given == "number" and value.is_integer():
        given = "integer"
    if schema.get(_INT_OR_STRING):
        wanted = given if given in ("integer", "string") else "integer,string"
    if wanted and given != wanted and (given, wanted) != ("integer", "number"):
        message = f'Invalid value: "{given}": {path} in body must be of type {wanted}: "{given}"'
        yield Cause(WRONG_TYPE, path, message)
        return
    if "enum" in schema and value not in schema["enum"]:
        yield not_supported(path, value, schema["enum"])
    if check := _CHECKS.get(given):
        yield from check(value, schema, path)
    if not schema.keys().isdisjoint(_COMBINATIONS):
        yield from _validate_combinations(value, schema, path)


_TYPES: Final = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def _validate_text(value: str, schema: JsonObject, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxLength", len(value)):
        yield too_long(path, schema["maxLength"])
    if len(value) < schema.get("minLength", 0):
        yield invalid_value(path, value, f"{path} in body should be at least {schema['minLength']} chars long")
    if "pattern" in schema and not compile_pattern(schema["pattern"]).search(value):
        yield invalid_value(path, value, f"{path} in body should match '{schema['pattern']}'")
    is_right = _FORMATS.get(schema.get("format", ""))
    if is_right and not is_right(value):
        yield invalid_value(path, value, f"{path} in body must be of type {schema['format']}: {quote(value)}")


def _validate_number(value: float, schema: JsonObject, path: str) -> Iterator[Cause]:
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and (value <= low if above else value < low):
        words = "greater than" if above else "greater than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {words} {low}")
    if high is not None and (value >= high if below else value > high):
        words = "less than" if below else "less than or equal to"
        yield invalid_value(path, value, f"{path} in body should be {words} {high}")
    if step and value % step:
        yield invalid_value(path, value, f"{path} in body should be a multiple of {step}")
    bits = {"int32": 31, "int64": 63}.get(schema.get("format", ""))
    if bits and not -(2**bits) <= value < 2**bits:
        yield invalid_value(path, value, f'{path} in body must be of type {schema["format"]}: "{value}"')


def _validate_list(value: list[Json], schema: JsonObject, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxItems", len(value)):
        yield too_many(path, len(value), schema["maxItems"])
    if len(value) < schema.get("minItems", 0):
        yield invalid_value(path, len(value), f"{path} in body should have at least {schema['minItems']} items")
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys", ())
    seen: set[bytes] = set()
    for index, item in enumerate(value):
        if isinstance(schema.get("items"), dict):
            yield from validate(item, schema["items"], f"{path}[{index}]")
        if kind == "set" or (kind == "map" and isinstance(item, dict)):
            identity = item if kind == "set" else {key: item[key] for key in keys if key in item}
            if (text := encode(identity)) in seen:
                yield duplicate(f"{path}[{index}]", identity)
            seen.add(text)


def _validate_object(value: JsonObject, schema: JsonObject, path: str) -> Iterator[Cause]:
    prefix = f"{path}." if path else ""
    for name in schema.get("required", ()):
        if name not in value:
            yield required(f"{prefix}{name}")
    if len(value) > schema.get("maxProperties", len(value)):
        yield too_many(path, len(value), schema["maxProperties"])
    if len(value) < schema.get("minProperties", 0):
        yield invalid_value(path, value, f"{path} in body should have at least {schema['minProperties']} properties")
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, member in value.items():
        known = properties.get(name, others)
        if isinstance(known, dict):
            yield from validate(member, known, f"{prefix}{name}")


_CHECKS: Final[dict[str, Callable[[Json, JsonObject, str], Iterator[Cause]]]] = {
    "string": _validate_text,
    "integer": _validate_number,
    "number": _validate_number,
    "array": _validate_list,
    "object": _validate_object,
}
_COMBINATIONS: Final = frozenset(("allOf", "anyOf", "oneOf", "not"))


def _validate_combinations(value: Json, schema: JsonObject, path: str) -> Iterator[Cause]:
    def fits(branch: JsonObject) -> bool:
        return next(validate(value, branch, path), None) is None

    for branch in schema.get("allOf", ()):
        yield from validate(value, branch, path)
    if "anyOf" in schema and not any(map(fits, schema["anyOf"])):
        yield invalid_value(path, value, f'"{path}" must validate at least one schema (anyOf)')
    if "oneOf" in schema and (count := sum(map(fits, schema["oneOf"]))) != 1:
        found = f"Found {count} valid alternatives" if count else "Found none valid"
        yield invalid_value(path, value, f'"{path}" must validate one and only one schema (oneOf). {found}')
    if "not" in schema and fits(schema["not"]):
        yield invalid_value(path, value, f'"{path}" must not validate the schema (not)')


@lru_cache(maxsize=1024)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""Compile a pattern as the API server reads it (RE2): `\d` and the like mean ASCII, `$` is the very end.

    Raises re.error for what is no regular expression to it; look-around is none.
    """
    if re.search(r"(?<!\\)\(\?<?[=!]", pattern):
        raise re.error("invalid or unsupported Perl syntax: look-around")
    # Outside of classes and escapes, `$` becomes `\Z`: Python's own `$` forgives a newline at the end.
    parts = re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    return re.compile("".join({"$": r"\Z", r"\z": r"\Z"}.get(part, part) for part in parts), re.ASCII)


def _parses(parse: Callable[[str], object], pattern: str = "") -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return re.search(pattern, text) is not None

    return check


_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "date-time": _parses(dt.datetime.fromisoformat, r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"),
    "date": _parses(dt.date.fromisoformat),
    "byte": _parses(lambda text: b64decode(text, validate=True)),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(lambda text: ipaddress.ip_network(text, strict=False)),
    "uuid": _parses(uuid.UUID),
    "duration": _parses(str, r"^([+-]?(\d+(\.\d*)?\s*[a-zµ]+\s*)+|0)$"),
}
"""What is checked; `uri`, `hostname`, `password` and the like pass."""
