"""The JSONPath of printer columns: names, `['a','b']`, indices, `[*]`, and the filter `[?(@.type=="Ready")]`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from hookwright.devcluster.values import Json, find

Step = Callable[[Json], list[Json]]
"""From a value to those of its members that one part of a path names."""

_PART: Final = re.compile(
    r"""
      (?P<all>\[\*\]|\.\*)
    | \.(?P<name>(?:\\.|[^.\[\\])+)
    | \[\s*(?P<index>-?\d+)\s*\]
    | \[(?P<keys>'[^']*'(?:\s*,\s*'[^']*')+)\]
    | \[\s*(?P<quote>['"])(?P<key>.*?)(?P=quote)\s*\]
    | \[\?\(\s*@(?P<field>(?:\.[\w\-/]+)+)\s*==\s*(?P<mark>['"])(?P<value>.*?)(?P=mark)\s*\)\]
    """,
    re.VERBOSE,
)


def parse_path(path: str) -> list[Step]:
    """Split a path into steps; one that cannot be read leads nowhere."""
    steps: list[Step] = []
    position = 0
    while position < len(path):
        found = _PART.match(path, position)
        if not found:
            return [lambda _: []]
        position = found.end()
        steps.append(_step(found))
    return steps


def _step(found: re.Match[str]) -> Step:
    if found["all"]:
        return _members
    if found["index"]:
        place = int(found["index"])
        return lambda value: [value[place]] if isinstance(value, list) and -len(value) <= place < len(value) else []
    if found["field"]:
        _, *path = found["field"].split(".")
        return lambda value: [item for item in _members(value) if str(find(item, *path)) == found["value"]]
    if found["keys"]:
        names = re.findall("'([^']*)'", found["keys"])
        return lambda value: [value[name] for name in names if isinstance(value, dict) and name in value]
    name = re.sub(r"\\(.)", r"\1", found["name"] or found["key"])
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _members(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def look_up(value: Json, steps: list[Step]) -> list[Json]:
    """Return everything to which a path leads."""
    found = [value]
    for step in steps:
        found = [member for one in found for member in step(one)]
    return found
