"""Secrets, read on demand: kept at most 10 s, and read again when a signature does not fit.

So a new secret works with the first delivery that is signed with it, and no right to list or watch Secrets is needed.
How often a stranger's bad signatures can make us ask the API server is bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hookwright.cluster.port import Cluster
from hookwright.cluster.resources import SECRETS
from hookwright.cluster.secret_values import FoundSecret, SecretState, judge_secret
from hookwright.errors import ClusterError
from hookwright.kinds import Raw

KEEP_SECONDS = 10.0
# So long a sender waits while there is an older secret to go on with, and so long an answer is not asked for again.
PATIENCE_SECONDS = 2.0
RETRY_SECONDS = 2.0
# So many readings in a row because of bad signatures; one more each second.
BURST = 5
# Secrets that nobody asked for are forgotten when there are more than this.
MAX_KEPT = 20_000


@dataclass(kw_only=True)
class _Kept:
    secret: Raw | None = field(repr=False)
    forbidden: bool
    read_at: float

    def judge(self, key: str) -> FoundSecret:
        return FoundSecret(state=SecretState.FORBIDDEN) if self.forbidden else judge_secret(self.secret, key)


@dataclass(kw_only=True)
class _Budget:
    left: float = BURST
    counted_at: float


class SecretReader:
    """Reads Secrets for the receiver and the operator; all times are seconds of a monotonic clock."""

    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._reading: dict[tuple[str, str], asyncio.Task[_Kept]] = {}
        self._failed_at: dict[tuple[str, str], float] = {}
        self._budgets: dict[tuple[str, str], _Budget] = {}

    async def find(self, namespace: str, name: str, key: str) -> FoundSecret:
        """Give what is there now, as the API server says it: for the operator, which says it in status."""
        try:
            kept = await asyncio.shield(self._ask((namespace, name)))
        except ClusterError:
            return FoundSecret(state=SecretState.UNKNOWN)
        return kept.judge(key)

    async def read(self, namespace: str, name: str, key: str) -> Sequence[bytes] | None:
        """Give the live secrets, at most 10 s old; None if there is none that can be used.

        While the API server does not answer, what was read last is used, however old: a sender does not wait for it
        longer than `PATIENCE_SECONDS`.
        """
        where = (namespace, name)
        kept = self._kept.get(where)
        if kept is not None and self._clock() - kept.read_at <= KEEP_SECONDS:
            return kept.judge(key).values or None
        if self._clock() - self._failed_at.get(where, -RETRY_SECONDS) >= RETRY_SECONDS:
            task = self._ask(where)
            # Without anything known there is nothing to do but wait; the call itself has a timeout.
            await asyncio.wait({task}, timeout=PATIENCE_SECONDS if kept is not None else None)
            kept = self._kept.get(where)
        return (kept.judge(key).values or None) if kept is not None else None

    async def read_again(
        self, namespace: str, name: str, key: str, than: Sequence[bytes] | None
    ) -> Sequence[bytes] | None:
        """Give the live secrets as they are now, if they are others than `than`; else None."""
        where = (namespace, name)
        if not self._spend(where):
            return None
        await asyncio.wait({self._ask(where)}, timeout=PATIENCE_SECONDS)
        kept = self._kept.get(where)
        values = kept.judge(key).values if kept is not None else ()
        return values if values and list(values) != list(than or ()) else None

    def _ask(self, where: tuple[str, str]) -> asyncio.Task[_Kept]:
        """Ask the API server, once for all who ask at the same time."""
        task = self._reading.get(where)
        if task is None:
            task = asyncio.create_task(self._fetch(where))
            self._reading[where] = task
            task.add_done_callback(lambda done: self._note(where, done))
        return task

    def _note(self, where: tuple[str, str], task: asyncio.Task[_Kept]) -> None:
        """Remember an answer, and that there was none."""
        self._reading.pop(where, None)
        if len(self._kept) + len(self._failed_at) >= MAX_KEPT:
            for memory in (self._kept, self._failed_at, self._budgets):
                memory.clear()
        if not task.cancelled() and task.exception() is None:
            self._kept[where] = task.result()
            self._failed_at.pop(where, None)
        else:
            self._failed_at[where] = self._clock()

    async def _fetch(self, where: tuple[str, str]) -> _Kept:
        namespace, name = where
        asked_at = self._clock()
        try:
            secret = await self._cluster.get(SECRETS, namespace=namespace, name=name)
        except ClusterError as error:
            if error.transient:
                raise
            # A right that was taken away takes the secret away too.
            return _Kept(secret=None, forbidden=True, read_at=asked_at)
        return _Kept(secret=secret, forbidden=False, read_at=asked_at)

    def _spend(self, where: tuple[str, str]) -> bool:
        now = self._clock()
        budget = self._budgets.setdefault(where, _Budget(counted_at=now))
        budget.left = min(BURST, budget.left + now - budget.counted_at)
        budget.counted_at = now
        if budget.left < 1:
            return False
        budget.left -= 1
        return True
