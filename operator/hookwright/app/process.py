"""One process: which parts it has, in which order they begin and end. One event loop; kopf has its own."""

from __future__ import annotations

import asyncio
import platform
import uuid
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from kubernetes.aio.client import Configuration

from hookwright.app.admin import health_pages, serve_pages
from hookwright.app.disk import DiskWatch
from hookwright.app.feeds import OURS, InformerFeed, KopfFeed, fill, follow_cronjobs
from hookwright.app.intake import IntakeSide
from hookwright.app.readiness import DRAINING, FILLING, OPENING, WAITING, Readiness, describe_wait
from hookwright.app.scrape import (
    Followed,
    JournalView,
    MetricsPage,
    show_builds,
    show_cluster,
    show_journal,
    show_watches,
)
from hookwright.app.starting import StartingSide, open_history, open_journal
from hookwright.builds.facts import FactSource, NoFacts
from hookwright.cluster import CRONJOBS, JOBS, SECRETS, Resource
from hookwright.cluster.client import KubernetesCluster
from hookwright.cluster.informers import Informers
from hookwright.cluster.mirror import Change, Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.cluster.watched_secrets import WatchedSecrets
from hookwright.errors import ClusterError, HookwrightError, Unready
from hookwright.journal import Journal
from hookwright.metrics import Metrics
from hookwright.metrics.catalogue import READY
from hookwright.reconcile.rootkey import RIPEN_SECONDS, RootKeys, load_root_keys
from hookwright.settings import Settings

if TYPE_CHECKING:
    from hookwright.app.operating import OperatorSide

log = structlog.get_logger()

T = TypeVar("T")

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
REMEDY_FORBIDDEN = "give the account of this process its rights, which examples/rights and the chart hold"
_FORBIDDEN = 403
# Receivers wait for it at the first start of all: whoever installs looks on.
LONGEST_KEY_WAIT_SECONDS = 5.0
WATCHES_PER_NAMESPACE = len(OURS) + 4  # CronJobs, labelled Secrets, and Jobs with one label and with the other
# Without CronJobs all else works: whoever starts one waits, as for a target that is missing.
CRONJOBS_SECONDS = 5.0


class Role(StrEnum):
    """What a process does."""

    RECEIVER = "receiver"
    OPERATOR = "operator"
    RUN = "run"  # both


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)


