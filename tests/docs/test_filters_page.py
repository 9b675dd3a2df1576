"""operator/docs/filters.md: what it calls taken is taken, and what it calls refused is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hookwright.errors import InvalidExpression
from hookwright.filters import compile_expression, compile_filter

PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "filters.md").read_text(encoding="utf-8")
DIALECT = PAGE[PAGE.index("## jsonPath") :]
TAKEN = DIALECT[: DIALECT.index("### Regular expressions")]
PATTERNS = DIALECT[DIALECT.index("### Regular expressions") : DIALECT.index("### What is refused")]
REFUSED = DIALECT[DIALECT.index("### What is refused") :]


def find_expressions(text: str, *, cells: slice) -> list[str]:
    """Give what stands in back-ticks in some cells of the tables of a text, if it looks like a whole expression."""
    rows = [
        line.replace("\\|", "\0").strip("|").split("|")[cells] for line in text.splitlines() if line.startswith("|")
    ]
    quoted = [found for row in rows for cell in row for found in re.findall(r"`([^`]+)`", cell)]
    return [text.replace("\0", "|") for text in quoted if text.startswith(("$", "[")) and len(text) > 1]


@pytest.mark.parametrize("expression", find_expressions(TAKEN, cells=slice(1, None)))
def test_page_shows_expressions_that_are_taken(expression):
    """Every example among the taken ones compiles."""
    compile_expression(expression)


@pytest.mark.parametrize("expression", find_expressions(REFUSED, cells=slice(0, 1)))
def test_page_shows_expressions_that_are_refused(expression):
    """Every example among the refused ones is refused."""
    with pytest.raises(InvalidExpression):
        compile_expression(expression)


@pytest.mark.parametrize("expression", [one for one in find_expressions(REFUSED, cells=slice(1, None)) if "$" in one])
def test_page_shows_what_to_write_instead(expression):
    """Every whole expression that is given in place of a refused one compiles."""
    compile_expression(expression)


def find_patterns(*, cells: slice) -> list[str]:
    """Give the regular expressions in some cells of their table: what is longer than a flag."""
    rows = [
        line.strip("|").split("|")[cells] for line in PATTERNS.splitlines() if line.startswith("| ") and "`" in line
    ]
    return [one for row in rows for cell in row for one in re.findall(r"`([^`]+)`", cell) if len(one) > 1]


@pytest.mark.parametrize("pattern", find_patterns(cells=slice(0, 1)))
def test_page_shows_regular_expressions_that_are_refused(pattern):
    """Every example among the refused regular expressions is refused, in the middle of another one."""
    with pytest.raises(InvalidExpression):
        compile_expression(f"$[?(@.a =~ /a{pattern}/)]")


@pytest.mark.parametrize(
    "pattern", [one for one in find_patterns(cells=slice(1, None)) if one not in ("\\b", "\\B", "\\R")]
)
def test_page_shows_regular_expressions_that_are_taken(pattern):
    """Every regular expression that is given in place of a refused one compiles."""
    compile_expression(f"$[?(@.a =~ /{pattern}/)]")


def test_page_begins_with_filters_that_work():
    """The YAML at the top of the page is a list of filters that compile."""
    block = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert block is not None
    for rule in yaml.safe_load(block[1])["filters"]:
        compile_filter(rule["jsonPath"], rule.get("matchEquals"))
