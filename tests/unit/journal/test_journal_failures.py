"""The disk is full, read-only or gone: nothing is lost, nothing is promised, and it heals by itself."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest
from journal_samples import MINUTE, NOON, connection_of, delivery, let_submit, writer_held

from hookwright.errors import JournalUnwritable
from hookwright.journal import Journal
from hookwright.journal.statements import LONGEST_POSTPONEMENT
from support.waiting import patience


class Breakage:
    """Ways in which a journal becomes unwritable, and how it heals."""

    def __init__(self, journal, kind):
        self.connection = connection_of(journal)
        self.folder = journal._writer._database.folder
        self.kind = kind

    def begin(self):
        if self.kind == "full":
            (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
            self.connection.execute(f"PRAGMA max_page_count = {pages}")
        elif self.kind == "read-only":
            self.connection.execute("PRAGMA query_only = ON")
        else:
            self.folder.rename(self.folder.with_name("elsewhere"))

    def end(self):
        if self.kind == "full":
            self.connection.execute("PRAGMA max_page_count = 1000000")
        elif self.kind == "read-only":
            self.connection.execute("PRAGMA query_only = OFF")
        else:
            self.folder.with_name("elsewhere").rename(self.folder)


@pytest.fixture(params=["full", "read-only", "folder gone"])
def breakage(journal, request):
    return Breakage(journal, request.param)


LARGE = b"x" * 10_000


async def test_failed_group_fails_every_waiter(journal, breakage):
    """Each waiter of a group that cannot be committed gets JournalUnwritable, and is told what to do."""
    breakage.begin()
    tasks = [journal.accept(delivery(f"d{number}", work=LARGE)) for number in range(20)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(answer) for answer in answers} == {JournalUnwritable}
    assert str(breakage.folder) in answers[0].message
    breakage.end()


async def test_refused_row_is_never_acted_upon(journal, breakage, tmp_path):
    """What was refused is not there, neither in this process nor after a restart, and is new when it returns."""
    breakage.begin()
    with pytest.raises(JournalUnwritable):
        await journal.accept(delivery(work=LARGE))
    breakage.end()
    assert await journal.claim(9, now=NOON) == []
    await journal.close()
    restarted = await Journal.open(tmp_path / "journal")
    assert await restarted.claim(9, now=NOON) == []
    assert (await restarted.accept(delivery(work=LARGE))).new
    await restarted.close()


async def test_writer_recovers(journal, breakage):
    """Once the disk is well again, so is the journal; no restart, nothing lost from before."""
    await journal.accept(delivery("before"))
    breakage.begin()
    with pytest.raises(JournalUnwritable):
        await journal.accept(delivery("during", work=LARGE))
    breakage.end()
    assert (await journal.accept(delivery("after", work=LARGE))).new
    assert {pending.key.delivery_id for pending in await journal.claim(9, now=NOON)} == {"before", "after"}


async def test_claims_work_while_nothing_can_be_written(journal, breakage):
    """A claim is a matter of memory: what is pending can be worked on while the disk refuses writes."""
    await journal.accept(delivery())
    breakage.begin()
    assert len(await journal.claim(1, now=NOON)) == 1
    breakage.end()


@pytest.mark.parametrize("breakage", ["read-only", "folder gone"], indirect=True)
async def test_failed_conclusion_keeps_the_hold(journal, breakage):
    """A conclusion that cannot be written raises; the row stays pending and held, and can be concluded later."""
    await journal.accept(delivery())
    (pending,) = await journal.claim(1, now=NOON)
    breakage.begin()
    with pytest.raises(JournalUnwritable):
        await journal.conclude(pending.key, outcome="started", reason="", build="x")
    assert await journal.claim(1, now=NOON) == []
    breakage.end()
    assert await journal.depth() == 1
    await journal.conclude(pending.key, outcome="started", reason="", build="x")
    assert await journal.depth() == 0


@pytest.mark.parametrize("breakage", ["read-only", "folder gone"], indirect=True)
async def test_memory_postpones_when_the_disk_cannot(journal, breakage):
    """A postponement that cannot be written holds in memory, so that a worker does not spin."""
    await journal.accept(delivery())
    (pending,) = await journal.claim(1, now=NOON)
    breakage.begin()
    await journal.postpone(pending.key, due=NOON + MINUTE, reason="ApiServerAway", attempts=2)
    assert await journal.claim(1, now=NOON) == []
    (again,) = await journal.claim(1, now=NOON + MINUTE)
    assert (again.attempts, again.reason, again.due) == (2, "ApiServerAway", NOON + MINUTE)
    assert await journal.claim(1, now=NOON + MINUTE) == []
    breakage.end()


@pytest.mark.parametrize("breakage", ["read-only"], indirect=True)
async def test_memory_postpones_no_longer_than_the_disk(journal, breakage):
    """A postponement in memory is over too when the clock was set back by more than anything is ever postponed."""
    await journal.accept(delivery())
    (pending,) = await journal.claim(1, now=NOON)
    breakage.begin()
    await journal.postpone(pending.key, due=NOON + MINUTE, reason="ApiServerAway", attempts=2)
    assert await journal.claim(1, now=NOON - LONGEST_POSTPONEMENT + MINUTE) == []
    assert len(await journal.claim(1, now=NOON - LONGEST_POSTPONEMENT - MINUTE)) == 1
    breakage.end()


async def test_bad_row_on_a_full_disk_hides_nothing(journal):
    """When a row is bad and the disk is full as well, all hear of the disk, and the writer recovers."""
    full = Breakage(journal, "full")
    full.begin()
    both = (journal.accept(delivery("bad \udc80")), journal.accept(delivery("large", work=LARGE)))
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert {type(answer) for answer in answers} == {JournalUnwritable}
    assert all("full" in answer.message for answer in answers)
    full.end()
    assert (await journal.accept(delivery("large", work=LARGE))).new


async def test_removed_log_is_noticed(journal, tmp_path):
    """SQLite would go on writing into a log that was removed; the journal refuses to promise anything then."""
    (tmp_path / "journal" / "journal.db-wal").unlink()
    with pytest.raises(JournalUnwritable, match="removed or replaced"):
        await journal.accept(delivery())


async def test_unexpected_error_reaches_the_caller_and_the_writer_lives(journal):
    """Whatever goes wrong inside a job, its caller hears of it and the writer serves the next one."""

    def broken(_):
        raise RuntimeError("a mistake")

    for submit in (journal._writer.write, journal._writer.read):
        with pytest.raises(JournalUnwritable):
            await submit(broken)
    assert (await journal.accept(delivery())).new


async def test_close_writes_what_waits(journal, tmp_path):
    """What was submitted before the close is written and answered; what comes after it is refused."""
    async with writer_held(journal):
        tasks = [asyncio.create_task(journal.accept(delivery(f"d{number}"))) for number in range(10)]
        await let_submit()
        closing = asyncio.create_task(journal.close())
        await let_submit()
        with pytest.raises(JournalUnwritable, match="closed"):
            await journal.accept(delivery("late"))
    assert all(answer.new for answer in await asyncio.gather(*tasks))
    await closing
    await journal.close()
    reopened = await Journal.open(tmp_path / "journal")
    assert await reopened.depth() == 10
    await reopened.close()


async def test_close_in_the_same_turn_writes_what_was_submitted(tmp_path):
    """Even what this very turn of the loop submitted is written before the close."""
    journal = await Journal.open(tmp_path / "journal")
    answer, _ = await asyncio.gather(journal.accept(delivery()), journal.close())
    assert answer.new


async def test_closed_journal_leaves_no_thread(journal):
    """The writer's thread ends with the close."""
    thread = await journal._writer.read(lambda _: threading.current_thread())
    await journal.close()
    thread.join(timeout=60)
    assert not thread.is_alive()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux: counts context switches in /proc")
