"""A journal that nobody takes deliveries for any more: what waits in it is started, then the process ends.

It does what a receiver does with its journal, and nothing else of what one does. No URL is served and no Lease is held,
so it may run beside whatever else runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernetes.aio.client import Configuration

from hookwright.app.feeds import InformerFeed, follow_cronjobs
from hookwright.app.process import WATCHES_PER_NAMESPACE, end_tasks, now, settle, until_stop, watch_over
from hookwright.app.starting import StartingSide, open_history, open_journal
from hookwright.cluster.client import KubernetesCluster
from hookwright.cluster.informers import Informers
from hookwright.cluster.mirror import Mirror
from hookwright.journal import Journal
from hookwright.reasons import Outcome
from hookwright.settings import Settings

LOOK_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Drained:
    """What has left the journal, by outcome, and what waits in it still, by reason (empty: it was not tried)."""

    concluded: Mapping[Outcome, int]
    pending: Mapping[str, int]


@dataclass(kw_only=True)
class Drain:
    """Works off one journal; `run` is its life."""

    settings: Settings
    configuration: Configuration
    clock: Callable[[], datetime] = now

    async def run(self, *, stop: asyncio.Event, seconds: float) -> Drained | None:
        """Start what waits, until nothing does, `seconds` are over or `stop` is set; None if there is no journal.

        Raises:
            JournalLocked: another process has the journal.
            JournalUnwritable: it cannot be written, or is none.
        """
        # To open it would make one, in a folder that may be the wrong one.
        if not await Journal.exists(self.settings.journal):
            return None
        async with AsyncExitStack() as stack:
            journal = await stack.enter_async_context(open_journal(self.settings, self.clock))
            if not await journal.depth():
                return Drained(concluded={}, pending={})
            watches = WATCHES_PER_NAMESPACE * len(self.settings.places)
            cluster = await stack.enter_async_context(KubernetesCluster(self.configuration, watches=watches))
            history = await stack.enter_async_context(open_history(self.settings, self.clock))
            mirror = Mirror(quota=self.settings.webhook_quota)
            feed = InformerFeed(cluster, mirror, self.settings.places)
            starting = StartingSide(
                cluster=cluster,
                mirror=mirror,
                journal=journal,
                history=history,
                settings=self.settings,
                clock=self.clock,
                hidden=feed.hides,
                settling=lambda: cluster.settling,
            )
            tasks: list[asyncio.Task[Any]] = []
            stack.push_async_callback(end_tasks, tasks)
            try:
                async with asyncio.timeout(seconds) as patience:
                    work = _work_off(
                        journal=journal,
                        cronjobs=follow_cronjobs(cluster, mirror, self.settings.places),
                        feed=feed,
                        starting=starting,
                        tasks=tasks,
                    )
                    await until_stop(work, stop)
            except TimeoutError:
                if not patience.expired():
                    raise
            finally:
                await starting.end()
            return Drained(concluded=starting.concluded, pending=await journal.waiting())


async def _work_off(
    *,
    journal: Journal,
    cronjobs: Informers,
    feed: InformerFeed,
    starting: StartingSide,
    tasks: list[asyncio.Task[Any]],
) -> None:
    """Work until nothing is pending; the parts of it are added to `tasks`."""
    tasks.append(asyncio.create_task(cronjobs.run()))
    await settle(cronjobs)
    tasks.append(asyncio.create_task(feed.run()))
    await feed.filled()
    await starting.repair()
    emptied = asyncio.create_task(_until_empty(journal))
    tasks += [*starting.begin(), emptied]
    await watch_over(tasks, until=emptied)


async def _until_empty(journal: Journal) -> None:
    # It is looked at a few times a second, by a process that does nothing else.
    while await journal.depth():  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
