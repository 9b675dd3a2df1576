"""How much the pending deliveries take, by namespace, and how much they may.

One rule, and nothing to set: a delivery is taken if its namespace then has no more than was still free of the limit
before. One namespace alone gets half of it, two get a third each, and there is always room for the next one: whoever
floods, by malice or because a target is missing, refuses only itself. A share of its own for each namespace would have
to be set, or would leave most of the volume unused.

Counted in memory, by the writer's thread alone, so that taking a delivery asks the disk nothing more. What a
transaction has changed is undone if it fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ROW_BYTES: Final = 1024
"""What a row counts for besides its `work`: its keys, their index, and what its pages leave unused."""

MOST: Final = 4 << 30
"""The most that may be pending, however large the volume: opening reads all of it, a second per gigabyte."""

_KEEP_MOST: Final = 64 << 20
_KEEP_PART: Final = 8


def size_of(work: int) -> int:
    """Give what a row counts for whose `work` has so many bytes."""
    return work + ROW_BYTES


def keep_free(volume: int) -> int:
    """Give how many bytes of a volume of this size no delivery takes: the log and what is remembered need them."""
    return min(_KEEP_MOST, volume // _KEEP_PART)


def set_limit(*, volume: int, room: int) -> int:
    """Give how many bytes may be pending on a volume of this size.

    `room` is what pending rows take or could take: free on the volume, free in the file, and pending now. Half of it,
    because the history and what is remembered grow too.
    """
    return min(MOST, max(0, room - keep_free(volume)) // 2)


class Ledger:
    """The bytes that are pending, by namespace; `limit` is how many may be."""

    def __init__(self, taken: Mapping[str, int], *, limit: int = MOST) -> None:
        self.limit = limit
        self._taken = dict(taken)
        self._total = sum(self._taken.values())
        self._undo: list[tuple[str, int]] = []

    @property
    def total(self) -> int:
        """How many bytes are pending."""
        return self._total

    def of(self, namespace: str) -> int:
        """Give how many of them a namespace has."""
        return self._taken.get(namespace, 0)

    def fits(self, namespace: str, size: int) -> bool:
        """Whether a namespace may have so many bytes more."""
        return self.of(namespace) + size <= self.limit - self._total

    def charge(self, namespace: str, size: int) -> None:
        """Add bytes to a namespace; fewer than 0 are taken away."""
        self._change(namespace, size)
        self._undo.append((namespace, size))

    def mark(self) -> int:
        """Give the present state, for `undo`; good until `keep`."""
        return len(self._undo)

    def undo(self, mark: int = 0) -> None:
        """Go back to a mark, or to the last `keep`."""
        for namespace, size in self._undo[mark:]:
            self._change(namespace, -size)
        del self._undo[mark:]

    def keep(self) -> None:
        """Take what was charged as certain: it is on the disk."""
        self._undo.clear()

    def _change(self, namespace: str, size: int) -> None:
        self._total += size
        taken = self.of(namespace) + size
        if taken:
            self._taken[namespace] = taken
        else:
            self._taken.pop(namespace, None)
