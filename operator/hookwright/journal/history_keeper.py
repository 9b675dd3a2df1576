"""What the history's thread does: it keeps the file, and keeps what the file did not take yet."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final, TypeVar

import structlog

from hookwright.journal import history_statements as statements
from hookwright.journal.history_file import HistoryFile
from hookwright.journal.history_rows import REFUSED, Bounds, HistoryOff, Record, Row, name_record, to_row

T = TypeVar("T")

log = structlog.get_logger()

BATCH: Final = 1000
"""The most records of one transaction."""
MAX_WAITING: Final = 20_000
"""The most records that wait in memory, twice: for the thread, and for a file that is off. Then the oldest are lost."""
MAX_REFUSED_WAITING: Final = 1000
"""As `MAX_WAITING`, for the refused ones, which would otherwise push out all others while the file is off."""


@dataclass(kw_only=True, slots=True)
class Burst:
    """What came of one object and reason since the last flush, where only the first few get a row."""

    records: list[Record] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is handed to the thread at once."""

    records: Sequence[Record]
    bursts: Sequence[Burst]


class Keeper:
    """The file, and what waits for it."""

    def __init__(self, file: HistoryFile, bounds: Bounds) -> None:
        self._file = file
        self._bounds = bounds
        self._rows: deque[Row] = deque(maxlen=MAX_WAITING)
        self._refused: deque[Row] = deque(maxlen=MAX_REFUSED_WAITING)
        self._mistaken = False
        self.lost = 0

    @property
    def on(self) -> bool:
        """Whether the file is open and took what it was last given."""
        return self._file.on

    def record(self, batch: Batch) -> bool:
        """Write a batch, after what is left of those before; say whether nothing is left."""
        # What was ignored comes first: what then started, once its filter was mended, replaces it.
        for burst in batch.bursts:
            for record in burst.records[:-1]:
                self._add(record)
            self._add(burst.records[-1], left_out=burst.left_out)
        for record in batch.records:
            self._add(record)
        return self._write(self._rows) and self._write(self._refused)

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Ask the file; raises HistoryOff."""
        return self._file.use(work)

    def look_after(self, *, now: datetime) -> None:
        """Give a file that is off another chance; remove what is too old or too much, then write what waits."""
        self._file.try_again()
        with suppress(HistoryOff):
            while self._file.use(partial(statements.tidy, bounds=self._bounds, now=now)):
                pass
            self.record(Batch(records=(), bursts=()))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, record: Record, *, left_out: int = 0) -> None:
        waiting = self._refused if record.outcome == REFUSED else self._rows
        try:
            row = to_row(record, left_out)
        except (AttributeError, TypeError):
            if not self._mistaken:
                self._mistaken = True
                log.exception("history", **name_record(record))
            self.lost += 1
            return
        self.lost += len(waiting) == waiting.maxlen
        waiting.append(row)

    def _write(self, waiting: deque[Row]) -> bool:
        while waiting:
            chunk = list(islice(waiting, BATCH))
            try:
                self.lost += self._file.use(partial(statements.write, rows=chunk, bounds=self._bounds))
            except HistoryOff:
                return False
            except Exception:
                # A mistake of ours. Kept, these rows would be in the way of all others for ever.
                log.exception("history")
                self.lost += len(chunk)
            else:
                self._file.took()
            for _ in chunk:
                waiting.popleft()
        return True
