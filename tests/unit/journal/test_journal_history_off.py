"""Where not even a new file helps, the history is off until something does, and nobody else notices."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import contextmanager

import pytest
from history_samples import aside, fill, garbage, ids, in_thread, minute_passes, record, start, write_all
from journal_samples import NOON, delivery
from structlog.testing import capture_logs

from hookwright.journal import History, HistoryOff, Journal
from hookwright.journal import history_keeper as keeper_module
from hookwright.journal import history_statements as statements


@contextmanager
def no_file_may_grow():
    """As on a full disk, no file of this process can be written beyond its first page."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def assert_off_then_heals(history, heal):
    """Records wait, two minutes say nothing new, then it heals and everything is there."""
    with capture_logs() as lines:
        history.write(start("first", message="x" * 1000))
        assert not await history.flush()
        assert not history.on
        for _ in range(2):
            await minute_passes(history)
            history.write(record("second", "pending"))
            assert not await history.flush()
        with pytest.raises(HistoryOff, match="tried again each minute"):
            await history.find()
    assert [line["log_level"] for line in lines] == ["error"]
    heal()
    with capture_logs() as lines:
        await minute_passes(history)
        assert sorted(ids(await history.find())) == ["first", "second"]
    assert [line["log_level"] for line in lines] == ["info"]
    assert history.on
    assert history.lost == 0


async def test_unwritable_folder_turns_it_off(plain_user):
    """In a folder where nothing may be made the history is off, says so once, and recovers with what it kept."""
    plain_user.chmod(0o500)
    history = History(plain_user, clock=lambda: NOON)
    await assert_off_then_heals(history, lambda: plain_user.chmod(0o700))
    await history.close()


async def test_full_disk_at_open(tmp_path):
    """Where the file cannot be made for want of room, the history is off until there is some."""
    with no_file_may_grow(), capture_logs() as lines:
        history = History(tmp_path, clock=lambda: NOON)
        history.write(record("kept"))
        assert not await history.flush()
        await minute_passes(history)
        assert not await history.flush()
    assert [line["log_level"] for line in lines] == ["error"]
    await minute_passes(history)
    assert ids(await history.find()) == ["kept"]
    assert aside(tmp_path) == []
    await history.close()


async def test_full_disk_while_running(history, tmp_path):
    """A disk that is full later turns it off; what was committed stays, what came meanwhile follows."""
    await write_all(history, record("before"))
    with no_file_may_grow():
        history.write(record("during", message="x" * 1000))
        assert not await history.flush()
    assert not await history.flush()
    await minute_passes(history)
    assert ids(await history.find()) == ["during", "before"]
    assert aside(tmp_path) == []
    assert history.lost == 0


async def test_sqlite_says_full(history, tmp_path):
    """SQLite's own word for it has the same effect: no file is set aside for want of room."""
    await write_all(history, record("before"))

    def fill_up(connection):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await in_thread(history, fill_up)
    for number in range(200):
        history.write(record(f"d{number}", message="x" * 1000))
    assert not await history.flush()
    await minute_passes(history)
    assert await history.count() == 201
    assert aside(tmp_path) == []


async def test_file_that_another_program_uses_is_left_alone(tmp_path):
    """An sqlite3 shell that has the file open turns the history off; the file is not set aside for that."""
    shell = sqlite3.connect(await fill(tmp_path, 1), isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    history = History(tmp_path, clock=lambda: NOON)
    history.write(record("new"))
    assert not await history.flush()
    shell.close()
    await minute_passes(history)
    assert ids(await history.find()) == ["new", "d0"]
    assert aside(tmp_path) == []
    await history.close()


async def test_missing_folder_turns_it_off(tmp_path):
    """Without the journal's folder there is no history, and nothing is raised."""
    history = History(tmp_path / "not yet", clock=lambda: NOON)
    await assert_off_then_heals(history, (tmp_path / "not yet").mkdir)
    await history.close()


async def test_memory_is_bounded_while_it_is_off(tmp_path, monkeypatch):
    """While it is off the newest records are kept, the rest is counted, and refused ones push out no others."""
    monkeypatch.setattr(keeper_module, "MAX_WAITING", 10)
    monkeypatch.setattr(keeper_module, "MAX_REFUSED_WAITING", 3)
    history = History(tmp_path / "not yet", clock=lambda: NOON)
    for number in range(12):
        history.write(record(f"d{number}"))
        history.write(record("x", "refused", reason=f"r{number}"))
        assert not await history.flush()
    assert history.lost == 2 + 9
    (tmp_path / "not yet").mkdir()
    await minute_passes(history)
    kept = [found.record for found in (await history.find()).records]
    ours = {one.key.delivery_id for one in kept if one.outcome != "refused"}
    assert ours == {f"d{number}" for number in range(2, 12)}
    assert {one.reason for one in kept if one.outcome == "refused"} == {"r9", "r10", "r11"}
    await history.close()


async def test_losses_are_said_once_a_minute(tmp_path):
    """What was lost is one line a minute, with the number; a minute without a loss says nothing."""
    history = History(tmp_path, clock=lambda: NOON)
    await history.flush()
    history.write(None)
    with capture_logs() as lines:
        await minute_passes(history)
        await minute_passes(history)
    assert [(line["log_level"], line["lost"]) for line in lines] == [("warning", 1)]
    await history.close()


async def test_closing_while_off_returns(tmp_path):
    """A history that is off closes like any other."""
    history = History(tmp_path / "nowhere", clock=lambda: NOON)
    history.write(record())
    await history.close()


async def test_mistake_of_ours_breaks_nothing(history, tmp_path, monkeypatch):
    """A question that is a mistake of ours fails alone; rows that are one are dropped; the file stays."""
    await write_all(history, record("before"))
    with pytest.raises(HistoryOff, match="OperationalError"):
        await history._ask(lambda connection: connection.execute("SELECT nonsense").fetchone())
    with monkeypatch.context() as patch:
        patch.setattr(statements, "_RECORD", "INSERT INTO nonsense VALUES (?1)")
        history.write(record("bad"))
        await history.flush()
    await write_all(history, record("after"))
    assert ids(await history.find()) == ["after", "before"]
    assert history.lost == 1
    assert aside(tmp_path) == []


async def test_journal_does_not_notice(tmp_path):
    """Beside a history that is off, deliveries are accepted, and the journal's file is not touched."""
    journal = await Journal.open(tmp_path)
    (tmp_path / "history.db").mkdir()
    garbage(tmp_path / "history.db" / "file")
    history = History(tmp_path, clock=lambda: NOON)
    history.write(record())
    assert (await journal.accept(delivery())).new
    assert await history.flush()
    await history.close()
    await journal.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["history.db", "history.db.corrupt-1", "journal.db", "journal.lock", "journal.reserve"]
