"""The SQL, as functions of a connection. Each runs inside the writer's thread and leaves transactions to it.

Two tables, because their lives differ: `pending` is hot and nearly always small, so that what an accept must write and
sync is a few pages; `started` is what is remembered, written once and then only looked up. A key is in at most one of
them. Times are microseconds since 1970.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from hookwright.errors import JournalError
from hookwright.journal.holds import Holds
from hookwright.journal.ledger import ROW_BYTES, Ledger, size_of
from hookwright.journal.room import Room
from hookwright.journal.rows import (
    Accept,
    Accepted,
    Backlog,
    Decided,
    Key,
    Pending,
    Started,
    from_microseconds,
    to_microseconds,
)
from hookwright.journal.turns import Turns, Wanted

REMEMBERED: Final = timedelta(days=3)
"""For how long a started delivery makes a later one with its id a duplicate (design.md §4)."""

LONGEST_POSTPONEMENT: Final = timedelta(hours=2)
"""Nothing is postponed for longer at once; see `Journal.open`."""

# Each entry takes a journal from the schema version of its index to the next one. Entries are never edited. Nothing in
# them or below needs more than SQLite 3.24, the oldest that distributions pair with Python 3.11.
MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        """
        CREATE TABLE pending (
            row INTEGER PRIMARY KEY,
            uid TEXT NOT NULL, delivery_id TEXT NOT NULL, item INTEGER NOT NULL,
            namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            accepted_at INTEGER NOT NULL, due INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
            work BLOB NOT NULL,
            UNIQUE (uid, delivery_id, item)
        )
        """,
        "CREATE INDEX pending_due ON pending (due)",
        """
        CREATE TABLE started (
            uid TEXT NOT NULL, delivery_id TEXT NOT NULL, item INTEGER NOT NULL,
            namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            accepted_at INTEGER NOT NULL, started_at INTEGER NOT NULL,
            reason TEXT NOT NULL, build TEXT,
            PRIMARY KEY (uid, delivery_id, item)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX started_at ON started (started_at)",
    ),
    (
        # Claims go by turns.
        "DROP INDEX pending_due",
        "CREATE INDEX pending_turn ON pending (namespace, due)",
    ),
)

TOUCH: Final = f"PRAGMA user_version = {len(MIGRATIONS)}"
"""Writes to the file, also when it changes nothing."""

_ACCEPT: Final = """
    INSERT INTO pending (uid, delivery_id, item, namespace, name, kind, accepted_at, due, work)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8
    WHERE NOT EXISTS (SELECT 1 FROM started WHERE uid = ?1 AND delivery_id = ?2 AND item = ?3)
    ON CONFLICT (uid, delivery_id, item) DO NOTHING
"""
_HASTEN: Final = "UPDATE pending SET due = ?1 WHERE due > ?1 AND namespace = ?2 AND reason = ?3"
_FIRST: Final = """
    SELECT 'pending', accepted_at, NULL FROM pending WHERE uid = ?1 AND delivery_id = ?2 AND item = ?3
    UNION ALL
    SELECT 'started', accepted_at, build FROM started WHERE uid = ?1 AND delivery_id = ?2 AND item = ?3
"""
_COLUMNS: Final = "row, uid, delivery_id, item, namespace, name, kind, accepted_at, work, attempts, due, reason"
_CLAIM: Final = f"""
    SELECT {_COLUMNS} FROM pending WHERE row IN (SELECT value FROM json_each(?1))
"""  # noqa: S608 - the columns stand above
_POSTPONE: Final = """
    UPDATE pending SET due = ?4, attempts = ?5, reason = ?6 WHERE uid = ?1 AND delivery_id = ?2 AND item = ?3
"""
_REMEMBER: Final = """
    INSERT INTO started (uid, delivery_id, item, namespace, name, kind, accepted_at, started_at, reason, build)
    SELECT uid, delivery_id, item, namespace, name, kind, accepted_at, ?4, ?5, ?6
    FROM pending WHERE uid = ?1 AND delivery_id = ?2 AND item = ?3
"""
_SIZE: Final = """
    SELECT row, namespace, length(work) FROM pending WHERE uid = ?1 AND delivery_id = ?2 AND item = ?3
"""
_FORGET: Final = "DELETE FROM pending WHERE row = ?1"
_TAKEN: Final = "SELECT namespace, sum(length(work) + ?1) FROM pending GROUP BY namespace"
# Which other columns accompany max() is defined in SQLite: those of the row that has the maximum.
_NEWEST: Final = """
    SELECT uid, namespace, name, kind, delivery_id, max(started_at), build FROM started GROUP BY uid
"""
_WAITING: Final = "SELECT reason, count(*) FROM pending GROUP BY reason ORDER BY count(*) DESC, reason"
_PURGE: Final = """
    DELETE FROM started WHERE (uid, delivery_id, item) IN (
        SELECT uid, delivery_id, item FROM started WHERE started_at < ?1 ORDER BY started_at LIMIT ?2
    )
"""

