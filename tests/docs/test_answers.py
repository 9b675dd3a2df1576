"""operator/docs/answers.md: the catalogue of reasons, as users read it."""

from __future__ import annotations

from pathlib import Path

from hookwright.reasons import CATALOGUE

DOC = Path(__file__).parents[2] / "operator" / "docs" / "answers.md"


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
    text = DOC.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == make_rows(answered=True) + make_rows(answered=False)
