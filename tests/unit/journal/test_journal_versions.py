"""What versions leave to one another: files of each schema there was, made by hand, and those of a version to come."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from journal_samples import NOON, delivery

from hookwright.errors import JournalUnwritable
from hookwright.journal import Decided, Journal
from hookwright.journal.rows import to_microseconds

# Each as the version with that schema makes it. A later one is added beside them, and changes nothing here.
SCHEMA_1 = """
    CREATE TABLE pending (
        row INTEGER PRIMARY KEY,
        uid TEXT NOT NULL, delivery_id TEXT NOT NULL, item INTEGER NOT NULL,
        namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
        accepted_at INTEGER NOT NULL, due INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
        work BLOB NOT NULL,
        UNIQUE (uid, delivery_id, item)
    );
    CREATE INDEX pending_due ON pending (due);
    CREATE TABLE started (
        uid TEXT NOT NULL, delivery_id TEXT NOT NULL, item INTEGER NOT NULL,
        namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
        accepted_at INTEGER NOT NULL, started_at INTEGER NOT NULL,
        reason TEXT NOT NULL, build TEXT,
        PRIMARY KEY (uid, delivery_id, item)
    ) WITHOUT ROWID;
    CREATE INDEX started_at ON started (started_at);
    PRAGMA user_version = 1;
"""
SCHEMA_2 = SCHEMA_1.replace(
    "CREATE INDEX pending_due ON pending (due);", "CREATE INDEX pending_turn ON pending (namespace, due);"
).replace("user_version = 1", "user_version = 2")
AT = to_microseconds(NOON)
OBJECT = ("default", "hook-of-uid-1", "Webhook")


def make_schema_1(path: Path) -> None:
    """Make the file with the first schema."""
    make_file(path, SCHEMA_1)


def make_schema_2(path: Path) -> None:
    """Make the file with the second schema, whose claims go by namespaces in turn."""
    make_file(path, SCHEMA_2)


def make_file(path: Path, schema: str) -> None:
    """Make a journal with a row that was never tried, one that was put off, and a start that is remembered."""
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("PRAGMA journal_mode = WAL")
    file.executescript(schema)
    pending = "INSERT INTO pending VALUES (?, 'uid-1', ?, 0, ?, ?, ?, ?, ?, ?, ?, ?)"
    file.execute(pending, (1, "new", *OBJECT, AT, AT, 0, "", b'{"of": "new"}'))
    file.execute(pending, (2, "put off", *OBJECT, AT, AT + 1, 4, "TargetMissing", b'{"of": "put off"}'))
    started = "INSERT INTO started VALUES ('uid-1', 'started', 0, ?, ?, ?, ?, ?, 'BuildCreated', 'hook-0123456789')"
    file.execute(started, (*OBJECT, AT, AT))
    file.close()


# One for each schema, in their order.
SCHEMAS = [make_schema_1, make_schema_2]


@pytest.mark.parametrize("make", SCHEMAS)
async def test_journal_of_each_schema_is_taken_over(tmp_path, make):
    """After an upgrade what waited is there to be started, and what was started still makes duplicates."""
    make(tmp_path / "journal.db")
    later = NOON + timedelta(minutes=1)
    journal = await Journal.open(tmp_path, clock=lambda: later)
    claimed = await journal.claim(9, now=later)
    assert [(row.key.delivery_id, row.attempts, row.reason, row.work) for row in claimed] == [
        ("new", 0, "", b'{"of": "new"}'),
        ("put off", 4, "TargetMissing", b'{"of": "put off"}'),
    ]
    assert {row.accepted_at for row in claimed} == {NOON}
    again = await journal.accept(delivery("started"))
    assert again.first == Decided(outcome="started", accepted_at=NOON, build="hook-0123456789")
    await journal.close()


def describe(path: Path) -> tuple[int, dict[str, str]]:
    """Give a file's version and its schema, whatever the blanks in it."""
    with closing(sqlite3.connect(path)) as file:
        (version,) = file.execute("PRAGMA user_version").fetchone()
        schema = file.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return version, {name: " ".join(sql.split()) for name, sql in schema}


async def test_newest_schema_is_among_them(tmp_path):
    """Whoever adds a schema, or changes one, hears of it here: each that there was is taken over above."""
    SCHEMAS[-1](tmp_path / "by-hand.db")
    await (await Journal.open(tmp_path)).close()
    assert describe(tmp_path / "journal.db") == describe(tmp_path / "by-hand.db")


def make_newer(path: Path) -> sqlite3.Connection:
    """Make a journal of a version to come; give the connection that has it open."""
    SCHEMAS[-1](path)
    newer = sqlite3.connect(path, isolation_level=None)
    newer.executescript("CREATE TABLE later (row INTEGER); PRAGMA user_version = 99")
    return newer


async def refuse(folder: Path) -> None:
    """Have a journal refused because it is newer."""
    with pytest.raises(JournalUnwritable, match=r"schema version 99.* knows 2 .*Start the newer version again"):
        await Journal.open(folder)


async def test_journal_of_a_newer_schema_is_left_as_it_is(tmp_path):
    """An older version refuses it with what to do, and changes not a byte of it."""
    path = tmp_path / "journal.db"
    make_newer(path).close()
    before = path.read_bytes()
    await refuse(tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["journal.db", "journal.lock"]


async def test_nothing_is_lost_that_a_newer_version_left_in_its_log(tmp_path):
    """A newer version that was killed has left a log: an older one loses nothing of it, and the newer one goes on."""
    left = tmp_path / "left"
    left.mkdir()
    with closing(make_newer(tmp_path / "journal.db")) as newer:
        newer.execute("INSERT INTO later VALUES (7)")
        for name in ("journal.db", "journal.db-wal"):
            shutil.copy(tmp_path / name, left)
    await refuse(left)
    with closing(sqlite3.connect(left / "journal.db")) as again:
        assert again.execute("SELECT row FROM later").fetchall() == [(7,)]
        assert again.execute("SELECT delivery_id FROM pending ORDER BY row").fetchall() == [("new",), ("put off",)]
    assert describe(left / "journal.db")[0] == 99
