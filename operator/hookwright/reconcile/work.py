"""The keyed work queue: each key is worked on by at most one worker, soon after it was added, however often it was.

Levels, not edges: a key says "look at this object", never what happened to it, so that nothing is lost when many
changes become one look.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import structlog

from hookwright.errors import ClusterError

log = structlog.get_logger()

K = TypeVar("K", bound=Hashable)

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 120.0
# Keys that say themselves when to be looked at again cost requests for as long as nothing changes: of those that wait
# equally long, no more than so many a second are looked at, as long as that makes none wait so many times longer.
LOOKS_PER_SECOND = 50.0
MOST_STRETCHED = 10.0
# Of so many different waits it is known when the last one that waits so long is due; beyond, of those still to come.
MAX_WAITS = 1000
MAX_OUTDATED = 1000


@dataclass(frozen=True)
class Again:
    """When to look at a key again by itself: after `seconds`, later if many wait so, or never (None)."""

    seconds: float | None = None


NEVER = Again()


def find_soonest(*times: Again) -> Again:
    """Give the soonest of several times."""
    return Again(min((one.seconds for one in times if one.seconds is not None), default=None))


class Result(StrEnum):
    """What came of one look at an object."""

    DONE = "done"
    LATER = "later"  # it is to be looked at again without a change
    RETRIED = "retried"  # the API server refuses, or is away
    FAILED = "failed"  # by a mistake of ours


@dataclass(kw_only=True)
class WorkQueue(Generic[K]):
    """Calls `work` for every key that was added, with `workers` at a time.

    `describe` names a key in log lines. `done` is told of each call: the key, what came of it, and the seconds it took.
    """

    work: Callable[[K], Awaitable[Again]]
    workers: int
    clock: Callable[[], float] = time.monotonic
    describe: Callable[[K], Mapping[str, str]] = lambda key: {"key": str(key)}
    done: Callable[[K, Result, float], None] = lambda _key, _result, _seconds: None
    _ready: dict[K, None] = field(default_factory=dict)  # in the order of adding
    _later: list[tuple[float, int, K]] = field(default_factory=list)
    _due: dict[K, float] = field(default_factory=dict)  # the one time that counts for a key in `_later`
    _busy: set[K] = field(default_factory=set)
    _failures: dict[K, int] = field(default_factory=dict)
    _last: dict[float, float] = field(default_factory=dict)  # when the last of those is due that wait so long
    _most_waits: int = MAX_WAITS
    _count: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: K) -> None:
        """Have `key` worked on as soon as a worker is free, and once more if it is being worked on now."""
        self._due.pop(key, None)
        self._ready[key] = None
        self._wake.set()

    def add_all(self, keys: Iterable[K]) -> None:
        """Add several keys."""
        for key in keys:
            self.add(key)

    def add_later(self, key: K, seconds: float) -> None:
        """Have `key` worked on after `seconds`, or sooner if somebody adds it."""
        if key in self._ready:
            return
        due = self.clock() + seconds
        if self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        self._count += 1
        heapq.heappush(self._later, (due, self._count, key))
        if len(self._later) > MAX_OUTDATED + 2 * len(self._due):
            # Of a key that was looked at before its time, that time is still there.
            self._later = [(due, count, key) for due, count, key in self._later if self._due.get(key) == due]
            heapq.heapify(self._later)
        self._wake.set()

    def __len__(self) -> int:
        """How many keys are ready, and wait for a worker."""
        return len(self._ready)

    @property
    def idle(self) -> bool:
        """Whether nothing is ready and nothing is being worked on."""
        return not self._ready and not self._busy

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                self._promote()
                while len(self._busy) < self.workers and (key := self._next()) is not None:
                    self._busy.add(key)
                    group.create_task(self._work(key))
                await self._sleep()

    def _promote(self) -> None:
        """Make ready what has waited long enough."""
        now = self.clock()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self._ready[key] = None

    def _next(self) -> K | None:
        for key in self._ready:
            if key not in self._busy:
                del self._ready[key]
                return key
        return None

    async def _sleep(self) -> None:
        wait = max(self._later[0][0] - self.clock(), 0.0) if self._later else None
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _work(self, key: K) -> None:
        began, result = self.clock(), None
        try:
            again = await self.work(key)
            result = Result.DONE if again.seconds is None else Result.LATER
            self._failures.pop(key, None)
            if again.seconds is not None:
                self.add_later(key, self._spread(again.seconds))
        except ClusterError as error:
            result = Result.RETRIED
            log.warning("reconcile", **self.describe(key), error=error.message, status=error.status)
            self._retry(key)
        except Exception:
            # A mistake of ours in one object must not stop the work on all others.
            result = Result.FAILED
            log.exception("reconcile", **self.describe(key))
            self._retry(key)
        finally:
            self._busy.discard(key)
            self._wake.set()
            # None came of one that was cancelled, as when the Lease is lost.
            if result is not None:
                self.done(key, result, self.clock() - began)

    def _spread(self, seconds: float) -> float:
        """Give how long to wait instead of `seconds`, so that many that wait so long do not come all at once."""
        now = self.clock()
        due = max(now + seconds, self._last.get(seconds, 0.0) + 1 / LOOKS_PER_SECOND)
        self._last[seconds] = due = min(due, now + seconds * MOST_STRETCHED)
        if len(self._last) > self._most_waits:
            self._last = {wait: last for wait, last in self._last.items() if last > now}
            self._most_waits = max(MAX_WAITS, 2 * len(self._last))
        return due - now

    def _retry(self, key: K) -> None:
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        wait = min(FIRST_BACKOFF * 2.0 ** min(failures - 1, 16), LONGEST_BACKOFF)
        self.add_later(key, wait * (1 + random.random() / 4))  # noqa: S311 - spreads retries, guards nothing
