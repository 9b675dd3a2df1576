"""Waits that share a timer: each ends in its time, by itself or by what it waits for."""

from __future__ import annotations

import asyncio

import pytest

from hookwright.intake.deadlines import Deadlines

SOON = 0.01
NEVER = 3600


async def wait_under(deadlines, seconds, event, *, end_at_once=False):
    async with deadlines.timeout(seconds) as wait:
        if end_at_once:
            wait.reschedule(asyncio.get_running_loop().time())
        await event.wait()


async def test_waits_that_last_too_long_end():
    """Each of several waits ends with TimeoutError, however long it may last."""
    deadlines, ended = Deadlines(), []

    async def wait(seconds):
        with pytest.raises(TimeoutError):
            await wait_under(deadlines, seconds, asyncio.Event())
        ended.append(seconds)

    await asyncio.gather(*(wait(seconds) for seconds in (SOON * 2, SOON, SOON * 3)))
    assert sorted(ended) == [SOON, SOON * 2, SOON * 3]


async def test_short_wait_ends_beside_a_long_one():
    """The timer goes by what ends first, whatever was waited for before."""
    deadlines = Deadlines()
    long = asyncio.create_task(wait_under(deadlines, NEVER, asyncio.Event()))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await wait_under(deadlines, SOON, asyncio.Event())
    assert not long.done()
    long.cancel()


async def test_wait_that_begins_after_all_others_have_ended_is_bounded_too():
    """The timer is set anew when there is something to wait for again."""
    deadlines = Deadlines()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await wait_under(deadlines, SOON, asyncio.Event())


async def test_wait_that_is_over_is_forgotten():
    """What has come in time is not ended, and errors pass as they are."""
    deadlines, came = Deadlines(), asyncio.Event()
    came.set()
    await wait_under(deadlines, SOON, came)
    with pytest.raises(ZeroDivisionError):
        async with deadlines.timeout(SOON):
            raise ZeroDivisionError
    with pytest.raises(TimeoutError):
        await wait_under(deadlines, SOON * 2, asyncio.Event())


async def test_wait_can_be_ended_early():
    """Whoever holds a wait's timeout may end it before its time."""
    with pytest.raises(TimeoutError):
        await wait_under(Deadlines(), NEVER, asyncio.Event(), end_at_once=True)


async def test_cancelled_wait_is_cancelled():
    """A task that is cancelled while it waits hears of that, and not of a timeout."""
    task = asyncio.create_task(wait_under(Deadlines(), NEVER, asyncio.Event()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
