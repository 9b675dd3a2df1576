"""Two ways of doing many things: so many at a time, or so many per second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def work_off(work: Callable[[T], Awaitable[None]], items: Iterable[T], *, at_once: int) -> float:
    """Do `work` for every item, so many at a time; give the seconds that it took. The first error ends it."""
    left = iter(items)
    start = time.perf_counter()

    async def repeat() -> None:
        for item in left:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(repeat())
    return time.perf_counter() - start


async def keep_pace(work: Callable[[T], Coroutine[None, None, None]], items: Sequence[T], *, per_second: float) -> None:
    """Begin `work` for so many items per second, whether or not earlier ones have ended. The first error ends it."""
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, item in enumerate(items):
            await asyncio.sleep(start + number / per_second - time.perf_counter())
            group.create_task(work(item))
