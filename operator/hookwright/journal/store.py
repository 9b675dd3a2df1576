"""The journal as its users see it: accept, claim, then postpone or conclude."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from hookwright.errors import JournalError, JournalUnwritable
from hookwright.journal import statements
from hookwright.journal.database import Database
from hookwright.journal.holds import Holds
from hookwright.journal.room import Room
from hookwright.journal.rows import MAX_WORK, Accept, Accepted, Backlog, Key, Pending, RowError, Started, Taken
from hookwright.journal.statements import LONGEST_POSTPONEMENT, REMEMBERED
from hookwright.journal.turns import Turns
from hookwright.journal.writer import Writer

_STARTED: Final = "started"
_PURGE_BATCH: Final = 250
_SHARE: Final = 16 * 1024
"""Bytes of work for which a row counts once against `max_waiting`: what waits is bounded in bytes too."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """The accepted deliveries that must still start something, and the ids that were decided.

    Belongs to the event loop in which it was opened. All methods but `open` and `close` may raise JournalUnwritable;
    what that means for the rows is said at each.
    """

    def __init__(self, writer: Writer, room: Room, *, clock: Callable[[], datetime], longest: timedelta) -> None:
        self._writer = writer
        self._room = room
        self._clock = clock
        self._longest = longest
        self._holds = Holds()
        self._turns = Turns()

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        clock: Callable[[], datetime] = _utc_now,
        longest: timedelta = LONGEST_POSTPONEMENT,
        max_waiting: int = 10_000,
    ) -> Journal:
        """Open the journal in a folder, or make it; what was pending when it was last used is pending again.

        `clock` dates conclusions. `longest` is for how long something is postponed at once, at most: what is due later
        than that is due now, since the clock must have been set back. `max_waiting` bounds the rows that wait for the
        disk, where a row counts once for each 16 KiB of work.

        Raises:
            JournalLocked: another process has it.
            JournalUnwritable: the folder cannot be written, or the file is damaged, foreign or from a newer version.
        """
        database = await asyncio.to_thread(Database, folder)
        return cls(Writer(database, max_waiting=max_waiting), database.room, clock=clock, longest=longest)

    @staticmethod
    async def exists(folder: Path) -> bool:
        """Say whether there is a journal in a folder, without making one.

        Raises:
            JournalUnwritable: the folder cannot be read.
        """
        return await asyncio.to_thread(Database.exists, folder)

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Call `callback` in the loop when accepted rows are on the disk, once per group of them.

        Rows that were pending at `open` are not announced: claim once to begin with.
        """
        self._writer.listen(callback)

    async def accept(self, delivery: Accepted) -> Accept:
        """Put a delivery on the disk unless its key is there already, pending or started.

        Raises:
            JournalUnwritable: it is not there and will not be acted upon (the disk is full or read-only, the queue
                too long, the journal closed). Trying again helps.
            JournalCrowded: what is pending takes all the room that it may, or its namespace's part of it. Trying again
                helps once something has left.
            RowError: it has more than `MAX_WORK` bytes, or text that is not Unicode. Trying again does not help.
        """
        (answer,) = await self.accept_all([delivery])
        return answer

    async def accept_all(self, deliveries: Sequence[Accepted]) -> list[Accept]:
        """Put several rows of one namespace on the disk, all or none; the answers are in their order.

        The errors are those of `accept`.

        A caller that is cancelled while it waits has accepted all the same.
        """
        for delivery in deliveries:
            if len(delivery.work) > MAX_WORK:
                raise RowError(
                    f"The work of a delivery for {delivery.namespace}/{delivery.name} has {len(delivery.work)} bytes;"
                    f" the journal takes at most {MAX_WORK}."
                )
        rows = [statements.to_row(delivery) for delivery in deliveries]
        cost = sum(1 + len(delivery.work) // _SHARE for delivery in deliveries)
        work = partial(statements.accept, rows=rows, room=self._room)
        answers = await self._writer.write(work, cost=cost, announced=True)
        if isinstance(answers, JournalError):
            raise answers
        return answers

    async def claim(
        self, limit: int, *, now: datetime, shares: Mapping[str, int] = MappingProxyType({})
    ) -> list[Pending]:
        """Hold and return up to `limit` deliveries that are due and that nobody holds.

        They are of the namespaces in turn, one of each, and of one namespace the longest due come first. Of a namespace
        that `shares` names they are no more than it says.

        They are held, in memory only, until `conclude`, `postpone` or `release`.
        """
        future = self._writer.read(
            partial(
                statements.claim,
                holds=self._holds,
                turns=self._turns,
                limit=limit,
                now=now,
                longest=self._longest,
                shares=shares,
            )
        )
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(self._release_unseen)
            raise

    async def postpone(self, key: Key, *, due: datetime, reason: str, attempts: int) -> None:
        """End the hold; the delivery is not claimed again before `due`, and then with these `attempts` and `reason`.

        If the disk does not take it, memory does, until a restart; so this fails only once the journal is closed.
        """

        def after(committed: bool) -> None:  # noqa: FBT001 - the writer's only word to it
            if committed:
                self._holds.end([key])
            else:
                self._holds.postpone(key, until=due, attempts=attempts, reason=reason)

        work = partial(statements.postpone, key=key, due=due, reason=reason, attempts=attempts)
        future = self._writer.write(work, after=after)
        with suppress(JournalUnwritable):
            await future

    async def conclude(self, key: Key, *, outcome: str, reason: str, build: str | None) -> None:
        """End a delivery and its hold.

        `started` is remembered for `REMEMBERED`: the id makes later deliveries duplicates. With any other outcome
        everything is forgotten, the reason too, and a later delivery with its id is new. What is not pending is left
        alone.

        Raises:
            JournalUnwritable: it is still pending and still held; conclude again, or postpone.
        """
        ledger = self._room.ledger
        work = (
            partial(statements.remember, key=key, at=self._clock(), reason=reason, build=build, ledger=ledger)
            if outcome == _STARTED
            else partial(statements.forget, key=key, ledger=ledger)
        )
        await self._writer.write(work, after=partial(self._end_if, key), frees=True)

    async def hasten(self, *, namespace: str, reason: str, now: datetime) -> None:
        """Make the deliveries to a namespace due now that were postponed for `reason`: what they wait for has come."""
        await self._writer.write(partial(statements.hasten, namespace=namespace, reason=reason, now=now))

    async def release(self, key: Key) -> None:
        """End the hold and change nothing else: the delivery can be claimed at once."""
        await self._writer.read(lambda _: self._holds.end([key]))

    async def oldest_pending(self) -> datetime | None:
        """Return when the longest waiting delivery was accepted, None if none waits."""
        return await self._writer.read(statements.oldest_pending)

    async def depth(self) -> int:
        """Count the pending deliveries, held ones included."""
        return await self._writer.read(statements.depth)

    async def backlog(self) -> Backlog:
        """Say how many deliveries are pending, and since when."""
        return await self._writer.read(statements.backlog)

    async def taken(self) -> Taken:
        """Say how many bytes are pending, and how many may be; none while the volume has no room for deliveries."""
        ledger = self._room.ledger
        return await self._writer.read(lambda _: Taken(size=ledger.total, limit=max(ledger.limit, 0)))

    async def waiting(self) -> dict[str, int]:
        """Count the pending deliveries by what they wait for; those that were not tried yet have an empty reason."""
        return await self._writer.read(statements.waiting)

    async def probe(self) -> None:
        """Write to the disk what changes nothing, and measure it: JournalUnwritable says that it takes nothing now."""
        # In a group of its own: what fails here must not take deliveries along. First, since it may find room.
        await self._writer.read(self._writer.probe)
        await self._writer.write(statements.touch)

    async def newest_started(self) -> list[Started]:
        """Return each object's newest start among those remembered.

        After a crash it tells what status may have missed. Reads all that is remembered, so not for every day.
        """
        return await self._writer.read(statements.newest_started)

    async def purge(self, *, now: datetime) -> int:
        """Forget the starts older than `REMEMBERED`; return how many. Others' rows are written in between."""
        work = partial(statements.purge, before=now - REMEMBERED, limit=_PURGE_BATCH)
        total = 0
        while forgotten := await self._writer.write(work, frees=True):
            total += forgotten
        return total

    async def close(self) -> None:
        """Write what waits, then close the file and let other processes have it."""
        await self._writer.close()

    def _end_if(self, key: Key, committed: bool) -> None:  # noqa: FBT001 - as in `postpone`
        if committed:
            self._holds.end([key])

    def _release_unseen(self, claimed: asyncio.Future[list[Pending]]) -> None:
        """Free what was claimed for a caller who no longer waits."""
        if claimed.cancelled() or claimed.exception() is not None:
            return
        keys = [pending.key for pending in claimed.result()]
        with suppress(JournalUnwritable):
            self._writer.read(lambda _: self._holds.end(keys))
