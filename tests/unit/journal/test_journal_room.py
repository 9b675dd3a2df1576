"""One namespace floods, the volume is full, or both: the others are served, what waits is concluded, and it heals."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from journal_samples import NOON, connection_of, delivery
from structlog.testing import capture_logs

from hookwright.errors import JournalCrowded, JournalUnwritable
from hookwright.journal import Journal, database
from hookwright.journal.database import Database

MIB = 1 << 20
WORK = b"x" * MIB
RESERVE = "journal.reserve"


class Volume:
    """What the system says of a volume on which others have so many bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, size: int, others: int) -> None:
        self.size, self.others = size, others
        monkeypatch.setattr(os, "statvfs", self.measure)

    def measure(self, folder: Path) -> SimpleNamespace:
        used = self.others + sum(path.stat().st_size for path in folder.iterdir())
        return SimpleNamespace(f_blocks=self.size, f_bavail=max(0, self.size - used), f_frsize=1)


@pytest.fixture
def volume(monkeypatch):
    """A volume of 128 MiB with 64 free: 20 may be pending, since 8 are the reserve and 16 are kept free."""
    return Volume(monkeypatch, size=128 * MIB, others=64 * MIB)


async def flood(journal: Journal, namespace: str, *, first: int = 0) -> int:
    """Deliver until the journal takes no more of a namespace; say how many it took."""
    for number in range(first, first + 100):
        try:
            await journal.accept(delivery(f"{namespace}-{number}", namespace=namespace, work=WORK))
        except JournalCrowded:
            return number - first
    raise AssertionError("it takes everything")


async def conclude_one(journal: Journal) -> None:
    """End the delivery that waits the longest."""
    (pending,) = await journal.claim(1, now=NOON)
    await journal.conclude(pending.key, outcome="failed", reason="x", build=None)