Row = tuple[str, str, int, str, str, str, int, bytes]
"""An accepted delivery in the order of `_ACCEPT`'s parameters."""


def to_row(accepted: Accepted) -> Row:
    """Return the parameters that write one delivery; TypeError if its time has no time zone."""
    key = accepted.key
    return (
        key.uid,
        key.delivery_id,
        key.index,
        accepted.namespace,
        accepted.name,
        accepted.kind,
        to_microseconds(accepted.accepted_at),
        accepted.work,
    )


def accept(connection: sqlite3.Connection, rows: Sequence[Row], *, room: Room) -> list[Accept] | JournalError:
    """Write the rows of one namespace whose keys are unknown; say for each whether it was one.

    Nothing is written if there is no room for all that are new; the error says why.
    """
    if (refusal := _refuse(connection, rows, room=room)) is not None:
        return refusal
    return [_accept(connection, row, room.ledger) for row in rows]


def _refuse(connection: sqlite3.Connection, rows: Sequence[Row], *, room: Room) -> JournalError | None:
    if not rows or room.refuse(_namespace(rows[0]), sum(map(_size, rows))) is None:
        return None
    # Duplicates need no room.
    new = [row for row in rows if _first(connection, row) is None]
    return room.refuse(_namespace(rows[0]), sum(map(_size, new))) if new else None


def _accept(connection: sqlite3.Connection, row: Row, ledger: Ledger) -> Accept:
    if not connection.execute(_ACCEPT, row).rowcount:
        return Accept(new=False, first=_first(connection, row))
    ledger.charge(_namespace(row), _size(row))
    return Accept(new=True, first=None)


def _namespace(row: Row) -> str:
    return row[3]


def _size(row: Row) -> int:
    return size_of(len(row[7]))


def _first(connection: sqlite3.Connection, row: Row) -> Decided | None:
    found = connection.execute(_FIRST, row[:3]).fetchone()
    if found is None:
        return None
    outcome, accepted_at, build = found
    return Decided(outcome=outcome, accepted_at=from_microseconds(accepted_at), build=build)


def taken(connection: sqlite3.Connection) -> Mapping[str, int]:
    """Count the bytes that are pending, by namespace, as the ledger does."""
    return dict(connection.execute(_TAKEN, (ROW_BYTES,)).fetchall())


def claim(
    connection: sqlite3.Connection,
    holds: Holds,
    turns: Turns,
    *,
    limit: int,
    now: datetime,
    longest: timedelta,
    shares: Mapping[str, int],
) -> list[Pending]:
    """Hold and return up to `limit` due rows that nobody holds, of the namespaces in turn, the longest due first.

    Of a namespace in `shares` they are no more than it says. A row that is due later than any is ever postponed,
    `longest` from `now`, counts as due too: the clock was set back.
    """
    wanted = Wanted(
        limit=limit,
        shares=shares,
        held=holds.rows(now=now, longest=longest),
        due=to_microseconds(now),
        last=to_microseconds(now + longest),
    )
    chosen = turns.choose(connection, wanted)
    found = {found[0]: found for found in connection.execute(_CLAIM, (json.dumps(chosen),))} if chosen else {}
    return [holds.take(row, _to_pending(found[row])) for row in chosen]


