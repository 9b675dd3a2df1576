"""Which builds are older than a history limit keeps, and when each of them may go. Pure.

As a CronJob's limits: so many of the newest that succeeded, and of the newest that failed, are kept. But a delivery
that comes again is recognised by its Job, so none goes before the time is over that it was promised for
(`hookwright.dev/kept-until`: the duplicateWindow of what started it, from when the delivery was accepted).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hookwright.builds.state import Build, BuildPhase


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many builds are kept that succeeded, and that failed; None: all."""

    succeeded: int | None
    failed: int | None


@dataclass(frozen=True, kw_only=True)
class Surplus:
    """What may go now, the oldest first, and when the next one may (None: nothing else is to go)."""

    now: Sequence[Build] = ()
    next: datetime | None = None


def choose_surplus(builds: Sequence[Build], limits: Limits, *, now: datetime, window: timedelta) -> Surplus:
    """Choose among `builds`, the newest first; one that does not say how long it is kept is so for `window`."""
    beyond = [
        *_find_beyond(builds, BuildPhase.SUCCEEDED, limits.succeeded),
        *_find_beyond(builds, BuildPhase.FAILED, limits.failed),
    ]
    beyond.sort(key=lambda build: (build.created, build.name))
    free_at = {build.uid: build.kept_until or build.created + window for build in beyond}
    return Surplus(
        now=[build for build in beyond if free_at[build.uid] <= now],
        next=min((free for free in free_at.values() if free > now), default=None),
    )


def _find_beyond(builds: Sequence[Build], phase: BuildPhase, limit: int | None) -> Sequence[Build]:
    """Give those in a phase that are older than the newest `limit`, but for those that go already."""
    if limit is None:
        return ()
    return [build for build in builds if build.phase is phase and not build.going][limit:]