def make_full(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have no transaction of a journal succeed while it keeps its reserve, as on a full volume."""
    real = Database._commit

    def commit(self: Database) -> None:
        if (folder / RESERVE).exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        real(self)

    monkeypatch.setattr(Database, "_commit", commit)


@asynccontextmanager
async def opened(folder: Path):
    journal = await Journal.open(folder, clock=lambda: NOON)
    try:
        yield journal
    finally:
        await journal.close()


async def test_flood_of_one_namespace_leaves_room_for_others(volume, tmp_path):
    """A namespace that floods is refused in the end, and only it; another one gets its deliveries in."""
    async with opened(tmp_path) as journal:
        limit = (await journal.taken()).limit
        took = await flood(journal, "evil")
        assert 0 < took * MIB <= limit / 2 + MIB  # one row is taken if it begins below
        assert (await journal.accept(delivery("d", namespace="good"))).new
        assert (await journal.taken()).size <= limit


async def test_conclusions_make_room(volume, tmp_path):
    """As many more are taken as have left."""
    async with opened(tmp_path) as journal:
        took = await flood(journal, "evil")
        await conclude_one(journal)
        assert await flood(journal, "evil", first=took) == 1


async def test_refusal_is_logged_now_and_then(volume, tmp_path):
    """One line names the namespace, however many deliveries are refused in a moment."""
    with capture_logs() as lines:
        async with opened(tmp_path) as journal:
            for _ in range(3):
                await flood(journal, "evil", first=1000)
    assert [(line["event"], line["namespace"]) for line in lines] == [("journal", "evil")]


async def test_duplicates_need_no_room(volume, tmp_path):
    """A delivery that is pending already is known as a duplicate though its namespace gets no more in."""
    async with opened(tmp_path) as journal:
        await flood(journal, "evil")
        again = await journal.accept(delivery("evil-0", namespace="evil", work=WORK))
        assert (again.new, again.first.outcome) == (False, "pending")


async def test_delivery_of_several_is_taken_whole_or_not_at_all(volume, tmp_path):
    """Where not all changes of a delivery have room, none is written, also if one of them was known before."""
    async with opened(tmp_path) as journal:
        took = await flood(journal, "evil")
        await conclude_one(journal)
        several = [delivery("evil-1", namespace="evil", index=index, work=WORK) for index in range(3)]
        with pytest.raises(JournalCrowded):
            await journal.accept_all(several)
        assert await journal.depth() == took - 1
        first, second = await journal.accept_all(several[:2])
        assert (first.new, second.new) == (False, True)


async def test_what_waited_before_a_restart_counts(volume, tmp_path):
    """The rows that a process finds, whoever wrote them, count as those that it takes."""
    async with opened(tmp_path) as journal:
        took = await flood(journal, "evil")
        taken = await journal.taken()
    async with opened(tmp_path) as journal:
        assert (await journal.taken()).size == taken.size
        assert await flood(journal, "evil", first=took) <= 1


async def test_volume_that_grew_is_noticed_at_once(volume, tmp_path):
    """No delivery is refused for want of room that has come meanwhile."""
    async with opened(tmp_path) as journal:
        took = await flood(journal, "evil")
        volume.size = 256 * MIB
        assert await flood(journal, "evil", first=took) > 10


@pytest.mark.parametrize("bad", ["bad \udc80", "good"])
async def test_what_failed_takes_no_room(tmp_path, bad):
    """Rows of a transaction, or of a part of one, that failed are not counted."""
    async with opened(tmp_path) as journal:
        await journal.accept(delivery("before"))
        before = (await journal.taken()).size
        if bad == "good":
            (pages,) = connection_of(journal).execute("PRAGMA page_count").fetchone()
            connection_of(journal).execute(f"PRAGMA max_page_count = {pages}")
        failing = [journal.accept_all([delivery("half", work=WORK), delivery(bad, work=WORK)])]
        assert [type(answer) for answer in await asyncio.gather(*failing, return_exceptions=True)] != [list]
        assert (await journal.taken()).size == before


@pytest.mark.parametrize("outcome", ["started", "failed"])
async def test_full_disk_takes_conclusions(tmp_path, monkeypatch, outcome):
    """On a full disk the reserve is given up for what ends; what begins is refused."""
    async with opened(tmp_path) as journal:
        await journal.accept(delivery())
        (pending,) = await journal.claim(1, now=NOON)
        make_full(monkeypatch, tmp_path)
        new = asyncio.create_task(journal.accept(delivery("new")))
        await journal.conclude(pending.key, outcome=outcome, reason="x", build="b")
        with pytest.raises(JournalUnwritable):
            await new
        assert await journal.depth() == 0
        assert (await journal.taken()).size == 0


async def test_reserve_is_made_again(volume, tmp_path):
    """While the reserve is gone for want of room nothing is accepted and the probe says so; then it is made anew."""
    async with opened(tmp_path) as journal:
        (tmp_path / RESERVE).unlink()
        volume.others = 125 * MIB
        with pytest.raises(JournalUnwritable, match="are left on its volume"):
            await journal.probe()
        with pytest.raises(JournalUnwritable, match="are left on its volume"):
            await journal.accept(delivery())
        volume.others = 64 * MIB
        assert (await journal.accept(delivery())).new
        assert (tmp_path / RESERVE).stat().st_size == 8 * MIB
        await journal.probe()


async def test_volume_on_which_the_reserve_cannot_be_made(volume, tmp_path, monkeypatch):
    """A volume that says it has room, and has not, takes no deliveries; nothing is left of the attempt."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    async with opened(tmp_path) as journal:
        with pytest.raises(JournalUnwritable, match="No space left on device"):
            await journal.accept(delivery())
        assert not (tmp_path / RESERVE).exists()


async def test_volume_that_does_not_say_its_size(volume, tmp_path):
    """Some file systems say nothing: then the file's own bound holds."""
    volume.size = 0
    async with opened(tmp_path) as journal:
        assert (await journal.accept(delivery(work=WORK))).new


async def test_file_gives_room_back(volume, tmp_path):
    """Where the file holds the room that is missing, and does not need it, the volume gets it back."""
    volume.others = 0
    async with opened(tmp_path) as journal:
        took = await flood(journal, "evil")
        large = (tmp_path / "journal.db").stat().st_size
        for _ in range(took):
            await conclude_one(journal)
        await journal.accept(delivery("kept"))
        volume.others = 128 * MIB
        with pytest.raises(JournalUnwritable):
            await journal.probe()
        assert (tmp_path / "journal.db").stat().st_size < large / 10
        volume.others = 0
        await journal.probe()
        assert [pending.key.delivery_id for pending in await journal.claim(9, now=NOON)] == ["kept"]


async def test_full_volume_is_opened(tmp_path, monkeypatch):
    """On a full volume the reserve is given up to open the journal, and what waited is there."""
    async with opened(tmp_path) as journal:
        await journal.accept(delivery())
    real = database._open

    def fail(folder: Path) -> sqlite3.Connection:
        if (folder / RESERVE).exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(folder)

    monkeypatch.setattr(database, "_open", fail)
    (tmp_path / "history.db").touch()
    async with opened(tmp_path) as journal:
        assert await journal.depth() == 1
        assert (tmp_path / "history.db").exists()


async def test_history_is_given_up_for_the_journal(tmp_path, monkeypatch):
    """Where the reserve is not enough, what may be lost goes, and that is logged."""
    (tmp_path / "history.db").touch()
    (tmp_path / "history.db.corrupt-1").touch()
    real = database._open

    def fail(folder: Path) -> sqlite3.Connection:
        if list(folder.glob("history.db*")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(folder)

    monkeypatch.setattr(database, "_open", fail)
    with capture_logs() as lines:
        async with opened(tmp_path) as journal:
            assert (await journal.accept(delivery())).new
    assert {line["event"] for line in lines} == {"history"}


async def test_volume_on_which_nothing_helps(tmp_path, monkeypatch):
    """Where nothing makes room the error says what to do, and the folder is left to others."""

    def fail(_folder: Path) -> sqlite3.Connection:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(database, "_open", fail)
        with pytest.raises(JournalUnwritable, match=r"No space left on device.* Make its volume larger"):
            await Journal.open(tmp_path)
    async with opened(tmp_path):
        pass
