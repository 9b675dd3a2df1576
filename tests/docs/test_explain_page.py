"""operator/docs/explain.md: what `explain` and `lint` say, as users and pipelines read it."""

from __future__ import annotations

import re
from pathlib import Path

from hookwright.commands.explaining.builds import Fate
from hookwright.commands.explaining.gathering import Glance, Scene
from hookwright.commands.explaining.liveness import Operator
from hookwright.commands.explaining.report import report
from hookwright.commands.explaining.subject import Subject
from hookwright.commands.linting import documents, objects, pattern_advice, triggers
from hookwright.reconcile import checks, doubling
from support.objects import NOON, make_webhook, raw_webhook

TEXT = (Path(__file__).parents[2] / "operator" / "docs" / "explain.md").read_text(encoding="utf-8")


def words_of(row: str) -> list[str]:
    """Give the words in code font of a row of a table."""
    return re.findall(r"`([^`]+)`", row)


def find_row(name: str) -> str:
    """Give the row of a table that is about `name`."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", TEXT, flags=re.MULTILINE)
    return str(row)


def test_members_are_those_of_the_report():
    """The table of members has each member of `explain NAME -o json`, in its order, and no other."""
    subject = Subject(webhook=make_webhook(), raw=raw_webhook(), target=None, place="")
    nothing = Glance()
    scene = Scene(subject=subject, target_known=True, names_known=True, build=None, lease=nothing, events=(), hidden=())
    told = report(scene, hookwright_namespace="x", now=NOON)
    table = TEXT.partition("| member |")[2].partition("\n\n")[0]
    rows = [row.split("|")[1] for row in table.splitlines()[2:]]
    assert [word for row in rows for word in words_of(row)] == list(told)


def test_states_are_those_that_there_are():
    """Every state of a build and of the operator is named."""
    assert words_of(find_row("lastDelivery"))[2:] == [str(fate) for fate in Fate]
    assert words_of(find_row("operator"))[1:] == [str(state) for state in Operator]


def test_codes_are_those_that_are_given():
    """The table of codes has each code that is not AWS's, and no other."""
    table = TEXT.partition("| code |")[2]
    written = [word for row in table.splitlines()[2:] for word in words_of(row.split("|")[1])]
    given = [documents.UNKNOWN_KIND, documents.NO_OBJECT, documents.NOTHING_TO_CHECK]
    given += [doubling.BUILDS_TWICE]
    given += [objects.INLINE_SECRET, objects.UNFILTERED, objects.REPEATED]
    given += [triggers.BRANCH_FILTER, triggers.REDUNDANT, pattern_advice.UNANCHORED, pattern_advice.NEVER_MATCHES]
    assert sorted(written) == sorted([*given, checks.SECRET_NOT_FOUND, checks.TARGET_NOT_FOUND])
