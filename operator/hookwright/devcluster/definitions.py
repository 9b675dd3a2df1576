"""CustomResourceDefinitions: whether one can be served, and the status that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from hookwright.devcluster.errors import Cause, invalid_value, not_supported, required
from hookwright.devcluster.schemas import compile_pattern, set_defaults, validate
from hookwright.devcluster.values import Json, JsonObject, clone, timestamp

CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that keeps a definition until its objects are gone."""

_TEXT: Final[JsonObject] = {"type": "string", "minLength": 1}
_ANYTHING: Final[JsonObject] = {"type": "object"}
_COLUMN: Final[JsonObject] = {
    "type": "object",
    "required": ["name", "type", "jsonPath"],
    "properties": {
        "name": _TEXT,
        "type": {"type": "string", "enum": ["integer", "number", "string", "boolean", "date"]},
        "jsonPath": {"type": "string", "pattern": r"^\."},
        "priority": {"type": "integer"},
    },
}
_VERSION: Final[JsonObject] = {
    "type": "object",
    "required": ["name", "served", "storage"],
    "properties": {
        "name": _TEXT,
        "served": {"type": "boolean"},
        "storage": {"type": "boolean"},
        "schema": {"type": "object", "properties": {"openAPIV3Schema": _ANYTHING}},
        "subresources": {"type": "object", "properties": {"status": _ANYTHING}},
        "additionalPrinterColumns": {"type": "array", "items": _COLUMN},
        "selectableFields": {"type": "array", "items": {"type": "object", "properties": {"jsonPath": _TEXT}}},
    },
}
_LIST_OF_TEXTS: Final[JsonObject] = {"type": "array", "items": _TEXT}
SCHEMA: Final[JsonObject] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["group", "names", "scope", "versions"],
            "properties": {
                "group": _TEXT,
                "scope": {"type": "string", "enum": ["Cluster", "Namespaced"]},
                "conversion": {"type": "object", "default": {"strategy": "None"}},
                "names": {
                    "type": "object",
                    "required": ["plural", "kind"],
                    "properties": {
                        "plural": _TEXT,
                        "kind": _TEXT,
                        "singular": {"type": "string"},
                        "listKind": {"type": "string"},
                        "shortNames": _LIST_OF_TEXTS,
                        "categories": _LIST_OF_TEXTS,
                    },
                },
                "versions": {"type": "array", "minItems": 1, "items": _VERSION},
            },
        }
    },
}
"""What the rest of this package relies on in a definition."""


def prepare_definition(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Fill in a definition's defaults and its status; yield what keeps it from being served."""
    set_defaults(new, SCHEMA)
    causes = list(validate(new, SCHEMA))
    yield from causes
    if causes:
        return
    spec = new["spec"]
    names = spec["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    yield from _check_names(new["metadata"].get("name", ""), spec)
    for index, version in enumerate(spec["versions"]):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        schema = version.get("schema", {}).get("openAPIV3Schema")
        if not schema:
            yield required(path, "schemas are required")
        elif schema.get("type") != "object":
            yield invalid_value(f"{path}.type", schema.get("type", ""), "must be object at the root")
        else:
            yield from check_structure(schema, path)
    new["status"] = _status(spec, (old or {}).get("status"))


def _check_names(name: str, spec: JsonObject) -> Iterator[Cause]:
    wanted = f"{spec['names']['plural']}.{spec['group']}"
    if name != wanted:
        yield invalid_value("metadata.name", name, f'must be spec.names.plural+"."+spec.group ({wanted})')
    if sum(version["storage"] for version in spec["versions"]) != 1:
        listed = [version["name"] for version in spec["versions"]]
        yield invalid_value("spec.versions", listed, "must have exactly one version marked as storage version")


def _status(spec: JsonObject, old: JsonObject | None) -> JsonObject:
    if old:
        conditions = old["conditions"]
    else:
        conditions = [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ]
    stored = [version["name"] for version in spec["versions"] if version["storage"]]
    before = [name for name in (old or {}).get("storedVersions", ()) if name not in stored]
    return {"acceptedNames": clone(spec["names"]), "conditions": clone(conditions), "storedVersions": before + stored}


def condition(name: str, reason: str, message: str) -> JsonObject:
    """Return a condition that is true from now on."""
    return {
        "type": name,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": timestamp(),
    }


_FORBIDDEN: Final = frozenset(
    (
        *("$ref", "$defs", "definitions", "dependencies", "patternProperties", "additionalItems", "const", "if"),
        *("then", "else", "prefixItems", "discriminator", "readOnly", "writeOnly", "xml", "deprecated", "id"),
    )
)
_NOT_IN_BRANCHES: Final = ("type", "description", "default", "nullable", "additionalProperties", "title")
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")


def check_structure(schema: Json, path: str) -> Iterator[Cause]:
    """Yield where a schema is not structural (k8s.io/apiextensions-apiserver `pkg/apiserver/schema/validation.go`)."""
    if not isinstance(schema, dict):
        yield invalid_value(path, schema, "must be an object")
        return
    for name in sorted(_FORBIDDEN & schema.keys()):
        yield Cause("FieldValueForbidden", f"{path}.{name}", "Forbidden: not supported in a structural schema")
    free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    kind = schema.get("type")
    if kind is None and not free:
        yield required(f"{path}.type", "must not be empty for specified object fields")
    elif kind is not None and kind not in _TYPES:
        yield not_supported(f"{path}.type", kind, _TYPES)
    if kind == "array" and "items" not in schema:
        yield required(f"{path}.items", "must be specified")
    if schema.get("uniqueItems"):
        message = "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield Cause("FieldValueForbidden", f"{path}.uniqueItems", message)
    if schema.get("additionalProperties") and schema.get("properties"):
        message = "Forbidden: additionalProperties and properties are mutual exclusive"
        yield Cause("FieldValueForbidden", f"{path}.additionalProperties", message)
    if "pattern" in schema:
        yield from _check_pattern(schema["pattern"], f"{path}.pattern")
    if "default" in schema:
        for cause in validate(schema["default"], schema, "default"):
            yield invalid_value(f"{path}.default", schema["default"], f"{cause.field}: {cause.message}")
    yield from _check_branches(schema, path)
    for name, member in schema.get("properties", {}).items():
        yield from check_structure(member, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if name in schema and not isinstance(schema[name], bool):
            yield from check_structure(schema[name], f"{path}.{name}")


def _check_pattern(pattern: Json, path: str) -> Iterator[Cause]:
    if not isinstance(pattern, str):
        yield invalid_value(path, pattern, "must be a string")
        return
    try:
        compile_pattern(pattern)
    except re.error as error:
        yield invalid_value(path, pattern, f"must be a valid regular expression, but isn't: {error}")
    if re.search(r"(?<!\\)\(\?(=|!|<=|<!)", pattern):
        yield invalid_value(path, pattern, "must be a valid regular expression, but isn't: RE2 knows no look-around")


def _check_branches(schema: JsonObject, path: str) -> Iterator[Cause]:
    branches = [(name, branch) for name in ("allOf", "anyOf", "oneOf") for branch in schema.get(name, ())]
    branches += [("not", schema["not"])] if "not" in schema else []
    for name, branch in branches:
        for word in _NOT_IN_BRANCHES:
            if word in branch and not (word == "type" and schema.get("x-kubernetes-int-or-string")):
                yield Cause("FieldValueForbidden", f"{path}.{name}.{word}", "Forbidden: must be empty to be structural")
