"""What feeds the mirror: kopf's watches where we reconcile in all namespaces, informers everywhere else.

kopf is the operator's framework; what a receiver needs of it, to know our objects, an informer does in a third of the
memory. In chosen namespaces the operator has informers too: kopf ends all its watches if it may not watch in one of
them. Targets that are not of our kinds come by informers in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import structlog
from kubernetes.aio.client import Configuration

from hookwright.app.readiness import describe_wait
from hookwright.cluster import BUILDTRIGGERS, CRONJOBS, WEBHOOKS, Cluster, Resource
from hookwright.cluster.answers import DELETED
from hookwright.cluster.informer import Informer
from hookwright.cluster.informers import Informers, space_refusals
from hookwright.cluster.mirror import Mirror
from hookwright.errors import ClusterError, Unready
from hookwright.kinds import BuildTrigger, CronJob, InvalidObject, ObjectKind, Raw, Webhook

log = structlog.get_logger()

RESYNC_SECONDS = 300.0
SETTLE_SECONDS = 2.0
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
_NOT_FOUND = 404  # of a list: the resource itself is unknown
NO_CRDS = "the CRDs are not installed: kubectl apply -f crds/"

# Targets first, so that no Webhook misses one that is there.
OURS: Mapping[type[ObjectKind], Resource] = {BuildTrigger: BUILDTRIGGERS, Webhook: WEBHOOKS}


def follow_cronjobs(cluster: Cluster, mirror: Mirror, namespaces: Sequence[str] = ()) -> Informers:
    """Make the informers of CronJobs, of which any may be a target."""
    seen = partial(_mirror_event, mirror, CronJob)
    return Informers(lambda namespace: Informer(cluster, CRONJOBS, seen=seen, namespace=namespace), namespaces)


def _mirror_event(mirror: Mirror, kind: type[ObjectKind], event: str | None, raw: Raw) -> None:
    if event == DELETED:
        mirror.remove(kind, raw)
    else:
        mirror.put(kind, raw)


async def fill(mirror: Mirror, cluster: Cluster) -> bool:
    """List all our objects into the mirror, targets first; a kind that is refused does not keep the others out.

    Raises:
        Unready: the CRDs are not there.
        ClusterError: the API server refuses, or is away.
    """
    refusal: ClusterError | None = None
    for kind, resource in OURS.items():
        uids, before = set(), mirror.uids(kind)
        try:
            async for raw in cluster.list(resource):
                mirror.put(kind, raw)
                uids.add(raw["metadata"]["uid"])
        except ClusterError as error:
            if error.status == _NOT_FOUND:
                raise Unready(NO_CRDS) from None
            if error.transient:
                raise
            refusal = refusal or error
            continue
        # What a watch has shown meanwhile may have come after the list was made.
        mirror.retain(kind, uids | (mirror.uids(kind) - before))
    if refusal is not None:
        raise refusal
    return True


class InformerFeed:
    """Our kinds by informers: of all namespaces, or of each of some."""

    def __init__(
        self,
        cluster: Cluster,
        mirror: Mirror,
        namespaces: Sequence[str] = (),
        *,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Follow `namespaces` (none: all); until the mirror is filled, `waiting` is told for what it waits."""
        self._filled = asyncio.Event()
        self._waiting = waiting

        def follow(kind: type[ObjectKind], resource: Resource) -> Informers:
            return Informers(
                lambda namespace: Informer(
                    cluster,
                    resource,
                    seen=partial(_mirror_event, mirror, kind),
                    namespace=namespace,
                    # Without our own kinds there is nothing to do: a right, or a CRD, that comes must be found soon.
                    refused_seconds=space_refusals(namespaces),
                    remedy_absent=NO_CRDS,
                    refused=self._tell,
                ),
                namespaces,
            )

        self._followed = {kind.KIND: follow(kind, resource) for kind, resource in OURS.items()}
        self.informers = {resource: self._followed[kind.KIND] for kind, resource in OURS.items()}

    def hides(self, kind: str, namespace: str) -> bool:
        """Whether objects of a kind may be there that the API server does not let us see."""
        found = self._followed[kind].of(namespace) if kind in self._followed else None
        return found is not None and not found.available

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informers in self.informers.values():
                group.create_task(informers.run())
                await informers.synced()
            self._filled.set()

    def _tell(self, error: ClusterError) -> None:
        if not self._filled.is_set():
            self._waiting(describe_wait(error if error.status != _NOT_FOUND else Unready(NO_CRDS)))

    async def filled(self) -> bool:
        """Wait until everything that may be listed is in the mirror, in one namespace at least."""
        return await self._filled.wait()


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

    def _see(self, kind: type[ObjectKind], event: str | None, found: ObjectKind | InvalidObject) -> None:
        if event == DELETED:
            self._mirror.forget(kind, found.metadata)
        else:
            self._mirror.take(kind, found)
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
        except (ClusterError, Unready) as error:
            log.warning("cluster", error=error.message)
