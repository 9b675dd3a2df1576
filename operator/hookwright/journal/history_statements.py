"""The SQL of the history, as functions of a connection. They run inside its thread and leave transactions to it.

One table, a row for each delivery and change of it. Refused requests stand in the same table, so that one query reads
all, but without a key: their id may be a stranger's invention, so a refused row meets no other and replaces none. The
two have bounds of their own, so that neither displaces the other.

What a record does to the row that is there under its key:

    a duplicate           is counted on it
    anything, on a start  is counted on it, because a build that exists is not unsaid; unless it is another start
    the same once more    changes nothing: a crash between the history and the journal's conclusion repeats a record
    anything else         replaces it

A start is a row with the outcome `started` and a build. Times are microseconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from hookwright.journal.history_rows import (
    MAX_LIMIT,
    Bounds,
    Page,
    Query,
    Record,
    Recorded,
    RecordedBuild,
    Row,
    clean,
)
from hookwright.journal.rows import Key, from_microseconds, to_microseconds

SLICE: Final = 2000
"""The most rows of a sort that one transaction removes: more than one adds, so that the bounds hold whatever comes."""
_FULL: Final = 0.9
"""From which part of its size on the file loses its oldest rows; the rest takes what one transaction adds."""

# As in `statements`: entries are never edited, and nothing needs more than SQLite 3.24.
MIGRATIONS: Final[Sequence[Sequence[str]]] = (
    (
        # `keyed` is 1, or NULL for a refused row: in a UNIQUE index no NULL equals another.
        """
        CREATE TABLE records (
            id INTEGER PRIMARY KEY,
            uid TEXT NOT NULL, delivery_id TEXT NOT NULL, item INTEGER NOT NULL, keyed INTEGER,
            namespace TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            first_received_at INTEGER NOT NULL, received_at INTEGER NOT NULL, decided_at INTEGER NOT NULL,
            outcome TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL, target TEXT NOT NULL,
            build_api_version TEXT, build_kind TEXT, build_name TEXT,
            event TEXT, client TEXT,
            duplicates INTEGER NOT NULL, last_duplicate_at INTEGER, last_duplicate_reason TEXT,
            left_out INTEGER NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX records_key ON records (delivery_id, uid, item, keyed)",
        "CREATE INDEX records_time ON records (received_at)",
        "CREATE INDEX records_namespace ON records (namespace, received_at)",
        "CREATE INDEX records_object ON records (namespace, name, received_at)",
        "CREATE INDEX records_outcome ON records (outcome, received_at)",
        "CREATE INDEX records_refused ON records (uid, received_at) WHERE keyed IS NULL",
    ),
)

_RECORD: Final = """
    INSERT INTO records (
        uid, delivery_id, item, keyed, namespace, name, kind, first_received_at, received_at, decided_at,
        outcome, reason, message, target, build_api_version, build_kind, build_name, event, client,
        duplicates, left_out
    ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 0, ?19)
    ON CONFLICT (delivery_id, uid, item, keyed) DO UPDATE SET
        first_received_at = min(first_received_at, excluded.received_at),
        received_at = excluded.received_at, decided_at = excluded.decided_at,
        outcome = excluded.outcome, reason = excluded.reason, message = excluded.message, target = excluded.target,
        build_api_version = excluded.build_api_version, build_kind = excluded.build_kind,
        build_name = excluded.build_name,
        event = coalesce(excluded.event, event), client = coalesce(excluded.client, client),
        left_out = left_out + excluded.left_out
    WHERE outcome <> 'started' OR build_name IS NULL OR (
        excluded.outcome = 'started' AND excluded.build_name IS NOT NULL AND excluded.received_at <> received_at
    )
"""
_COUNT: Final = """
    INSERT INTO records (
        uid, delivery_id, item, keyed, namespace, name, kind, first_received_at, received_at, decided_at,
        outcome, reason, message, target, build_api_version, build_kind, build_name, event, client,
        duplicates, last_duplicate_at, last_duplicate_reason, left_out
    ) VALUES (
        ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, 1, ?8, ?11, ?19
    )
    ON CONFLICT (delivery_id, uid, item, keyed) DO UPDATE SET
        first_received_at = min(first_received_at, excluded.received_at),
        duplicates = duplicates + 1,
        last_duplicate_at = excluded.received_at, last_duplicate_reason = excluded.reason,
        left_out = left_out + excluded.left_out
    WHERE excluded.outcome = 'duplicate' OR excluded.received_at <> received_at
"""
_TRIM_ONE: Final = """
    DELETE FROM records WHERE id IN (
        SELECT id FROM records INDEXED BY records_refused WHERE keyed IS NULL AND uid = ?
        ORDER BY received_at DESC, id DESC LIMIT -1 OFFSET ?
    )
"""
_TRIM_REFUSED: Final = """
    DELETE FROM records WHERE id IN (
        SELECT id FROM records INDEXED BY records_outcome WHERE outcome = 'refused' ORDER BY received_at, id LIMIT ?
    )
"""
_TRIM_KEYED: Final = """
    DELETE FROM records WHERE id IN (
        SELECT id FROM records INDEXED BY records_time WHERE keyed = 1 ORDER BY received_at, id LIMIT ?
    )
"""
_EXPIRE: Final = """
    DELETE FROM records WHERE id IN (
        SELECT id FROM records INDEXED BY records_time WHERE received_at < ? ORDER BY received_at, id LIMIT ?
    )
"""

