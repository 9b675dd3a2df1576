"""Room for bodies: bytes and places, who waits and who must make room."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from hookwright.intake import bodies
from hookwright.intake.bodies import BodyMemory, Busy, NeverFits
from support.waiting import eventually, patience, settle

LONG = 3600.0  # longer than any machine stands still


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """Nobody has waited for too long, or been too slow, unless a test says when."""
    monkeypatch.setattr(bodies, "WAIT_SECONDS", LONG)
    monkeypatch.setattr(bodies, "GRACE_SECONDS", LONG)


class Reader:
    """A task that takes room, and holds it until it is told otherwise."""

    def __init__(self, memory: BodyMemory, size: int = 0, owner: bodies.Owner = ("", "")):
        self.memory = memory
        self.owner = owner
        self.size = size
        self.inside = False
        self.come = asyncio.Event()
        self.answered = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> str:
        with self.memory.open(self.owner) as share:
            try:
                async with asyncio.timeout(LONG) as deadline:
                    await share.reserve(self.size, deadline)
                    self.inside = True
                    try:
                        await self.come.wait()
                    finally:
                        share.settle()
            except Busy:
                return "busy"
            except TimeoutError:
                assert share.given_up
                return "given up"
            await self.answered.wait()
            return "read"

    async def end(self) -> str:
        self.come.set()
        self.answered.set()
        return await self.task


@asynccontextmanager
async def reading(memory: BodyMemory, *sizes: int):
    """Give a reader for each size, started one after the other; end them at the end."""
    readers = []
    for size in sizes:
        readers.append(Reader(memory, size))
        await settle()
    try:
        yield readers
    finally:
        for reader in readers:
            reader.task.cancel()
        await asyncio.gather(*(reader.task for reader in readers), return_exceptions=True)


def inside(readers) -> list[bool]:
    """Say which readers have been let in."""
    return [reader.inside for reader in readers]


async def test_bytes_are_held_until_the_answer():
    """The bytes of a body are held while it comes and while it is judged, and no longer."""
    memory = BodyMemory(100)
    async with reading(memory, 60, 40) as (first, second):
        assert memory.held_bytes == 100
        first.come.set()
        await settle()
        assert memory.held_bytes == 100
        await first.end()
        assert memory.held_bytes == 40
        await second.end()
    assert memory.held_bytes == 0


async def test_who_does_not_fit_waits_in_order():
    """A body that does not fit waits, those behind it too, even if they would fit; each goes in when there is room."""
    memory = BodyMemory(100)
    async with reading(memory, 90, 50, 10, 60) as readers:
        assert inside(readers) == [True, False, False, False]
        await readers[0].end()
        await settle()
        assert inside(readers) == [True, True, True, False]
        await readers[1].end()
        await settle()
        assert inside(readers) == [True, True, True, True]


FLOODED, SIBLING, OTHER = ("ns", "flooded"), ("ns", "sibling"), ("other", "hook")


@pytest.mark.parametrize(("size", "places"), [(30, 256), (0, 3)])
async def test_who_has_most_coming_waits_longest(size, places):
    """Of those who wait the one whose namespace has least coming is next, then whose URL has; else who came first."""
    memory = BodyMemory(100, read_at_once=places)
    async with reading(memory) as readers:
        for owner in (FLOODED, FLOODED, FLOODED, FLOODED, FLOODED, SIBLING, SIBLING, OTHER, OTHER):
            readers.append(Reader(memory, size, owner))
            await settle()
        assert inside(readers) == [True] * 3 + [False] * 6
        let_in = []
        for number in (0, 1, 2):
            before = inside(readers)
            await readers[number].end()
            await settle()
            let_in += [index for index, reader in enumerate(readers) if reader.inside and not before[index]]
        # First the other namespace, which has nothing coming; then, with as much of both, the URLs that have nothing.
        assert let_in == [7, 5, 3]


async def test_flood_of_empty_promises_keeps_only_its_own_url_out(monkeypatch):
    """Who announces much and sends nothing, a thousand times, does not keep out who delivers to another URL."""
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.05)
    memory = BodyMemory(100)
    flood = [Reader(memory, 50, FLOODED) for _ in range(1000)]
    await settle()
    for owner in (SIBLING, OTHER):
        honest = Reader(memory, 1, owner)
        async with patience():
            # It sends what it has at once: who is slower than that gives up its room, as the flood does.
            assert await honest.end() == "read"
    assert sum(not reader.inside for reader in flood) > 900
    for reader in flood:
        reader.task.cancel()
    await asyncio.gather(*(reader.task for reader in flood), return_exceptions=True)
    assert memory.held_bytes == 0
    assert memory._next() is None
    assert not memory._waiting


async def test_places_are_for_bodies_that_come():
    """So many bodies are read at once; one that is being judged has no place any more, only its bytes."""
    memory = BodyMemory(100, read_at_once=2)
    async with reading(memory, 1, 1, 1) as readers:
        assert inside(readers) == [True, True, False]
        readers[0].come.set()
        await settle()
        assert inside(readers) == [True, True, True]
        assert memory.held_bytes == 3


async def test_waiting_is_bounded(monkeypatch):
    """Who waits too long hears that the receiver is busy; nothing is left of it, and who stood behind it moves up."""
    monkeypatch.setattr(bodies, "WAIT_SECONDS", 0.01)
    memory = BodyMemory(100)
    async with reading(memory, 90) as (holder,):
        large = Reader(memory, 50)
        await settle()
        monkeypatch.setattr(bodies, "WAIT_SECONDS", LONG)
        small = Reader(memory, 10)
        assert await large.task == "busy"
        await eventually(lambda: small.inside)
        assert memory.held_bytes == 100
        await small.end()
        assert await holder.end() == "read"
    assert memory.held_bytes == 0


async def test_waiting_ends_with_its_task():
    """A sender that goes away while it waits leaves nothing behind, and lets those behind it in."""
    memory = BodyMemory(100)
    async with reading(memory, 90, 50, 10) as (_, waiting, behind):
        waiting.task.cancel()
        await settle()
        assert inside([waiting, behind]) == [False, True]
        assert memory.held_bytes == 100


async def test_chunks_take_room_as_they_come():
    """A body of no known length takes room piece by piece; where there is none it is refused at once."""
    memory = BodyMemory(100)
    async with reading(memory, 50) as (other,):
        with memory.open() as share:
            async with asyncio.timeout(LONG) as deadline:
                await share.reserve(0, deadline)
            share.grow(30)
            share.grow(20)
            assert memory.held_bytes == 100
            with pytest.raises(Busy):
                share.grow(1)
            await other.end()
            share.grow(50)
            with pytest.raises(NeverFits):
                share.grow(1)
        assert memory.held_bytes == 0


async def test_body_larger_than_all_room_never_fits():
    """A body that could never be held is refused at once, with another error than one that may come later."""
    memory = BodyMemory(100)
    with memory.open() as share:
        async with asyncio.timeout(LONG) as deadline:
            with pytest.raises(NeverFits):
                await share.reserve(101, deadline)
    assert memory.held_bytes == 0


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_room_is_given_back_on_every_path(error):
    """Whatever ends the block, what was taken is given back."""
    memory = BodyMemory(100, read_at_once=1)
    with pytest.raises(error), memory.open() as share:  # noqa: PT012 - the block is what is tried
        async with asyncio.timeout(LONG) as deadline:
            await share.reserve(10, deadline)
            share.grow(5)
            raise error
    assert memory.held_bytes == 0
    async with reading(memory, 100) as (reader,):
        assert reader.inside


async def test_slow_body_makes_room_for_who_waits(monkeypatch):
    """While somebody waits, the body that has been coming longest is given up, one at a time, until there is room."""
    memory = BodyMemory(100, read_at_once=3)
    async with reading(memory, 1, 1, 1) as readers:
        assert inside(readers) == [True, True, True]
        monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.05)
        late = Reader(memory, 1)
        assert await readers[0].task == "given up"
        await eventually(lambda: late.inside)
        assert [reader.task.done() for reader in (*readers, late)] == [True, False, False, False]
        await asyncio.sleep(0.1)  # nobody waits any more: the others may take their time
        assert [await reader.end() for reader in (*readers[1:], late)] == ["read"] * 3


async def test_as_many_slow_bodies_as_needed_make_room(monkeypatch):
    """If one slow body is not enough, the next one goes too; who waits gets in long before its own time is over."""
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.05)
    memory = BodyMemory(100)
    async with reading(memory, 40, 40, 10, 70) as readers:
        await eventually(lambda: readers[3].inside)
        assert [reader.task.done() for reader in readers] == [True, True, False, False]


async def test_body_that_is_judged_is_not_given_up(monkeypatch):
    """Only bodies that still come can make room: who waits for one that is being judged waits for its answer."""
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0)
    memory = BodyMemory(100)
    async with reading(memory, 100) as (judged,):
        judged.come.set()
        await settle()
        waiting = Reader(memory, 1)
        await settle()
        assert not waiting.inside
        assert await judged.end() == "read"
        await eventually(lambda: waiting.inside)
        await waiting.end()
