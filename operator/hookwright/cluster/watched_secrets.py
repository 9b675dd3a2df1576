"""The labelled Secrets: watched, so that they are known before anybody asks, and their changes are told.

The label hookwright.dev/watched=true says that a Secret is meant for Hookwright. All that we make have it; users put it
on theirs. To list and watch Secrets is a right on all of them, since RBAC knows no labels: where it is not granted,
labelled Secrets are read on demand, as others are.

Who may label Secrets is anybody who may write one, so what is kept is bounded. What does not fit in is read on demand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from hookwright.cluster.answers import DELETED
from hookwright.cluster.informer import Informer, Place
from hookwright.cluster.informers import Informers
from hookwright.cluster.port import Cluster
from hookwright.cluster.resources import SECRETS
from hookwright.cluster.secret_values import SecretCopy, measure_copy
from hookwright.kinds import Raw

log = structlog.get_logger()

WATCHED_LABEL: Final = "hookwright.dev/watched"
# A Secret has at most 1 MiB, and all Secrets of a page are in memory at a time.
PAGE_SIZE = 50
MAX_SECRETS = 20_000
MAX_BYTES = 64 * 1024 * 1024


class WatchedSecrets:
    """Copies of the labelled Secrets of `namespaces` (none: of all); `informers.run()` keeps them right."""

    def __init__(
        self, cluster: Cluster, *, namespaces: Sequence[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        def make(namespace: str | None) -> Informer:
            return Informer(
                cluster,
                SECRETS,
                seen=self._see,
                namespace=namespace,
                label_selector=f"{WATCHED_LABEL}=true",
                page_size=PAGE_SIZE,
                clock=clock,
            )

        self.informers = Informers(make, namespaces)
        self._copies: dict[Place, SecretCopy] = {}
        self._bytes = 0
        self._is_full = False
        self._subscribers: list[Callable[[str, str], None]] = []

    def subscribe(self, told: Callable[[str, str], None]) -> None:
        """Have `told` called with namespace and name of each labelled Secret that came, went, or has other data."""
        self._subscribers.append(told)

    def get(self, place: Place) -> SecretCopy | None:
        """Give the copy of a Secret as it was `as_of`; None says nothing: it may be there without the label."""
        return self._copies.get(place)

    def as_of(self, now: float, namespace: str) -> float:
        """Give up to what time the copies of a namespace are right: `now` while the watch goes; -inf if never."""
        return self.informers.as_of(now, namespace)

    def _see(self, event: str, raw: Raw) -> None:
        metadata = raw["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        copy = None if event == DELETED else SecretCopy.of(raw)
        before = self._forget((namespace, name))
        if copy is not None:
            self._keep((namespace, name), copy)
        if before is None or before != copy:
            for told in self._subscribers:
                told(namespace, name)

    def _keep(self, place: Place, copy: SecretCopy) -> None:
        size = measure_copy(copy)
        if len(self._copies) >= MAX_SECRETS or self._bytes + size > MAX_BYTES:
            if not self._is_full:
                self._is_full = True
                log.warning(
                    "watched secrets",
                    error=f"more than {MAX_SECRETS} labelled Secrets or {MAX_BYTES} bytes: others are read on demand",
                    remedy=f"take the label {WATCHED_LABEL} off Secrets that no Webhook uses",
                )
            return
        self._copies[place] = copy
        self._bytes += size

    def _forget(self, place: Place) -> SecretCopy | None:
        copy = self._copies.pop(place, None)
        if copy is not None:
            self._bytes -= measure_copy(copy)
        return copy
