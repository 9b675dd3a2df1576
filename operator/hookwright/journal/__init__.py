"""What must not be lost: accepted deliveries that must still start a build, and the ids that were decided.

One SQLite file, `journal.db`, in a folder of its own on block storage; one process at a time. Whatever `Journal.accept`
returned for is on the disk, and stays pending until it is concluded, through crashes and restarts.

    requests ──► `store` (a face for asyncio) ──► `writer` (one thread, one transaction per group, one fsync)
                                                    │
                                 `statements` (the SQL), `database` (the file), `lock` (one process), `holds` (memory)
                                 `turns` (whose rows are claimed: the namespaces', in turn)
                                 `room` (the volume: a fair part for each namespace, by `ledger`, and a reserve)

Beside it `history.db`, which may be lost: the record of all outcomes. Nothing waits for it, nothing fails with it.

    records ───► `history` (a face for asyncio) ──► `history_keeper` (one thread, a transaction each half second)
                                                    │
                                 `history_statements` (the SQL), `history_file` (the file), `history_rows` (values)

Why not simply a connection per request: an fsync costs about a millisecond whatever it carries. Everything that waits
when the writer comes round shares one, so a thousand deliveries a second cost little more than one.
"""

from __future__ import annotations

from hookwright.journal.history import History
from hookwright.journal.history_rows import Bounds, HistoryOff, Page, Record, Recorded, RecordedBuild
from hookwright.journal.rows import MAX_WORK, Accept, Accepted, Backlog, Decided, Key, Pending, RowError, Started, Taken
from hookwright.journal.statements import REMEMBERED
from hookwright.journal.store import Journal

__all__ = [
    "MAX_WORK",
    "REMEMBERED",
    "Accept",
    "Accepted",
    "Backlog",
    "Bounds",
    "Decided",
    "History",
    "HistoryOff",
    "Journal",
    "Key",
    "Page",
    "Pending",
    "Record",
    "Recorded",
    "RecordedBuild",
    "RowError",
    "Started",
    "Taken",
]
