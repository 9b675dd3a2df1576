"""What feeds the mirror: kopf's watches where we reconcile, informers where we only receive.

kopf is the operator's framework; what a receiver needs of it, to know our objects, an informer does in a third of the
memory. Targets that are not of our kinds come by an informer in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from kubernetes.aio.client import Configuration

from hookwright.cluster import BUILDTRIGGERS, CRONJOBS, WEBHOOKS, Cluster, Resource
from hookwright.cluster.answers import DELETED
from hookwright.cluster.informer import Informer
from hookwright.cluster.mirror import Mirror
from hookwright.errors import ClusterError, UsageError
from hookwright.kinds import BuildTrigger, CronJob, ObjectKind, Raw, Webhook

log = structlog.get_logger()

RESYNC_SECONDS = 300.0
SETTLE_SECONDS = 2.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
NO_CRDS = "the CRDs are not installed: kubectl apply -f crds/"

# Targets first, so that no Webhook misses one that is there.
OURS: Mapping[type[ObjectKind], Resource] = {BuildTrigger: BUILDTRIGGERS, Webhook: WEBHOOKS}


def follow_cronjobs(cluster: Cluster, mirror: Mirror) -> Informer:
    """Make the informer of CronJobs, of which any may be a target."""
    return Informer(cluster, CRONJOBS, seen=partial(_mirror_event, mirror, CronJob))


def _mirror_event(mirror: Mirror, kind: type[ObjectKind], event: str | None, raw: Raw) -> None:
    if event == DELETED:
        mirror.remove(kind, raw)
    else:
        mirror.put(kind, raw)


async def fill(mirror: Mirror, cluster: Cluster) -> bool:
    """List all our objects into the mirror, targets first."""
    for kind, resource in OURS.items():
        uids, before = set(), mirror.uids(kind)
        try:
            async for raw in cluster.list(resource):
                mirror.put(kind, raw)
                uids.add(raw["metadata"]["uid"])
        except ClusterError as error:
            if error.status == 404:  # noqa: PLR2004 - the resource itself is unknown
                raise UsageError(NO_CRDS) from None
            raise
        # What a watch has shown meanwhile may have come after the list was made.
        mirror.retain(kind, uids | (mirror.uids(kind) - before))
    return True


class InformerFeed:
    """Our kinds by informers, into a mirror that `fill` has filled."""

    def __init__(self, cluster: Cluster, mirror: Mirror) -> None:
        self._mirror = mirror
        self._shown: dict[type[ObjectKind], set[str]] = {kind: set() for kind in OURS}
        self._informers = {
            # Without our own kinds there is nothing to do: a right, or a CRD, that comes back must be found soon.
            kind: Informer(cluster, resource, seen=partial(self._see, kind), refused_seconds=LONGEST_WAIT_SECONDS)
            for kind, resource in OURS.items()
        }

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind, informer in self._informers.items():
                group.create_task(informer.run())
                group.create_task(self._forget(kind, informer))

    def _see(self, kind: type[ObjectKind], event: str, raw: Raw) -> None:
        _mirror_event(self._mirror, kind, event, raw)
        if kind in self._shown:
            self._shown[kind].add(raw["metadata"]["uid"])

    async def _forget(self, kind: type[ObjectKind], informer: Informer) -> None:
        """Forget what went after it was filled in and before the informer's own list: nobody else tells of it."""
        await informer.synced.wait()
        self._mirror.retain(kind, self._shown.pop(kind))


class KopfFeed:
    """Our kinds by kopf's watches, started again when they end, and completed by lists of our own."""

    def __init__(self, configuration: Configuration, cluster: Cluster, mirror: Mirror) -> None:
        self._configuration = configuration
        self._cluster = cluster
        self._mirror = mirror
        self._listed = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            group.create_task(self._resync())

    async def _watch(self) -> None:
        """Keep kopf's watches going: what ends them, such as an error event, is mostly temporary."""
        from hookwright.reconcile.watches import Watches

        wait = FIRST_WAIT_SECONDS
        loop = asyncio.get_running_loop()
        while True:
            watches = Watches(self._configuration, loop=loop, seen=self._see)
            watches.start()
            self._listed.set()
            began = loop.time()
            try:
                await watches.ended()
            finally:
                await watches.stop()
            wait = FIRST_WAIT_SECONDS if loop.time() - began > LONGEST_WAIT_SECONDS else wait
            log.warning("watches", error="the watches ended; they are started again", again_in=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            await self._refill()

    def _see(self, kind: type[ObjectKind], event: str | None, raw: Mapping[str, Any]) -> None:  # Any: a raw object
        _mirror_event(self._mirror, kind, event, raw)
        if event is None:
            self._listed.set()

    async def _resync(self) -> None:
        """List everything after kopf did, and now and then: kopf does not say what had gone before it listed."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RESYNC_SECONDS):
                    await self._listed.wait()
                    # Its list comes object by object: one of ours after the last of them serves for all.
                    await asyncio.sleep(SETTLE_SECONDS)
            self._listed.clear()
            await self._refill()

    async def _refill(self) -> None:
        try:
            await fill(self._mirror, self._cluster)
        except (ClusterError, UsageError) as error:
            log.warning("cluster", error=error.message)