def _to_pending(found: tuple[int, str, str, int, str, str, str, int, bytes, int, int, str]) -> Pending:
    _, uid, delivery_id, item, namespace, name, kind, accepted_at, work, attempts, due, reason = found
    return Pending(
        key=Key(uid=uid, delivery_id=delivery_id, index=item),
        namespace=namespace,
        name=name,
        kind=kind,
        accepted_at=from_microseconds(accepted_at),
        work=work,
        attempts=attempts,
        due=from_microseconds(due),
        reason=reason,
    )


def postpone(connection: sqlite3.Connection, key: Key, *, due: datetime, reason: str, attempts: int) -> None:
    """Set when a pending row is due again, and why; a row that is not pending is left alone."""
    connection.execute(_POSTPONE, (*_parameters(key), to_microseconds(due), attempts, reason))


def hasten(connection: sqlite3.Connection, *, namespace: str, reason: str, now: datetime) -> None:
    """Make the rows of a namespace due that wait for `reason`."""
    connection.execute(_HASTEN, (to_microseconds(now), namespace, reason))


def remember(
    connection: sqlite3.Connection, key: Key, *, at: datetime, reason: str, build: str | None, ledger: Ledger
) -> None:
    """Move a pending row to the started ones; a row that is not pending is left alone."""
    connection.execute(_REMEMBER, (*_parameters(key), to_microseconds(at), reason, build))
    forget(connection, key, ledger=ledger)


def forget(connection: sqlite3.Connection, key: Key, *, ledger: Ledger) -> None:
    """Remove a pending row, so that a later delivery with its id is new; a started one stays."""
    found = connection.execute(_SIZE, _parameters(key)).fetchone()
    if found is not None:
        row, namespace, work = found
        connection.execute(_FORGET, (row,))
        ledger.charge(namespace, -size_of(work))


def oldest_pending(connection: sqlite3.Connection) -> datetime | None:
    """Return when the longest waiting delivery was accepted, None if none waits."""
    found = connection.execute("SELECT accepted_at FROM pending ORDER BY row LIMIT 1").fetchone()
    return None if found is None else from_microseconds(found[0])


def backlog(connection: sqlite3.Connection) -> Backlog:
    """Count the pending deliveries, and return when the longest waiting one was accepted."""
    return Backlog(pending=depth(connection), oldest=oldest_pending(connection))


def depth(connection: sqlite3.Connection) -> int:
    """Count the pending deliveries, held ones included."""
    (count,) = connection.execute("SELECT count(*) FROM pending").fetchone()
    return int(count)


def waiting(connection: sqlite3.Connection) -> dict[str, int]:
    """Count the pending deliveries by the reason of their last postponement."""
    return dict(connection.execute(_WAITING).fetchall())


def touch(connection: sqlite3.Connection) -> None:
    """Write to the file what changes nothing."""
    connection.execute(TOUCH)


def newest_started(connection: sqlite3.Connection) -> list[Started]:
    """Return each object's newest start; reads all that is remembered."""
    return [
        Started(
            uid=uid,
            namespace=namespace,
            name=name,
            kind=kind,
            delivery_id=delivery_id,
            time=from_microseconds(started_at),
            build=build,
        )
        for uid, namespace, name, kind, delivery_id, started_at, build in connection.execute(_NEWEST).fetchall()
    ]


def purge(connection: sqlite3.Connection, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` of the starts from before a time, the oldest first; return how many."""
    return connection.execute(_PURGE, (to_microseconds(before), limit)).rowcount


def _parameters(key: Key) -> tuple[str, str, int]:
    return key.uid, key.delivery_id, key.index
