"""Waiting for something to be true, with a patience that ends only in time in which this process could look.

A machine that runs many may stand still for a minute, and a busy disk holds up whoever writes. A clock counts that too:
what was a moment away is then given up before it was looked for once. So a patience counts short sleeps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
HTTP_SECONDS = 120.0  # for a request, whose client knows no patience but the clock's
POLL_SECONDS = 0.001
TICK_SECONDS = 0.25
LOOK_SECONDS = 5.0


@asynccontextmanager
async def patience(seconds: float = PATIENCE_SECONDS) -> AsyncIterator[None]:
    """Bound what is inside the block, as `asyncio.timeout` does; a TimeoutError says that it was over."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as deadline:

        async def count() -> None:
            left = seconds
            while left > 0:
                await asyncio.sleep(min(left, TICK_SECONDS))
                left -= TICK_SECONDS
            deadline.reschedule(loop.time())

        counting = asyncio.create_task(count())
        try:
            yield
        finally:
            counting.cancel()


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Give what `work` gives; a TimeoutError says that it took too long."""
    async with patience(seconds):
        return await work


class Patience:
    """A patience for who waits without an event loop: it is asked at each look, with a pause between."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._seen = time.monotonic()

    def lasts(self) -> bool:
        """Whether to look once more; however long a look has taken, it counts for `LOOK_SECONDS` at most."""
        now = time.monotonic()
        self._left -= min(now - self._seen, LOOK_SECONDS)
        self._seen = now
        return self._left > 0


async def eventually(happened: Callable[[], object]) -> None:
    """Wait until `happened` gives something true; a TimeoutError says that it did not."""
    async with patience():
        # What is looked at has no event of its own.
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` inside the block; a mistake that ended it is raised at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
