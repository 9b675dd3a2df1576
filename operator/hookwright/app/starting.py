"""What works off a journal: starts what was accepted, and tells the history and the status what became of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from hookwright.app.news import news_of_conclusion, record_of_conclusion
from hookwright.app.upkeep import welcome
from hookwright.builds.facts import FactSource, NoFacts
from hookwright.builds.retry import LONGEST_WAIT_SECONDS
from hookwright.builds.starter import Conclusion
from hookwright.builds.status import News, StatusWriter
from hookwright.builds.worker import Worker
from hookwright.cluster import Cluster
from hookwright.cluster.mirror import Mirror
from hookwright.errors import JournalError
from hookwright.journal import History, Journal
from hookwright.metrics import Metrics, catalogue
from hookwright.reasons import Outcome
from hookwright.settings import Settings

log = structlog.get_logger()

PURGE_SECONDS = 600.0
LAST_STARTS_SECONDS = 3.0
FAREWELL_SECONDS = 5.0
COUNT_SECONDS = 1.0
LEFT_REMEDY = (
    "they start with the next process on this journal; if there will be none, name its volume in adoptJournals of the "
    "chart, or run hookwright drain on it"
)


@asynccontextmanager
async def open_journal(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Journal]:
    """Open the journal, and close it in the end."""
    journal = await Journal.open(settings.journal, clock=clock, longest=timedelta(seconds=LONGEST_WAIT_SECONDS))
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def open_history(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[History]:
    """Open the history beside the journal, and close it in the end."""
    history = History(settings.journal, clock=clock)
    try:
        yield history
    finally:
        await history.close()


class StartingSide:
    """Starts what the journal holds. `concluded` counts by outcome what has left it."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        mirror: Mirror,
        journal: Journal,
        history: History,
        settings: Settings,
        clock: Callable[[], datetime],
        metrics: Metrics | None = None,
        hidden: Callable[[str, str], bool] = lambda _kind, _namespace: False,
        settling: Callable[[], bool] = lambda: False,
        facts: FactSource | None = None,
    ) -> None:
        self.concluded: Counter[Outcome] = Counter()
        self.facts = facts or NoFacts()
        self._metrics = metrics or Metrics(role="")
        self._journal = journal
        self._history = history
        self._clock = clock
        self._writer = StatusWriter(cluster, mirror, clock=clock)
        self._worker = Worker(
            journal=journal,
            cluster=cluster,
            targets=mirror,
            report=self._hear,
            clock=clock,
            concurrency=settings.concurrent_starts,
            patience=timedelta(seconds=settings.target_patience),
            concluded=self._count,
            postponed=self._metrics.count_retry,
            hidden=hidden,
            settling=settling,
            facts=self.facts,
        )
        self._working = False
        self._metrics.show(catalogue.STATUS_DROPPED, lambda: self._writer.dropped)
        self._metrics.show(catalogue.HISTORY_DROPPED, lambda: history.lost)
        mirror.subscribe(lambda change: welcome(change, self._worker))
        journal.subscribe(self._worker.wake)

    def tell(self, news: News) -> None:
        """Have news written into a status."""
        self._writer.tell(news)

    async def repair(self) -> None:
        """Have each object's newest start written that a crash may have kept from its status."""
        for started in await self._journal.newest_started():
            self.tell(
                News(
                    kind=started.kind,
                    namespace=started.namespace,
                    name=started.name,
                    uid=started.uid,
                    last_triggered=started.time,
                )
            )

    def begin(self) -> list[asyncio.Task[None]]:
        """Work; give the tasks that do so."""
        self._working = True
        return [asyncio.create_task(part) for part in (self._worker.run(), self._writer.run(), self._purge())]

    async def end(self) -> None:
        """Start what was accepted last, and write what is still to be said."""
        if not self._working:
            return
        with suppress(TimeoutError):
            # What is not started now waits until there is a process on this journal again, which may be never.
            async with asyncio.timeout(LAST_STARTS_SECONDS):
                await self._worker.settle()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._writer.finish()
                await self._history.flush()

    async def tell_left(self) -> None:
        """Say what stays in the journal, which may be looked into by nobody after a scale-down."""
        if not self._working:
            return
        with suppress(TimeoutError, JournalError):
            async with asyncio.timeout(COUNT_SECONDS):
                waiting = await self._journal.waiting()
                if waiting:
                    log.warning("journal", left=sum(waiting.values()), remedy=LEFT_REMEDY)

    def _hear(self, conclusion: Conclusion) -> None:
        """Pass on what became of a start."""
        self._history.write(record_of_conclusion(conclusion), concludes=True)
        self._writer.tell(news_of_conclusion(conclusion))

    def _count(self, conclusion: Conclusion) -> None:
        """Count what has left the journal: a conclusion that the disk does not take comes again."""
        self.concluded[conclusion.reason.outcome] += 1
        taken = conclusion.time - conclusion.wanted.accepted_at
        self._metrics.count_start(conclusion.wanted.target.kind, conclusion.reason, taken.total_seconds())

    async def _purge(self) -> None:
        while True:
            try:
                await self._journal.purge(now=self._clock())
            except JournalError as error:
                log.error("journal", error=error.message)
            await asyncio.sleep(PURGE_SECONDS)
