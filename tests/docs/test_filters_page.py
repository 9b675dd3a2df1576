"""operator/docs/filters.md: what it calls taken is taken, and what it calls refused is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hookwright.errors import InvalidExpression
from hookwright.filters import compile_expression, compile_filter

PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "filters.md").read_text(encoding="utf-8")
TAKEN, REFUSED = PAGE.partition("| refused so far")[::2]


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


def test_page_begins_with_filters_that_work():
    """The YAML at the top of the page is a list of filters that compile."""
    block = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert block is not None
    for rule in yaml.safe_load(block[1])["filters"]:
        compile_filter(rule["jsonPath"], rule.get("matchEquals"))
