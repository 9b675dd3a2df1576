"""The composition root: puts the parts together and runs them, in one process and one event loop (kopf has its own).

watches ─► mirror ─┬─► routes ─► intake server ─► receiver ─► journal ─► worker ─► builds
                   └─► work queue ─► reconcile ─► status                    └─► status writer
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from kubernetes.aio.client import Configuration

from hookwright.builds.status import News, StatusWriter, describe_delivery
from hookwright.builds.worker import Conclusion, Worker, refer_build
from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS, Cluster
from hookwright.cluster.client import KubernetesCluster
from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.errors import ClusterError, JournalError, UsageError
from hookwright.intake.receiver import Receiver
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route, compile_route
from hookwright.intake.routes import Routes
from hookwright.intake.server import IntakeServer
from hookwright.journal import Journal
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, Webhook
from hookwright.reasons import (
    BUILD_FORBIDDEN,
    BUILD_INVALID,
    IMPERSONATION_FORBIDDEN,
    SECRET_UNUSABLE,
    Outcome,
)
from hookwright.reconcile.announcer import Announcer
from hookwright.reconcile.buildtrigger import reconcile_buildtrigger
from hookwright.reconcile.rootkey import load_root_keys
from hookwright.reconcile.wakeups import keys_to_look_at
from hookwright.reconcile.watches import Watches
from hookwright.reconcile.webhook import reconcile_webhook
from hookwright.reconcile.work import Again, WorkQueue
from hookwright.reconcile.world import World
from hookwright.settings import Settings

log = structlog.get_logger()

RECONCILERS = 8
RESYNC_SECONDS = 300.0
LOOK_AGAIN_SECONDS = 1.0
SETTLE_SECONDS = 2.0
FIRST_WAIT_SECONDS = 1.0
PURGE_SECONDS = 600.0
LONGEST_WAIT_SECONDS = 30.0
FAREWELL_SECONDS = 5.0

_RESOURCES = {Webhook: WEBHOOKS, BuildTrigger: BUILDTRIGGERS}


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class App:
    """Everything that one process runs; `run` is its life. `observe` is told of every change of our objects."""

    settings: Settings
    configuration: Configuration
    clock: Callable[[], datetime] = now
    observe: Callable[[Change], None] = lambda _: None

    async def run(self, *, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Run until `stop` is set; `ready` is called once deliveries are taken.

        Raises:
            UsageError: a setting or something in the cluster must be mended first.
            JournalLocked: another process has the journal.
        """
        async with KubernetesCluster(self.configuration) as cluster, self._open_journal() as journal:
            root_keys = await self._insist(lambda: load_root_keys(cluster, self.settings.namespace), stop)
            if root_keys is None:
                return
            mirror, routes = Mirror(), Routes(root_keys)
            secrets = SecretReader(cluster)
            world = World(
                cluster=cluster,
                mirror=mirror,
                secrets=secrets,
                announcer=Announcer(cluster, self.clock),
                clock=self.clock,
                settings=self.settings,
                root_keys=root_keys,
            )
            writer = StatusWriter(cluster, mirror)
            queue = WorkQueue[Key](work=lambda key: reconcile(key, world), workers=RECONCILERS)
            worker = Worker(
                journal=journal,
                cluster=cluster,
                targets=mirror,
                report=lambda conclusion: hear(conclusion, writer, queue),
                clock=self.clock,
                concurrency=self.settings.concurrent_starts,
                patience=timedelta(seconds=self.settings.target_patience),
            )
            server = IntakeServer(
                host=self.settings.listen_host,
                port=self.settings.listen_port,
                routes=routes,
                receiver=Receiver(
                    secrets=secrets,
                    journal=journal,
                    report=lambda route, request, verdict: hear_verdict(route, request, verdict, writer, queue),
                ),
                clock=self.clock,
            )
            mirror.subscribe(lambda change: keep_routes(change, mirror, routes))
            mirror.subscribe(lambda change: queue.add_all(keys_to_look_at(change, mirror)))
            mirror.subscribe(lambda change: welcome(change, worker))
            mirror.subscribe(self.observe)
            journal.subscribe(worker.wake)
            if await self._insist(lambda: fill(mirror, cluster), stop) is None:
                return
            for started in await journal.newest_started():
                writer.tell(
                    News(namespace=started.namespace, name=started.name, uid=started.uid, last_triggered=started.time)
                )
            listed = asyncio.Event()
            await self._run_parts(
                stop=stop,
                ready=ready,
                server=server,
                parts=[
                    queue.run(),
                    worker.run(),
                    writer.run(),
                    self._watch(mirror, cluster, listed),
                    self._resync(mirror, cluster, listed),
                    self._purge(journal),
                ],
            )
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await writer.flush()

    @asynccontextmanager
    async def _open_journal(self) -> AsyncIterator[Journal]:
        journal = await Journal.open(self.settings.journal, clock=self.clock)
        try:
            yield journal
        finally:
            await journal.close()

    async def _run_parts(
        self, *, stop: asyncio.Event, ready: Callable[[], None], server: IntakeServer, parts: list[Any]
    ) -> None:
        """Run the parts; on `stop` the server goes first, so that what it has accepted is on disk."""
        tasks = [asyncio.ensure_future(part) for part in parts]
        serving = asyncio.create_task(server.run())
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._until_listening(server, serving)
            log.info("listening", address=self.settings.listen, url=self.settings.public_url)
            ready()
            done, _ = await asyncio.wait([*tasks, serving, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                # None of them ends by itself, unless by a mistake that must not pass unseen.
                task.result()
        finally:
            server.stop()
            # What is being answered is finished; a sender that trickles its body is not waited for.
            await asyncio.wait({serving}, timeout=FAREWELL_SECONDS)
            for task in (*tasks, serving, stopping):
                task.cancel()
            await asyncio.gather(*tasks, serving, stopping, return_exceptions=True)

    async def _until_listening(self, server: IntakeServer, serving: asyncio.Task[None]) -> None:
        """Wait until connections are taken, or raise what keeps the server from it."""
        listening = asyncio.create_task(server.listening())
        await asyncio.wait({listening, serving}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            listening.cancel()
            serving.result()
            raise UsageError(f"the server ended before it listened on {self.settings.listen}")

    async def _insist(self, ask: Callable[[], Any], stop: asyncio.Event) -> Any:  # Any: whatever is asked for
        """Ask until the API server answers; None if `stop` is set before that."""
        wait = 0.5
        while not stop.is_set():
            try:
                return await ask()
            except ClusterError as error:
                if not error.transient:
                    raise UsageError(f"the API server refuses: {error.message}") from None
                log.warning("cluster", error=error.message, again_in=wait)
            try:
                async with asyncio.timeout(wait):
                    await stop.wait()
            except TimeoutError:
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
        return None

    async def _watch(self, mirror: Mirror, cluster: KubernetesCluster, listed: asyncio.Event) -> None:
        """Keep kopf's watches going: what ends them, such as an error event, is mostly temporary."""
        wait = FIRST_WAIT_SECONDS

        def seen(kind: type[ObjectKind], event: str | None, raw: Mapping[str, Any]) -> None:
            if event == "DELETED":
                mirror.remove(kind, raw)
            else:
                mirror.put(kind, raw)
            if event is None:
                listed.set()

        while True:
            watches = Watches(self.configuration, loop=asyncio.get_running_loop(), seen=seen)
            watches.start()
            listed.set()
            began = asyncio.get_running_loop().time()
            try:
                await watches.ended()
            finally:
                await watches.stop()
            lived = asyncio.get_running_loop().time() - began
            wait = FIRST_WAIT_SECONDS if lived > LONGEST_WAIT_SECONDS else min(wait * 2, LONGEST_WAIT_SECONDS)
            log.warning("watches", error="the watches ended; they are started again", again_in=wait)
            await asyncio.sleep(wait)
            await self._refill(mirror, cluster)

    async def _resync(self, mirror: Mirror, cluster: KubernetesCluster, listed: asyncio.Event) -> None:
        """List everything after kopf did, and now and then: kopf does not say what had gone before it listed."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RESYNC_SECONDS):
                    await listed.wait()
                    # Its list comes object by object: one of ours after the last of them serves for all.
                    await asyncio.sleep(SETTLE_SECONDS)
            listed.clear()
            await self._refill(mirror, cluster)

    async def _refill(self, mirror: Mirror, cluster: KubernetesCluster) -> None:
        try:
            await fill(mirror, cluster)
        except (ClusterError, UsageError) as error:
            log.warning("cluster", error=error.message)

    async def _purge(self, journal: Journal) -> None:
        while True:
            try:
                await journal.purge(now=self.clock())
            except JournalError as error:
                log.error("journal", error=error.message)
            await asyncio.sleep(PURGE_SECONDS)


async def fill(mirror: Mirror, cluster: Cluster) -> bool:
    """List all our objects into the mirror; targets first, so that no Webhook misses one that is there."""
    for kind in (BuildTrigger, Webhook):
        uids, before = set(), mirror.uids(kind)
        try:
            async for raw in cluster.list(_RESOURCES[kind]):
                mirror.put(kind, raw)
                uids.add(raw["metadata"]["uid"])
        except ClusterError as error:
            if error.status == 404:  # noqa: PLR2004 - the resource itself is unknown
                raise UsageError("the CRDs are not installed: kubectl apply -f crds/") from None
            raise
        # What a watch has shown meanwhile may have come after the list was made.
        mirror.retain(kind, uids | (mirror.uids(kind) - before))
    return True


async def reconcile(key: Key, world: World) -> Again:
    """Reconcile an object of any of our kinds."""
    if key.kind == Webhook.KIND:
        return await reconcile_webhook(key, world)
    return await reconcile_buildtrigger(key, world)


def keep_routes(change: Change, mirror: Mirror, routes: Routes) -> None:
    """Bring the routes in line with a change of a Webhook or of a target."""
    if change.key.kind == Webhook.KIND:
        before, found = change.before, change.found
        if before is not None and (found is None or before.metadata.uid != found.metadata.uid):
            routes.remove(before.metadata.uid)
        if found is not None and found.metadata.deletion_timestamp is not None:
            # It may stay for a while, for another's finalizer, but it is not wanted any more.
            routes.remove(found.metadata.uid)
        elif isinstance(found, Webhook | InvalidObject) and not _same_spec(before, found):
            _put_route(change.key, mirror, routes)
        for key in change.siblings:
            _put_route(key, mirror, routes)
    elif not _same_spec(change.before, change.found):
        for key in mirror.webhooks_of(change.key):
            _put_route(key, mirror, routes)


def _put_route(key: Key, mirror: Mirror, routes: Routes) -> None:
    """Make the route of a Webhook anew, unless it is going."""
    webhook = mirror.webhook(key.namespace, key.name)
    if webhook is not None and webhook.metadata.deletion_timestamp is None:
        routes.put(compile_route(webhook, mirror.target_of(webhook), mirror.standing(webhook)))


def _same_spec(before: ObjectKind | InvalidObject | None, found: ObjectKind | InvalidObject | None) -> bool:
    """Whether an object says what it said: then a change of its status costs no compilation."""
    if before is None or found is None or isinstance(before, InvalidObject) or isinstance(found, InvalidObject):
        return False
    old, new = before.metadata, found.metadata
    return (old.uid, old.generation, old.annotations) == (new.uid, new.generation, new.annotations)


def welcome(change: Change, worker: Worker) -> None:
    """Tell the worker of a target that has come."""
    if change.key.kind != Webhook.KIND and change.before is None and change.found is not None:
        worker.welcome(change.key.namespace)


def hear(conclusion: Conclusion, writer: StatusWriter, queue: WorkQueue[Key]) -> None:
    """Pass on what became of a start; a target that could not be started is looked at again."""
    writer.tell(news_of(conclusion))
    if conclusion.reason in (BUILD_FORBIDDEN, IMPERSONATION_FORBIDDEN, BUILD_INVALID):
        wanted = conclusion.wanted
        queue.add_later(Key(BuildTrigger.KIND, wanted.namespace, wanted.target.name), LOOK_AGAIN_SECONDS)


def hear_verdict(route: Route, request: Request, verdict: Verdict, writer: StatusWriter, queue: WorkQueue[Key]) -> None:
    """Pass on what became of a delivery; a Webhook whose secret cannot be used is looked at again."""
    writer.tell(news_of_verdict(route, request, verdict))
    if verdict.reason is SECRET_UNUSABLE:
        queue.add_later(Key(Webhook.KIND, route.namespace, route.name), LOOK_AGAIN_SECONDS)


def news_of(conclusion: Conclusion) -> News:
    """Give what a try to start a build means for the status of its Webhook."""
    wanted = conclusion.wanted
    delivery = describe_delivery(
        delivery_id=wanted.delivery_id,
        time=wanted.accepted_at,
        outcome=str(conclusion.reason.outcome),
        reason=conclusion.reason.name,
        message=conclusion.message,
        build=conclusion.build,
    )
    return News(
        namespace=wanted.namespace,
        name=wanted.owner_name,
        uid=wanted.owner_uid,
        last_delivery=delivery,
        last_triggered=conclusion.time if conclusion.reason.outcome is Outcome.STARTED else None,
    )


def news_of_verdict(route: Route, request: Request, verdict: Verdict) -> News:
    """Give what a verdict means for the status of its Webhook."""
    message = f"{verdict.message} {verdict.reason.remedy}".strip()
    delivery = describe_delivery(
        delivery_id=verdict.delivery_id,
        time=request.received_at,
        outcome=str(verdict.outcome),
        reason=verdict.reason.name,
        message=message,
        build=refer_build(verdict.wanted[0]) if verdict.wanted else None,
    )
    return News(namespace=route.namespace, name=route.name, uid=route.uid, last_delivery=delivery)
