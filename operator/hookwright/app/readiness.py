"""Whether a process does its work, and what it waits for if it does not. Pure.

What is not asked is as important: a receiver goes on taking deliveries while the API server is away, so that must not
take it out of a Service.
"""

from __future__ import annotations

from collections.abc import Callable

from hookwright.errors import ClusterError, HookwrightError

STARTING = "starting"
WAITING = "waiting for the API server"
FILLING = "filling the mirror"
OPENING = "starting to listen"
DRAINING = "draining"
MAX_TROUBLE = 300


def describe_wait(error: HookwrightError) -> str:
    """Say what is waited for, by what an API server has answered or not."""
    return f"{WAITING}: {error.message}" if isinstance(error, ClusterError) else f"waiting: {error.message}"


class Readiness:
    """What a process waits for: the stage of its life, then what is in the way of its work."""

    def __init__(self) -> None:
        self._stage = STARTING
        self._checks: list[Callable[[], str]] = []

    def enter(self, stage: str) -> None:
        """Say which stage of its life the process is in."""
        self._stage = stage

    def live(self) -> None:
        """Say that nothing is waited for any more."""
        self._stage = ""

    def require(self, check: Callable[[], str]) -> None:
        """Ask `check` too from now on: it says what is in the way; nothing if nothing is."""
        self._checks.append(check)

    @property
    def trouble(self) -> str:
        """Why the process is not ready, in one line; empty if it is."""
        found = self._stage or next(filter(None, (check() for check in self._checks)), "")
        return " ".join(found.split())[:MAX_TROUBLE]
