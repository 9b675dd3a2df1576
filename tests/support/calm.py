"""Have Hookwright wait as long as tests wait for it: for its callers, and at its end for the API server and its disk.

A sender that is slow is not kept for long, nor is an API server when a process ends. A test's is slow whenever its
loop, or the machine, is busy elsewhere: where Hookwright runs in the same loop, a hundred deliveries at the same time
leave one waiting for seconds between its connection and its first byte. What is given up then is rightly given up, and
not what the test is about. Tests of these limits set them anew.

Run by its path, with two numbers of seconds before all other arguments, this file is `hookwright` with this patience
(see `make_program`); SIGUSR1 ends the time in which it drains. It must do without what is beside it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from hookwright.app import admin, intake, starting
from hookwright.cluster import secrets
from hookwright.commands import main
from hookwright.intake import bodies, server
from hookwright.reconcile import lease
from hookwright.reconcile.election import Terms

# As long as a test's own request waits.
SECONDS = 120.0
# For each step of an end: tests of an API server that hangs wait for several.
END_SECONDS = 15.0
# Of an operator in the test's own process, which stands still with it, and has no rival.
TERMS = Terms(lease=150, deadline=SECONDS, renew=3.0)

Change = tuple[Any, str, Any]


def make_program(*, end: float = END_SECONDS, secret: float = SECONDS) -> tuple[str, ...]:
    """Give the arguments with which Python is `hookwright` with this patience, and finds nothing beside this file.

    It waits for `end` seconds in each step of its end, and for `secret` seconds for an answer about a Secret of which
    it knows an older one: an API server that hangs takes all of both.
    """
    return "-P", str(Path(__file__).resolve()), str(end), str(secret)


@contextmanager
def be_calm() -> Iterator[None]:
    """Wait long in this process, and have its operator keep the Lease, for the length of a `with` block."""
    from hookwright.app import operating  # a receiver does without

    with _changed(*_stretch(END_SECONDS, SECONDS), (operating, "Lease", partial(lease.Lease, terms=TERMS))):
        yield


def _stretch(end: float, secret: float) -> tuple[Change, ...]:
    return (
        (server, "HEADER_MILLISECONDS", int(SECONDS * 1000)),
        (server, "BODY_SECONDS", SECONDS),
        (bodies, "WAIT_SECONDS", SECONDS),
        (bodies, "GRACE_SECONDS", SECONDS),
        (admin, "HEAD_SECONDS", SECONDS),
        (admin, "ANSWER_SECONDS", SECONDS),
        (secrets, "PATIENCE_SECONDS", secret),
        (starting, "LAST_STARTS_SECONDS", end),
        (starting, "FAREWELL_SECONDS", end),
        (starting, "COUNT_SECONDS", end),
        (lease, "RELEASE_SECONDS", end),
    )


@contextmanager
def _changed(*changes: Change) -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    try:
        for module, name, limit in changes:
            setattr(module, name, limit)
        yield
    finally:
        for module, name, limit in before:
            setattr(module, name, limit)


async def _drain(seconds: float) -> None:
    """Wait for so long, or until SIGUSR1 comes."""
    enough = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, enough.set)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await enough.wait()


def _run() -> None:
    """Be `hookwright`; whoever asks others whether they are ready has time, too."""
    from hookwright.commands.check import check

    _, end, secret, *sys.argv[1:] = sys.argv
    (timeout,) = (option for option in check.params if option.name == "timeout")
    sleeping = (intake, "IntakeServer", partial(server.IntakeServer, sleep=_drain))
    with _changed(*_stretch(float(end), float(secret)), sleeping, (timeout, "default", int(SECONDS))):
        main()


if __name__ == "__main__":
    _run()
