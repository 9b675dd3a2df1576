"""A test's patience: it ends, but not by time in which nobody could look."""

from __future__ import annotations

import asyncio
import time

import pytest

from support import waiting
from support.waiting import Patience, patience, within

LONG = 60.0


async def test_patience_ends():
    """What never comes is given up."""
    with pytest.raises(TimeoutError):
        async with patience(0.05):
            await asyncio.Event().wait()


async def test_standing_still_takes_no_patience():
    """A process that could not look for longer than its patience looks all the same."""
    came = asyncio.Event()
    async with patience(0.5):
        asyncio.get_running_loop().call_later(0.01, came.set)
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - the loop is to stand still
        await asyncio.sleep(0)
        await came.wait()


async def test_patience_outlives_its_block_in_nothing():
    """What ends in time is given, and nothing is left that counts on."""
    before = asyncio.all_tasks()
    assert await within(LONG, asyncio.sleep(0, "given")) == "given"
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_mistakes_inside_come_out():
    """What is raised inside the block is raised."""
    with pytest.raises(LookupError):
        async with patience(LONG):
            raise LookupError


def test_patience_without_a_loop_ends_by_looks(monkeypatch: pytest.MonkeyPatch):
    """A look that took an hour counts for seconds; many looks use the patience up."""
    hour = iter(range(0, 360_000, 3_600))
    monkeypatch.setattr(waiting.time, "monotonic", lambda: float(next(hour)))
    left = Patience(3 * waiting.LOOK_SECONDS)
    assert [left.lasts(), left.lasts(), left.lasts()] == [True, True, False]
