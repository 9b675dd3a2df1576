"""The operator's side: reconciles our objects while it holds the Lease, and waits ready while another does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from hookwright.builds.facts import FactSource, NoFacts
from hookwright.builds.follow import Following
from hookwright.builds.index import Step
from hookwright.builds.starter import Starter
from hookwright.cluster import Cluster
from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.cluster.watched_secrets import WatchedSecrets
from hookwright.kinds import BuildTrigger, Webhook
from hookwright.logs import name_object
from hookwright.metrics import Metrics, catalogue
from hookwright.reconcile.announcer import Announcer
from hookwright.reconcile.buildtrigger import reconcile_buildtrigger
from hookwright.reconcile.lease import Lease, LeasedCluster
from hookwright.reconcile.rootkey import RootKeys
from hookwright.reconcile.wakeups import changes_builds, find_refuted, keys_to_look_at
from hookwright.reconcile.webhook import reconcile_webhook
from hookwright.reconcile.work import Again, WorkQueue
from hookwright.reconcile.world import World
from hookwright.settings import Settings

RECONCILERS = 8
# A BuildTrigger is looked at so long after something has become of its builds.
BUILDS_SECONDS = 1.0


async def reconcile(key: Key, world: World) -> Again:
    """Reconcile an object of any of our kinds."""
    if key.kind == Webhook.KIND:
        return await reconcile_webhook(key, world)
    return await reconcile_buildtrigger(key, world)


class OperatorSide:
    """Everything that only the operator does."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        mirror: Mirror,
        secrets: SecretReader,
        watched: WatchedSecrets,
        cronjobs_known: Callable[[str], bool],
        following: Following,
        root_keys: RootKeys,
        settings: Settings,
        clock: Callable[[], datetime],
        metrics: Metrics,
        settling: Callable[[], bool] = lambda: False,
        facts: FactSource | None = None,
    ) -> None:
        self._mirror = mirror
        self.lease = Lease(cluster=cluster, namespace=settings.namespace, identity=settings.identity)
        # Whatever is written, Kubernetes Events and dry runs too, is written by who holds the Lease.
        leased = LeasedCluster(cluster, self.lease)
        world = World(
            cluster=leased,
            mirror=mirror,
            secrets=secrets,
            announcer=Announcer(leased, clock),
            clock=clock,
            settings=settings,
            root_keys=root_keys,
            # What is asked for by hand is asked for of a BuildTrigger that is there: no target is waited for.
            starter=Starter(
                cluster=leased,
                targets=mirror,
                clock=clock,
                patience=timedelta(0),
                settling=settling,
                facts=facts or NoFacts(),
            ),
            cronjobs_known=cronjobs_known,
            following=following,
        )
        self._notes = (world.trials, world.refusals, world.settled)
        self._trials, self._metrics = world.trials, metrics
        self._queue = WorkQueue[Key](
            work=lambda key: reconcile(key, world),
            workers=RECONCILERS,
            describe=lambda key: name_object(*key),
            done=lambda key, result, seconds: metrics.count_reconcile(key.kind, result, seconds),
        )
        metrics.show(catalogue.QUEUE, lambda: len(self._queue))
        metrics.show(catalogue.LEADER, lambda: self.lease.held)
        mirror.subscribe(self._see)
        watched.subscribe(lambda namespace, name: self._add(mirror.objects_on(namespace, name)))
        root_keys.subscribe(self.look_at_all)
        following.subscribe(stepped=self._see_build, listed=self._see_builds)

    def look_at_all(self) -> None:
        """Have every object looked at, as if nothing had been found out about it."""
        for notes in self._notes:
            notes.clear()
        self._add(self._mirror.keys(BuildTrigger.KIND))
        self._add(self._mirror.keys(Webhook.KIND))

    async def run(self) -> None:
        """Work while the Lease is held, until cancelled; then hand it on."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.lease.run())
                group.create_task(self._serve())
        finally:
            await asyncio.shield(self.lease.release())

    async def _serve(self) -> None:
        while True:
            await self.lease.wait_held()
            self.look_at_all()
            await self._work()

    async def _work(self) -> None:
        """Reconcile until the Lease is lost; what is under way then can write no more."""
        working = asyncio.create_task(self._queue.run())
        losing = asyncio.create_task(self.lease.wait_lost())
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                # It does not end by itself, unless by a mistake that must not pass unseen.
                working.result()
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)

    def _see(self, change: Change) -> None:
        refuted = find_refuted(change)
        if refuted is not None:
            self._trials.forget(refuted)
        self._add(keys_to_look_at(change, self._mirror))
        if changes_builds(change) and self.lease.held:
            self._queue.add_later(change.key, BUILDS_SECONDS)

    def _see_build(self, step: Step) -> None:
        """Have a build's BuildTrigger looked at, soon: many changes in a second are one look."""
        if not self.lease.held:
            return
        self._queue.add_later(Key(BuildTrigger.KIND, step.now.namespace, step.now.owner), BUILDS_SECONDS)
        if step.ends:
            self._metrics.count_build(step.now.phase, step.now.seconds)

    def _see_builds(self, namespace: str | None) -> None:
        """Have looked at what status says of builds that may have gone while nobody looked."""
        if self.lease.held:
            for key in self._mirror.keys(BuildTrigger.KIND):
                if namespace in (None, key.namespace):
                    self._queue.add_later(key, BUILDS_SECONDS)

    def _add(self, keys: Iterable[Key]) -> None:
        """Have objects looked at; without the Lease nobody works off the queue, and whoever gets it looks at all."""
        if self.lease.held:
            self._queue.add_all(keys)