_ROW_ERRORS: Final = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
)
"""What a row's own values cause; a statement that fails by it leaves the transaction as it was."""


def write(connection: sqlite3.Connection, rows: Iterable[Row], bounds: Bounds) -> int:
    """Write rows in their order and keep the bounds; return how many rows could not be, whatever the file."""
    bad, refusing = 0, set()
    for row in rows:
        uid, keyed, outcome = row[0], row[3], row[9]
        if keyed is None:
            refusing.add(uid)
        try:
            if outcome == "duplicate" or not connection.execute(_RECORD, row).rowcount:
                connection.execute(_COUNT, row)
        except _ROW_ERRORS:
            bad += 1
    for uid in refusing:
        connection.execute(_TRIM_ONE, (uid, bounds.refused_of_one))
    trim(connection, bounds)
    return bad


def trim(connection: sqlite3.Connection, bounds: Bounds) -> int:
    """Remove the oldest of what is too much, up to `SLICE` of a sort; return how many went, 0 if the bounds hold."""
    refused = _number(connection, "SELECT count(*) FROM records INDEXED BY records_refused WHERE keyed IS NULL")
    surplus = {_TRIM_REFUSED: refused - bounds.refused, _TRIM_KEYED: count(connection) - refused - bounds.records}
    used = _number(connection, "PRAGMA page_count") - _number(connection, "PRAGMA freelist_count")
    if used > bounds.pages * _FULL:
        # First what strangers sent, so that it never costs a record of somebody known.
        surplus[_TRIM_REFUSED if refused else _TRIM_KEYED] = SLICE
    return sum(
        connection.execute(statement, (min(number, SLICE),)).rowcount
        for statement, number in surplus.items()
        if number > 0
    )


def tidy(connection: sqlite3.Connection, bounds: Bounds, *, now: datetime) -> int:
    """Do as `trim`, and with what is too old likewise."""
    before = to_microseconds(now - bounds.age)
    return connection.execute(_EXPIRE, (before, SLICE)).rowcount + trim(connection, bounds)


def count(connection: sqlite3.Connection) -> int:
    """Count the rows, refused ones included."""
    return _number(connection, "SELECT count(*) FROM records")


def _number(connection: sqlite3.Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])


def find(connection: sqlite3.Connection, query: Query) -> Page:
    """Read one page; at worst it passes over every row."""
    conditions, parameters = _conditions(query)
    limit = max(1, min(query.limit, MAX_LIMIT))
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    found = cursor.execute(
        f"SELECT * FROM records INDEXED BY {_index_for(query)}"  # noqa: S608 - constants of this module
        f" WHERE {' AND '.join(conditions)} ORDER BY received_at DESC, id DESC LIMIT ?",
        (*parameters, limit + 1),
    ).fetchall()
    page, older = found[:limit], found[limit:]
    before = f"{page[-1]['received_at']}-{page[-1]['id']}" if older else None
    return Page(records=tuple(_recorded(row) for row in page), before=before)


def _index_for(query: Query) -> str:
    """Choose the index: SQLite, without statistics, would guess, and might sort the whole table."""
    if query.delivery_id is not None:
        return "records_key"
    if query.namespace is not None:
        return "records_namespace" if query.name is None else "records_object"
    return "records_time" if query.outcome is None else "records_outcome"


def _conditions(query: Query) -> tuple[list[str], list[str | int]]:
    conditions, parameters = ["1"], list[str | int]()
    for column, text in (
        ("namespace", query.namespace),
        ("name", query.name),
        ("kind", query.kind),
        ("outcome", query.outcome),
        ("reason", query.reason),
        ("delivery_id", query.delivery_id),
    ):
        if text is not None:
            conditions.append(f"{column} = ?")
            parameters.append(clean(text))
    if query.since is not None:
        conditions.append("received_at >= ?")
        parameters.append(to_microseconds(query.since))
    if query.before is not None:
        conditions.append("(received_at, id) < (?, ?)")
        parameters.extend(query.before)
    return conditions, parameters


def _recorded(row: sqlite3.Row) -> Recorded:
    build = RecordedBuild(api_version=row["build_api_version"], kind=row["build_kind"], name=row["build_name"])
    duplicate_at = row["last_duplicate_at"]
    return Recorded(
        record=Record(
            key=Key(uid=row["uid"], delivery_id=row["delivery_id"], index=row["item"]),
            namespace=row["namespace"],
            name=row["name"],
            kind=row["kind"],
            received_at=from_microseconds(row["received_at"]),
            decided_at=from_microseconds(row["decided_at"]),
            outcome=row["outcome"],
            reason=row["reason"],
            message=row["message"],
            target=row["target"],
            build=None if build.name is None else build,
            event=row["event"],
            client=row["client"],
        ),
        first_received_at=from_microseconds(row["first_received_at"]),
        duplicates=row["duplicates"],
        last_duplicate_at=None if duplicate_at is None else from_microseconds(duplicate_at),
        last_duplicate_reason=row["last_duplicate_reason"],
        left_out=row["left_out"],
    )
