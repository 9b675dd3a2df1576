"""operator/docs/values.md, made of the comments in the chart's values.yaml; run as a program, it writes the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
VALUES = ROOT / "charts" / "hookwright" / "values.yaml"
PAGE = ROOT / "operator" / "docs" / "values.md"
HEAD = """\
<!-- Generated from charts/hookwright/values.yaml by `make values`; do not edit. -->
# The chart's values

What `helm install` and `helm upgrade` take with `--set` or `--values`. Only `publicUrl` and `image.repository` must be
given. A value that is not in this list, or cannot be, is refused with a line that says what to do. A key with nothing
behind it is null: it empties a list or a map, and is refused where there must be a value.
[install.md](install.md) says how to install.
"""


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value: its path, its default, and what the comment above it says."""

    path: tuple[str, ...]
    default: Any
    said: str


def read_values(text: str) -> list[Value]:
    """Give the values in their order: a map whose members have no comments of their own is one value."""
    return list(_walk(yaml.compose(text), text.splitlines(), ()))


def _walk(node: yaml.MappingNode, lines: list[str], above: tuple[str, ...]) -> Iterator[Value]:
    for key, value in node.value:
        path = (*above, key.value)
        if isinstance(value, yaml.MappingNode) and _has_comments(lines, value):
            yield from _walk(value, lines, path)
        else:
            yield Value(path=path, default=_construct(value), said=_comment(lines, key))


def _has_comments(lines: list[str], node: yaml.MappingNode) -> bool:
    return any(
        _comment(lines, key) or (isinstance(value, yaml.MappingNode) and _has_comments(lines, value))
        for key, value in node.value
    )


def _construct(node: yaml.Node) -> Any:
    return yaml.safe_load(yaml.serialize(node))


def _comment(lines: list[str], key: yaml.Node) -> str:
    """Give the comment right above a key, in one line."""
    found: list[str] = []
    for line in reversed(lines[: key.start_mark.line]):
        if not line.strip().startswith("#"):
            break
        found.insert(0, line.strip().removeprefix("#").strip())
    return " ".join(found)


def make_page(values: list[Value]) -> str:
    """Give the page: a table of what stands alone, then one for each map."""
    sections: dict[str, list[Value]] = {}
    for value in values:
        sections.setdefault(value.path[0] if len(value.path) > 1 else "", []).append(value)
    parts = [HEAD]
    for name, members in sections.items():
        rows = [f"| `{'.'.join(one.path)}` | {_show(one.default)} | {one.said} |" for one in members]
        title = [f"## {name}", ""] if name else []
        parts.append("\n".join([*title, "| value | default | what it is |", "|---|---|---|", *rows, ""]))
    return "\n".join(parts)


def _show(default: Any) -> str:
    if default in ("", None):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


if __name__ == "__main__":
    PAGE.write_text(make_page(read_values(VALUES.read_text(encoding="utf-8"))), encoding="utf-8")