async def test_idle_writer_sleeps(journal):
    """A writer with nothing to do is never scheduled: it waits, it does not poll."""
    native_id = await journal._writer.read(lambda _: threading.get_native_id())

    def switches():
        status = Path(f"/proc/self/task/{native_id}/status").read_text().splitlines()
        return [line.split()[1] for line in status if "ctxt_switches" in line]

    # It falls asleep when it gets its turn; one that polls would never be still for so long.
    async with patience():
        before, now = None, switches()
        while now != before:
            # In many turns: where the machine stands still for as long, one that polls gets none either.
            for _ in range(20):
                await asyncio.sleep(0.02)
            before, now = now, switches()


@pytest.mark.parametrize("kind", ["read-only", "folder gone"])
async def test_probe_says_whether_the_disk_takes_anything(journal, kind):
    """Without a delivery it can be known that the disk takes nothing, and that it does again."""
    breakage = Breakage(journal, kind)
    await journal.probe()
    breakage.begin()
    with pytest.raises(JournalUnwritable):
        await journal.probe()
    breakage.end()
    await journal.probe()


async def test_probe_finds_a_disk_that_is_full(journal, monkeypatch):
    """Where no file can grow the probe fails, a delivery that still fits is taken, and nothing is left behind."""
    folder = journal._writer._database.folder

    def refuse(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        probing = asyncio.create_task(journal.probe())
        accepted = asyncio.create_task(journal.accept(delivery("small")))
        with pytest.raises(JournalUnwritable, match="No space left on device"):
            await probing
        assert (await accepted).new
    assert not (folder / "probe").exists()
    await journal.probe()


async def test_probe_changes_nothing(journal):
    """A probe leaves rows and files as they are."""
    await journal.accept(delivery("d1"))
    folder = journal._writer._database.folder
    before = sorted(path.name for path in folder.iterdir())
    await journal.probe()
    assert sorted(path.name for path in folder.iterdir()) == before
    assert await journal.depth() == 1
