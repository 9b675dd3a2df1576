"""Claiming, postponing, concluding, remembering."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from journal_samples import MINUTE, NOON, delivery, let_submit, writer_held

from hookwright.journal import REMEMBERED, Journal, Key, Started


def ids(claimed):
    return [pending.key.delivery_id for pending in claimed]


async def test_longest_due_comes_first(journal):
    """Claims come in the order in which they became due, and among equals in the order of acceptance."""
    for name, at in (("late", NOON + MINUTE), ("early", NOON), ("early too", NOON)):
        await journal.accept(delivery(name, at=at))
    assert ids(await journal.claim(9, now=NOON + MINUTE)) == ["early", "early too", "late"]


async def test_claim_keeps_to_limit_and_due(journal):
    """A claim returns at most `limit` rows, and none before it is due."""
    for number in range(5):
        await journal.accept(delivery(f"d{number}", at=NOON + number * MINUTE))
    assert ids(await journal.claim(2, now=NOON + 3 * MINUTE)) == ["d0", "d1"]
    assert ids(await journal.claim(9, now=NOON + 3 * MINUTE)) == ["d2", "d3"]
    assert ids(await journal.claim(0, now=NOON + 9 * MINUTE)) == []
    assert ids(await journal.claim(-1, now=NOON + 9 * MINUTE)) == []


async def test_concurrent_claims_never_share_a_row(journal):
    """Each row goes to exactly one of many concurrent claims."""
    await journal.accept_all([delivery(f"d{number}") for number in range(40)])
    claims = await asyncio.gather(*(journal.claim(3, now=NOON) for _ in range(20)))
    claimed = [name for claim in claims for name in ids(claim)]
    assert sorted(claimed) == sorted(f"d{number}" for number in range(40))


async def test_claim_of_cancelled_caller_is_freed(journal):
    """Rows that were claimed for a caller who went away can be claimed again."""
    await journal.accept(delivery())
    async with writer_held(journal):
        gone = asyncio.create_task(journal.claim(1, now=NOON))
        await let_submit()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    await journal.depth()
    assert ids(await journal.claim(1, now=NOON)) == ["d1"]


async def test_released_row_is_claimable_at_once(journal):
    """A release ends the hold and changes nothing else."""
    await journal.accept(delivery())
    (pending,) = await journal.claim(1, now=NOON)
    await journal.release(pending.key)
    assert await journal.claim(1, now=NOON) == [pending]


async def test_postponed_row_waits_until_due(journal):
    """A postponed row is not claimed before it is due, and then says how often and why."""
    await journal.accept(delivery())
    (pending,) = await journal.claim(1, now=NOON)
    await journal.postpone(pending.key, due=NOON + MINUTE, reason="ApiServerAway", attempts=3)
    assert await journal.claim(1, now=NOON + MINUTE - timedelta(microseconds=1)) == []
    (again,) = await journal.claim(1, now=NOON + MINUTE)
    assert (again.attempts, again.reason, again.due) == (3, "ApiServerAway", NOON + MINUTE)
    assert (again.accepted_at, again.work) == (pending.accepted_at, pending.work)


async def test_oldest_pending_and_depth_count_held_rows(journal):
    """The oldest pending row and the depth tell what waits, held or not, until it is concluded."""
    assert (await journal.oldest_pending(), await journal.depth()) == (None, 0)
    await journal.accept(delivery("a"))
    await journal.accept(delivery("b", at=NOON + MINUTE))
    await journal.claim(2, now=NOON + MINUTE)
    assert (await journal.oldest_pending(), await journal.depth()) == (NOON, 2)
    await journal.postpone(delivery("a").key, due=NOON + 9 * MINUTE, reason="", attempts=1)
    assert (await journal.oldest_pending(), await journal.depth()) == (NOON, 2)
    await journal.conclude(delivery("a").key, outcome="failed", reason="Gone", build=None)
    assert (await journal.oldest_pending(), await journal.depth()) == (NOON + MINUTE, 1)


@pytest.mark.parametrize("outcome", ["started", "failed"])
async def test_concluding_twice_changes_nothing(journal, outcome):
    """A conclusion of what is not pending is harmless, also when it says otherwise."""
    unknown = Key(uid="uid-1", delivery_id="never seen")
    await journal.conclude(unknown, outcome=outcome, reason="", build="x")
    await journal.accept(delivery())
    await journal.conclude(delivery().key, outcome="started", reason="", build="first")
    await journal.conclude(delivery().key, outcome=outcome, reason="", build="second")
    again = await journal.accept(delivery())
    assert again.first.build == "first"
    assert not (await journal.accept(delivery("d1"))).new


async def test_newest_start_per_object(tmp_path):
    """newest_started has one entry per object: the start that was concluded last, failed ones not among them."""
    now = NOON

    def clock():
        return now

    journal = await Journal.open(tmp_path / "journal", clock=clock)
    for uid, name, outcome in (
        ("u1", "a", "started"),
        ("u2", "b", "started"),
        ("u1", "c", "started"),
        ("u3", "d", "failed"),
    ):
        now += MINUTE
        await journal.accept(delivery(name, uid=uid))
        await journal.conclude(delivery(name, uid=uid).key, outcome=outcome, reason="", build=f"build-{name}")
    found = {started.uid: started for started in await journal.newest_started()}
    assert found.keys() == {"u1", "u2"}
    assert found["u1"] == Started(
        uid="u1",
        namespace="default",
        name="hook-of-u1",
        kind="Webhook",
        delivery_id="c",
        time=NOON + 3 * MINUTE,
        build="build-c",
    )
    await journal.close()


async def test_purge_forgets_after_three_days(journal):
    """Starts make duplicates for three days; then a purge forgets them all, and nothing that is pending."""
    many = [delivery(f"d{number}") for number in range(600)]
    await journal.accept_all(many)
    await journal.accept(delivery("waits"))
    await asyncio.gather(*(journal.conclude(one.key, outcome="started", reason="", build="x") for one in many))
    assert await journal.purge(now=NOON + REMEMBERED) == 0
    assert not (await journal.accept(many[0])).new
    assert await journal.purge(now=NOON + REMEMBERED + MINUTE) == 600
    assert (await journal.accept(many[0])).new
    assert await journal.depth() == 2


async def test_what_was_waited_for_makes_rows_due(journal):
    """Rows of a namespace that wait for a reason are due at once when it is gone; others stay where they are."""
    for name, reason in (("a", "TargetMissing"), ("b", "StartDelayed")):
        await journal.accept(delivery(name))
        (pending,) = await journal.claim(1, now=NOON)
        await journal.postpone(pending.key, due=NOON + 60 * MINUTE, reason=reason, attempts=5)
    await journal.hasten(namespace="other", reason="TargetMissing", now=NOON)
    assert await journal.claim(9, now=NOON) == []
    await journal.hasten(namespace="default", reason="TargetMissing", now=NOON)
    assert [pending.key.delivery_id for pending in await journal.claim(9, now=NOON)] == ["a"]


async def test_clock_that_is_set_back_strands_nothing(journal):
    """What is due later than anything is ever postponed was accepted before the clock was set back: it is due."""
    await journal.accept(delivery("d1", at=NOON))
    earlier = NOON - timedelta(hours=3)
    (claimed,) = await journal.claim(10, now=earlier)
    assert claimed.key.delivery_id == "d1"
    await journal.postpone(claimed.key, due=earlier + timedelta(minutes=1), reason="x", attempts=1)
    assert await journal.claim(10, now=earlier) == []


@pytest.mark.parametrize("back", [timedelta(seconds=61), timedelta(hours=1), timedelta(days=400)])
async def test_longest_wait_can_be_shorter(tmp_path, back):
    """Where nothing is postponed for more than a minute, a clock that is set back by more delays nothing."""
    journal = await Journal.open(tmp_path, clock=lambda: NOON, longest=MINUTE)
    await journal.accept(delivery())
    (pending,) = await journal.claim(1, now=NOON)
    await journal.postpone(pending.key, due=NOON + MINUTE, reason="StartDelayed", attempts=1)
    assert ids(await journal.claim(1, now=NOON)) == []
    assert ids(await journal.claim(1, now=NOON - back)) == ["d1"]
    await journal.close()
