"""What receivers write into a Webhook's status: lastTriggered (forward only) and lastDelivery.

Changes are gathered and written once per object and few seconds, so that a burst of deliveries costs one patch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from hookwright.builds.wanted import format_time
from hookwright.cluster import WEBHOOKS, Cluster
from hookwright.errors import ClusterError
from hookwright.kinds import BuildReference, InvalidObject, LastDelivery, Webhook
from hookwright.reasons import Outcome

log = structlog.get_logger()

FLUSH_SECONDS = 1.0
PATCHES_AT_ONCE = 16
# More objects than this are not kept waiting: the oldest news is dropped. The history of each is in its builds.
MAX_WAITING = 20_000
MAX_MESSAGE = 1024
MAX_ID = 256


class Webhooks(Protocol):
    """Where Webhooks are found."""

    def webhook(self, namespace: str, name: str) -> Webhook | InvalidObject | None:
        """Give a Webhook; None if it does not exist."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryNews:
    """What is to be written as lastDelivery. It is told of every delivery and written of few: then it is checked."""

    id: str
    time: datetime
    outcome: str
    reason: str
    message: str
    build: BuildReference | None = None

    def to_raw(self) -> dict[str, Any]:  # Any: an object as JSON
        """Give it as JSON, as the kind's model has it."""
        return LastDelivery(
            id=self.id,
            time=self.time,
            outcome=self.outcome,
            reason=self.reason,
            message=self.message,
            build=self.build,
        ).to_raw()


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What is to be written to one Webhook."""

    namespace: str
    name: str
    uid: str
    last_delivery: DeliveryNews | None = None
    last_triggered: datetime | None = None


class StatusWriter:
    """Gathers news and writes it, at most one patch per object and `FLUSH_SECONDS`."""

    def __init__(self, cluster: Cluster, webhooks: Webhooks, *, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
        self._cluster = cluster
        self._webhooks = webhooks
        self._sleep = sleep
        self._waiting: dict[str, News] = {}
        self._some = asyncio.Event()

    def tell(self, news: News) -> None:
        """Take news; newer news of the same object replaces or completes older."""
        before = self._waiting.pop(news.uid, None)
        if before is None and len(self._waiting) >= MAX_WAITING:
            self._waiting.pop(next(iter(self._waiting)))
        self._waiting[news.uid] = merge(before, news) if before is not None else news
        self._some.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            await self.flush()
            await self._sleep(FLUSH_SECONDS)

    async def flush(self) -> None:
        """Write all that waits, now; what the API server does not take waits for the next time."""
        self._some.clear()
        waiting, self._waiting = self._waiting, {}
        gate = asyncio.Semaphore(PATCHES_AT_ONCE)

        async def write(news: News) -> None:
            async with gate:
                await self._write(news)

        for result in await asyncio.gather(*(write(news) for news in waiting.values()), return_exceptions=True):
            if isinstance(result, Exception):
                # A mistake of ours about one object must not stop the news of all others.
                log.error("status", error=repr(result))

    async def _write(self, news: News) -> None:
        webhook = self._webhooks.webhook(news.namespace, news.name)
        if webhook is None or webhook.metadata.uid != news.uid:
            return
        patch = make_patch(news, webhook)
        if not patch:
            return
        try:
            await self._cluster.patch(
                WEBHOOKS,
                {"metadata": {"uid": news.uid}, "status": patch},
                namespace=news.namespace,
                name=news.name,
                subresource="status",
            )
        except ClusterError as error:
            if error.transient:
                later = self._waiting.pop(news.uid, None)
                self._waiting[news.uid] = merge(news, later) if later is not None else news
                self._some.set()
            else:
                log.warning("status", webhook=f"{news.namespace}/{news.name}", error=error.message)


def merge(before: News, after: News) -> News:
    """Give the news that two pieces of news amount to."""
    old, new = before.last_delivery, after.last_delivery
    # Of two with the same time the later news counts: it says what became of the same delivery.
    last = old if new is None or (old is not None and old.time > new.time) else new
    if last is new and before.last_triggered is None:
        return after
    triggered = [time for time in (before.last_triggered, after.last_triggered) if time is not None]
    return News(
        namespace=after.namespace,
        name=after.name,
        uid=after.uid,
        last_delivery=last,
        last_triggered=max(triggered) if triggered else None,
    )


def make_patch(news: News, webhook: Webhook | InvalidObject) -> dict[str, Any]:
    """Give the members of status that `news` changes; empty if it is no news. Pure."""
    status = webhook.status if isinstance(webhook, Webhook) else None
    patch: dict[str, Any] = {}
    found = status.last_delivery if status is not None else None
    if news.last_delivery is not None and _replaces(news.last_delivery, found):
        written = news.last_delivery.to_raw()
        if found is None or found.to_raw() != written:
            # A merge patch keeps what it does not name: the build of an older delivery must go.
            patch["lastDelivery"] = written | ({} if "build" in written else {"build": None})
    before = status.last_triggered if status is not None else None
    # In whole seconds, as it is written: what differs by less would be written again and again.
    triggered = news.last_triggered.replace(microsecond=0) if news.last_triggered is not None else None
    if triggered is not None and (before is None or triggered > before):
        patch["lastTriggered"] = format_time(triggered)
    return patch


def _replaces(news: DeliveryNews, found: LastDelivery | None) -> bool:
    """Say whether a delivery takes the place of the one in status.

    One that was refused, which anybody can send, does not hide one that failed, which somebody must mend.
    """
    if found is None:
        return True
    hides = news.outcome == Outcome.REFUSED and found.outcome == Outcome.FAILED
    return news.time >= found.time and not hides


def describe_delivery(
    *,
    delivery_id: str,
    time: datetime,
    outcome: str,
    reason: str,
    message: str,
    build: BuildReference | None = None,
) -> DeliveryNews:
    """Make a lastDelivery that fits its bounds; times are whole seconds, as Kubernetes writes them."""
    return DeliveryNews(
        id=delivery_id[:MAX_ID],
        time=time.replace(microsecond=0),
        outcome=outcome,
        reason=reason,
        message=message[:MAX_MESSAGE],
        build=build,
    )
