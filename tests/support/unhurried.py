"""`hookwright` with more time: to be run by its path, as the program of a process that a test starts.

Hookwright waits seconds for a slow sender, and when it ends, for what it still has to do: then it lets go. On a machine
that runs many tests a process may get no turn for that long, and what is then left undone is right, but not what tests
of anything else look for. `support.calm` is for tests that take the API server away: there it ends as soon as ever, and
waits for Secrets instead.
"""

from __future__ import annotations

from pathlib import Path

from hookwright.app import admin, starting
from hookwright.commands import main
from hookwright.commands.check import check
from hookwright.intake import bodies, server
from hookwright.reconcile import lease

PROGRAM = ("-P", str(Path(__file__).resolve()))
"""The arguments with which Python runs this file, and finds nothing beside it."""

SECONDS = 120.0
# What a pod has to end in is the chart's to say, or a test's.
LAST_SECONDS = 60.0


def be_unhurried() -> None:
    """Set the limits of this process."""
    server.HEADER_MILLISECONDS = int(SECONDS * 1000)
    server.BODY_SECONDS = int(SECONDS)
    bodies.WAIT_SECONDS = SECONDS
    admin.HEAD_SECONDS = admin.ANSWER_SECONDS = SECONDS
    lease.RELEASE_SECONDS = LAST_SECONDS
    starting.LAST_STARTS_SECONDS = starting.FAREWELL_SECONDS = LAST_SECONDS
    next(option for option in check.params if option.name == "timeout").default = int(SECONDS)


if __name__ == "__main__":
    be_unhurried()
    main()
