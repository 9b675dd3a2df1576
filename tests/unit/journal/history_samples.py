"""Records, and grips on a history's inside, for the tests of this folder."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from journal_samples import MINUTE, NOON

from hookwright.journal import History, Key, Page, Record, RecordedBuild

BUILD = RecordedBuild(api_version="batch/v1", kind="Job", name="hook-0123456789")


def record(
    delivery_id: str = "d1",
    outcome: str = "suspended",
    *,
    uid: str = "uid-1",
    index: int = 0,
    at: datetime = NOON,
    **more,
) -> Record:
    """Return a record whose namespace, name and times follow from the rest, unless they are given."""
    given = {
        "namespace": "default",
        "name": f"hook-of-{uid}",
        "kind": "Webhook",
        "decided_at": at,
        "reason": f"Because{outcome.title()}",
        "message": f"It was {outcome}.",
    }
    key = Key(uid=uid, delivery_id=delivery_id, index=index)
    return Record(key=key, received_at=at, outcome=outcome, **(given | more))


def start(delivery_id: str = "d1", *, at: datetime = NOON, build: RecordedBuild = BUILD, **more) -> Record:
    """Return the record of a build that exists."""
    return record(delivery_id, "started", at=at, build=build, **more)


def ids(page: Page) -> list[str]:
    return [recorded.record.key.delivery_id for recorded in page.records]


def minutes(number: int) -> datetime:
    return NOON + number * MINUTE


async def only(history: History):
    """Return the only row."""
    (recorded,) = (await history.find()).records
    return recorded


async def write_all(history: History, *records: Record) -> None:
    for one in records:
        history.write(one)
    assert await history.flush()


async def fill(folder: Path, number: int = 300) -> Path:
    """Make a history of some rows, and close it."""
    history = History(folder, clock=lambda: NOON)
    await write_all(history, *(record(f"d{one}", message="x" * 1000) for one in range(number)))
    await history.close()
    return folder / "history.db"


def aside(folder: Path) -> list[str]:
    """Name what was set aside."""
    return sorted(path.name for path in folder.iterdir() if ".corrupt-" in path.name)


def garbage(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)


async def minute_passes(history: History) -> None:
    """Do what is done once a minute."""
    history._look_after()
    await history._looking


async def in_thread(history: History, work):
    """Run `work` with the connection, in the history's thread."""
    return await history._submit(lambda: work(history._keeper._file._connection))


@asynccontextmanager
async def thread_held(history: History) -> AsyncIterator[None]:
    """Keep the history's thread busy inside the block, as a disk does that hangs."""
    loop, busy, gate = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold() -> None:
        loop.call_soon_threadsafe(busy.set)
        gate.wait()

    history._submit(hold)
    await busy.wait()
    try:
        yield
    finally:
        gate.set()
