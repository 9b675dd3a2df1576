# ruff: noqa: T201 - a script that prints
"""How fast deliveries become durable, and how fast they are worked off.

Run it as `python tests/bench/journal.py`. The yardstick, taken in the same run and in the same folder, is a bare loop
that appends 4 KB and calls fsync, once per group: with N accepts in flight, N times as many rows as that would be a
journal that costs nothing but the sync. The ratio says how much of it is reached.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hookwright.journal import Accepted, Journal, Key

IN_FLIGHT = (1, 32, 256)
WORK = json.dumps({"filler": "x" * 1000}).encode()


def delivery(number: int) -> Accepted:
    """Return a delivery of one of 100 objects, as big as the usual one."""
    uid = f"00000000-0000-0000-0000-{number % 100:012}"
    return Accepted(
        key=Key(uid=uid, delivery_id=f"{time.time_ns():x}-{number:020}"),
        namespace="default",
        name=f"hook-{number % 100}",
        kind="Webhook",
        accepted_at=datetime.now(UTC),
        work=WORK,
    )


def appends_per_second(folder: Path, seconds: float) -> float:
    """Measure the yardstick: fsynced appends of 4 KB, one after the other."""
    count, block = 0, b"x" * 4096
    descriptor = os.open(folder / "yardstick", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        os.write(descriptor, block)
        os.fsync(descriptor)
        count += 1
    rate = count / (time.perf_counter() - start)
    os.close(descriptor)
    return rate


async def rows_per_second(work: Callable[[], Awaitable[int]], *, in_flight: int, seconds: float) -> float:
    """Repeat `work`, which returns how many rows it did, in so many tasks; return rows per second of all of them."""
    start = time.perf_counter()

    async def repeat() -> int:
        rows = 0
        while time.perf_counter() - start < seconds:
            rows += await work()
        return rows

    rows = sum(await asyncio.gather(*(repeat() for _ in range(in_flight))))
    return rows / (time.perf_counter() - start)


async def measure_accepts(folder: Path, *, in_flight: int, seconds: float) -> dict[str, float]:
    """Accept into an empty journal."""
    before = appends_per_second(folder, seconds / 4)
    journal = await Journal.open(folder / f"accept-{in_flight}")
    numbers = iter(range(1 << 62))

    async def accept() -> int:
        await journal.accept(delivery(next(numbers)))
        return 1

    rate = await rows_per_second(accept, in_flight=in_flight, seconds=seconds)
    await journal.close()
    appends = (before + appends_per_second(folder, seconds / 4)) / 2  # around it, because disks have moods
    return {
        "in_flight": in_flight,
        "rows_per_second": rate,
        "appends_per_second": appends,
        "ratio": rate / (appends * in_flight),
    }


async def measure_work(folder: Path, *, pending: int, seconds: float) -> dict[str, float]:
    """Claim and conclude, 32 rows in flight, from a journal in which `pending` rows wait."""
    journal = await Journal.open(folder / "work", max_waiting=pending)
    await asyncio.gather(*(journal.accept(delivery(number)) for number in range(pending)))

    async def claim_and_conclude() -> int:
        claimed = await journal.claim(4, now=datetime.now(UTC))
        await asyncio.gather(
            *(journal.conclude(one.key, outcome="started", reason="BuildStarted", build="job") for one in claimed)
        )
        return len(claimed)

    rate = await rows_per_second(claim_and_conclude, in_flight=8, seconds=seconds)
    left = await journal.depth()
    await journal.close()
    return {"pending": pending, "left": left, "rows_per_second": rate}


async def measure(seconds: float, folder: str | None) -> dict[str, Any]:
    """Take all measurements in a temporary folder (inside `folder`, if given)."""
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        accepts = [
            await measure_accepts(Path(temporary), in_flight=in_flight, seconds=seconds) for in_flight in IN_FLIGHT
        ]
        work = await measure_work(Path(temporary), pending=int(20_000 * seconds), seconds=seconds)
    return {"accept": accepts, "claim_and_conclude": work}


def report(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    print(f"{'in flight':>9} {'rows/s':>8} {'fsyncs/s':>9} {'rows/s : (in flight * fsyncs/s)':>32}")
    for one in figures["accept"]:
        accepts, appends, ratio = one["rows_per_second"], one["appends_per_second"], one["ratio"]
        print(f"{one['in_flight']:>9} {accepts:>8.0f} {appends:>9.0f} {ratio:>32.2f}")
    work = figures["claim_and_conclude"]
    print(f"claim and conclude, 32 in flight, {work['pending']} pending at first: {work['rows_per_second']:.0f} rows/s")


def main() -> None:
    """Print a table, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes (default 3)")
    parser.add_argument("--folder", help="where to measure: the disk matters (default: the system's temporary folder)")
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.seconds, arguments.folder))
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
