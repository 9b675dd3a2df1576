"""The record of all outcomes, which may be lost: `history.db` beside the journal.

Nothing waits for it. `write` takes a record in memory, in about a microsecond, and never fails; a thread of its own
commits what has gathered, twice a second or by the thousand. The file is in WAL mode with `synchronous=NORMAL`: a
commit survives the end of the process, but not always that of the machine.

What a kill -9 takes: the worker writes a record before it concludes the delivery in the journal. Killed between the
two, the journal repeats the start and so the record, in place. Killed after both but before the thread came round, the
record of a concluded start is gone: to have each conclusion wait for this file would cost more than the record is
worth, and what must not be lost is in the journal. `flush` is for orderly ends.

A file that is damaged, foreign, from a newer version or write-protected is renamed to `history.db.corrupt-N` (the
newest two are kept) and made anew, also in the middle of the work. Where that does not help either (a full disk, a
read-only volume), the history is off, says so once, keeps the newest records in memory and tries again each minute. The
file can be removed at any time.

A flood costs next to nothing: of each object and reason the first few refused requests of each flush get a row, and the
first hundred deliveries that were ignored without being accepted first; the rest is counted. A row for each would let
strangers decide how much we write, and what came to nothing, by the thousand in a second, would push out what matters.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar

import structlog

from hookwright.journal import history_statements as statements
from hookwright.journal.history_file import HistoryFile, bounds_for
from hookwright.journal.history_keeper import BATCH, MAX_WAITING, Batch, Burst, Keeper
from hookwright.journal.history_rows import (
    IGNORED,
    REFUSED,
    Bounds,
    HistoryOff,
    Page,
    Query,
    Record,
    cut,
    name_record,
    to_cursor,
)

T = TypeVar("T")

log = structlog.get_logger()

FLUSH_SECONDS: Final = 0.5
LOOK_AFTER_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 10.0
"""For how long a caller waits for the thread: a disk that hangs must hang nobody else."""
REFUSED_KEPT: Final = 5
"""How many refused requests of one object and reason get a row at each flush."""
IGNORED_KEPT: Final = 100
"""How many ignored deliveries of one object and reason get a row at each flush."""
MAX_BURSTS: Final = 200
"""Of how many objects and reasons this is counted at each flush; what is refused of others counts as lost."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class History:
    """The outcomes of all deliveries, newest first; belongs to the event loop in which it was made."""

    def __init__(self, folder: Path, *, bounds: Bounds | None = None, clock: Callable[[], datetime] = _utc_now) -> None:
        """Start the thread, which opens the file, or makes it, in the folder of an open journal; never fails.

        `clock` says what is too old. Without `bounds` the usual ones hold, on a small volume smaller ones.
        """
        bounds = bounds or bounds_for(folder)
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._keeper = Keeper(HistoryFile(folder, bounds), bounds)
        self._waiting: deque[Record] = deque(maxlen=MAX_WAITING)
        self._bursts: dict[tuple[str, str], Burst] = {}
        self._lost = 0
        self._lost_told = 0
        self._mistaken = False
        self._batch: asyncio.Future[bool] | None = None
        self._looking: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        # Any: jobs of all results share one queue.
        self._queue: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="history", daemon=True).start()
        self._minute: asyncio.Handle = self._loop.call_soon(self._look_after)

    @property
    def on(self) -> bool:
        """Whether the file is open and took what it was last given."""
        return self._keeper.on

    @property
    def lost(self) -> int:
        """How many records were dropped since the start: too many waited, or a record was no record."""
        return self._lost + self._keeper.lost

    def write(self, record: Record, *, concludes: bool = False) -> None:
        """Take a record; it is in the file after the next flush. Never waits, never raises.

        One that `concludes` an accepted delivery has its row whatever it says, after those written before it: one of
        the same delivery may say that it is pending.
        """
        try:
            record = cut(record)
            if self._closing:
                self._lost += 1
            elif record.outcome == REFUSED:
                self._lost += not self._write_burst(record, kept=REFUSED_KEPT)
            elif concludes or record.outcome != IGNORED or not self._write_burst(record, kept=IGNORED_KEPT):
                self._lost += len(self._waiting) == MAX_WAITING
                self._waiting.append(record)
                if self._timer is None or len(self._waiting) >= BATCH:
                    self._schedule()
        except (AttributeError, TypeError):
            # A mistake of the caller's, who is about to answer a delivery: that must not suffer from it. The first of
            # them says it all; the rest is in the number that is said each minute.
            if not self._mistaken:
                self._mistaken = True
                log.exception("history", **name_record(record))
            self._lost += 1

    def _write_burst(self, record: Record, *, kept: int) -> bool:
        """Take a record, or count it; say whether there was room for its object and reason."""
        key = (record.key.uid, record.reason)
        burst = self._bursts.get(key)
        if burst is None:
            if len(self._bursts) == MAX_BURSTS:
                return False
            burst = self._bursts[key] = Burst()
            self._schedule()
        if len(burst.records) < kept:
            burst.records.append(record)
        else:
            burst.left_out += 1
        return True

    async def flush(self) -> bool:
        """Have all that was written before committed; say whether it is. False too if the disk takes too long."""
        if self._closing:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                if self._batch is not None:
                    await asyncio.shield(self._batch)
                # If another one is out by now, all that was written before this call is in it.
                return await asyncio.shield(self._hand_over())
        return False

    async def find(
        self,
        *,
        namespace: str | None = None,
        name: str | None = None,
        kind: str | None = None,
        outcome: str | None = None,
        reason: str | None = None,
        delivery_id: str | None = None,
        since: datetime | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> Page:
        """Give the newest records that equal all that is given, at most `limit` (and `MAX_LIMIT`) of them.

        They are ordered by when the request came that a record is about; `since` is about that time too. `before` is
        what the page before said. A record that is replaced meanwhile may move to the front, where the next look finds
        it; none comes twice in one walk through the pages.

        Raises:
            HistoryOff: the file cannot be used now.
            UsageError: no page said `before`.
        """
        query = Query(
            namespace=namespace,
            name=name,
            kind=kind,
            outcome=outcome,
            reason=reason,
            delivery_id=delivery_id,
            since=since,
            limit=limit,
            before=None if before is None else to_cursor(before),
        )
        return await self._ask(partial(statements.find, query=query))

    async def count(self) -> int:
        """Count the records, refused ones included; raises HistoryOff as `find`."""
        return await self._ask(statements.count)

    async def close(self) -> None:
        """Commit what waits and end the thread; a second call waits for the first. What is written later is lost."""
        if not self._closing:
            self._closing = True
            self._minute.cancel()
            self._submit(partial(self._keeper.record, self._gather()))
            self._queue.put(None)
        await asyncio.wait({self._closed}, timeout=PATIENCE_SECONDS)
        if not self._closed.done():
            log.error("history", error="the disk does not answer; what was recorded last may be lost")

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read, after what was written before; a question that nobody waits for any more is not asked."""
        await self.flush()
        if self._closing:
            raise HistoryOff("The history is closed: this process is stopping.")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._submit(partial(self._keeper.read, work))
        except TimeoutError:
            raise HistoryOff("The history does not answer: its disk is too slow, or hangs.") from None

    def _schedule(self) -> None:
        """Have what waits handed over, soon or, if it is much, now; while a batch is out, its end sees to that."""
        if self._batch is not None or self._closing:
            return
        if len(self._waiting) >= BATCH:
            self._hand_over()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_SECONDS, self._hand_over)

    def _hand_over(self) -> asyncio.Future[bool]:
        """Give the thread what waits, unless a batch is out already; return the one that is out."""
        if self._batch is None or self._batch.done():
            self._batch = self._submit(partial(self._keeper.record, self._gather()))
            self._batch.add_done_callback(self._batch_done)
        return self._batch

    def _gather(self) -> Batch:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = Batch(records=self._waiting, bursts=list(self._bursts.values()))
        self._waiting, self._bursts = deque(maxlen=MAX_WAITING), {}
        return batch

    def _batch_done(self, batch: asyncio.Future[bool]) -> None:
        # Between the end of a batch and this, somebody may have handed over the next one.
        if self._batch is batch:
            self._batch = None
            if self._waiting or self._bursts:
                self._schedule()

    def _look_after(self) -> None:
        """Once a minute: try a file again that is off, remove what is too old, and say what was lost."""
        self._minute.cancel()
        self._minute = self._loop.call_later(LOOK_AFTER_SECONDS, self._look_after)
        if self._looking is None or self._looking.done():
            self._looking = self._submit(partial(self._keeper.look_after, now=self._clock()))
        if self.lost > self._lost_told:
            log.warning("history", lost=self.lost - self._lost_told)
            self._lost_told = self.lost

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((work, future))
        return future

    def _settle(self, future: asyncio.Future[Any], result: Any, error: HistoryOff | None) -> None:  # Any: as the queue
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    # From here on: the history's thread.

    def _run(self) -> None:
        try:
            while (job := self._queue.get()) is not None:
                work, future = job
                if not future.cancelled():
                    self._tell(self._settle, future, *_attempt(work))
        finally:
            self._keeper.close()
            self._tell(self._closed.set_result, None)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        # The loop may have been closed before us: nobody is left to hear it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)


def _attempt(work: Callable[[], T]) -> tuple[T | None, HistoryOff | None]:
    try:
        return work(), None
    except HistoryOff as error:
        return None, error
    except Exception as error:
        # Whatever it is, the caller must hear of it and the thread live on.
        log.exception("history")
        return None, HistoryOff(f"The history cannot answer this: {type(error).__name__}.")
