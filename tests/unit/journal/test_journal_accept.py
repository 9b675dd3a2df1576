"""Accepting: durable, once per key, in groups."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import MINUTE, NOON, connection_of, delivery, let_submit, writer_held

from hookwright.errors import JournalUnwritable
from hookwright.journal import MAX_WORK, Accept, Decided, Journal, RowError
from hookwright.journal.rows import from_microseconds, to_microseconds

NEW = Accept(new=True, first=None)


async def test_accepted_row_comes_back_as_it_was(journal):
    """A claimed row holds what was accepted, due at the time of its acceptance."""
    sent = delivery("d-ü", index=3, work=b'{"ref": "main"}')
    assert await journal.accept(sent) == NEW
    (pending,) = await journal.claim(1, now=NOON)
    assert (pending.key, pending.work, pending.accepted_at) == (sent.key, sent.work, NOON)
    assert (pending.namespace, pending.name, pending.kind) == (sent.namespace, sent.name, sent.kind)
    assert (pending.attempts, pending.reason, pending.due) == (0, "", NOON)


async def test_duplicate_of_pending_names_the_first(journal):
    """A second delivery with a pending one's key is a duplicate, and the first one's work stays."""
    await journal.accept(delivery(work=b"1"))
    again = await journal.accept(delivery(at=NOON + MINUTE, work=b"2"))
    assert again == Accept(new=False, first=Decided(outcome="pending", accepted_at=NOON, build=None))
    (pending,) = await journal.claim(9, now=NOON + MINUTE)
    assert pending.work == b"1"


async def test_duplicate_of_started_names_its_build(journal):
    """A delivery whose id has started a build is a duplicate that names the build."""
    await journal.accept(delivery())
    await journal.conclude(delivery().key, outcome="started", reason="BuildStarted", build="hook-1")
    again = await journal.accept(delivery(at=NOON + MINUTE))
    assert again == Accept(new=False, first=Decided(outcome="started", accepted_at=NOON, build="hook-1"))
    assert await journal.depth() == 0


async def test_failed_delivery_is_accepted_anew(journal):
    """An id that was concluded as failed begins again: new work, new time, no attempts."""
    await journal.accept(delivery(work=b"1"))
    (first,) = await journal.claim(1, now=NOON)
    await journal.postpone(first.key, due=NOON, reason="Timeout", attempts=4)
    await journal.claim(1, now=NOON)
    await journal.conclude(first.key, outcome="failed", reason="Forbidden", build=None)
    later = NOON + MINUTE
    assert await journal.accept(delivery(at=later, work=b"2")) == NEW
    (second,) = await journal.claim(1, now=later)
    assert (second.work, second.accepted_at, second.due) == (b"2", later, later)
    assert (second.attempts, second.reason) == (0, "")


@pytest.mark.parametrize("other", [{"uid": "uid-2"}, {"delivery_id": "d2"}, {"index": 1}])
async def test_each_part_of_the_key_tells_apart(journal, other):
    """Another object, id or index is another delivery."""
    await journal.accept(delivery())
    assert await journal.accept(delivery(**other)) == NEW


async def test_exactly_one_of_concurrent_twins_is_new(journal):
    """Of a hundred concurrent accepts of one key, one is new and all others know it."""
    answers = await asyncio.gather(*(journal.accept(delivery()) for _ in range(100)))
    assert sum(answer.new for answer in answers) == 1
    assert await journal.depth() == 1


async def test_rows_of_one_delivery_are_answered_in_order(journal):
    """accept_all says for each row whether it is new, in the order of the rows."""
    await journal.accept(delivery(index=1))
    answers = await journal.accept_all([delivery(index=index) for index in (0, 1, 2, 2)])
    assert [answer.new for answer in answers] == [True, False, True, False]


async def test_hundreds_of_accepts_share_a_few_commits(journal):
    """Three hundred concurrent accepts take one commit, not three hundred."""
    statements = []
    connection_of(journal).set_trace_callback(statements.append)
    await asyncio.gather(*(journal.accept(delivery(f"d{number}")) for number in range(300)))
    assert statements.count("COMMIT") == 1


async def test_what_gathers_during_a_commit_is_one_group(journal):
    """Accepts that arrive over several turns of the loop while the writer is busy share its next commit."""
    statements = []
    connection_of(journal).set_trace_callback(statements.append)
    async with writer_held(journal):
        tasks = []
        for number in range(10):
            tasks.append(asyncio.create_task(journal.accept(delivery(f"d{number}"))))
            await let_submit()
    await asyncio.gather(*tasks)
    assert statements.count("COMMIT") == 1


async def test_accept_claim_and_conclude_share_a_transaction(journal):
    """One group holds accepts, conclusions and postponements, and its claims see them."""
    await journal.accept_all([delivery("a"), delivery("b")])
    await journal.claim(2, now=NOON)
    statements = []
    connection_of(journal).set_trace_callback(statements.append)
    *_, claimed = await asyncio.gather(
        journal.accept(delivery("c")),
        journal.conclude(delivery("a").key, outcome="started", reason="", build="x"),
        journal.postpone(delivery("b").key, due=NOON, reason="Timeout", attempts=1),
        journal.claim(9, now=NOON),
    )
    assert statements.count("COMMIT") == 1
    assert {pending.key.delivery_id for pending in claimed} == {"b", "c"}


async def test_subscribers_are_called_once_per_group(journal):
    """Fifty rows in one group call the subscriber once, and the rows can then be claimed."""
    calls = []
    journal.subscribe(lambda: calls.append(1))
    await asyncio.gather(*(journal.accept(delivery(f"d{number}")) for number in range(50)))
    await let_submit()
    assert len(calls) == 1
    await journal.depth()
    await let_submit()
    assert len(calls) == 1


async def test_raising_subscriber_harms_nobody(journal):
    """A subscriber that raises is reported to the loop; accepts and other subscribers go on."""
    reported, calls = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    journal.subscribe(lambda: 1 / 0)
    journal.subscribe(lambda: calls.append(1))
    assert await journal.accept(delivery()) == NEW
    await let_submit()
    assert len(calls) == 1
    assert [type(error) for error in reported] == [ZeroDivisionError]


async def test_cancelled_waiter_has_accepted_all_the_same(journal):
    """A caller who goes away while waiting leaves a durable row, and the others of its group hear their answer."""
    async with writer_held(journal):
        gone = asyncio.create_task(journal.accept(delivery("gone")))
        stays = asyncio.create_task(journal.accept(delivery("stays")))
        await let_submit()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert await stays == NEW
    assert {pending.key.delivery_id for pending in await journal.claim(9, now=NOON)} == {"gone", "stays"}


async def test_full_queue_refuses_and_later_takes(tmp_path):
    """More rows than max_waiting are refused at once and stay unknown; when the queue is empty they are taken."""
    journal = await Journal.open(tmp_path / "journal", max_waiting=5)
    async with writer_held(journal):
        waiting = [asyncio.create_task(journal.accept(delivery(f"d{number}"))) for number in range(5)]
        await let_submit()
        with pytest.raises(JournalUnwritable, match="queue is full"):
            await journal.accept(delivery("late"))
    await asyncio.gather(*waiting)
    assert await journal.depth() == 5
    assert await journal.accept(delivery("late")) == NEW
    await journal.close()


async def test_large_rows_fill_the_queue_sooner(tmp_path):
    """The bound of the queue holds for bytes too: two rows of 500 KB count as much as 62 small ones."""
    journal = await Journal.open(tmp_path / "journal", max_waiting=62)
    async with writer_held(journal):
        large = [asyncio.create_task(journal.accept(delivery(f"d{n}", work=b"x" * 500_000))) for n in range(2)]
        await let_submit()
        with pytest.raises(JournalUnwritable, match="queue is full"):
            await journal.accept(delivery("late"))
    await asyncio.gather(*large)
    await journal.close()


async def test_work_over_the_limit_is_refused(journal):
    """A row of 1 MiB is taken, one byte more is a RowError, which is also a ValueError."""
    assert await journal.accept(delivery("fits", work=b"x" * MAX_WORK)) == NEW
    with pytest.raises(RowError, match="1048577") as raised:
        await journal.accept(delivery("large", work=b"x" * (MAX_WORK + 1)))
    assert isinstance(raised.value, ValueError)
    assert await journal.depth() == 1


async def test_bad_row_fails_alone(journal):
    """A row that cannot be written fails its own caller, whole; the rows of others in its group are accepted."""
    async with writer_held(journal):
        bad = journal.accept_all([delivery("good half"), delivery("bad \udc80 half")])
        tasks = [
            asyncio.create_task(one) for one in (journal.accept(delivery("a")), bad, journal.accept(delivery("b")))
        ]
        await let_submit()
    before, refused, after = await asyncio.gather(*tasks, return_exceptions=True)
    assert (before, after) == (NEW, NEW)
    assert isinstance(refused, RowError)
    assert {pending.key.delivery_id for pending in await journal.claim(9, now=NOON)} == {"a", "b"}


async def test_missing_value_is_no_duplicate(journal):
    """A row that breaks a constraint is refused; it is not taken for a duplicate."""
    with pytest.raises(RowError):
        await journal.accept(delivery(uid=None))


async def test_time_without_zone_is_refused(journal):
    """A naive time is the caller's mistake and raises before anything is submitted."""
    with pytest.raises(TypeError):
        await journal.accept(delivery(at=datetime(2026, 5, 1)))  # noqa: DTZ001 - the point of the test


# From the second day of all days on: the first one, east of Greenwich, is before them in UTC.
@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001 - as the strategy wants it
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    )
)
def test_times_survive_exactly(moment):
    """Any moment in any zone comes back equal to the microsecond."""
    assert from_microseconds(to_microseconds(moment)) == moment
