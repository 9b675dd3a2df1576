"""One thread that owns the database, and group commit.

Callers in the event loop submit jobs. Those of one turn of the loop go to the thread together; while it commits, more
gather, and all of them are its next group. The writing jobs of a group share one transaction and one sync; reading
jobs run after it and see it. Then the loop is called back once, whatever the size of the group. Nothing polls: an idle
thread sleeps in its queue.

Failures: what is wrong with the disk fails every writing job of the group, and the thread goes on with the next one.
What is wrong with one job's values fails that job alone: the group is written again with a savepoint around each job.
On a full disk what frees it is written all the same, into the log's own room or that of the reserve.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

from hookwright.errors import JournalError, JournalUnwritable
from hookwright.journal.database import Database, explain
from hookwright.journal.ledger import Ledger
from hookwright.journal.room import is_full
from hookwright.journal.rows import RowError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

MAX_COST: Final = 512
"""The most that one transaction costs, by `Job.cost`, unless a single job costs more: 8 MiB of work."""

_ROW_ERRORS: Final = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What a job's own values cause, like text that is not Unicode; everything else is the disk's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Something to do with the database, and who waits for it.

    `cost` is its share of the queue's bound. `after` is told in the writer's thread whether the job was committed.
    `announced` jobs wake the listeners once they are committed. `frees` says that it makes room on the disk.
    """

    work: Work[Any]  # any: jobs of all results share one queue, and `future` has the same type
    future: asyncio.Future[Any]
    writes: bool
    cost: int = 0
    after: Callable[[bool], None] | None = None
    announced: bool = False
    frees: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """A job that is done: its result, unless there is an error."""

    job: Job
    result: Any = None  # any: as in `Job`
    error: JournalError | None = None


