"""From a pydantic model to a Kubernetes structural schema.

Kubernetes accepts a subset of OpenAPI v3: no references, no `anyOf` that carries a type, no `const`, no titles worth
keeping. A model that has no structural form is a mistake of ours, so it raises at generation time.
Source of the rules: Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

# A JSON schema is JSON; its shape is what this module is about.
Schema = dict[str, Any]

KEPT = frozenset(
    {
        *("type", "description", "enum", "default", "format", "pattern", "required"),
        *("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "minProperties", "maxProperties"),
    }
)
# JSON Schema bounds the members of an object by these; OpenAPI v3 in Kubernetes does too.
FORMATS = frozenset({"date-time", "int32", "int64"})


def structural_schema(model: type[BaseModel]) -> Schema:
    """Give the structural schema of `model`, without references.

    Raises:
        ValueError: a part of the model has no structural form.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _convert(schema, schema.get("$defs", {}), model.__name__)


def _convert(schema: Schema, definitions: Schema, path: str) -> Schema:
    schema = _resolve(schema, definitions, path)
    kept = {k: v for k, v in schema.items() if k in KEPT or k.startswith("x-kubernetes-")}
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    if kept.get("default", ...) is None:
        del kept["default"]
    if kept.get("format") not in FORMATS:
        kept.pop("format", None)
    if kept.get("type") == "integer":
        kept.setdefault("format", "int64")
    if "items" in schema:
        kept["items"] = _convert(schema["items"], definitions, f"{path}[]")
    if kept.get("type") == "object":
        kept |= _members(schema, definitions, path)
    if "type" not in kept:
        raise ValueError(f"{path}: {sorted(schema)} has no structural form")
    return kept


def _resolve(schema: Schema, definitions: Schema, path: str) -> Schema:
    """Put a referenced definition in place of its reference, and an optional value's schema in place of the option."""
    while True:
        if "$ref" in schema:
            rest = {k: v for k, v in schema.items() if k != "$ref"}
            schema = {**definitions[schema["$ref"].rsplit("/", 1)[1]], **rest}
        elif "anyOf" in schema:
            rest = {k: v for k, v in schema.items() if k != "anyOf"}
            # An optional member is left out, never null: so no `nullable`.
            real = [option for option in schema["anyOf"] if option.get("type") != "null"]
            if len(real) != 1:
                raise ValueError(f"{path}: a union has no structural form")
            schema = {**real[0], **rest}
        else:
            return schema


def _members(schema: Schema, definitions: Schema, path: str) -> Schema:
    if "properties" in schema:
        return {"properties": {k: _convert(v, definitions, f"{path}.{k}") for k, v in schema["properties"].items()}}
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict) and extra:
        return {"additionalProperties": _convert(extra, definitions, f"{path}.*")}
    if "patternProperties" in schema:
        return _members_by_pattern(schema["patternProperties"], definitions, path)
    return {"x-kubernetes-preserve-unknown-fields": True}


def _members_by_pattern(patterns: Schema, definitions: Schema, path: str) -> Schema:
    """A map whose keys have a pattern: Kubernetes bounds the values only; the keys are our own check's business."""
    if len(patterns) != 1:
        raise ValueError(f"{path}: several patterns of keys have no structural form")
    (value,) = patterns.values()
    return {"additionalProperties": _convert(value, definitions, f"{path}.*")}
