"""Secrets: labelled ones from memory, where a watch keeps them; others read on demand, and kept at most 10 s.

Either is read again when a signature does not fit, so that a new secret works with the first delivery that is signed
with it: what is kept may be old, and a watch may lag behind or have died without a word. How often a stranger's bad
signatures can make us ask the API server is bounded. No right to list or watch Secrets is needed; it saves requests.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hookwright.cluster.port import Cluster
from hookwright.cluster.resources import SECRETS
from hookwright.cluster.secret_values import FoundSecret, SecretCopy, SecretState, measure_copy
from hookwright.cluster.watched_secrets import WatchedSecrets
from hookwright.errors import ClusterError

KEEP_SECONDS = 10.0
# The operator looks at all objects with one Secret at the same time; an answer of this age serves all of them.
FIND_SECONDS = 1.0
# So long a sender waits while there is an older secret to go on with, and so long an answer is not asked for again.
PATIENCE_SECONDS = 2.0
RETRY_SECONDS = 2.0
# An API server that has just started refuses for a moment what it allows: a secret that is known is believed lost only
# when its reading was refused for so long.
REFUSED_SECONDS = 10.0
# So many readings in a row because of bad signatures; one more each second.
BURST = 5
# Of more Secrets than this, or larger ones together, those that were read first are forgotten.
MAX_KEPT = 20_000
MAX_BYTES = 64 * 1024 * 1024

Place = tuple[str, str]  # namespace and name
# Namespace, name and key; and for whom the Secret must say that it is, if there are any words for that.
Ref = tuple[str, str, str] | tuple[str, str, str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    copy: SecretCopy
    read_at: float


@dataclass(kw_only=True)
class _Budget:
    left: float = BURST
    counted_at: float


class SecretReader:
    """Reads Secrets for the receiver and the operator; all times are seconds of a monotonic clock, but for `wall`'s.

    `watched` are the labelled Secrets, on the same clock; without it all are read on demand. `settling` says whether
    the API server was away just now, so that no refusal is believed. `wall` says which old secrets have ended.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        watched: WatchedSecrets | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        settling: Callable[[], bool] = lambda: False,
    ) -> None:
        self._cluster = cluster
        self._settling = settling
        self._watched = watched
        self._clock = clock
        self._wall = wall
        self._kept: dict[Place, _Kept] = {}  # those that were read first, first
        self._bytes = 0
        self._reading: dict[Place, asyncio.Task[_Kept]] = {}
        self._failed_at: dict[Place, float] = {}
        self._refused_at: dict[Place, float] = {}  # since when, without an answer between
        self._budgets: dict[Place, _Budget] = {}
        self._doubted: set[Place] = set()
        if watched is not None:
            watched.subscribe(self._drop)

    def is_watched(self, namespace: str, name: str) -> bool:
        """Say whether a Secret is watched now, so that each change of it is told."""
        return self.find_watched(namespace, name) is not None

    def find_watched(self, namespace: str, name: str) -> SecretCopy | None:
        """Give the copy of a Secret that is watched now: the same object as long as the API server tells of no change.

        None if it is not watched, or nobody knows whether the copy is right.
        """
        where, now = (namespace, name), self._clock()
        if self._watched is None or where in self._doubted:
            return None
        return self._watched.get(where) if now - self._watched.as_of(now, namespace) <= KEEP_SECONDS else None

    async def find(self, namespace: str, name: str, key: str) -> FoundSecret:
        """Give what is there, at most 1 s ago, as the API server says it: for the operator, which says it in status."""
        where = (namespace, name)
        now = self._clock()
        copy, as_of = self._look(where, now)
        if copy is not None and now - as_of <= FIND_SECONDS:
            return copy.judge(key)
        if now - self._failed_at.get(where, -math.inf) <= FIND_SECONDS:
            return FoundSecret(state=SecretState.UNKNOWN)
        try:
            kept = await asyncio.shield(self._ask(where))
        except ClusterError:
            return FoundSecret(state=SecretState.UNKNOWN)
        return kept.copy.judge(key)

    async def read(self, namespace: str, name: str, key: str) -> Sequence[bytes] | None:
        """Give the live secrets at one key; see `read_all`."""
        return await self.read_all([(namespace, name, key)])

    async def read_again(
        self, namespace: str, name: str, key: str, than: Sequence[bytes] | None
    ) -> Sequence[bytes] | None:
        """Give the live secrets at one key if they are others than `than`; see `read_all_again`."""
        return await self.read_all_again([(namespace, name, key)], than)

    async def read_all(self, refs: Sequence[Ref]) -> Sequence[bytes] | None:
        """Give the live secrets of all `refs` in their order, at most 10 s old; None if none can be used.

        While the API server does not answer, what was read last is used, however old: a sender does not wait for it
        longer than `PATIENCE_SECONDS`. While it refuses, it is used for `REFUSED_SECONDS`.
        """
        now = self._clock()
        values: tuple[bytes, ...] = ()
        where, copy = None, None
        for ref in refs:
            # Several keys of one Secret are looked for at once.
            if ref[:2] != where:
                where = ref[:2]
                copy, as_of = self._look(where, now)
                if copy is None or now - as_of > KEEP_SECONDS:
                    await self._refresh(refs)
                    return self._collect(refs)
            if copy is not None:
                values += self._judge(copy, ref)
        return values or None

    async def read_all_again(self, refs: Sequence[Ref], than: Sequence[bytes] | None) -> Sequence[bytes] | None:
        """Give the live secrets of all `refs` as they are now, if they are others than `than`; else None.

        How often it really asks the API server is bounded for each Secret.
        """
        tried = tuple(than or ())
        # A watch, or another delivery, may have brought it meanwhile.
        changed = await self._wait_for_others(set(), refs, tried)
        places = {ref[:2] for ref in refs}
        if changed is None and (under_way := {self._reading[where] for where in places if where in self._reading}):
            # Another's request costs nothing; it may have been sent before the Secret changed.
            changed = await self._wait_for_others(under_way, refs, tried)
        if changed is None and (asked := {self._ask(where) for where in places if self._spend(where)}):
            changed = await self._wait_for_others(asked, refs, tried)
        return changed

    def _judge(self, copy: SecretCopy, ref: Ref) -> tuple[bytes, ...]:
        return copy.judge(*ref[2:], now=self._wall()).values

    async def _wait_for_others(
        self, requests: set[asyncio.Task[_Kept]], refs: Sequence[Ref], tried: tuple[bytes, ...]
    ) -> Sequence[bytes] | None:
        """Wait for requests; give what is known then if it is other than what was tried."""
        if requests:
            await asyncio.wait(requests, timeout=PATIENCE_SECONDS)
        known = self._collect(refs)
        return known if known is not None and tuple(known) != tried else None

    def _look(self, where: Place, now: float) -> tuple[SecretCopy | None, float]:
        """Give what is known of a Secret, and as of when; None if nothing is."""
        kept = self._kept.get(where)
        if self._watched is not None and where not in self._doubted:
            copy, as_of = self._watched.get(where), self._watched.as_of(now, where[0])
            if copy is not None and (kept is None or as_of >= kept.read_at):
                return copy, as_of
        return (kept.copy, kept.read_at) if kept is not None else (None, -math.inf)

    def _drop(self, namespace: str, name: str) -> None:
        """Trust the watch, which has news of a Secret; one that has lost its label is read anew."""
        self._forget((namespace, name))
        self._doubted.discard((namespace, name))

    def _collect(self, refs: Sequence[Ref]) -> Sequence[bytes] | None:
        """Give what is known, however old; None if nothing can be used."""
        now = self._clock()
        values: tuple[bytes, ...] = ()
        for ref in refs:
            copy, _ = self._look(ref[:2], now)
            if copy is not None:
                values += self._judge(copy, ref)
        return values or None

    async def _refresh(self, refs: Sequence[Ref]) -> None:
        """Ask for what is not known well enough, unless that has just failed."""
        now = self._clock()
        tasks = set()
        known = False
        for where in {ref[:2] for ref in refs}:
            copy, as_of = self._look(where, now)
            known = known or copy is not None
            if now - as_of > KEEP_SECONDS and now - self._failed_at.get(where, -math.inf) >= RETRY_SECONDS:
                tasks.add(self._ask(where))
        if tasks:
            # Without anything known there is nothing to do but wait; the call itself has a timeout.
            await asyncio.wait(tasks, timeout=PATIENCE_SECONDS if known else None)

    def _ask(self, where: Place) -> asyncio.Task[_Kept]:
        """Ask the API server, once for all who ask at the same time."""
        task = self._reading.get(where)
        if task is None:
            task = asyncio.create_task(self._fetch(where))
            self._reading[where] = task
            task.add_done_callback(lambda done: self._note(where, done))
        return task

    def _note(self, where: Place, task: asyncio.Task[_Kept]) -> None:
        """Remember an answer, and that there was none."""
        self._reading.pop(where, None)
        for memory in (self._failed_at, self._budgets, self._refused_at):
            if len(memory) >= MAX_KEPT:
                memory.clear()
        if _is_answer(task):
            self._keep(where, task.result())
            self._failed_at.pop(where, None)
            if not task.result().copy.forbidden:
                self._refused_at.pop(where, None)
            self._compare(where, task.result().copy)
        else:
            self._failed_at[where] = self._clock()

    def _keep(self, where: Place, kept: _Kept) -> None:
        """Keep an answer, as long as there is room: anybody's Secrets may be large."""
        self._forget(where)
        self._bytes += measure_copy(kept.copy)
        self._kept[where] = kept
        while len(self._kept) > MAX_KEPT or (self._bytes > MAX_BYTES and len(self._kept) > 1):
            self._forget(next(iter(self._kept)))

    def _forget(self, where: Place) -> None:
        kept = self._kept.pop(where, None)
        if kept is not None:
            self._bytes -= measure_copy(kept.copy)

    def _compare(self, where: Place, answer: SecretCopy) -> None:
        """Doubt what the watch says of a Secret that is another by now, until the watch has news of it."""
        copy = self._watched.get(where) if self._watched is not None else None
        if copy is None or copy == answer or answer.forbidden:
            self._doubted.discard(where)
        else:
            self._doubted.add(where)

    async def _fetch(self, where: Place) -> _Kept:
        namespace, name = where
        asked_at = self._clock()
        try:
            secret = await self._cluster.get(SECRETS, namespace=namespace, name=name)
        except ClusterError as error:
            if error.transient or self._may_pass(where, asked_at):
                raise
            # A right that was taken away takes the secret away too.
            return _Kept(copy=SecretCopy(data=None, forbidden=True), read_at=asked_at)
        return _Kept(copy=SecretCopy.of(secret), read_at=asked_at)

    def _may_pass(self, where: Place, now: float) -> bool:
        """Say whether a refusal may be a moment's: just after an absence, or that of a secret that could be used."""
        if self._settling():
            return True
        kept = self._kept.get(where)
        if kept is None or not kept.copy.data:
            return False
        return now - self._refused_at.setdefault(where, now) < REFUSED_SECONDS

    def _spend(self, where: Place) -> bool:
        now = self._clock()
        budget = self._budgets.setdefault(where, _Budget(counted_at=now))
        budget.left = min(BURST, budget.left + now - budget.counted_at)
        budget.counted_at = now
        if budget.left < 1:
            return False
        budget.left -= 1
        return True


def _is_answer(task: asyncio.Task[_Kept]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