class Writer:
    """Runs jobs in groups, in a thread of its own; its public methods belong to the loop in which it was made."""

    def __init__(self, database: Database, *, max_waiting: int) -> None:
        """Start the thread; it ends with `close`, and does not keep a process alive that forgets to."""
        self._database = database
        self._max_waiting = max_waiting
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[], None]] = []
        self._turn: list[Job] = []
        self._waiting = 0
        self._closing = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._queue: SimpleQueue[list[Job] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="journal-writer", daemon=True).start()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the loop, once for each group in which an announced job was committed."""
        self._listeners.append(listener)

    def write(
        self,
        work: Work[T],
        *,
        cost: int = 0,
        after: Callable[[bool], None] | None = None,
        announced: bool = False,
        frees: bool = False,
    ) -> asyncio.Future[T]:
        """Run `work` in the next transaction; the future is done when that is synced, or failed and rolled back.

        Raises:
            JournalUnwritable: the writer is closed, or too much waits. The future may fail with it too.
        """
        if cost and self._waiting and self._waiting + cost > self._max_waiting:
            raise JournalUnwritable(
                f"The journal's queue is full: {self._waiting} deliveries wait for the disk. Try again in a moment; if"
                " this lasts, the disk is too slow for what arrives."
            )
        future: asyncio.Future[T] = self._loop.create_future()
        self._submit(
            Job(work=work, future=future, writes=True, cost=cost, after=after, announced=announced, frees=frees)
        )
        return future

    def read(self, work: Work[T]) -> asyncio.Future[T]:
        """Run `work` outside of transactions, after what was submitted before it.

        Raises:
            JournalUnwritable: the writer is closed. The future may fail with it too.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._submit(Job(work=work, future=future, writes=False))
        return future

    def probe(self, _: sqlite3.Connection) -> None:
        """See `Database.probe`; a job for `read`."""
        self._database.probe()

    async def close(self) -> None:
        """Finish what was submitted, then close the database; a second call waits for the first."""
        if not self._closing:
            self._closing = True
            self._hand_over()
            self._queue.put(None)
        await asyncio.shield(self._closed)

    def _submit(self, job: Job) -> None:
        if self._closing:
            raise JournalUnwritable("The journal is closed: this process is stopping. Try again in a moment.")
        self._turn.append(job)
        self._waiting += job.cost
        if len(self._turn) == 1:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Give the thread what this turn of the loop has submitted: one wake-up, and one group rather than many."""
        if self._turn:
            self._queue.put(self._turn)
            self._turn = []

    def _settle(self, group: Sequence[Settled]) -> None:
        """Tell everybody in the loop; those who stopped waiting are passed over, their rows count all the same."""
        for settled in group:
            self._waiting -= settled.job.cost
            if settled.job.future.done():
                continue
            if settled.error is None:
                settled.job.future.set_result(settled.result)
            else:
                settled.job.future.set_exception(settled.error)
        if any(settled.job.announced and settled.error is None for settled in group):
            for listener in self._listeners:
                self._loop.call_soon(listener)  # on its own, so that one that raises takes nobody along

    # From here on: the writer's thread.

    def _run(self) -> None:
        try:
            while (group := self._next_group()) is not None:
                self._tell(self._settle, self._process(group))
        finally:
            try:
                self._database.close()
            finally:
                self._tell(self._closed.set_result, None)

    def _next_group(self) -> list[Job] | None:
        """Wait for jobs; return all that are there, None once the writer was closed and nothing is left."""
        group = self._queue.get()
        if group is None:
            return None
        while True:
            try:
                more = self._queue.get_nowait()
            except Empty:
                return group
            if more is None:
                self._queue.put(None)
                return group
            group.extend(more)

    def _process(self, group: Sequence[Job]) -> list[Settled]:
        settled = [one for jobs in _batches(group) for one in self._write(jobs)]
        settled.extend(self._read(job) for job in group if not job.writes)
        return settled

    def _write(self, jobs: Sequence[Job]) -> list[Settled]:
        try:
            settled = self._commit(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it is, waiting callers must hear of it and the thread live on
            settled = self._save(jobs, error)
        for one in settled:
            if one.job.after is not None:
                one.job.after(one.error is None)
        return settled

    def _save(self, jobs: Sequence[Job], error: Exception) -> list[Settled]:
        """Fail the jobs of a group that could not be committed, but for those that free a full disk."""
        full = is_full(error)
        settled = [self._fail(job, error) for job in jobs if not (full and job.frees)]
        freeing = [job for job in jobs if full and job.frees]
        for _ in self._database.make_room() if freeing else ():
            try:
                return settled + self._commit(freeing)
            except Exception as again:  # noqa: BLE001 - as in `_write`
                error = again
        return settled + [self._fail(job, error) for job in freeing]

    def _commit(self, jobs: Sequence[Job]) -> list[Settled]:
        try:
            with self._database.transaction() as connection:
                return [Settled(job=job, result=job.work(connection)) for job in jobs]
        except _ROW_ERRORS:
            with self._database.transaction() as connection:
                return [_write_apart(connection, job, self._database.room.ledger) for job in jobs]

    def _read(self, job: Job) -> Settled:
        try:
            return Settled(job=job, result=job.work(self._database.connection))
        except Exception as error:  # noqa: BLE001 - as in `_write`
            return self._fail(job, error)

    def _fail(self, job: Job, error: Exception) -> Settled:
        reason = explain(error, self._database.folder)
        reason.__cause__ = error
        return Settled(job=job, error=reason)

    def _tell(self, callback: Callable[..., None], argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:
            # The loop was closed before us: nobody is left to hear it.
            return


def _batches(group: Sequence[Job]) -> Iterator[list[Job]]:
    """Give the writing jobs in groups for one transaction each: a large one would make a log as large as itself."""
    batch: list[Job] = []
    cost = 0
    for job in group:
        if not job.writes:
            continue
        if batch and cost + job.cost > MAX_COST:
            yield batch
            batch, cost = [], 0
        batch.append(job)
        cost += job.cost
    if batch:
        yield batch


def _write_apart(connection: sqlite3.Connection, job: Job, ledger: Ledger) -> Settled:
    mark = ledger.mark()
    connection.execute("SAVEPOINT job")
    try:
        settled = Settled(job=job, result=job.work(connection))
    except _ROW_ERRORS as error:
        connection.execute("ROLLBACK TO job")
        ledger.undo(mark)
        refused = RowError(f"The journal cannot write this delivery: {error}")
        refused.__cause__ = error
        settled = Settled(job=job, error=refused)
    # Not in a `finally`: after an error of the disk there may be no transaction left, nor a savepoint.
    connection.execute("RELEASE job")
    return settled
