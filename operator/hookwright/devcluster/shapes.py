"""Small schemas for objects of built-in kinds: only what the server itself relies on, written shortly."""

from __future__ import annotations

from typing import Final

from hookwright.devcluster.values import JsonObject

TEXT: Final[JsonObject] = {"type": "string"}
BOOLEAN: Final[JsonObject] = {"type": "boolean"}
INTEGER: Final[JsonObject] = {"type": "integer"}
NUMBER: Final[JsonObject] = {"type": "number"}
COUNT: Final[JsonObject] = {"type": "integer", "minimum": 0}
TEXTS: Final[JsonObject] = {"type": "object", "additionalProperties": TEXT}


def shape(required: str = "", /, **properties: JsonObject) -> JsonObject:
    """Describe an object; `required` names members, separated by spaces."""
    return {"type": "object", "required": required.split(), "properties": properties}


def items(item: JsonObject) -> JsonObject:
    """Describe a list."""
    return {"type": "array", "items": item}


def one_of(*choices: str) -> JsonObject:
    """Describe a text with a choice of values."""
    return {"type": "string", "enum": list(choices)}
