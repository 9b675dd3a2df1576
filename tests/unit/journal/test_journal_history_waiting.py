"""Nobody waits for the history: when it commits, and what becomes of those who ask a disk that does not answer."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from history_samples import ids, in_thread, minutes, record, thread_held, write_all
from journal_samples import MINUTE, NOON

from hookwright.journal import History, HistoryOff
from hookwright.journal import history as history_module
from hookwright.journal import history_statements as statements
from hookwright.journal.history_keeper import BATCH, MAX_WAITING
from support.waiting import eventually


@pytest.mark.parametrize("outcome", ["ignored", "refused"])
async def test_time_flushes(history, monkeypatch, outcome):
    """Without another call, what was written is committed a moment later."""
    monkeypatch.setattr(history_module, "FLUSH_SECONDS", 0.001)
    history.write(record("a", outcome))
    await eventually(lambda: not history._waiting and not history._bursts and history._batch is None)
    assert await in_thread(history, statements.count) == 1


async def test_many_records_do_not_wait_for_the_time(history, monkeypatch):
    """A thousand records are handed over at once."""
    monkeypatch.setattr(history_module, "FLUSH_SECONDS", 3600)
    for number in range(BATCH):
        history.write(record(f"d{number}"))
    await eventually(lambda: history._batch is None)
    assert await in_thread(history, statements.count) == BATCH


async def test_what_comes_while_a_batch_is_out_follows_it(history, monkeypatch):
    """The end of a batch has the next one handed over: by time, or at once if much came meanwhile."""
    monkeypatch.setattr(history_module, "FLUSH_SECONDS", 0.001)
    async with thread_held(history):
        history.write(record("first"))
        await eventually(lambda: history._batch is not None)
        for number in range(BATCH + 1):
            history.write(record(f"d{number}"))
        history.write(record("bad", "refused"))
    await eventually(lambda: history._batch is None and not history._waiting and not history._bursts)
    assert await in_thread(history, statements.count) == BATCH + 3


async def test_too_much_drops_the_oldest(history):
    """While the thread does not come round, memory keeps the newest records and counts the others."""
    async with thread_held(history):
        history.write(record("out"))
        flushing = asyncio.create_task(history.flush())
        await eventually(lambda: history._batch is not None)
        for number in range(MAX_WAITING + 5):
            history.write(record(f"d{number}"))
    assert await flushing
    assert await history.flush()
    assert history.lost == 5
    assert await history.count() == MAX_WAITING + 1
    assert ids(await history.find(delivery_id="d4")) == []
    assert ids(await history.find(delivery_id="d5")) == ["d5"]


async def test_readers_and_writers_at_once(history):
    """While others write, each page is in order and holds what the reader itself wrote before."""
    done = asyncio.Event()

    async def write():
        for number in range(4000):
            history.write(record(f"w{number}", at=NOON + number * timedelta(seconds=1)))
            if number % 50 == 0:
                await asyncio.sleep(0)
        done.set()

    async def read(name):
        rounds = 0
        while rounds < 3 or not done.is_set():
            rounds += 1
            history.write(record(f"{name}-{rounds}", at=minutes(1000 + rounds)))
            page = await history.find(limit=200)
            times = [found.record.received_at for found in page.records]
            assert times == sorted(times, reverse=True)
            assert f"{name}-{rounds}" in ids(page)
        return rounds

    _, *rounds = await asyncio.gather(write(), read("r1"), read("r2"))
    assert await history.count() == 4000 + sum(rounds)
    assert history.lost == 0


async def test_disk_that_hangs_hangs_nobody(history, monkeypatch):
    """While the thread does not answer, flush says so, find raises, close returns; write goes on."""
    await history.flush()
    with monkeypatch.context() as patched:
        patched.setattr(history_module, "PATIENCE_SECONDS", 0.01)
        async with thread_held(history):
            history.write(record())
            assert not await history.flush()
            with pytest.raises(HistoryOff, match="does not answer"):
                await history.find()
            await history.close()


async def test_close_commits_what_waits(tmp_path):
    """What was written before the close is in the file, although nobody flushed it."""
    history = History(tmp_path, clock=lambda: NOON)
    history.write(record("a"))
    history.write(record("b", "refused"))
    await asyncio.gather(history.close(), history.close())
    reopened = History(tmp_path, clock=lambda: NOON)
    assert await reopened.count() == 2
    await reopened.close()


async def test_closed_history_takes_and_gives_nothing(history):
    """After the close a record is lost and counted, flush says no, and a question is an error."""
    await history.close()
    history.write(record())
    assert history.lost == 1
    assert not await history.flush()
    assert not history.on
    for ask in (history.find, history.count):
        with pytest.raises(HistoryOff, match="closed"):
            await ask()


async def test_closed_history_leaves_no_thread(history):
    """The thread ends with the close."""
    thread = await in_thread(history, lambda _: threading.current_thread())
    await history.close()
    thread.join(timeout=60)
    assert not thread.is_alive()


async def test_cancelled_reader_disturbs_nobody(history):
    """A reader that goes away while it waits takes nobody along."""
    await history.flush()
    async with thread_held(history):
        asking = asyncio.create_task(history.count())
        await asyncio.sleep(0)
        asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await write_all(history, record(at=NOON + MINUTE))
    assert await history.count() == 1


async def test_question_that_nobody_waits_for_is_not_asked(history):
    """What was asked by someone who has gone is passed over, so that a slow disk does not answer the past."""
    asked = []
    async with thread_held(history):
        history._submit(lambda: asked.append("gone")).cancel()
        waiting = history._submit(lambda: asked.append("there"))
    await waiting
    assert asked == ["there"]


async def test_end_of_an_earlier_batch_is_not_that_of_the_one_that_is_out(history):
    """One batch is out at a time, also where the next was handed over before all had heard of the end of the last."""
    async with thread_held(history):
        batch = history._hand_over()
        history._batch_done(asyncio.get_running_loop().create_future())
        assert history._hand_over() is batch
