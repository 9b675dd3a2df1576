"""/metrics: made at most once a second, and never held up by a disk."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from hookwright.app import scrape
from hookwright.app.scrape import JournalView, MetricsPage
from hookwright.errors import JournalUnwritable
from hookwright.journal import Backlog, Taken
from support.objects import NOON
from support.waiting import eventually


class Numbers:
    """Metrics that count how often they were written."""

    def __init__(self):
        self.written = 0

    def write(self):
        self.written += 1
        return b"%d" % self.written


@pytest.fixture
def numbers():
    return Numbers()


async def test_page_is_made_once_a_second(numbers):
    """Whoever asks within a second gets what the last one got."""
    now = 100.0
    page = MetricsPage(numbers, clock=lambda: now)
    answers = await asyncio.gather(*(page.give() for _ in range(10)))
    assert {body for _, _, body in answers} == {b"1"}
    now += 1.0
    assert (await page.give())[2] == b"2"


async def test_page_is_prometheus_text(numbers):
    """The content type is the one that Prometheus knows the format by."""
    status, kind, _ = await MetricsPage(numbers).give()
    assert status == 200
    assert kind.startswith("text/plain; version=0.0.4;")


async def test_what_must_be_asked_for_is_asked_before(numbers):
    """What takes a while to learn is learned before the page is written."""
    page = MetricsPage(numbers)
    seen = []

    async def refresh():
        seen.append(numbers.written)

    page.refresh.append(refresh)
    await page.give()
    assert seen == [0]


class Shelf:
    """A journal that answers as it is told, and counts how often it was asked."""

    def __init__(self):
        self.answer = Backlog(pending=0, oldest=None)
        self.asked = 0

    async def taken(self):
        return Taken(size=3072, limit=1 << 20)

    async def backlog(self):
        self.asked += 1
        if isinstance(self.answer, Backlog):
            return self.answer
        if isinstance(self.answer, asyncio.Event):
            await self.answer.wait()
            return await self.backlog()
        raise self.answer


async def test_oldest_grows_older_while_the_disk_says_nothing(monkeypatch):
    """What was last known of the journal counts on while it cannot be asked."""
    monkeypatch.setattr(scrape, "JOURNAL_SECONDS", 0.001)
    now = NOON
    shelf = Shelf()
    view = JournalView(shelf, lambda: now)
    assert (view.pending, view.oldest_seconds) == (0, 0.0)
    shelf.answer = Backlog(pending=3, oldest=NOON - timedelta(seconds=5))
    await view.refresh()
    assert (view.pending, view.oldest_seconds) == (3, 5.0)
    assert view.taken == Taken(size=3072, limit=1 << 20)
    now += timedelta(seconds=60)
    for answer in (JournalUnwritable("the disk is full"), asyncio.Event()):
        shelf.answer = answer
        await view.refresh()
        assert (view.pending, view.oldest_seconds) == (3, 65.0)


async def test_journal_that_hangs_is_not_asked_anew(monkeypatch):
    """However often Prometheus asks, one question at a time waits for the disk; what it answers in the end is shown."""
    monkeypatch.setattr(scrape, "JOURNAL_SECONDS", 0.001)
    shelf = Shelf()
    shelf.answer = hanging = asyncio.Event()
    view = JournalView(shelf, lambda: NOON)
    for _ in range(5):
        await view.refresh()
    assert shelf.asked == 1
    shelf.answer = Backlog(pending=2, oldest=NOON)
    hanging.set()
    await eventually(lambda: view.pending == 2)


async def test_clock_that_was_set_back_makes_nothing_negative():
    """A delivery that was accepted in the future has no age."""
    shelf = Shelf()
    shelf.answer = Backlog(pending=1, oldest=NOON + timedelta(hours=1))
    view = JournalView(shelf, lambda: NOON)
    await view.refresh()
    assert view.oldest_seconds == 0.0