@dataclass(kw_only=True)
class App:
    """Everything that one process runs; `run` is its life.

    `observe` is told of every change of our objects. `facts` asks providers for what payloads lack.
    """

    settings: Settings
    configuration: Configuration
    role: Role = Role.RUN
    clock: Callable[[], datetime] = now
    observe: Callable[[Change], None] = lambda _: None
    facts: FactSource = field(default_factory=NoFacts)

    async def run(self, *, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Run until `stop` is set; `ready` is called once deliveries are taken, or objects are watched.

        What must be mended in the cluster first, such as a right that is missing, is said and waited for.

        Raises:
            UsageError: a setting must be mended first.
            JournalLocked: another process has the journal.
        """
        async with AsyncExitStack() as stack:
            readiness, metrics = Readiness(), Metrics(role=self.role)
            page = await self._serve_admin(stack, readiness, metrics)
            places = self.settings.places
            watches = WATCHES_PER_NAMESPACE * len(places)
            cluster = await stack.enter_async_context(
                KubernetesCluster(self.configuration, watches=watches, asked=metrics.count_request)
            )
            # The journal before anything else: whoever may not have it must not begin.
            receives = self.role is not Role.OPERATOR
            journal = await stack.enter_async_context(open_journal(self.settings, self.clock)) if receives else None
            # Closed after the parts have ended that write to it.
            history = await stack.enter_async_context(open_history(self.settings, self.clock)) if receives else None
            tasks: list[asyncio.Task[None]] = []
            stack.push_async_callback(end_tasks, tasks)
            if journal is not None:
                tasks += [asyncio.create_task(self._watch_disk(journal, readiness, metrics, page))]
            readiness.enter(WAITING)
            # Only a process that operates makes the root key: receivers need no right to.
            receiver_only = self.role is Role.RECEIVER
            keys = await insist(
                lambda: load_root_keys(cluster, self.settings.namespace, make=not receiver_only),
                stop,
                longest=LONGEST_KEY_WAIT_SECONDS,
                waiting=readiness.enter,
            )
            if keys is None:
                return
            readiness.enter(FILLING)
            root_keys, mirror = RootKeys(keys), Mirror(quota=self.settings.webhook_quota)
            watched = WatchedSecrets(cluster, namespaces=places)
            cronjobs = follow_cronjobs(cluster, mirror, places)
            secrets = SecretReader(cluster, watched=watched, wall=self.clock, settling=lambda: cluster.settling)
            tasks += [
                asyncio.create_task(cronjobs.run()),
                asyncio.create_task(watched.informers.run()),
                # Where nobody receives, URLs are made for receivers in other processes, which must know the key first.
                asyncio.create_task(
                    root_keys.follow(cluster, self.settings.namespace, ripen=0.0 if receives else RIPEN_SECONDS)
                ),
            ]
            informed = None
            if receiver_only or places:
                informed = InformerFeed(cluster, mirror, places, waiting=readiness.enter)
            intake = None
            if journal is not None and history is not None:
                starting = StartingSide(
                    cluster=cluster,
                    mirror=mirror,
                    journal=journal,
                    history=history,
                    settings=self.settings,
                    clock=self.clock,
                    metrics=metrics,
                    hidden=informed.hides if informed is not None else lambda _kind, _namespace: False,
                    settling=lambda: cluster.settling,
                    facts=self.facts,
                )
                intake = IntakeSide(
                    starting=starting,
                    mirror=mirror,
                    secrets=secrets,
                    root_keys=root_keys,
                    journal=journal,
                    history=history,
                    settings=self.settings,
                    clock=self.clock,
                    metrics=metrics,
                )
            followed: dict[Resource, Followed] = {CRONJOBS: cronjobs, SECRETS: watched.informers}
            operate = None
            if not receiver_only:
                operator = self._make_operator(
                    cluster,
                    metrics,
                    tasks,
                    followed,
                    mirror=mirror,
                    secrets=secrets,
                    watched=watched,
                    cronjobs_known=cronjobs.available,
                    root_keys=root_keys,
                )
                operate = operator.run
                if not receives:
                    # Who receives too is there for deliveries, whatever becomes of the Lease.
                    readiness.require(lambda: operator.lease.trouble)
            mirror.subscribe(self.observe)
            show_cluster(metrics, mirror, root_keys)
            show_watches(metrics, followed)
            await until_stop(settle(cronjobs), stop)
            if await self._fill(cluster, mirror, informed, tasks, readiness=readiness, metrics=metrics, stop=stop):
                if operate is not None:
                    # Not before all is known: a Webhook must not be told that the target is missing which it has.
                    tasks.append(asyncio.create_task(operate()))
                readiness.enter(OPENING)
                await self._live(tasks, intake, readiness, stop=stop, ready=ready)

    def _make_operator(
        self,
        cluster: KubernetesCluster,
        metrics: Metrics,
        tasks: list[asyncio.Task[None]],
        followed: dict[Resource, Followed],
        *,
        mirror: Mirror,
        secrets: SecretReader,
        watched: WatchedSecrets,
        cronjobs_known: Callable[[str], bool],
        root_keys: RootKeys,
    ) -> OperatorSide:
        """Make the operator's side; the builds that it follows are added to `followed` and `tasks`."""
        # Imported here, with all that it brings: a receiver does without.
        from hookwright.app.operating import OperatorSide
        from hookwright.builds.follow import Following

        following = Following(cluster, namespaces=self.settings.places, clock=self.clock)
        followed[JOBS] = following
        tasks.append(asyncio.create_task(following.run()))
        show_builds(metrics, following.index)
        return OperatorSide(
            cluster=cluster,
            mirror=mirror,
            secrets=secrets,
            watched=watched,
            cronjobs_known=cronjobs_known,
            following=following,
            root_keys=root_keys,
            settings=self.settings.model_copy(update={"identity": self.settings.identity or make_identity()}),
            clock=self.clock,
            metrics=metrics,
            settling=lambda: cluster.settling,
            facts=self.facts,
        )

    async def _serve_admin(self, stack: AsyncExitStack, readiness: Readiness, metrics: Metrics) -> MetricsPage:
        """Serve the admin port, if there is one: before all that may have to be waited for; it is the last to go."""
        page = MetricsPage(metrics)
        metrics.show(READY, lambda: not readiness.trouble)
        if self.settings.admin_address is not None:
            pages = health_pages(lambda: readiness.trouble) | {"/metrics": page.give}
            await stack.enter_async_context(serve_pages(self.settings.admin_address, pages))
        return page

    async def _watch_disk(self, journal: Journal, readiness: Readiness, metrics: Metrics, page: MetricsPage) -> None:
        """Watch the journal's disk until cancelled, and show what waits in the journal."""
        disk, view = DiskWatch(journal), JournalView(journal, self.clock)
        readiness.require(lambda: disk.trouble)
        page.refresh.append(view.refresh)
        show_journal(metrics, view, disk)
        await disk.run()

    async def _fill(
        self,
        cluster: KubernetesCluster,
        mirror: Mirror,
        informed: InformerFeed | None,
        tasks: list[asyncio.Task[None]],
        *,
        readiness: Readiness,
        metrics: Metrics,
        stop: asyncio.Event,
    ) -> bool:
        """Fill the mirror, and add to `tasks` what keeps it right; say whether that was done before `stop` was set."""
        if informed is not None:
            show_watches(metrics, informed.informers)
            tasks.append(asyncio.create_task(informed.run()))
            return bool(await until_stop(informed.filled(), stop))
        if not await insist(lambda: fill(mirror, cluster), stop, waiting=readiness.enter):
            return False
        tasks.append(asyncio.create_task(KopfFeed(self.configuration, cluster, mirror).run()))
        return True

    async def _live(
        self,
        tasks: list[asyncio.Task[None]],
        intake: IntakeSide | None,
        readiness: Readiness,
        *,
        stop: asyncio.Event,
        ready: Callable[[], None],
    ) -> None:
        """Live until `stop` is set, or something fails; what is being answered then is finished first."""
        stopping = asyncio.create_task(stop.wait())
        try:
            if intake is not None:
                tasks += await intake.begin()
            readiness.live()
            ready()
            await watch_over(tasks, until=stopping)
            readiness.enter(DRAINING)
            if intake is not None:
                await intake.drain()
        finally:
            stopping.cancel()
            if intake is not None:
                await intake.end()


def make_identity() -> str:
    """Make up a name for this process that no other has."""
    return f"{platform.node() or 'hookwright'}-{uuid.uuid4().hex[:8]}"


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def watch_over(tasks: Iterable[asyncio.Task[Any]], *, until: asyncio.Task[Any]) -> None:
    """Wait for `until`, while the other tasks go on.

    Raises:
        HookwrightError: one of them has ended. None does so by itself, unless by a mistake that must not pass unseen:
            where it raised something, that is raised.
    """
    done, _ = await asyncio.wait({*tasks, until}, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    if until not in done:
        raise HookwrightError("a part of this process has ended by itself, so the whole ends: start it again")


async def settle(cronjobs: Informers) -> None:
    """Wait until CronJobs are known, but not for long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CRONJOBS_SECONDS):
            await cronjobs.settled()


async def until_stop(work: Awaitable[T], stop: asyncio.Event) -> T | None:
    """Wait for `work`; leave it, and give None, if `stop` is set before it is done."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def insist(
    ask: Callable[[], Awaitable[T]],
    stop: asyncio.Event,
    *,
    longest: float = LONGEST_WAIT_SECONDS,
    waiting: Callable[[str], None] = lambda _: None,
) -> T | None:
    """Ask until the API server gives what we need, every `longest` seconds at least; None if `stop` is set before that.

    `waiting` is told for what.

    What somebody must mend, such as a right that is missing, is waited for too. To end would not mend it, and in a
    cluster we would be started again and again, ever more seldom, where this finds it within `longest` seconds.
    """
    wait, said = FIRST_WAIT_SECONDS, ""
    while not stop.is_set():
        try:
            return await until_stop(ask(), stop)
        except (ClusterError, Unready) as error:
            waiting(describe_wait(error))
            if error.message != said:
                refused = isinstance(error, ClusterError) and error.status == _FORBIDDEN
                log.warning("waiting", error=error.message, **({"remedy": REMEDY_FORBIDDEN} if refused else {}))
            said = error.message
        try:
            async with asyncio.timeout(wait):
                await stop.wait()
        except TimeoutError:
            wait = min(wait * 2, longest)
    return None
