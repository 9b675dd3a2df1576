"""Waiting for something to be true, in the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.001


async def eventually(happened: Callable[[], object]) -> None:
    """Wait until `happened` gives something true; a TimeoutError says that it did not."""
    async with asyncio.timeout(PATIENCE_SECONDS):
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
