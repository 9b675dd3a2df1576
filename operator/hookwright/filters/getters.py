"""Paths of single names and indices, which most are: a function that follows one, and costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hookwright.filters.comparison import MISSING, Missing
from hookwright.filters.nodes import Index, Name
from hookwright.filters.values import JsonValue

Get = Callable[[JsonValue], JsonValue | Missing]


def compile_getter(steps: Sequence[Name | Index]) -> Get:
    """Make the function that follows single names and indices: it gives the one value, or MISSING."""
    keys = tuple(step.name if isinstance(step, Name) else step.index for step in steps)

    def get(node: JsonValue) -> JsonValue | Missing:
        for key in keys:
            if isinstance(key, str):
                if not isinstance(node, dict) or key not in node:
                    return MISSING
                node = node[key]
            else:
                if not isinstance(node, list) or not -len(node) <= key < len(node):
                    return MISSING
                node = node[key]
        return node

    return get
