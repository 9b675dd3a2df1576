"""CustomResourceDefinitions: whether one can be served, and the status that says so."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Final

from hookwright.devcluster.errors import Cause, forbidden_field, invalid_value, required
from hookwright.devcluster.schemas import compile_pattern, set_defaults, validate
from hookwright.devcluster.shapes import BOOLEAN, INTEGER, NUMBER, TEXT, items, one_of, shape
from hookwright.devcluster.values import JsonObject, timestamp

CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer that keeps a definition until its objects are gone."""

_COLUMN: Final = shape(
    "name type jsonPath",
    name=TEXT,
    type=one_of("integer", "number", "string", "boolean", "date"),
    jsonPath=TEXT,
    priority=INTEGER,
)
_VERSION: Final = shape(
    "name served storage",
    name=TEXT,
    served=BOOLEAN,
    storage=BOOLEAN,
    schema=shape(openAPIV3Schema=shape()),
    subresources=shape(status=shape()),
    additionalPrinterColumns=items(_COLUMN),
    selectableFields=items(shape("jsonPath", jsonPath=TEXT)),
)
_NAMES: Final = shape(
    "plural kind", plural=TEXT, kind=TEXT, singular=TEXT, shortNames=items(TEXT), categories=items(TEXT)
)
_SPEC: Final = shape(
    "group names scope versions",
    group=TEXT,
    scope=one_of("Cluster", "Namespaced"),
    names=_NAMES,
    conversion=shape() | {"default": {"strategy": "None"}},
    versions=items(_VERSION) | {"minItems": 1},
)
SHAPE: Final = shape("spec", spec=_SPEC)
"""What the rest of this package relies on in a definition."""


def prepare_definition(new: JsonObject, old: JsonObject | None) -> Iterator[Cause]:
    """Fill in a definition's defaults and its status; yield what keeps it from being served."""
    set_defaults(new, SHAPE)
    spec = new["spec"]
    names = spec["names"]
    names.setdefault("singular", names["kind"].lower())
    names.setdefault("listKind", f"{names['kind']}List")
    wanted = f"{names['plural']}.{spec['group']}"
    if new["metadata"].get("name") != wanted:
        why = f'must be spec.names.plural+"."+spec.group ({wanted})'
        yield invalid_value("metadata.name", new["metadata"].get("name", ""), why)
    stored = [version["name"] for version in spec["versions"] if version["storage"]]
    if len(stored) != 1:
        yield invalid_value("spec.versions", stored, "must have exactly one version marked as storage version")
    for index, version in enumerate(spec["versions"]):
        path = f"spec.versions[{index}].schema.openAPIV3Schema"
        schema = version.get("schema", {}).get("openAPIV3Schema")
        if not schema:
            yield required(path)
        elif schema.get("type") != "object":
            yield invalid_value(f"{path}.type", schema.get("type", ""), "must be object at the root")
        else:
            yield from check_structure(schema, path)
    before = (old or {}).get("status", {})
    conditions = before.get("conditions") or [
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ]
    versions = [name for name in before.get("storedVersions", ()) if name not in stored] + stored
    new["status"] = {"acceptedNames": copy.deepcopy(names), "conditions": conditions, "storedVersions": versions}


def condition(name: str, reason: str, message: str) -> JsonObject:
    """Return a condition that is true from now on."""
    when = {"lastTransitionTime": timestamp()}
    return {"type": name, "status": "True", "reason": reason, "message": message, **when}


_FORBIDDEN: Final = frozenset(
    (
        *("$ref", "$defs", "definitions", "dependencies", "patternProperties", "additionalItems", "const", "if"),
        *("then", "else", "prefixItems", "discriminator", "readOnly", "writeOnly", "xml", "deprecated", "id"),
    )
)
_BOUNDS: Final = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_BRANCHES: Final = ("allOf", "anyOf", "oneOf")
_NODE: Final = shape(
    type=one_of("array", "boolean", "integer", "number", "object", "string"),
    properties={"type": "object", "additionalProperties": shape()},
    items=shape(),
    required=items(TEXT),
    enum=items({"x-kubernetes-preserve-unknown-fields": True}),
    pattern=TEXT,
    format=TEXT,
    minimum=NUMBER,
    maximum=NUMBER,
    multipleOf=NUMBER,
    **dict.fromkeys(_BOUNDS, INTEGER),
    **dict.fromkeys(_BRANCHES, items(shape())),
    **{"not": shape(), "x-kubernetes-list-map-keys": items(TEXT)},
)
"""The types of a schema's own members."""


def check_structure(schema: JsonObject, path: str, *, is_branch: bool = False) -> Iterator[Cause]:
    """Yield where a schema is not structural (the commonest rules of apiextensions-apiserver's `validation.go`)."""
    causes = list(validate(schema, _NODE, path))
    yield from causes
    if causes:
        return
    for name in sorted(_FORBIDDEN & schema.keys()):
        yield forbidden_field(f"{path}.{name}", "not supported in a structural schema")
    is_free = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if "type" not in schema and not is_free and not is_branch:
        yield required(f"{path}.type", "must not be empty for specified object fields")
    if schema.get("type") == "array" and "items" not in schema:
        yield required(f"{path}.items", "must be specified")
    if schema.get("additionalProperties") and schema.get("properties"):
        yield forbidden_field(f"{path}.additionalProperties", "it and properties are mutual exclusive")
    try:
        compile_pattern(schema.get("pattern", ""))
    except re.error as error:
        yield invalid_value(f"{path}.pattern", schema["pattern"], f"must be a valid regular expression: {error}")
    for name, member in _members(schema):
        yield from check_structure(
            member, f"{path}.{name}", is_branch=is_branch or name.startswith((*_BRANCHES, "not"))
        )


def _members(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield the schemas inside a schema, and their places in it."""
    for name, member in schema.get("properties", {}).items():
        yield f"properties[{name}]", member
    for name in ("items", "additionalProperties", "not"):
        if not isinstance(schema.get(name, True), bool):
            yield name, schema[name]
    for name in _BRANCHES:
        for index, member in enumerate(schema.get(name, ())):
            yield f"{name}[{index}]", member
