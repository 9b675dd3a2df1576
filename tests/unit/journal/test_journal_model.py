"""The journal against a simple model, in arbitrary order of calls."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_samples import NOON, delivery

from hookwright.journal import REMEMBERED, Backlog, Journal, statements
from hookwright.journal.ledger import size_of

IDS = st.sampled_from("abcdef")
NAMESPACES = {"a": "one", "b": "one", "c": "one", "d": "two", "e": "two", "f": "three"}  # of each id
HOURS = st.integers(0, 30).map(lambda hours: timedelta(hours=hours))
# Later is due at once: nothing is postponed for longer, unless the clock was set back.
DELAYS = st.timedeltas(timedelta(0), statements.LONGEST_POSTPONEMENT)


@dataclass
class Row:
    """What the model knows of one id; `started_at` is None while it is pending."""

    order: int
    namespace: str
    accepted_at: datetime
    work: bytes
    due: datetime
    attempts: int = 0
    held: bool = False
    started_at: datetime | None = None


class Model(RuleBasedStateMachine):
    """Every rule does something to both, and compares what they answer."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.now = NOON
        self.rows: dict[str, Row] = {}
        self.count = 0
        self.journal = self.run(Journal.open(self.folder, clock=lambda: self.now))

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def pending(self):
        return [row for row in self.rows.values() if row.started_at is None]

    def held(self):
        return [name for name, row in self.rows.items() if row.held]

    @rule(name=IDS)
    def accept(self, name):
        self.count += 1
        work = b"%d" % self.count
        namespace = NAMESPACES[name]
        answer = self.run(self.journal.accept(delivery(name, at=self.now, work=work, namespace=namespace)))
        known = self.rows.get(name)
        if known is None:
            assert answer.new
            self.rows[name] = Row(order=self.count, namespace=namespace, accepted_at=self.now, work=work, due=self.now)
        else:
            outcome = "pending" if known.started_at is None else "started"
            assert (answer.first.outcome, answer.first.accepted_at) == (outcome, known.accepted_at)

    @rule(limit=st.integers(1, 4))
    def claim(self, limit):
        claimed = self.run(self.journal.claim(limit, now=self.now))
        due = sorted(
            (row for row in self.pending() if not row.held and row.due <= self.now),
            key=lambda row: (row.due, row.order),
        )
        by_work = {row.work: row for row in due}
        rows = [by_work[one.work] for one in claimed]
        assert [(one.attempts, one.due) for one in claimed] == [(row.attempts, row.due) for row in rows]
        assert len(rows) == min(limit, len(due))
        # Of each namespace the longest due; and of none two more than of another that has some left.
        for namespace in set(NAMESPACES.values()):
            its = [row for row in due if row.namespace == namespace]
            given = [row for row in rows if row.namespace == namespace]
            assert given == its[: len(given)]
            most = len(given) + 1 if len(given) < len(its) else limit
            assert all(count <= most for count in Counter(row.namespace for row in rows).values())
        for row in rows:
            row.held = True

    @precondition(lambda self: self.held())
    @rule(data=st.data(), delay=DELAYS)
    def postpone(self, data, delay):
        name = data.draw(st.sampled_from(self.held()))
        row = self.rows[name]
        row.held, row.due, row.attempts = False, self.now + delay, row.attempts + 1
        self.run(self.journal.postpone(delivery(name).key, due=row.due, reason="x", attempts=row.attempts))

    @precondition(lambda self: self.held())
    @rule(data=st.data(), outcome=st.sampled_from(["started", "failed", "ignored"]))
    def conclude(self, data, outcome):
        name = data.draw(st.sampled_from(self.held()))
        self.run(self.journal.conclude(delivery(name).key, outcome=outcome, reason="x", build="b"))
        if outcome == "started":
            self.rows[name].held, self.rows[name].started_at = False, self.now
        else:
            del self.rows[name]

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def release(self, data):
        name = data.draw(st.sampled_from(self.held()))
        self.run(self.journal.release(delivery(name).key))
        self.rows[name].held = False

    @rule(step=HOURS)
    def wait_and_purge(self, step):
        self.now += step
        old = [name for name, row in self.rows.items() if row.started_at and row.started_at < self.now - REMEMBERED]
        assert self.run(self.journal.purge(now=self.now)) == len(old)
        for name in old:
            del self.rows[name]

    @rule()
    def restart(self):
        self.run(self.journal.close())
        self.journal = self.run(Journal.open(self.folder, clock=lambda: self.now))
        for row in self.rows.values():
            row.held = False

    @invariant()
    def same_sums(self):
        assert self.run(self.journal.depth()) == len(self.pending())
        oldest = min((row.accepted_at for row in self.pending()), default=None)
        assert self.run(self.journal.oldest_pending()) == oldest
        assert self.run(self.journal.backlog()) == Backlog(pending=len(self.pending()), oldest=oldest)
        assert self.run(self.journal.taken()).size == sum(size_of(len(row.work)) for row in self.pending())
        newest = max((row.started_at for row in self.rows.values() if row.started_at), default=None)
        assert [one.time for one in self.run(self.journal.newest_started())] == ([newest] if newest else [])

    def teardown(self):
        self.run(self.journal.close())
        self.runner.close()
        shutil.rmtree(self.folder)


class TestModel(Model.TestCase):
    """Thirty histories of up to forty calls."""

    settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
