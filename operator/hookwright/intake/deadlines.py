"""Many short waits, bounded with one timer.

A timer for each costs a delivery more than verifying its signature does: after every single one uvloop takes a turn of
the loop, and a system call, to close its handle.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Deadlines:
    """Ends waits that last too long, as `asyncio.timeout` does. Belongs to one event loop."""

    def __init__(self) -> None:
        self._ends: dict[asyncio.Timeout, float] = {}
        # For the end that was first when it was set: mostly that wait is over by then, and the next one counts.
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def timeout(self, seconds: float) -> Deadline:
        """Give what is to be used as `asyncio.timeout(seconds)` is."""
        return Deadline(self, seconds)

    def add(self, wait: asyncio.Timeout, seconds: float) -> None:
        """Bound a wait that begins now."""
        end = asyncio.get_running_loop().time() + seconds
        self._ends[wait] = end
        if self._timer is None or end < self._due:
            self._set_timer(end)

    def remove(self, wait: asyncio.Timeout) -> None:
        """Forget a wait that is over."""
        self._ends.pop(wait, None)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_at(due, self._end_due)

    def _end_due(self) -> None:
        """End what is due, and look again when the next one is."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        for wait in [wait for wait, end in self._ends.items() if end <= now]:
            self.remove(wait)
            if not wait.expired():
                wait.reschedule(now)
        if self._ends:
            self._set_timer(min(self._ends.values()))


class Deadline:
    """One wait: an `asyncio.Timeout` that `Deadlines` ends."""

    __slots__ = ("_deadlines", "_seconds", "_wait")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._wait = asyncio.timeout(None)

    async def __aenter__(self) -> asyncio.Timeout:
        await self._wait.__aenter__()
        self._deadlines.add(self._wait, self._seconds)
        return self._wait

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._deadlines.remove(self._wait)
        await self._wait.__aexit__(kind, error, traceback)
