"""A process that accepts deliveries until it is killed; run by the crash tests.

Usage: journal_child.py FOLDER PREFIX IN_FLIGHT ROWS. It prints `open` and then each accepted id, and stops after ROWS
of them (0: never). The first accept that fails makes it kill itself.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from journal_samples import delivery

from hookwright.errors import JournalUnwritable
from hookwright.journal import Journal


async def main(folder: Path, prefix: str, in_flight: int, rows: int) -> None:
    journal = await Journal.open(folder)
    os.write(1, b"open\n")
    numbers = iter(range(rows)) if rows else itertools.count()

    async def accept() -> None:
        for number in numbers:
            try:
                await journal.accept(delivery(f"{prefix}-{number}"))
            except JournalUnwritable:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(1, f"{prefix}-{number}\n".encode())

    await asyncio.gather(*(accept() for _ in range(in_flight)))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
