"""Who works on what: in memory only, so that a crash frees everything.

A claimed row is held until its work is concluded, postponed or released. Used by the writer's thread alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hookwright.journal.rows import Key, Pending


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """One held row: `row` is its number in the table.

    `until` is None while somebody works on it. It is a time after a postponement that the disk did not take: the hold
    then stands in for the row's own `due`, `attempts` and `reason`.
    """

    row: int
    until: datetime | None = None
    attempts: int = 0
    reason: str = ""


class Holds:
    """The held rows of this process."""

    def __init__(self) -> None:
        self._held: dict[Key, Hold] = {}

    def rows(self, *, now: datetime, longest: timedelta) -> set[int]:
        """Return the numbers of the rows that nobody else may have `now`.

        What would be kept for more than `longest` was kept before the clock was set back, and is kept no more.
        """
        last = now + longest
        return {hold.row for hold in self._held.values() if hold.until is None or now < hold.until <= last}

    def take(self, row: int, pending: Pending) -> Pending:
        """Hold a row; return it with what a postponement in memory says of it."""
        before = self._held.get(pending.key)
        self._held[pending.key] = Hold(row=row)
        if before is None or before.until is None:
            return pending
        return replace(pending, due=before.until, attempts=before.attempts, reason=before.reason)

    def postpone(self, key: Key, *, until: datetime, attempts: int, reason: str) -> None:
        """Keep a held row from everybody until a time, in memory; a row that is not held is left alone."""
        hold = self._held.get(key)
        if hold is not None:
            self._held[key] = Hold(row=hold.row, until=until, attempts=attempts, reason=reason)

    def end(self, keys: Iterable[Key]) -> None:
        """Let others claim these rows; what is not held is left alone."""
        for key in keys:
            self._held.pop(key, None)
