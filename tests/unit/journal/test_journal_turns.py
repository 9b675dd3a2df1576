"""Turns: whose rows a claim gives, where several namespaces wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from journal_samples import MINUTE, NOON, connection_of, delivery

from hookwright.journal import Journal, statements, turns

LONG_AGO = NOON - timedelta(days=1)


async def fill(journal, **counts):
    """Accept so many deliveries in each namespace, named after it and numbered."""
    for namespace, count in counts.items():
        await journal.accept_all(
            [delivery(f"{namespace}-{number}", uid=namespace, namespace=namespace) for number in range(count)]
        )


async def claim(journal, limit, *, now=NOON, **shares):
    return [pending.key.delivery_id for pending in await journal.claim(limit, now=now, shares=shares)]


async def test_namespaces_are_served_in_turn(journal):
    """A claim takes one row of each namespace, then the next of each; what one lacks goes to the others."""
    await fill(journal, noisy=9, quiet=1, still=2)
    assert await claim(journal, 7) == ["noisy-0", "quiet-0", "still-0", "noisy-1", "still-1", "noisy-2", "noisy-3"]


async def test_namespace_alone_has_every_turn(journal):
    """Where one namespace waits, a claim gives as many of its rows as it may."""
    await fill(journal, noisy=9)
    assert await claim(journal, 9) == [f"noisy-{number}" for number in range(9)]


async def test_next_claim_goes_on_where_the_last_one_ended(journal):
    """Small claims serve namespaces in turn too, those that come later among them."""
    await fill(journal, a=9, b=9)
    assert [await claim(journal, 1) for _ in range(3)] == [["a-0"], ["b-0"], ["a-1"]]
    await fill(journal, c=9)
    assert [await claim(journal, 1) for _ in range(4)] == [["b-1"], ["c-0"], ["a-2"], ["b-2"]]
    assert await claim(journal, 4) == ["c-1", "a-3", "b-3", "c-2"]


async def test_backlog_delays_nobody_else(journal):
    """What has been due for long in one namespace goes before nothing of another: not even after thousands."""
    await journal.accept_all([delivery(f"n{number}", namespace="noisy", at=LONG_AGO) for number in range(3000)])
    await fill(journal, quiet=1)
    assert await claim(journal, 2) == ["n0", "quiet-0"]


async def test_namespaces_without_due_rows_are_passed_over(journal):
    """A namespace whose rows are all held or put off takes no turn."""
    await fill(journal, a=1, b=1, c=2)
    assert await claim(journal, 3) == ["a-0", "b-0", "c-0"]
    await journal.postpone(delivery("b-0", uid="b").key, due=NOON + MINUTE, reason="x", attempts=1)
    assert await claim(journal, 9) == ["c-1"]
    assert await claim(journal, 9, now=NOON + MINUTE) == ["b-0"]


async def test_namespace_has_no_more_than_its_share(journal):
    """A namespace with a share has so many rows of a claim at most, none if it is 0; the rest goes to others."""
    await fill(journal, a=9, b=9, c=9)
    assert await claim(journal, 6, a=1, b=0) == ["a-0", "c-0", "c-1", "c-2", "c-3", "c-4"]
    assert await claim(journal, 9, a=0, b=0, c=0) == []
    assert await claim(journal, 3, elsewhere=0) == ["a-1", "b-0", "c-5"]


@pytest.mark.parametrize("back", [timedelta(hours=3), timedelta(days=400)])
async def test_clock_that_is_set_back_keeps_nobody_out(journal, back):
    """Rows of the time before a step back have their turn as all others have, after those of their namespace."""
    await fill(journal, a=2)
    await journal.accept(delivery("a-new", uid="a", namespace="a", at=NOON - back))
    await fill(journal, b=1)
    assert await claim(journal, 9, now=NOON - back) == ["a-new", "b-0", "a-0", "a-1"]


async def test_no_namespace_is_without_a_turn(journal):
    """Whatever a namespace is called, its rows are claimed."""
    names = ["", "a", "a-b", "ab", "b" * 63]
    for name in names:
        await journal.accept(delivery(name, namespace=name))
    assert await claim(journal, 9) == names


@pytest.mark.parametrize(
    ("query", "parameters", "steps"),
    [
        (turns._DUE, ("a", 0), {"SEARCH pending USING COVERING INDEX pending_turn (namespace=? AND due<?)"}),
        (turns._STRANDED, ("a", 0), {"SEARCH pending USING COVERING INDEX pending_turn (namespace=? AND due>?)"}),
        (statements._CLAIM, ("[]",), {"SEARCH pending USING INTEGER PRIMARY KEY (rowid=?)"}),
        (statements._HASTEN, (0, "a", ""), {"SEARCH pending USING INDEX pending_turn (namespace=? AND due>?)"}),
        (
            turns._WAITING,
            (0, 0, ""),
            {
                "SEARCH pending USING COVERING INDEX pending_turn (namespace>?)",
                "SEARCH pending USING COVERING INDEX pending_turn (namespace=? AND due<?)",
                "SEARCH pending USING COVERING INDEX pending_turn (namespace=? AND due>?)",
            },
        ),
    ],
)
async def test_claim_uses_the_index(journal, query, parameters, steps):
    """A claim walks the index of namespaces and due times: no sorting and no scan of what waits."""
    plan = connection_of(journal).execute(f"EXPLAIN QUERY PLAN {query}", parameters).fetchall()
    details = [step[3] for step in plan]
    assert {detail for detail in details if "pending " in detail} == steps
    assert not [detail for detail in details if "B-TREE" in detail]


async def test_restart_begins_the_turns_anew(tmp_path):
    """Whose turn it is, is not on disk: after a crash nothing is left out."""
    journal = await Journal.open(tmp_path, clock=lambda: NOON)
    await fill(journal, a=2, b=1)
    assert await claim(journal, 1) == ["a-0"]
    await journal.close()
    journal = await Journal.open(tmp_path, clock=lambda: NOON)
    assert await claim(journal, 9) == ["a-0", "b-0", "a-1"]
    await journal.close()
