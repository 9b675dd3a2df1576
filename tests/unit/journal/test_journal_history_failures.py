"""A file that is damaged, foreign or gone is made anew; what a good one looks like, and what survives in it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from history_samples import aside, fill, garbage, ids, in_thread, minute_passes, record, write_all
from journal_samples import NOON
from structlog.testing import capture_logs

import hookwright
from hookwright.journal import History, HistoryOff
from hookwright.journal.history_file import set_aside


def damage_inside(path):
    damaged = bytearray(path.read_bytes())
    damaged[8 * 4096 : 40 * 4096] = b"\xaa" * (32 * 4096)
    path.write_bytes(damaged)


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def change(statement):
    def apply(path):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return apply


def replace_by_foreign(path):
    path.unlink()
    change("CREATE TABLE cookies (name)")(path)


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        garbage,
        damage_inside,
        truncate,
        replace_by_foreign,
        replace_by_folder,
        change("PRAGMA user_version = 99"),
        change("PRAGMA application_id = 7"),
    ],
    ids=["garbage", "damaged", "truncated", "foreign", "folder", "newer", "marked"],
)
async def test_file_that_is_no_good_is_set_aside(tmp_path, spoil):
    """Such a file is renamed, not touched, said once, and a new one takes its place."""
    path = await fill(tmp_path)
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with capture_logs() as lines:
        history = History(tmp_path, clock=lambda: NOON)
        await write_all(history, record("new"))
    assert ids(await history.find()) == ["new"]
    assert aside(tmp_path) == ["history.db.corrupt-1"]
    if before:
        assert (tmp_path / "history.db.corrupt-1").read_bytes() == before
    assert [line["set_aside"] for line in lines] == ["history.db.corrupt-1"]
    assert history.lost == 0
    await history.close()


async def test_empty_file_is_a_new_history(tmp_path):
    """A crash before the first page was written leaves an empty file, which is as good as none."""
    (tmp_path / "history.db").touch()
    history = History(tmp_path, clock=lambda: NOON)
    await write_all(history, record())
    assert aside(tmp_path) == []
    await history.close()


def test_log_of_the_file_goes_with_it(tmp_path):
    """A log that stayed behind could be read into the new file; it is renamed as the file is."""
    for number in range(12):
        for suffix in ("", "-wal", "-shm", "-journal"):
            (tmp_path / f"history.db{suffix}").write_text(f"{number}{suffix}")
        set_aside(tmp_path / "history.db")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        f"history.db.corrupt-{number}{suffix}": f"{number - 1}{suffix}"
        for number in (11, 12)
        for suffix in ("", "-wal", "-shm", "-journal")
    }


async def test_newest_two_are_kept(tmp_path):
    """Of the files that were set aside only the newest two stay; others of that name are not ours to remove."""
    (tmp_path / "history.db.corrupt-by-me").touch()
    for _ in range(11):
        garbage(tmp_path / "history.db")
        await fill(tmp_path, 1)
    assert aside(tmp_path) == ["history.db.corrupt-10", "history.db.corrupt-11", "history.db.corrupt-by-me"]


async def damage_while_running(history, path):
    """Move everything out of log and cache, then overwrite the file."""

    def leave(connection):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute("PRAGMA shrink_memory").fetchall()
        connection.execute("PRAGMA cache_size = 1").fetchall()

    await in_thread(history, leave)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (path.stat().st_size - 4096))


@pytest.mark.parametrize("first", ["read", "write"])
async def test_damage_in_the_middle_of_the_work(history, tmp_path, first):
    """Damage that shows while the file is open costs what was in it, not what is written or asked just then."""
    await write_all(history, *(record(f"d{number}", message="x" * 1000) for number in range(2000)))
    await damage_while_running(history, tmp_path / "history.db")
    if first == "read":
        assert ids(await history.find(limit=1000)) == []
    history.write(record("new"))
    assert await history.flush()
    assert ids(await history.find(limit=1000)) == ["new"]
    assert aside(tmp_path)[0] == "history.db.corrupt-1"
    assert history.lost == 0


async def test_not_set_aside_twice_in_a_minute(history, tmp_path):
    """A disk on which file after file is damaged turns the history off, until the minute has passed."""
    for _ in range(2):
        await write_all(history, *(record(f"d{number}", message="x" * 1000) for number in range(2000)))
        await damage_while_running(history, tmp_path / "history.db")
        with pytest.raises(HistoryOff) if aside(tmp_path) else contextmanager(lambda: (yield))():
            await history.find(limit=1000)
    history.write(record("kept"))
    assert not await history.flush()
    await minute_passes(history)
    assert ids(await history.find()) == ["kept"]
    assert [name for name in aside(tmp_path) if name[-1].isdigit()] == ["history.db.corrupt-1", "history.db.corrupt-2"]


async def test_history_can_be_removed_at_any_time(history, tmp_path):
    """A file that was removed, or another one in its place, is noticed at the next use, and nothing is set aside."""
    await write_all(history, record("a"))
    for path in tmp_path.iterdir():
        path.unlink()
    await write_all(history, record("b"))
    assert ids(await history.find()) == ["b"]
    assert (tmp_path / "history.db").exists()
    assert aside(tmp_path) == []


async def test_write_protected_file_is_set_aside(plain_user):
    """A file that may only be read is renamed, and a new one made."""
    (await fill(plain_user)).chmod(0o400)
    history = History(plain_user, clock=lambda: NOON)
    await write_all(history, record("new"))
    assert ids(await history.find()) == ["new"]
    assert aside(plain_user) == ["history.db.corrupt-1"]
    await history.close()


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_files_are_for_their_owner_only(history, tmp_path):
    """Nobody else can read the files, in which there are addresses of senders."""
    await write_all(history, record())
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["history.db", "history.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_modes(history):
    """WAL without a sync at each commit, bounded, and no foreign readers that would pin it."""
    await history.flush()
    names = ("journal_mode", "synchronous", "wal_autocheckpoint", "journal_size_limit", "locking_mode")
    found = await in_thread(
        history, lambda connection: [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    )
    assert found == ["wal", 1, 1000, 4 * 1024 * 1024, "exclusive"]


async def test_working_directory_may_change(tmp_path, monkeypatch):
    """A history that was named by a relative path works on when the process changes its directory."""
    monkeypatch.chdir(tmp_path)
    history = History(Path(), clock=lambda: NOON)
    monkeypatch.chdir("/")
    await write_all(history, record())
    assert (tmp_path / "history.db").exists()
    await history.close()


CHILD = """
import asyncio, os, signal, sys
from pathlib import Path
from history_samples import record
from journal_samples import NOON
from hookwright.journal import History

async def main():
    history = History(Path(sys.argv[1]), clock=lambda: NOON)
    for number in range(50):
        history.write(record(f"d{number}"))
        if number % 10 == 9:
            await history.flush()
    history.write(record("not flushed"))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def run_child(folder):
    path = os.pathsep.join([str(Path(hookwright.__file__).parent.parent), str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, "-c", CHILD, folder], check=False, timeout=180, env={**os.environ, "PYTHONPATH": path}
    )


async def test_what_was_flushed_survives_kill_9(tmp_path):
    """After a kill -9 all that was flushed is there, once; what was not is lost, as it may be."""
    assert run_child(tmp_path).returncode == -signal.SIGKILL
    history = History(tmp_path, clock=lambda: NOON)
    assert sorted(ids(await history.find())) == sorted(f"d{number}" for number in range(50))
    assert aside(tmp_path) == []
    await history.close()
