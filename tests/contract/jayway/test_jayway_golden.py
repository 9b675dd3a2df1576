"""Every expression of the golden file is treated as Jayway treats it, or refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hookwright.errors import InvalidExpression
from hookwright.filters import MAX_LENGTH, Expression, compile_expression

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
DOCUMENTS = GOLDEN["documents"]
CASES = GOLDEN["cases"]
VALID = [case for case in CASES if "refused" not in case]

# How many of the expressions that Jayway takes are accepted here. It may only rise.
ACCEPTED = 910

# The classes of which at least one case must be accepted: what users write.
IN_SCOPE = {
    "definite path",
    "root",
    "bracket name",
    "escapes in brackets",
    "dot name",
    "without root",
    "blanks",
    "index",
    "index list",
    "slice",
    "wildcard",
    "deep scan",
    "deep scan with filter",
    "filter ==",
    "filter !=",
    "filter order",
    "filter existence",
    "filter and or",
    "filter on an object",
    "numbers",
    "literals",
    "realistic",
    "several names",
    "functions",
    "in and nin",
    "contains",
    "size and empty",
    "subsets",
    "regular expressions",
    "not",
    "strict equality",
    "literal on the left",
    "indefinite path in a filter",
    "deep scan with state",
    "texts in arrays",
}


def attempt(text: str) -> Expression | str:
    """Give the compiled expression, or the message with which it is refused."""
    try:
        return compile_expression(text)
    except InvalidExpression as refusal:
        return refusal.message


def is_accepted(text: str) -> bool:
    return isinstance(attempt(text), Expression)


def spell(found: list[object]) -> str:
    """Give a text that tells 1 from 1.0 and from true, and in which the order of members counts."""
    return json.dumps(found)


def name(case: dict[str, object]) -> str:
    return f"{case['expression']} on {case['document']}"


@pytest.mark.parametrize("case", [case for case in CASES if is_accepted(case["expression"])], ids=name)
def test_an_accepted_expression_gives_what_jayway_gives(case):
    """What is accepted compiles in Jayway too, is definite where it is there, and gives its values in its order."""
    expression = compile_expression(case["expression"])
    assert "refused" not in case
    assert "stateful" not in case
    assert expression.definite == case["definite"]
    assert spell(expression.find(DOCUMENTS[case["document"]])) == spell(case.get("found", []))


@pytest.mark.parametrize("case", [case for case in CASES if not is_accepted(case["expression"])], ids=name)
def test_a_refusal_says_what_why_and_what_instead(case):
    """What is refused is refused by name, at a place, with a reason; an expression to write instead is accepted."""
    text = case["expression"]
    message = attempt(text)
    shown = f'"{text}"' if text.isprintable() else repr(text)
    parts = re.fullmatch(
        r"JSONPath (.*) is refused at character \d+: (.{10,}?)(?:\. Write \"(.*)\")?", message, re.DOTALL
    )
    assert parts is not None
    assert parts[1] == shown
    assert parts[3] is None or is_accepted(parts[3])


def test_the_number_of_accepted_expressions_does_not_fall():
    """Of the expressions that Jayway takes, as many are accepted as ever were."""
    assert sum(is_accepted(case["expression"]) for case in VALID) >= ACCEPTED


def test_the_golden_file_covers_the_dialect():
    """The golden file has at least 1,100 cases, and accepted ones with values of each class in scope."""
    assert len(CASES) >= 1100
    covered = {case["class"] for case in VALID if case.get("found") and is_accepted(case["expression"])}
    assert covered >= IN_SCOPE


def test_no_case_is_refused_for_its_length_alone():
    """All expressions of the golden file are within AWS's limit."""
    assert all(len(case["expression"]) <= MAX_LENGTH for case in CASES)
