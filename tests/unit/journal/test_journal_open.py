"""Opening: modes, versions, damage, and the one process."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from journal_samples import NOON, connection_of, delivery

from hookwright.errors import JournalLocked, JournalUnwritable
from hookwright.journal import Journal


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


async def filled(folder):
    """Make a journal of a few hundred rows, and close it."""
    journal = await Journal.open(folder)
    await journal.accept_all([delivery(f"d{number}", work=b"x" * 1000) for number in range(300)])
    await journal.close()
    return folder / "journal.db"


async def test_files_are_for_their_owner_only(tmp_path):
    """The folder and every file in it that the journal makes can be read by nobody else."""
    journal = await Journal.open(tmp_path / "deep" / "journal")
    await journal.accept(delivery())
    assert mode(tmp_path / "deep" / "journal") == 0o700
    files = sorted((tmp_path / "deep" / "journal").iterdir())
    assert [file.name for file in files] == ["journal.db", "journal.db-wal", "journal.lock", "journal.reserve"]
    assert {mode(file) for file in files} == {0o600}
    await journal.close()


async def test_folder_that_is_there_keeps_its_mode(tmp_path):
    """A folder that somebody else made (a mounted volume) is left as it is."""
    (tmp_path / "volume").mkdir(mode=0o755)
    journal = await Journal.open(tmp_path / "volume")
    assert mode(tmp_path / "volume") == 0o755
    await journal.close()


async def test_every_commit_is_synced(journal):
    """SQLite is told to sync its log at each commit, to bound it, and to keep others out."""
    connection = connection_of(journal)
    pragmas = ("journal_mode", "synchronous", "wal_autocheckpoint", "journal_size_limit", "locking_mode")
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas}
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "wal_autocheckpoint": 2000,
        "journal_size_limit": 8 * 1024 * 1024,
        "locking_mode": "exclusive",
    }


async def test_log_stays_bounded(journal, tmp_path):
    """Forty megabytes of rows leave a log of at most twice its limit."""
    for number in range(40):
        await journal.accept(delivery(f"d{number}", work=b"x" * 1_000_000))
    assert (tmp_path / "journal" / "journal.db-wal").stat().st_size < 16 * 1024 * 1024


async def test_everything_is_there_after_a_restart(tmp_path):
    """Pending rows are pending again, held ones too; started ids still make duplicates; postponements hold."""
    journal = await Journal.open(tmp_path, clock=lambda: NOON)
    await journal.accept_all([delivery("held"), delivery("started"), delivery("postponed")])
    await journal.claim(3, now=NOON)
    await journal.conclude(delivery("started").key, outcome="started", reason="", build="x")
    await journal.postpone(delivery("postponed").key, due=NOON, reason="Timeout", attempts=5)
    await journal.close()
    journal = await Journal.open(tmp_path, clock=lambda: NOON)
    claimed = {pending.key.delivery_id: pending.attempts for pending in await journal.claim(9, now=NOON)}
    assert claimed == {"held": 0, "postponed": 5}
    assert (await journal.accept(delivery("started"))).first.build == "x"
    await journal.close()


async def test_working_directory_may_change(tmp_path, monkeypatch):
    """A journal that was opened by a relative path works on when the process changes its directory."""
    monkeypatch.chdir(tmp_path)
    journal = await Journal.open(Path("journal"))
    monkeypatch.chdir("/")
    assert (await journal.accept(delivery())).new
    await journal.close()


async def test_second_journal_in_one_process_is_refused(journal, tmp_path):
    """One folder has one journal at a time, and a closed one makes room."""
    with pytest.raises(JournalLocked, match="Another process") as raised:
        await Journal.open(tmp_path / "journal")
    assert str(tmp_path / "journal") in raised.value.message
    await journal.accept(delivery())
    await journal.close()
    second = await Journal.open(tmp_path / "journal")
    assert await second.depth() == 1
    await second.close()


async def test_file_that_another_program_uses_is_refused(tmp_path):
    """An sqlite3 shell that has the file open keeps the journal from opening, and is named as a possible cause."""
    shell = sqlite3.connect(await filled(tmp_path))
    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalLocked, match="sqlite3 shell"):
        await Journal.open(tmp_path)
    shell.close()
    await (await Journal.open(tmp_path)).close()


async def test_garbage_is_refused_and_left_alone(tmp_path):
    """A file that is no database is refused with what to do, and not touched."""
    (tmp_path / "journal.db").write_bytes(b"no database " * 1000)
    with pytest.raises(JournalUnwritable, match=r"Move journal\.db and journal\.db-wal aside"):
        await Journal.open(tmp_path)
    assert (tmp_path / "journal.db").read_bytes() == b"no database " * 1000


async def test_damage_inside_is_found_at_open(tmp_path):
    """A database with damaged pages is refused at open, before a delivery depends on it, and is not touched."""
    path = await filled(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[8 * 4096 : 40 * 4096] = b"\xaa" * (32 * 4096)
    path.write_bytes(damaged)
    with pytest.raises(JournalUnwritable, match="damaged"):
        await Journal.open(tmp_path)
    assert path.read_bytes() == damaged
    path.unlink()
    await (await Journal.open(tmp_path)).close()


async def test_foreign_database_is_refused(tmp_path):
    """An SQLite file of some other program is refused."""
    foreign = sqlite3.connect(tmp_path / "journal.db")
    foreign.execute("CREATE TABLE cookies (name)")
    foreign.close()
    with pytest.raises(JournalUnwritable, match="other program"):
        await Journal.open(tmp_path)


async def test_empty_file_is_a_new_journal(tmp_path):
    """A crash before the first page was written leaves an empty file, which is as good as none."""
    (tmp_path / "journal.db").touch()
    journal = await Journal.open(tmp_path)
    assert (await journal.accept(delivery())).new
    await journal.close()


async def test_folder_that_is_a_file_is_refused(tmp_path):
    """A path that is a file is refused, and the message says what is needed."""
    (tmp_path / "file").touch()
    with pytest.raises(JournalUnwritable, match="must be a folder"):
        await Journal.open(tmp_path / "file")


async def test_unwritable_folder_is_refused(plain_user):
    """A folder in which nothing may be made is refused, existing or not."""
    plain_user.chmod(0o500)
    for folder in (plain_user, plain_user / "journal"):
        with pytest.raises(JournalUnwritable, match=str(plain_user)):
            await Journal.open(folder)
    plain_user.chmod(0o700)


async def test_write_protected_file_is_refused(plain_user):
    """A database that may only be read is refused at open, not at the first delivery; it opens once that is mended."""
    path = await filled(plain_user)
    path.chmod(0o400)
    with pytest.raises(JournalUnwritable, match=str(plain_user)):
        await Journal.open(plain_user)
    path.chmod(0o600)
    await (await Journal.open(plain_user)).close()
