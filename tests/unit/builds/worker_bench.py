"""A worker in a test: with a real journal whose disk can fail, an API server in memory and a clock to turn."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from hookwright.builds.retry import LONGEST_WAIT_SECONDS
from hookwright.builds.worker import Worker
from hookwright.cluster import BUILDTRIGGERS, JOBS, NAMESPACES
from hookwright.cluster.mirror import Mirror
from hookwright.errors import JournalUnwritable
from hookwright.intake.receiver import to_journal
from hookwright.journal import Journal
from support.fakecluster import FakeCluster
from support.objects import NOON, raw_buildtrigger
from support.waiting import patience, running, settle

PATIENCE = timedelta(seconds=300)
LONG = timedelta(minutes=2)  # longer than any wait between two tries


@dataclass
class Clock:
    """A clock that a test turns."""

    now: object = NOON

    def __call__(self):
        return self.now


@dataclass
class FlakyJournal:
    """A journal whose disk fails for a while: at `conclude` or at `claim`."""

    journal: Journal
    conclude_failures: int = 0
    claim_failures: int = 0
    claimed: int = 0  # how many rows claims have given

    async def conclude(self, key, **how):
        if self.conclude_failures > 0:
            self.conclude_failures -= 1
            raise JournalUnwritable("the disk is full")
        await self.journal.conclude(key, **how)

    async def claim(self, limit, **how):
        if self.claim_failures > 0:
            self.claim_failures -= 1
            raise JournalUnwritable("the disk is gone")
        claimed = await self.journal.claim(limit, **how)
        self.claimed += len(claimed)
        return claimed

    def __getattr__(self, name):
        return getattr(self.journal, name)


@dataclass
class Bench:
    """A worker with a real journal, an API server in memory and a clock to turn."""

    journal: FlakyJournal
    cluster: FakeCluster = field(default_factory=FakeCluster)
    mirror: Mirror = field(default_factory=Mirror)
    clock: Clock = field(default_factory=Clock)
    reported: list = field(default_factory=list)
    concurrency: int = 4
    settling: bool = False

    def __post_init__(self):
        self.cluster.feed(self.mirror)
        self.worker = Worker(
            journal=self.journal,
            cluster=self.cluster,
            targets=self.mirror,
            report=self.reported.append,
            clock=self.clock,
            concurrency=self.concurrency,
            patience=PATIENCE,
            settling=lambda: self.settling,
        )

    async def accept(self, *wanted):
        await self.journal.accept_all([to_journal(one) for one in wanted])
        self.worker.wake()

    def found(self, *namespaces):
        """Have namespaces, each with the target."""
        for name in namespaces:
            self.cluster.put(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            self.cluster.put(BUILDTRIGGERS, raw_buildtrigger(metadata={"namespace": name}))

    def started_in(self, namespace):
        """Count the requests to create a build in a namespace."""
        return sum(call.namespace == namespace for call in self.cluster.made("create", JOBS))

    def jobs_in(self, namespace):
        """Count the builds in a namespace."""
        return sum(job["metadata"]["namespace"] == namespace for job in self.cluster.all(JOBS))

    async def later(self, by=LONG):
        """Let time pass, and have the worker look."""
        self.clock.now += by
        self.worker.wake()
        await settle()

    async def pass_time(self, by=LONG):
        """Let time pass, and the worker do all that is due by then.

        A clock that is turned on while it works is one that somebody set: to a claim that is under way, a row that was
        put off by the later time is due too late to be true, and is tried at once.
        """
        await self.later(by)
        await self.worker.settle()

    async def until(self, happened):
        """Let time pass until `happened`: what was put off is tried again meanwhile."""
        async with patience():
            while not happened():
                await self.pass_time()

    async def until_empty(self):
        """Let time pass until the journal has nothing left to start."""
        async with patience():
            while await self.journal.depth():
                await self.pass_time()

    def reasons(self):
        return [conclusion.reason for conclusion in self.reported]

    def jobs(self):
        return {job["metadata"]["name"] for job in self.cluster.all(JOBS)}


@asynccontextmanager
async def bench_in(folder, *, target=True, concurrency=4):
    journal = await Journal.open(folder, clock=lambda: NOON, longest=timedelta(seconds=LONGEST_WAIT_SECONDS))
    try:
        bench = Bench(journal=FlakyJournal(journal), concurrency=concurrency)
        if target:
            bench.cluster.put(BUILDTRIGGERS, raw_buildtrigger())
        async with running(bench.worker.run()):
            yield bench
    finally:
        await journal.close()
