"""operator/docs/answers.md: the catalogue of reasons, as users read it."""

from __future__ import annotations

import re
from pathlib import Path

from hookwright.reasons import CATALOGUE
from hookwright.reconcile import checks

DOC = Path(__file__).parents[2] / "operator" / "docs" / "answers.md"

CONDITION = r"([A-Z][a-z]+)+"
# AWS's names of errors, which are no reasons.
CODES = {value for name, value in vars(checks).items() if isinstance(value, str) and value.endswith("Exception")}


def make_rows(*, answered: bool) -> list[str]:
    """Give the rows of one of the two tables."""
    rows = []
    for reason in CATALOGUE.values():
        if (reason.status is not None) == answered:
            status = [str(reason.status)] if answered else []
            cells = [f"`{reason.name}`", str(reason.outcome), *status, reason.sentence, reason.remedy or "-"]
            rows.append("| " + " | ".join(cells) + " |")
    return rows


def test_answers_are_those_of_the_catalogue():
    """Both tables have a row for each reason, and no other row."""
    text = DOC.read_text(encoding="utf-8").partition("## Conditions")[0]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == make_rows(answered=True) + make_rows(answered=False)


def test_conditions_are_those_that_are_set():
    """The table of conditions has a row for each reason of Ready, and no other row."""
    text = DOC.read_text(encoding="utf-8").partition("## Conditions")[2]
    written = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    given = {value for name, value in vars(checks).items() if name.isupper() and re.fullmatch(CONDITION, str(value))}
    assert sorted(written) == sorted(given - CODES)
