"""Have Hookwright wait as long as tests wait for it: for its callers, and at its end for the API server and its disk.

A sender that is slow is not kept for long, nor is an API server when a process ends. A test's is slow whenever its
loop, or the machine, is busy elsewhere: where Hookwright runs in the same loop, a hundred deliveries at the same time
leave one waiting for seconds between its connection and its first byte. What is given up then is rightly given up, and
not what the test is about. Tests of these limits set them anew.

`python -m support.calm` is `hookwright` with this patience; SIGUSR1 ends the time in which it drains.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import ModuleType
from typing import Any

from hookwright.app import admin, intake, starting
from hookwright.cluster import secrets
from hookwright.commands import main
from hookwright.intake import bodies, server
from hookwright.reconcile import lease
from hookwright.reconcile.election import Terms
from support.waiting import HTTP_SECONDS

# For each step of an end: tests of an API server that hangs wait for several.
END_SECONDS = 15.0
LIMITS: tuple[tuple[ModuleType, str, Any], ...] = (
    (server, "HEADER_MILLISECONDS", int(HTTP_SECONDS * 1000)),
    (server, "BODY_SECONDS", HTTP_SECONDS),
    (bodies, "WAIT_SECONDS", HTTP_SECONDS),
    (bodies, "GRACE_SECONDS", HTTP_SECONDS),
    (secrets, "PATIENCE_SECONDS", HTTP_SECONDS),
    (admin, "HEAD_SECONDS", HTTP_SECONDS),
    (admin, "ANSWER_SECONDS", HTTP_SECONDS),
    (starting, "LAST_STARTS_SECONDS", END_SECONDS),
    (starting, "FAREWELL_SECONDS", END_SECONDS),
    (starting, "COUNT_SECONDS", END_SECONDS),
    (lease, "RELEASE_SECONDS", END_SECONDS),
)
# Of an operator in the test's own process, which stands still with it, and has no rival.
TERMS = Terms(lease=150, deadline=HTTP_SECONDS, renew=3.0)


@contextmanager
def _changed(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    try:
        for module, name, limit in changes:
            setattr(module, name, limit)
        yield
    finally:
        for module, name, limit in before:
            setattr(module, name, limit)


@contextmanager
def be_calm() -> Iterator[None]:
    """Wait long in this process, and have its operator keep the Lease, for the length of a `with` block."""
    from hookwright.app import operating  # a receiver does without

    with _changed(*LIMITS, (operating, "Lease", partial(lease.Lease, terms=TERMS))):
        yield


async def drain(seconds: float) -> None:
    """Wait for so long, or until SIGUSR1 comes."""
    enough = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, enough.set)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await enough.wait()


if __name__ == "__main__":
    with _changed(*LIMITS, (intake, "IntakeServer", partial(server.IntakeServer, sleep=drain))):
        main()
