"""docs/logs.md: every line that is logged, and every key in it, is there; lines about deliveries name their objects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "hookwright"
PAGE = (ROOT / "operator" / "docs" / "logs.md").read_text(encoding="utf-8")
LEVELS = {"debug", "info", "warning", "error", "exception"}
# What names an object, or an object and a delivery, in a line.
NAMERS = {"name_object", "name_record", "_name", "self._name", "self.describe", "owner", "common"}
# Keys that are added by a variable of this name.
MORE = {"common": {"outcome"}, "more": {"missing_right", "error", "status"}}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One call that logs: its event, its keys, and what is put into it with **."""

    place: str
    event: str
    keys: frozenset[str]
    spread: frozenset[str]


def find_lines() -> Iterator[Line]:
    """Give every call that logs; the development cluster logs nothing."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            called = ast.unparse(node.func)
            if not (re.fullmatch(r"(self\.)?log\.(\w+)", called) or called == "say"):
                continue
            assert called == "say" or called.rpartition(".")[2] in LEVELS, called
            spread = {
                ast.unparse(key.value.func if isinstance(key.value, ast.Call) else key.value)
                for key in node.keywords
                if key.arg is None
            }
            yield Line(
                place=f"{path.relative_to(PACKAGE)}:{node.lineno}",
                event=node.args[0].value,
                keys=frozenset(key.arg for key in node.keywords if key.arg is not None),
                spread=frozenset(spread),
            )


LINES = [line for line in find_lines() if line.place.partition(":")[0] != "intake/judge.py"]
EVENTS = dict(re.findall(r"^\| `([a-z ]+)` \| ([^|]+) \|", PAGE.partition("## Lines")[2], flags=re.MULTILINE))
KEYS = set(re.findall(r"`(\w+)`", PAGE.partition("## Keys")[2].partition("## Lines")[0]))


def test_lines_are_found():
    """The search below sees what there is to see."""
    assert len(LINES) > 30


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.place)
def test_line_is_on_the_page(line):
    """Each line that is logged has a row, and each of its keys a description."""
    assert line.event in EVENTS, line
    more = set().union(*(MORE.get(name, set()) for name in line.spread))
    assert (line.keys | more) - {"exc_info"} <= KEYS, line


def test_page_has_no_other_lines():
    """A row is about a line that there is."""
    assert set(EVENTS) == {line.event for line in LINES}


# What these lines are about is a delivery, or an object; but for what is said of all of them together.
ABOUT = {"build", "delivery", "event", "mirror", "receiver", "reconcile", "status", "worker"}


@pytest.mark.parametrize("line", [line for line in LINES if line.event in ABOUT], ids=lambda line: line.place)
def test_line_about_an_object_names_it(line):
    """Each line about an object or a delivery names the object, all in the same way."""
    assert line.spread & NAMERS, line
    assert not line.keys & {"object", "key", "name", "webhook"}, line


@pytest.mark.parametrize("line", [line for line in LINES if "delivery" in line.keys], ids=lambda line: line.place)
def test_line_with_a_delivery_has_its_object(line):
    """A delivery is never named without its object: ids are the senders' own, and the same one goes to several."""
    assert line.spread & NAMERS, line
