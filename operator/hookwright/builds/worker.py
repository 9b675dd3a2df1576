"""The worker: takes wanted builds from the journal and creates them until the API server has them.

Whatever happens between, a build is made once: its name is that of the delivery, AlreadyExists is success if the object
carries our annotation, and a delivery leaves the journal only after its build exists or never will.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from hookwright.builds.facts import FactSource, NoFacts
from hookwright.builds.retry import backoff
from hookwright.builds.shares import Shares
from hookwright.builds.starter import Conclusion, Starter, Targets
from hookwright.builds.wanted import WantedBuild
from hookwright.cluster import Cluster
from hookwright.errors import JournalError
from hookwright.journal import Journal, Pending
from hookwright.logs import name_object
from hookwright.reasons import START_DELAYED, TARGET_MISSING, Outcome, Reason

UNREADABLE_REMEDY = "a later version has accepted it, and starts it when it runs on this journal again"
IDLE_SECONDS = 1.0  # how often postponed builds are looked for when nothing else wakes the worker


@dataclass(kw_only=True)
class Worker:
    """Starts builds, `concurrency` at a time, of the namespaces in turn; of one whose starts fail fewer (`shares`).

    `report` is told what came of each try, and again if the journal cannot be told of it; `concluded` of what has left
    the journal, once; `postponed` why a start is put off. `hidden` says whether targets of a kind may be in a namespace
    and not be seen; `settling`, whether the API server was away just now, so that no refusal is believed.
    """

    journal: Journal
    cluster: Cluster
    targets: Targets
    report: Callable[[Conclusion], None]
    clock: Callable[[], datetime]
    concurrency: int
    patience: timedelta
    concluded: Callable[[Conclusion], None] = lambda _: None
    postponed: Callable[[Reason], None] = lambda _: None
    hidden: Callable[[str, str], bool] = lambda _kind, _namespace: False
    settling: Callable[[], bool] = lambda: False
    facts: FactSource = field(default_factory=NoFacts)
    log: structlog.typing.FilteringBoundLogger = field(default_factory=lambda: structlog.get_logger().bind())
    _starter: Starter = field(init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _still: asyncio.Event = field(default_factory=asyncio.Event)  # set when nothing is left that can be started now
    _welcomed: set[str] = field(default_factory=set)
    _more: bool = True  # whether the journal may hold what can be started now
    _ready: deque[Pending] = field(default_factory=deque)  # claimed ahead, at most `concurrency`
    _running: dict[asyncio.Task[None], Pending] = field(default_factory=dict)
    _shares: Shares = field(init=False)
    _held_back: bool = False  # whether the last claim left out what has no share of the slots just then

    def __post_init__(self) -> None:
        self._shares = Shares(self.concurrency)
        self._starter = Starter(
            cluster=self.cluster,
            targets=self.targets,
            clock=self.clock,
            patience=self.patience,
            hidden=self.hidden,
            settling=self.settling,
            facts=self.facts,
        )

    def wake(self) -> None:
        """Look into the journal now: something was accepted."""
        self._more = True
        self._wake.set()

    def welcome(self, namespace: str) -> None:
        """Start now what waits for a target in `namespace`: one has come."""
        self._welcomed.add(namespace)
        self.wake()

    async def settle(self) -> None:
        """Wait until nothing is left that can be started now; `run` must be running."""
        self._still.clear()
        self.wake()
        await self._still.wait()

    async def run(self) -> None:
        """Start what the journal holds, until cancelled; what is under way then is found again at the next start."""
        try:
            await self._run()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            while len(self._running) < self.concurrency and await self._fill():
                pending = self._ready.popleft()
                task = asyncio.create_task(self._work(pending))
                self._running[task] = pending
                task.add_done_callback(self._finished)
            if not self._running and not self._more:
                self._still.set()
            await self._sleep()

    async def _fill(self) -> bool:
        """Claim as many as can run at once, if none is left of the last time; say whether there is one."""
        if not self._ready and self._more:
            self._more = False
            self._ready.extend(await self._claim(self.concurrency))
            self._more = self._more or len(self._ready) == self.concurrency
        return bool(self._ready)

    async def _claim(self, limit: int) -> list[Pending]:
        try:
            while self._welcomed:
                namespace = self._welcomed.pop()
                await self.journal.hasten(namespace=namespace, reason=TARGET_MISSING.name, now=self.clock())
            now = self.clock()
            shares = self._shares.left((pending.namespace for pending in self._running.values()), now=now)
            self._held_back = bool(shares)
            return await self.journal.claim(limit, now=now, shares=shares)
        except JournalError as error:
            self.log.error("journal", error=error.message)
            return []

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            self._more = True

    def _finished(self, task: asyncio.Task[None]) -> None:
        pending = self._running.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("worker", **_name(pending), error=type(error).__name__, exc_info=error)
        self._more = self._more or self._held_back
        self._wake.set()

    async def _work(self, pending: Pending) -> None:
        try:
            wanted = WantedBuild.from_json(pending.work)
        except ValueError as error:
            # Written by a later version. It waits for one that can read it.
            self.log.error("worker", **_name(pending), error=str(error), remedy=UNREADABLE_REMEDY)
            await self._put_off(pending, START_DELAYED)
            return
        try:
            conclusion = await self._starter.start(wanted, attempts=pending.attempts)
        except Exception as error:
            # A mistake of ours delays one delivery; it must neither lose it nor hold it in memory for ever.
            self.log.exception("worker", **_name(pending))
            conclusion = self._starter.conclude(wanted, START_DELAYED, f"Hookwright failed: {type(error).__name__}")
        self._shares.learn(pending.namespace, conclusion.reason, now=self.clock())
        if pending.reason != conclusion.reason.name:
            # What is waited for is said once, however often it is looked for.
            self._note(conclusion)
        if conclusion.reason.outcome is Outcome.PENDING:
            await self._postpone(pending, conclusion)
            return
        # Told before it is concluded: a crash between the two repeats both, harmlessly.
        self.report(conclusion)
        try:
            await self.journal.conclude(
                pending.key,
                outcome=str(conclusion.reason.outcome),
                reason=conclusion.reason.name,
                build=conclusion.build.name if conclusion.build is not None else None,
            )
        except JournalError as error:
            self.log.error("journal", **_name(pending), error=error.message)
            await self._put_off(pending, conclusion.reason)
            return
        self.concluded(conclusion)

    async def _postpone(self, pending: Pending, conclusion: Conclusion) -> None:
        if pending.reason != conclusion.reason.name:
            self.report(conclusion)
        await self._put_off(pending, conclusion.reason)

    async def _put_off(self, pending: Pending, reason: Reason) -> None:
        self.postponed(reason)
        attempts = pending.attempts + 1
        wait = backoff(attempts, jitter=random.random())  # noqa: S311 - spreads retries, guards nothing
        due = self.clock() + timedelta(seconds=wait)
        await self.journal.postpone(pending.key, due=due, reason=reason.name, attempts=attempts)

    def _note(self, conclusion: Conclusion) -> None:
        wanted, reason = conclusion.wanted, conclusion.reason
        owner = name_object(wanted.owner_kind, wanted.namespace, wanted.owner_name)
        common = owner | {"delivery": wanted.delivery_id, "outcome": str(reason.outcome)}
        if conclusion.build is not None:
            self.log.info("build", **common, reason=reason.name, build=conclusion.build.name)
        else:
            self.log.warning("build", **common, reason=reason.name, message=conclusion.message)


def _name(pending: Pending) -> dict[str, str]:
    """Name the object and the delivery in a log line."""
    return name_object(pending.kind, pending.namespace, pending.name) | {"delivery": pending.key.delivery_id}
