"""Fields of a pod that its containers may be told (fieldRef)."""

from __future__ import annotations

import re
from typing import Any

_ENTRY = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def read_field(pod: dict[str, Any], path: str) -> str | None:
    """Give a field of a pod as text; None if it is not there, or no field that can be asked for."""
    if entry := _ENTRY.fullmatch(path):
        return pod["metadata"].get(entry[1], {}).get(entry[2])
    value: Any = pod
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return "\n".join(f'{name}="{entry}"' for name, entry in sorted(value.items()))
    return None if value is None else str(value)
