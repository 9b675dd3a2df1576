"""What receivers write into the status of whatever has a URL: lastTriggered (forward only) and lastDelivery.

Changes are gathered and written once per object and few seconds, so that a burst of deliveries costs one patch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from hookwright.builds.wanted import format_time
from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS, Cluster, Resource
from hookwright.cluster.mirror import Key
from hookwright.errors import ClusterError
from hookwright.kinds import BuildReference, BuildTrigger, InvalidObject, LastDelivery, ObjectKind, Raw, Webhook
from hookwright.logs import name_object
from hookwright.reasons import (
    BODY_UNREADABLE,
    JOURNAL_CROWDED,
    JOURNAL_UNWRITABLE,
    PARAMETERS_TOO_LARGE,
    PAYLOAD_TOO_COMPLEX,
    RATE_LIMITED,
    SECRET_UNUSABLE,
    TOO_MANY_CHANGES,
    Outcome,
)

log = structlog.get_logger()

FLUSH_SECONDS = 1.0
PATCHES_AT_ONCE = 16
# How often it is tried to write all, before the process ends, and how long between.
FAREWELLS = 3
FAREWELL_SECONDS = 0.2
# More objects than this are not kept waiting: the oldest news is dropped. The history of each is in its builds.
MAX_WAITING = 20_000
# For so long a delivery is not hidden by what anybody may have sent. Longer, and whoever has changed a secret at the
# sender would not see in status why nothing starts any more.
HIDDEN_AFTER = timedelta(minutes=1)
# By so much the clocks of two machines may differ before a time is taken to be from before a clock was set back.
CLOCKS_DIFFER = timedelta(minutes=1)
MAX_MESSAGE = 1024
MAX_ID = 256
_KEPT = frozenset({Outcome.FAILED, Outcome.PENDING})
# What is refused for one of these came from a sender that had proved itself; or from anybody, but it is the owner's to
# mend, and wakes who looks at the object.
_REFUSED_THOUGH_PROVED = frozenset(
    reason.name
    for reason in (
        *(BODY_UNREADABLE, JOURNAL_CROWDED, JOURNAL_UNWRITABLE, PARAMETERS_TOO_LARGE, PAYLOAD_TOO_COMPLEX),
        *(RATE_LIMITED, SECRET_UNUSABLE, TOO_MANY_CHANGES),
    )
)


# The kinds that have URLs.
_KINDS: Mapping[str, tuple[type[ObjectKind], Resource]] = {
    Webhook.KIND: (Webhook, WEBHOOKS),
    BuildTrigger.KIND: (BuildTrigger, BUILDTRIGGERS),
}


class Objects(Protocol):
    """Where objects are found."""

    def find(self, key: Key) -> ObjectKind | InvalidObject | None:
        """Give an object; None if it does not exist."""
        ...

    def put(self, kind: type[ObjectKind], raw: Raw) -> None:
        """Take an object as the API server shows it."""
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
    one_of_several: bool = False  # about one of the builds of its delivery; not written

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
    """What is to be written to one object of `kind`."""

    kind: str
    namespace: str
    name: str
    uid: str
    last_delivery: DeliveryNews | None = None
    last_triggered: datetime | None = None


class StatusWriter:
    """Gathers news and writes it, at most one patch per object and `FLUSH_SECONDS`; `dropped` counts what was not."""

    def __init__(
        self,
        cluster: Cluster,
        objects: Objects,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._cluster = cluster
        self._objects = objects
        self._clock = clock
        self._sleep = sleep
        self.dropped = 0
        self._waiting: dict[str, News] = {}
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()

    def tell(self, news: News) -> None:
        """Take news; newer news of the same object replaces or completes older."""
        before = self._waiting.pop(news.uid, None)
        if before is None and len(self._waiting) >= MAX_WAITING:
            self._waiting.pop(next(iter(self._waiting)))
            self.dropped += 1
        self._waiting[news.uid] = merge(before, news, now=self._clock()) if before is not None else news
        self._some.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            await self.flush()
            await self._sleep(FLUSH_SECONDS)

    async def finish(self) -> None:
        """Write all that waits, and what it is refused for being old once more."""
        for _ in range(FAREWELLS):
            await self.flush()
            if not self._waiting:
                return
            await self._sleep(FAREWELL_SECONDS)

    async def flush(self) -> None:
        """Write all that waits, now; what the API server does not take waits for the next time.

        What is being written already is waited for.
        """
        async with self._writing:
            await self._flush()

    async def _flush(self) -> None:
        self._some.clear()
        waiting, self._waiting = self._waiting, {}
        gate = asyncio.Semaphore(PATCHES_AT_ONCE)

        async def write(news: News) -> None:
            async with gate:
                await self._write(news)

        results = await asyncio.gather(*(write(news) for news in waiting.values()), return_exceptions=True)
        for news, result in zip(waiting.values(), results, strict=True):
            if isinstance(result, Exception):
                # A mistake of ours about one object must not stop the news of all others.
                self.dropped += 1
                log.error("status", **_name(news), error=type(result).__name__, exc_info=result)

    async def _write(self, news: News) -> None:
        found = self._objects.find(Key(news.kind, news.namespace, news.name))
        if found is None or found.metadata.uid != news.uid:
            return
        patch = make_patch(news, found, now=self._clock())
        if not patch:
            return
        # Of the very version that was compared with: other receivers write too, and what they wrote may be newer. A
        # refusal for that is a 409, and is tried again with what they wrote.
        version = found.metadata.resource_version
        known = {"uid": news.uid} | ({"resourceVersion": version} if version else {})
        kind, resource = _KINDS[news.kind]
        try:
            written = await self._cluster.patch(
                resource,
                {"metadata": known, "status": patch},
                namespace=news.namespace,
                name=news.name,
                subresource="status",
            )
            self._objects.put(kind, written)
        except ClusterError as error:
            if error.transient:
                later = self._waiting.pop(news.uid, None)
                self._waiting[news.uid] = merge(news, later, now=self._clock()) if later is not None else news
                self._some.set()
            else:
                self.dropped += 1
                log.warning("status", **_name(news), error=error.message)


def _name(news: News) -> dict[str, str]:
    """Name the object, and the delivery if there is one, in a log line."""
    delivery = {"delivery": news.last_delivery.id} if news.last_delivery is not None else {}
    return name_object(news.kind, news.namespace, news.name) | delivery


def merge(before: News, after: News, *, now: datetime) -> News:
    """Give the news that two pieces of news amount to; see `make_patch`."""
    old, new = before.last_delivery, after.last_delivery
    last = old if new is None or not _replaces(new, old, now=now) else new
    if last is new and before.last_triggered is None:
        return after
    one, other = before.last_triggered, after.last_triggered
    keeps = other is None or (one is not None and _is_later(one, other, now=now))
    return News(
        kind=after.kind,
        namespace=after.namespace,
        name=after.name,
        uid=after.uid,
        last_delivery=last,
        last_triggered=one if keeps else other,
    )


def make_patch(news: News, obj: ObjectKind | InvalidObject, *, now: datetime) -> dict[str, Any]:
    """Give the members of status that `news` changes; empty if it is no news. Pure.

    Both go forward only, unless what is there lies in the future: then the clock was set back since, and to wait until
    it has caught up would hide what happens meanwhile.
    """
    status = obj.status if isinstance(obj, Webhook | BuildTrigger) else None
    patch: dict[str, Any] = {}
    found = status.last_delivery if status is not None else None
    if news.last_delivery is not None and _replaces(news.last_delivery, found, now=now):
        written = news.last_delivery.to_raw()
        if found is None or found.to_raw() != written:
            # A merge patch keeps what it does not name: the build of an older delivery must go.
            patch["lastDelivery"] = written | ({} if "build" in written else {"build": None})
    before = status.last_triggered if status is not None else None
    # In whole seconds, as it is written: what differs by less would be written again and again.
    triggered = news.last_triggered.replace(microsecond=0) if news.last_triggered is not None else None
    if triggered is not None and (before is None or _is_later(triggered, before, now=now)):
        patch["lastTriggered"] = format_time(triggered)
    return patch


def _is_ahead(one: datetime, other: datetime, *, now: datetime) -> bool:
    """Say whether one time lies in the future, and the other does not."""
    return one > now + CLOCKS_DIFFER >= other


def _is_later(one: datetime, other: datetime, *, now: datetime) -> bool:
    """Say whether one time was later than the other, as far as clocks that are set back let it be known."""
    return _is_ahead(other, one, now=now) or (one > other and not _is_ahead(one, other, now=now))


def _replaces(news: DeliveryNews, found: DeliveryNews | LastDelivery | None, *, now: datetime) -> bool:
    """Say whether a delivery takes the place of the one that is there: the newer one does.

    What anybody who knows the URL can send stands back behind what was proved: it never hides a delivery that failed,
    which somebody must mend, or that is still under way, and any other only after HIDDEN_AFTER. In whichever order the
    two are told, the same one remains.
    """
    if found is None or _is_ahead(found.time, news.time, now=now):
        return True
    if _is_ahead(news.time, found.time, now=now):
        return False
    if _is_anybodys(news) and not _is_anybodys(found):
        return found.outcome not in _KEPT and news.time >= found.time + HIDDEN_AFTER
    if _is_anybodys(found) and not _is_anybodys(news):
        return news.outcome in _KEPT or news.time + HIDDEN_AFTER > found.time
    if news.time == found.time and _is_sibling(news, found):
        return False
    # Of two with the same time the later news counts: it says what became of the same delivery.
    return news.time >= found.time


def _is_sibling(news: DeliveryNews, found: DeliveryNews | LastDelivery) -> bool:
    """Say whether a build has failed and it is news of another one of the same delivery: that must not hide it."""
    return news.one_of_several and news.id == found.id and found.outcome == Outcome.FAILED != news.outcome


def _is_anybodys(delivery: DeliveryNews | LastDelivery) -> bool:
    """Say whether it takes no proof to have this said."""
    return delivery.outcome == Outcome.REFUSED and delivery.reason not in _REFUSED_THOUGH_PROVED


def describe_delivery(
    *,
    delivery_id: str,
    time: datetime,
    outcome: str,
    reason: str,
    message: str,
    build: BuildReference | None = None,
    one_of_several: bool = False,
) -> DeliveryNews:
    """Make a lastDelivery that fits its bounds; times are whole seconds, as Kubernetes writes them."""
    return DeliveryNews(
        id=delivery_id[:MAX_ID],
        time=time.replace(microsecond=0),
        outcome=outcome,
        reason=reason,
        message=message[:MAX_MESSAGE],
        build=build,
        one_of_several=one_of_several,
    )
