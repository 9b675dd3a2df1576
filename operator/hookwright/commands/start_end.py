"""Waiting for the end of a build that was started by hand: by its Job, or where that may not be seen, by status."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hookwright.builds.state import BuildPhase, read_job
from hookwright.builds.targets.job import JOB
from hookwright.cluster import BUILDTRIGGERS, Cluster
from hookwright.errors import ClusterError
from hookwright.kinds import BuildTrigger, InvalidObject, read

LOOK_SECONDS = 1.0
_FORBIDDEN = 403


@dataclass(frozen=True, kw_only=True)
class End:
    """How a build ended; or how it stands, if it has not (`phase` is None where nobody knows)."""

    phase: BuildPhase | None
    message: str


@dataclass(frozen=True, kw_only=True)
class Watching:
    """One build of one BuildTrigger; it is waited for so many `seconds`, by the monotonic clock `now`."""

    cluster: Cluster
    namespace: str
    trigger: str
    job: str
    seconds: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def wait(self) -> End:
        """Wait until the build has ended.

        Raises:
            ClusterError: the API server refuses, or is away for all that time.
        """
        until, name = self.now() + self.seconds, f"{JOB.kind} {self.namespace}/{self.job}"
        while True:
            phase = None
            try:
                phase = await self._look()
            except ClusterError as error:
                if not error.transient or self.now() >= until:
                    raise
            if phase is not None and phase.is_over:
                return End(phase=phase, message=f"{name}: {phase}")
            if self.now() >= until:
                stands = phase or "nobody says how it stands; to see Jobs takes the right get on jobs"
                return End(phase=phase, message=f"{name} has not ended after {self.seconds:g} seconds: {stands}")
            await self.sleep(LOOK_SECONDS)

    async def _look(self) -> BuildPhase | None:
        """Say how the build stands; None: nobody knows."""
        try:
            raw = await self.cluster.get(JOB.resource, namespace=self.namespace, name=self.job)
        except ClusterError as error:
            if error.status != _FORBIDDEN:
                raise
            return await self._look_into_status()
        if raw is None:
            # It was there: it has ended and was removed, which status remembers of the newest, or was deleted.
            return await self._look_into_status() or BuildPhase.CANCELED
        build = read_job(raw)
        return build.phase if build is not None else None

    async def _look_into_status(self) -> BuildPhase | None:
        raw = await self.cluster.get(BUILDTRIGGERS, namespace=self.namespace, name=self.trigger)
        try:
            status = read(BuildTrigger, raw).status if raw is not None else None
        except InvalidObject:
            status = None
        if status is None:
            return None
        known = [*status.active, *([status.last_build] if status.last_build is not None else [])]
        return next((BuildPhase(one.phase) for one in known if (one.kind, one.name) == (JOB.kind, self.job)), None)
