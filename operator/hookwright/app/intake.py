"""The receiver's side: takes deliveries, starts what they want, and tells what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from hookwright.app.news import news_of_conclusion, news_of_verdict, record_of_conclusion, record_of_verdict
from hookwright.app.upkeep import keep_routes, welcome
from hookwright.builds.status import News, StatusWriter
from hookwright.builds.worker import Conclusion, Worker
from hookwright.cluster import Cluster
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.errors import JournalError, UsageError
from hookwright.intake.addresses import parse_networks
from hookwright.intake.bodies import BodyMemory
from hookwright.intake.limits import AddressLimit, ObjectLimit
from hookwright.intake.receiver import Receiver
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.intake.routes import Routes
from hookwright.intake.server import BODY_SECONDS, IntakeServer
from hookwright.journal import History, Journal
from hookwright.reconcile.rootkey import RootKeys
from hookwright.settings import Settings

log = structlog.get_logger()

PURGE_SECONDS = 600.0
LAST_STARTS_SECONDS = 3.0
FAREWELL_SECONDS = 5.0
LAST_BODY_SECONDS = BODY_SECONDS + 1.0


@asynccontextmanager
async def open_journal(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Journal]:
    """Open the journal, and close it in the end."""
    journal = await Journal.open(settings.journal, clock=clock)
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def open_history(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[History]:
    """Open the history beside the journal, and close it in the end."""
    history = History(settings.journal, clock=clock)
    try:
        yield history
    finally:
        await history.close()


class IntakeSide:
    """Everything that only a receiver does."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        mirror: Mirror,
        secrets: SecretReader,
        root_keys: RootKeys,
        journal: Journal,
        history: History,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._history = history
        self._clock = clock
        self._routes = Routes(root_keys.keys)
        self._writer = StatusWriter(cluster, mirror)
        self._limit = ObjectLimit(time.monotonic)
        addresses = AddressLimit(settings.address_limit, time.monotonic)
        self._worker = Worker(
            journal=journal,
            cluster=cluster,
            targets=mirror,
            report=self._hear_conclusion,
            clock=clock,
            concurrency=settings.concurrent_starts,
            patience=timedelta(seconds=settings.target_patience),
        )
        self._server = IntakeServer(
            host=settings.listen_host,
            port=settings.listen_port,
            routes=self._routes,
            receiver=Receiver(
                secrets=secrets,
                journal=journal,
                report=self._hear_verdict,
                admit=self._admit,
                forgive=addresses.forgive,
            ),
            clock=clock,
            addresses=addresses,
            bodies=BodyMemory(settings.body_memory << 20),
            trusted=parse_networks(settings.trusted_proxies),
        )
        self._serving: asyncio.Task[None] | None = None
        self._working = False
        mirror.subscribe(lambda change: keep_routes(change, mirror, self._routes))
        mirror.subscribe(lambda change: welcome(change, self._worker))
        journal.subscribe(self._worker.wake)
        root_keys.subscribe(lambda: self._routes.replace_keys(root_keys.keys))

    async def begin(self) -> list[asyncio.Task[None]]:
        """Take deliveries; give the tasks that do so.

        Raises:
            UsageError: the server cannot listen.
        """
        for started in await self._journal.newest_started():
            self._writer.tell(
                News(namespace=started.namespace, name=started.name, uid=started.uid, last_triggered=started.time)
            )
        self._serving = asyncio.create_task(self._server.run())
        listening = asyncio.create_task(self._server.listening())
        await asyncio.wait({listening, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            listening.cancel()
            self._serving.result()
            raise UsageError(f"the server ended before it listened on {self._settings.listen}")
        log.info("listening", address=self._settings.listen, url=self._settings.public_url)
        parts = (self._worker.run(), self._writer.run(), self._purge())
        self._working = True
        return [self._serving, *(asyncio.create_task(part) for part in parts)]

    async def drain(self) -> None:
        """Go on taking deliveries for a while, so that senders can go elsewhere; nothing is cut off by it."""
        await self._server.drain(self._settings.drain)

    async def end(self) -> None:
        """Finish what is being answered, start what was accepted last, and write what is still to be said."""
        self._server.stop()
        if self._serving is not None:
            # A body that has begun may take as long as any; one that trickles longer is not waited for.
            await asyncio.wait({self._serving}, timeout=LAST_BODY_SECONDS)
        if not self._working:
            return
        with suppress(TimeoutError):
            # What is not started now waits until there is a process on this journal again, which may be never.
            async with asyncio.timeout(LAST_STARTS_SECONDS):
                await self._worker.settle()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._writer.finish()
                await self._history.flush()

    def _admit(self, route: Route) -> float | None:
        limit = route.rate_limit
        if limit is None:
            return None
        return self._limit.take(route.uid, limit.per_minute, limit.burst or limit.per_minute)

    def _hear_conclusion(self, conclusion: Conclusion) -> None:
        """Pass on what became of a start."""
        self._history.write(record_of_conclusion(conclusion), concludes=True)
        self._writer.tell(news_of_conclusion(conclusion))

    def _hear_verdict(self, route: Route, request: Request, verdict: Verdict) -> None:
        """Pass on what became of a delivery."""
        self._history.write(record_of_verdict(route, request, verdict, now=self._clock()))
        self._writer.tell(news_of_verdict(route, request, verdict))

    async def _purge(self) -> None:
        while True:
            try:
                await self._journal.purge(now=self._clock())
            except JournalError as error:
                log.error("journal", error=error.message)
            await asyncio.sleep(PURGE_SECONDS)
