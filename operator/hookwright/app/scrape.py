"""`/metrics`: what is shown of one process, asked for when Prometheus asks, and at most once a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Protocol

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from hookwright.app.disk import DiskWatch
from hookwright.builds.index import BuildIndex
from hookwright.builds.state import BuildPhase
from hookwright.cluster import Resource
from hookwright.cluster.mirror import Mirror
from hookwright.errors import JournalUnwritable
from hookwright.journal import Backlog, Journal, Taken
from hookwright.metrics import Metrics, catalogue
from hookwright.reconcile.rootkey import RootKeys

KEEP_SECONDS = 1.0
JOURNAL_SECONDS = 1.0


class MetricsPage:
    """The page; whoever asks within a second gets what the last one got. `refresh` is called before it is written."""

    def __init__(self, metrics: Metrics, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.refresh: list[Callable[[], Awaitable[None]]] = []
        self._metrics = metrics
        self._clock = clock
        self._text = b""
        self._written_at: float | None = None
        self._writing = asyncio.Lock()

    async def give(self) -> tuple[int, str, bytes]:
        """Give the page."""
        async with self._writing:
            if self._written_at is None or self._clock() - self._written_at >= KEEP_SECONDS:
                for refresh in self.refresh:
                    await refresh()
                self._text = self._metrics.write()
                self._written_at = self._clock()
            return 200, CONTENT_TYPE_PLAIN_0_0_4, self._text


class Followed(Protocol):
    """Whatever follows a resource."""

    @property
    def going(self) -> bool:
        """Whether all its watches go, as far as we know."""
        ...


class JournalView:
    """What a journal was last known to hold, `taken` in bytes; a disk that hangs keeps nobody from reading the rest."""

    def __init__(self, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._clock = clock
        self._backlog = Backlog(pending=0, oldest=None)
        self.taken = Taken(size=0, limit=0)
        self._looking: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Look into the journal, and do not wait for long; while it hangs it is not asked anew."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.wait({self._looking}, timeout=JOURNAL_SECONDS)

    async def _look(self) -> None:
        with suppress(JournalUnwritable):
            self._backlog = await self._journal.backlog()
            self.taken = await self._journal.taken()

    @property
    def pending(self) -> int:
        """How many deliveries are pending."""
        return self._backlog.pending

    @property
    def oldest_seconds(self) -> float:
        """How long ago the oldest of them was accepted; 0 if there is none."""
        oldest = self._backlog.oldest
        return max((self._clock() - oldest).total_seconds(), 0.0) if oldest is not None else 0.0


def show_cluster(metrics: Metrics, mirror: Mirror, root_keys: RootKeys) -> None:
    """Show what is known of the cluster."""
    metrics.show(catalogue.ROOT_KEY, lambda: root_keys.usable)
    for kind in sorted(catalogue.OBJECTS.labels["kind"]):
        metrics.show(catalogue.OBJECTS, partial(mirror.count, kind), kind=kind)


def show_watches(metrics: Metrics, followed: Mapping[Resource, Followed]) -> None:
    """Show how well resources are followed."""
    for resource, informers in followed.items():
        metrics.show(catalogue.WATCHED, partial(getattr, informers, "going"), resource=resource.plural)


def show_builds(metrics: Metrics, index: BuildIndex) -> None:
    """Show how many builds are known."""
    for phase in BuildPhase:
        metrics.show(catalogue.BUILDS, partial(index.count, phase), phase=phase.value)


def show_journal(metrics: Metrics, view: JournalView, disk: DiskWatch) -> None:
    """Show what waits in the journal, and whether more can be taken."""
    metrics.show(catalogue.PENDING, lambda: view.pending)
    metrics.show(catalogue.PENDING_BYTES, lambda: view.taken.size)
    metrics.show(catalogue.PENDING_LIMIT, lambda: view.taken.limit)
    metrics.show(catalogue.OLDEST, lambda: view.oldest_seconds)
    metrics.show(catalogue.WRITABLE, lambda: not disk.trouble)
