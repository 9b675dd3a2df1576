"""How long to wait before the next try to create a build. Pure."""

from __future__ import annotations

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 60.0
JITTER = 0.25
LONGEST_WAIT_SECONDS = LONGEST_SECONDS * (1 + JITTER)


def backoff(attempts: int, *, jitter: float) -> float:
    """Give the seconds to wait after `attempts` tries that failed.

    Doubles from half a second to a minute; `jitter` (0 to 1) adds up to a quarter, so that what failed together is not
    tried together.
    """
    exponent = min(max(attempts, 1) - 1, 16)
    return min(FIRST_SECONDS * 2.0**exponent, LONGEST_SECONDS) * (1 + jitter * JITTER)


def has_waited(attempts: int, seconds: float) -> bool:
    """Say whether `attempts` tries that failed took `seconds` at least, whatever the wall clock says."""
    left = seconds
    for attempt in range(1, attempts + 1):
        if left <= 0:
            break
        left -= backoff(attempt, jitter=0.0)
    return left <= 0
