"""Builds that are known, and that no watch shows: each is read until it is over, gone, or shown again.

A watch that chooses by label says DELETED of what was deleted and of what has lost the label, in the same words: it
shows the object's last state, mostly without a deletionTimestamp. Only a read tells the one from the other. What has
lost the label goes on all the same, and nobody tells what becomes of it: it is read again now and then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from hookwright.builds.state import Build
from hookwright.cluster import JOBS, Cluster
from hookwright.errors import ClusterError
from hookwright.kinds import Raw
from hookwright.logs import name_object

log = structlog.get_logger()

AGAIN_SECONDS: Final = 10.0


class Strays:
    """Tells `seen` what was read of each build: its Job, or None if that is not there any more.

    They are read one after the other, however many there are. While the API server does not say, nothing is told.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        seen: Callable[[Build, Raw | None], None],
        again_seconds: float = AGAIN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._seen = seen
        self.again_seconds = again_seconds
        self._clock = clock
        self._due: dict[str, tuple[float, Build]] = {}  # by UID
        self._wake = asyncio.Event()
        self._refused = False

    def __len__(self) -> int:
        return len(self._due)

    def add(self, build: Build) -> None:
        """Read a build now, and again until it is forgotten, or not there."""
        self._due[build.uid] = (self._clock(), build)
        self._wake.set()

    def forget(self, uid: str) -> None:
        """Read a build no more."""
        self._due.pop(uid, None)

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            self._wake.clear()
            now = self._clock()
            for build in [build for due, build in self._due.values() if due <= now]:
                await self._try(build)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.again_seconds if self._due else None):
                    await self._wake.wait()

    async def _try(self, build: Build) -> None:
        try:
            await self._read(build)
        except Exception:
            # A mistake about one build must not hide the others, nor end the process in whose group this runs.
            log.exception("builds", **name_object("Job", build.namespace, build.name))

    async def _read(self, build: Build) -> None:
        if build.uid not in self._due:
            return
        self._due[build.uid] = (self._clock() + self.again_seconds, build)
        try:
            raw = await self._cluster.get(JOBS, namespace=build.namespace, name=build.name)
        except ClusterError as error:
            self._complain(build, error)
            return
        if build.uid not in self._due:
            # A watch has shown it meanwhile, and knows better.
            return
        if raw is not None and raw["metadata"]["uid"] != build.uid:
            # Another has its name.
            raw = None
        if raw is None:
            self.forget(build.uid)
        self._seen(build, raw)

    def _complain(self, build: Build, error: ClusterError) -> None:
        """Say which right is missing, once."""
        if error.transient or self._refused:
            return
        self._refused = True
        log.warning(
            "builds",
            **name_object("Job", build.namespace, build.name),
            error=f"whether it was deleted cannot be seen: {error.message}",
            again_in=self.again_seconds,
        )
