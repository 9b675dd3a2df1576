"""What is said of each filter: the answer to "why did it not start?"."""

from __future__ import annotations

from dataclasses import asdict

from group_samples import EVERY, compile_groups, happen, one, push

from hookwright.filters.groups import Facts, Need, Start, explain
from hookwright.scm import Fact


def test_every_filter_is_explained():
    """Each filter of each group says what it looked at and whether it passes, also where that decided nothing."""
    filters = compile_groups(
        [one("EVENT", "PUSH"), one("HEAD_REF", "^refs/heads/dev$"), one("FILE_PATH", "^a", exclude=True)],
        [one("EVENT", "PUSH, RELEASED"), one("ACTOR_ACCOUNT_ID", "1")],
        [one("EVENT", "PUSH", exclude=True), one("TAG_NAME", "v")],
    )
    explanation = explain(filters, push(files=("b", "c")))
    assert explanation.decision == Start(group=1)
    assert explanation.branch is None
    rows = [[tuple(asdict(one).values()) for one in group.filters] for group in explanation.groups]
    assert rows == [
        [
            ("EVENT", "PUSH", False, "PUSH", True),
            ("HEAD_REF", "^refs/heads/dev$", False, "refs/heads/main", False),
            ("FILE_PATH", "^a", True, ("b", "c"), True),
        ],
        [("EVENT", "PUSH, RELEASED", False, "PUSH", True), ("ACTOR_ACCOUNT_ID", "1", False, "12345", True)],
        [("EVENT", "PUSH", True, "PUSH", False), ("TAG_NAME", "v", False, None, False)],
    ]
    assert [group.matched for group in explanation.groups] == [False, True, False]
    assert list(asdict(explanation)["groups"][0]["filters"][0]) == ["type", "pattern", "exclude", "value", "matched"]


def test_what_is_not_known_is_neither_passed_nor_failed():
    """A filter whose fact is missing is open, and so is its group, until the fact is there."""
    filters = compile_groups([one("EVENT", EVERY), one("FILE_PATH", "a")])
    open_ = explain(filters, happen("PULL_REQUEST_CREATED"))
    assert open_.decision == Need(facts=frozenset({Fact.FILES}))
    assert [(one.value, one.matched) for one in open_.groups[0].filters] == [
        ("PULL_REQUEST_CREATED", True),
        (None, None),
    ]
    assert open_.groups[0].matched is None
    known = explain(filters, happen("PULL_REQUEST_CREATED"), Facts(files=("a",)))
    assert (known.groups[0].filters[1].value, known.groups[0].matched) == (("a",), True)


def test_a_group_that_fails_is_not_open():
    """One filter that fails decides the group, whatever is not known."""
    filters = compile_groups([one("EVENT", EVERY), one("FILE_PATH", "a"), one("HEAD_REF", "absent")])
    group = explain(filters, happen("PULL_REQUEST_CREATED")).groups[0]
    assert ([one.matched for one in group.filters], group.matched) == ([True, None, False], False)


def test_a_deleted_ref_is_explained():
    """Of what was deleted nothing more will be known, so that nothing is open."""
    filters = compile_groups([one("EVENT", "PUSH"), one("FILE_PATH", "a", exclude=True)])
    group = explain(filters, push(deleted=True, files=None, message=None)).groups[0]
    assert [one.matched for one in group.filters] == [True, False]


def test_what_would_cost_too_much_is_not_said():
    """A filter that the decision did not need is open if it would cost too much; the decision stands."""
    costly = [one("EVENT", "PUSH"), one("COMMIT_MESSAGE", "(?i)ab|zz")]
    filters = compile_groups([one("EVENT", "PUSH")], *[costly] * 31)
    explanation = explain(filters, push(message="abc" * 30_000_000))
    assert explanation.decision == Start(group=0)
    assert [group.matched for group in explanation.groups] == [True, *[None] * 31]


def test_branch_filter_is_explained():
    """It is said which branch branchFilter looked at; a tag is none."""
    filters = compile_groups(branch="^dev$")
    assert tuple(asdict(explain(filters, push()).branch).values()) == ("^dev$", "main", False)
    assert tuple(asdict(explain(filters, push("refs/heads/dev")).branch).values()) == ("^dev$", "dev", True)
    assert tuple(asdict(explain(filters, push("refs/tags/v1")).branch).values()) == ("^dev$", None, False)
