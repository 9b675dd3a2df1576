"""The receiver that is measured: `python -m harness.receiver`, a process of its own.

Put together as `hookwright.app` does, around an API server in memory that answers at once: what is measured is intake.
Nothing starts what is accepted. The peers are the same server with the same settings, and nothing but what their class
says behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import uvloop
from harness import deliveries
from harness.children import HOST
from pydantic_core import from_json

from hookwright.app.admin import serve_pages
from hookwright.app.disk import DiskWatch
from hookwright.app.intake import TimedJournal
from hookwright.app.news import news_of_verdict, record_of_verdict
from hookwright.app.process import now
from hookwright.app.scrape import JournalView, MetricsPage, show_journal
from hookwright.app.upkeep import keep_routes
from hookwright.builds.status import StatusWriter
from hookwright.cluster import SECRETS
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.resources import Resource
from hookwright.cluster.secrets import SecretReader
from hookwright.intake.receiver import Answer, Receiver
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.intake.routes import Routes
from hookwright.intake.server import Exchange, IntakeServer, Scope
from hookwright.journal import History, Journal
from hookwright.kinds import BuildTrigger, Raw, Webhook
from hookwright.logs import set_up_logs
from hookwright.metrics import Metrics
from hookwright.providers.github import dialect
from hookwright.settings import Settings

CONSTANT = b'{"deliveryId": "%b", "outcome": "ignored", "reason": "Constant", "message": "%b", "builds": []}' % (
    b"0" * 36,
    b"what the real answers have in length, without a thought" * 2,
)
_HEADERS = [("content-type", "application/json")]


class BareServer(IntakeServer):
    """Reads the body and answers a constant."""

    async def _serve(self, scope: Scope, exchange: Exchange) -> None:
        await exchange()
        exchange.response_bytes(200, _HEADERS, CONSTANT)


class LeastServer(IntakeServer):
    """Does the least that must be done: checks the signature, parses, compares, and answers a constant."""

    async def _serve(self, scope: Scope, exchange: Exchange) -> None:
        body = await exchange()
        given = dict(scope.headers.items())[dialect.SIGNATURE_HEADER]
        authentic = hmac.compare_digest(dialect.sign(body, deliveries.SECRET), given)
        counts = authentic and from_json(body)["ref"] == "refs/heads/main"
        exchange.response_bytes(500 if counts or not authentic else 200, _HEADERS, CONSTANT)


SERVERS = {"product": IntakeServer, "bare": BareServer, "least": LeastServer}


class MemoryCluster:
    """A `Cluster` that answers at once: it has the Secret, and takes every status."""

    _version = 1

    async def get(self, resource: Resource, *, namespace: str | None = None, name: str) -> Raw | None:
        """Give the Secret."""
        return deliveries.make_secret() if resource == SECRETS else None

    async def list(self, resource: Resource, *, namespace: str | None = None) -> AsyncIterator[Raw]:
        """Give nothing."""
        for _ in ():
            yield {}

    async def create(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],  # any: an object as JSON
        *,
        namespace: str | None = None,
        service_account: str | None = None,
        dry_run: bool = False,
    ) -> Raw:
        """Take an object."""
        return dict(manifest)

    async def patch(
        self,
        resource: Resource,
        patch: Mapping[str, Any],  # any: as above
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
    ) -> Raw:
        """Take a change, and give the object as it is then."""
        taker = name == deliveries.TAKER
        manifest = deliveries.make_taker() if taker else deliveries.make_webhook(int(name.rpartition("-")[2]))
        stored = deliveries.as_stored(manifest)
        self._version += 1
        metadata = {**stored["metadata"], "resourceVersion": str(self._version)}
        return {**stored, "metadata": metadata, "status": patch["status"]}


async def serve(
    *, port: int, admin: int, counts: bool, webhooks: int, journal_folder: Path, kind: type[IntakeServer]
) -> None:
    """Serve until SIGTERM; say so on standard output once connections are taken. `admin` is a port, or 0."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    mirror, routes, cluster = Mirror(quota=1_000_000), Routes((deliveries.ROOT_KEY,)), MemoryCluster()
    mirror.subscribe(lambda change: keep_routes(change, mirror, routes))
    mirror.put(BuildTrigger, deliveries.as_stored(deliveries.make_buildtrigger()))
    mirror.put(BuildTrigger, deliveries.as_stored(deliveries.make_taker()))
    for number in range(webhooks):
        mirror.put(Webhook, deliveries.as_stored(deliveries.make_webhook(number)))
    writer = StatusWriter(cluster, mirror, clock=now)
    journal = await Journal.open(journal_folder, clock=now)
    history = History(journal_folder, clock=now)

    def report(route: Route, request: Request, verdict: Verdict) -> None:
        history.write(record_of_verdict(route, request, verdict, now=now()))
        writer.tell(news_of_verdict(route, request, verdict))

    metrics = Metrics(role="receiver")
    view, page = JournalView(journal, now), MetricsPage(metrics)
    page.refresh.append(view.refresh)
    show_journal(metrics, view, DiskWatch(journal))

    def count(given: Answer, seconds: float) -> None:
        metrics.count_delivery(given.kind, given.reason, seconds)

    receiver = Receiver(
        secrets=SecretReader(cluster),
        journal=TimedJournal(journal, metrics.count_journal_wait) if counts else journal,
        report=report,
    )
    more = {"answered": count} if counts else {}
    server = kind(host=HOST, port=port, routes=routes, receiver=receiver, clock=now, **more)
    tasks = [asyncio.create_task(server.run()), asyncio.create_task(writer.run())]
    await server.listening()
    async with AsyncExitStack() as stack:
        if admin:
            await stack.enter_async_context(serve_pages((HOST, admin), {"/metrics": page.give}))
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for it
        await stop.wait()
        server.stop()
        await tasks[0]
        tasks[1].cancel()
    await history.close()
    await journal.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--admin", type=int, default=0, help="the port of /metrics (default: none)")
    parser.add_argument("--uncounted", action="store_true", help="count nothing, as hookwright never does")
    parser.add_argument("--webhooks", type=int, default=1)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--kind", choices=SERVERS, default="product")
    arguments = parser.parse_args()
    set_up_logs(Settings(), stream=Path(os.devnull).open("w"))  # noqa: SIM115 - until the end of the process
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            serve(
                port=arguments.port,
                admin=arguments.admin,
                counts=not arguments.uncounted,
                webhooks=arguments.webhooks,
                journal_folder=arguments.journal,
                kind=SERVERS[arguments.kind],
            )
        )


if __name__ == "__main__":
    main()
