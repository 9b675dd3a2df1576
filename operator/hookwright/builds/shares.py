"""How many of the worker's slots a namespace may have just now, by what has become of its starts. Pure.

All of them, until a start fails that is to be tried again. Then one, and one more with each that does not fail, so that
it has all again after a few turns. What fails slowly, as behind a webhook that does not answer, so keeps one slot from
the others, and not all. After the refusal of a quota there is none for a moment: it would refuse the next one as well,
and whoever waits for it by tens of thousands would ask the API server without pause.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hookwright.builds.retry import backoff
from hookwright.reasons import QUOTA_EXCEEDED, TARGET_MISSING, Outcome, Reason

LONGEST_REST_SECONDS: Final = 4.0
FORGET: Final = timedelta(minutes=1)
"""A namespace of which nothing has failed for so long is trusted again."""


@dataclass(kw_only=True, slots=True)
class _Doubt:
    """What is remembered of a namespace; it rests from the last failure until `until`."""

    share: int
    failed: datetime
    until: datetime
    refusals: int = 0  # of its quota, in a row


class Shares:
    """The namespaces whose starts fail, and what each of them may have of `slots`."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._doubts: dict[str, _Doubt] = {}

    def learn(self, namespace: str, reason: Reason, *, now: datetime) -> None:
        """Take in what has become of a start."""
        if reason is TARGET_MISSING:
            # Nobody was asked for anything.
            return
        if reason.outcome is Outcome.PENDING:
            self._fail(namespace, is_quota=reason is QUOTA_EXCEEDED, now=now)
        elif (doubt := self._doubts.get(namespace)) is not None:
            doubt.share, doubt.until, doubt.refusals = doubt.share + 1, now, 0
            if doubt.share >= self._slots:
                del self._doubts[namespace]

    def left(self, running: Iterable[str], *, now: datetime) -> dict[str, int]:
        """Give how many starts more may begin in each namespace that is in doubt; `running` has one entry for each."""
        # A failure of the future was before the clock was set back.
        self._doubts = {
            name: doubt for name, doubt in self._doubts.items() if doubt.failed <= now < doubt.failed + FORGET
        }
        left = {name: 0 if now < doubt.until else doubt.share for name, doubt in self._doubts.items()}
        for name in running if left else ():
            if left.get(name):
                left[name] -= 1
        return left

    def _fail(self, namespace: str, *, is_quota: bool, now: datetime) -> None:
        doubt = self._doubts.setdefault(namespace, _Doubt(share=1, failed=now, until=now))
        rests = doubt.failed <= now < doubt.until
        doubt.share, doubt.failed = 1, now
        if is_quota and not rests:
            # Of those that were under way together the first one counts.
            doubt.refusals += 1
            doubt.until = now + timedelta(seconds=min(backoff(doubt.refusals, jitter=0.0), LONGEST_REST_SECONDS))
