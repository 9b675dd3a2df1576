"""The receiver's side: takes deliveries, starts what they want, and tells what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import structlog

from hookwright.app.news import news_of_verdict, record_of_verdict
from hookwright.app.starting import StartingSide
from hookwright.app.upkeep import keep_routes
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.errors import UsageError
from hookwright.intake.addresses import parse_networks
from hookwright.intake.bodies import BodyMemory
from hookwright.intake.limits import AddressLimit, ObjectLimit
from hookwright.intake.receiver import Receiver
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.intake.routes import Routes
from hookwright.intake.server import BODY_SECONDS, IntakeServer
from hookwright.journal import Accept, Accepted, History, Journal
from hookwright.metrics import Metrics, catalogue
from hookwright.reconcile.rootkey import RootKeys
from hookwright.settings import Settings

log = structlog.get_logger()

LAST_BODY_SECONDS = BODY_SECONDS + 1.0


class TimedJournal:
    """Takes deliveries as the journal does, and tells `waited` how many seconds that took."""

    def __init__(self, journal: Journal, waited: Callable[[float], None]) -> None:
        self._journal = journal
        self._waited = waited

    async def accept_all(self, deliveries: list[Accepted]) -> list[Accept]:
        """See `Journal.accept_all`."""
        began = time.perf_counter()
        try:
            return await self._journal.accept_all(deliveries)
        finally:
            self._waited(time.perf_counter() - began)


class IntakeSide:
    """Everything that only a receiver does."""

    def __init__(
        self,
        *,
        starting: StartingSide,
        mirror: Mirror,
        secrets: SecretReader,
        root_keys: RootKeys,
        journal: Journal,
        history: History,
        settings: Settings,
        clock: Callable[[], datetime],
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._starting = starting
        self._history = history
        self._clock = clock
        self._routes = Routes(root_keys.keys, base=settings.public_path)
        self._limit = ObjectLimit(time.monotonic)
        addresses = AddressLimit(settings.address_limit, time.monotonic)
        bodies = BodyMemory(settings.body_memory << 20)
        self._server = IntakeServer(
            host=settings.listen_host,
            port=settings.listen_port,
            routes=self._routes,
            receiver=Receiver(
                secrets=secrets,
                journal=TimedJournal(journal, metrics.count_journal_wait),
                report=self._hear_verdict,
                admit=self._admit,
                forgive=addresses.forgive,
            ),
            clock=clock,
            addresses=addresses,
            bodies=bodies,
            trusted=parse_networks(settings.trusted_proxies),
            answered=lambda given, seconds: metrics.count_delivery(given.kind, given.reason, seconds),
        )
        metrics.show(catalogue.IN_FLIGHT, lambda: self._server.in_flight)
        metrics.show(catalogue.BODY_BYTES, lambda: bodies.held_bytes)
        metrics.show(catalogue.BODY_LIMIT, lambda: bodies.limit_bytes)
        self._serving: asyncio.Task[None] | None = None
        mirror.subscribe(lambda change: keep_routes(change, mirror, self._routes, starting.facts.knows))
        root_keys.subscribe(lambda: self._routes.replace_keys(root_keys.keys))

    async def begin(self) -> list[asyncio.Task[None]]:
        """Take deliveries; give the tasks that do so.

        Raises:
            UsageError: the server cannot listen.
        """
        await self._starting.repair()
        self._serving = asyncio.create_task(self._server.run())
        listening = asyncio.create_task(self._server.listening())
        await asyncio.wait({listening, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            listening.cancel()
            self._serving.result()
            raise UsageError(f"the server ended before it listened on {self._settings.listen}")
        log.info("listening", address=self._settings.listen, url=self._settings.public_url)
        return [self._serving, *self._starting.begin()]

    async def drain(self) -> None:
        """Go on taking deliveries for a while, so that senders can go elsewhere; nothing is cut off by it."""
        await self._server.drain(self._settings.drain)

    async def end(self) -> None:
        """Finish what is being answered, start what was accepted last, and write what is still to be said."""
        self._server.stop()
        if self._serving is not None:
            # A body that has begun may take as long as any; one that trickles longer is not waited for.
            await asyncio.wait({self._serving}, timeout=LAST_BODY_SECONDS)
        await self._starting.end()
        await self._starting.tell_left()

    def _admit(self, route: Route) -> float | None:
        limit = route.rate_limit
        if limit is None:
            return None
        return self._limit.take(route.uid, limit.per_minute, limit.burst or limit.per_minute)

    def _hear_verdict(self, route: Route, request: Request, verdict: Verdict) -> None:
        """Pass on what became of a delivery."""
        self._history.write(record_of_verdict(route, request, verdict, now=self._clock()))
        self._starting.tell(news_of_verdict(route, request, verdict))
