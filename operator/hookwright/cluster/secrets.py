"""Secrets, read on demand: kept at most 10 s, and read again when a signature does not fit.

So a new secret works with the first delivery that is signed with it, and no right to list or watch Secrets is needed.
How often a stranger's bad signatures can make us ask the API server is bounded.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hookwright.cluster.port import Cluster
from hookwright.cluster.resources import SECRETS
from hookwright.errors import ClusterError
from hookwright.kinds import Raw

KEEP_SECONDS = 10.0
# So many readings in a row because of bad signatures; one more each second.
BURST = 5
# Secrets that nobody asked for are forgotten when there are more than this.
MAX_KEPT = 20_000


class SecretState(StrEnum):
    """How a secret was found."""

    USABLE = "usable"
    NO_SECRET = "no secret"  # noqa: S105 - a state's name
    NO_KEY = "no key"
    EMPTY = "empty"
    UNKNOWN = "unknown"  # the API server did not say


@dataclass(frozen=True, kw_only=True)
class FoundSecret:
    """What was found where a secret should be; `values` are the live secrets, empty unless usable."""

    state: SecretState
    values: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(kw_only=True)
class _Kept:
    secret: Raw | None = field(repr=False)
    read_at: float


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
        self._budgets: dict[tuple[str, str], _Budget] = {}

    async def find(self, namespace: str, name: str, key: str) -> FoundSecret:
        """Give what is there now, as the API server says it: for the operator, which says it in status."""
        try:
            kept = await self._read((namespace, name))
        except ClusterError:
            return FoundSecret(state=SecretState.UNKNOWN)
        return judge_secret(kept.secret, key)

    async def read(self, namespace: str, name: str, key: str) -> Sequence[bytes] | None:
        """Give the live secrets, at most 10 s old; None if there is none that can be used.

        While the API server does not answer, what was read last is used, however old.
        """
        where = (namespace, name)
        kept = self._kept.get(where)
        if kept is None or self._clock() - kept.read_at > KEEP_SECONDS:
            try:
                kept = await self._read(where)
            except ClusterError:
                if kept is None:
                    return None
        return judge_secret(kept.secret, key).values or None

    async def read_again(
        self, namespace: str, name: str, key: str, than: Sequence[bytes] | None
    ) -> Sequence[bytes] | None:
        """Give the live secrets as they are now, if they are others than `than`; else None."""
        where = (namespace, name)
        if not self._spend(where):
            return None
        try:
            kept = await self._read(where)
        except ClusterError:
            return None
        values = judge_secret(kept.secret, key).values
        return values if values and list(values) != list(than or ()) else None

    async def _read(self, where: tuple[str, str]) -> _Kept:
        """Ask the API server, once for all who ask at the same time."""
        task = self._reading.get(where)
        if task is None:
            task = asyncio.create_task(self._fetch(where))
            self._reading[where] = task
            task.add_done_callback(lambda _: self._reading.pop(where, None))
        return await asyncio.shield(task)

    async def _fetch(self, where: tuple[str, str]) -> _Kept:
        namespace, name = where
        asked_at = self._clock()
        secret = await self._cluster.get(SECRETS, namespace=namespace, name=name)
        kept = _Kept(secret=secret, read_at=asked_at)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
            self._budgets.clear()
        self._kept[where] = kept
        return kept

    def _spend(self, where: tuple[str, str]) -> bool:
        now = self._clock()
        budget = self._budgets.setdefault(where, _Budget(counted_at=now))
        budget.left = min(BURST, budget.left + now - budget.counted_at)
        budget.counted_at = now
        if budget.left < 1:
            return False
        budget.left -= 1
        return True


def judge_secret(secret: Raw | None, key: str) -> FoundSecret:
    """Say what is at `key` of a Secret; None stands for a Secret that does not exist."""
    if secret is None:
        return FoundSecret(state=SecretState.NO_SECRET)
    encoded = (secret.get("data") or {}).get(key)
    if encoded is None:
        return FoundSecret(state=SecretState.NO_KEY)
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError):
        value = b""
    if not value.strip():
        return FoundSecret(state=SecretState.EMPTY)
    return FoundSecret(state=SecretState.USABLE, values=(value,))
