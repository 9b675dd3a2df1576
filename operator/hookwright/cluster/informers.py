"""Informers of one resource: a single one for all namespaces, or one for each of some, where rights are given in each.

Namespaces do not know of each other: one in which a right is missing, or that is not there, keeps none of the others
from being followed, and is followed once the right is given.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence

from hookwright.cluster.informer import Informer

# What the API server refuses for lack of a right is asked for so often, all namespaces together.
REFUSALS_PER_SECOND = 4.0
SHORTEST_REFUSED_SECONDS = 5.0


class Informers:
    """The informers that `make` makes for each of `namespaces`; of none: the one that it makes for all of them."""

    def __init__(self, make: Callable[[str | None], Informer], namespaces: Sequence[str] = ()) -> None:
        self._informers: dict[str | None, Informer] = {name: make(name) for name in namespaces or (None,)}

    def of(self, namespace: str) -> Informer | None:
        """Give the informer that follows a namespace; None if it is not followed."""
        return self._informers.get(namespace) or self._informers.get(None)

    @property
    def going(self) -> bool:
        """Whether all of them watch, as far as we know."""
        return all(informer.going for informer in self._informers.values())

    def available(self, namespace: str) -> bool:
        """Whether the API server lets us list and watch there, as far as we know."""
        informer = self.of(namespace)
        return informer is not None and informer.available

    def as_of(self, now: float, namespace: str) -> float:
        """Give up to what time everything in a namespace has been told; see `Informer.as_of`."""
        informer = self.of(namespace)
        return informer.as_of(now) if informer is not None else -math.inf

    async def settled(self) -> None:
        """Wait until each has told all that is there, or was refused."""
        for informer in self._informers.values():
            await informer.settled()

    async def synced(self) -> None:
        """Wait until each has settled, and one of them at least was not refused."""
        await self.settled()
        waiting = [asyncio.create_task(informer.synced.wait()) for informer in self._informers.values()]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def run(self) -> None:
        """List and watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for informer in self._informers.values():
                group.create_task(informer.run())


def space_refusals(namespaces: Sequence[str]) -> float:
    """Give how often to ask again, in each of so many namespaces, for a right without which nothing goes."""
    return max(SHORTEST_REFUSED_SECONDS, len(namespaces) / REFUSALS_PER_SECOND)
