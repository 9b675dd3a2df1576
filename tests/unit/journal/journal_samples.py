"""Deliveries, and grips on a journal's inside, for the tests of this folder."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from hookwright.journal import Accepted, Journal, Key

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def delivery(
    delivery_id: str = "d1",
    *,
    uid: str = "uid-1",
    index: int = 0,
    at: datetime = NOON,
    work: bytes = b"{}",
    namespace: str = "default",
) -> Accepted:
    return Accepted(
        key=Key(uid=uid, delivery_id=delivery_id, index=index),
        namespace=namespace,
        name=f"hook-of-{uid}",
        kind="Webhook",
        accepted_at=at,
        work=work,
    )


def connection_of(journal: Journal) -> sqlite3.Connection:
    """Return the writer's connection, to be used only while the writer has nothing to do."""
    return journal._writer._database.connection


@asynccontextmanager
async def writer_held(journal: Journal) -> AsyncIterator[None]:
    """Keep the writer busy inside the block, so that what is submitted there becomes one group."""
    loop, busy, gate = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(busy.set)
        gate.wait()

    journal._writer.read(hold)
    await busy.wait()
    try:
        yield
    finally:
        gate.set()


async def let_submit() -> None:
    """Let new tasks run until they wait for the writer, and the loop hand over what they submitted."""
    for _ in range(3):
        await asyncio.sleep(0)
