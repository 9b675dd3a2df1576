"""Follows builds: the Jobs that BuildTriggers control, whoever has started them, from their coming to their going.

Jobs of CronJobs are not followed: whoever wants to know looks at them with the CronJob's own means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from hookwright.builds.index import MAX_BUILDS, BuildIndex, Step
from hookwright.cluster import JOBS, Cluster
from hookwright.cluster.answers import DELETED
from hookwright.cluster.informer import Informer
from hookwright.cluster.informers import Informers
from hookwright.kinds import Raw

log = structlog.get_logger()

# What every Job has that Hookwright makes.
SELECTOR: Final = "app.kubernetes.io/managed-by=hookwright"
# All Jobs of a page are in memory at a time, each with the whole of its pod's template.
PAGE_SIZE: Final = 100


class Following:
    """The builds in `namespaces` (none: in all); `informers.run()` keeps what is known of them right.

    Of a Job only who it is and how it stands is kept, of at most MAX_BUILDS of them: what comes beyond is passed over.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespaces: Sequence[str] = (),
        clock: Callable[[], datetime],
        index: BuildIndex | None = None,
    ) -> None:
        def make(namespace: str | None) -> Informer:
            return Informer(
                cluster,
                JOBS,
                seen=self._see,
                namespace=namespace,
                label_selector=SELECTOR,
                page_size=PAGE_SIZE,
                listed=partial(self._tell_listed, namespace),
            )

        self.index = index if index is not None else BuildIndex()
        self.informers = Informers(make, namespaces)
        self._clock = clock
        self._stepped: list[Callable[[Step], None]] = []
        self._listed: list[Callable[[str | None], None]] = []

    def subscribe(self, *, stepped: Callable[[Step], None], listed: Callable[[str | None], None]) -> None:
        """Have `stepped` called for each change of a build, and `listed` whenever all of a namespace are known.

        None in place of a namespace stands for all of them.
        """
        self._stepped.append(stepped)
        self._listed.append(listed)

    def knows(self, namespace: str) -> bool:
        """Whether all builds of a namespace are known."""
        informer = self.informers.of(namespace)
        return informer is not None and informer.synced.is_set() and informer.available

    def is_sure(self, namespace: str) -> bool:
        """Whether they are known as they are now: then what is not known is not there."""
        informer = self.informers.of(namespace)
        return self.knows(namespace) and informer is not None and informer.going and not self.index.is_full

    def _see(self, event: str, raw: Raw) -> None:
        was_full = self.index.is_full
        change = self.index.remove if event == DELETED else self.index.put
        step = change(raw, self._clock())
        if self.index.is_full and not was_full:
            log.warning(
                "builds",
                error=f"more than {MAX_BUILDS} builds: others stand in no status and count for no history limit",
                remedy="set successfulBuildsHistoryLimit, failedBuildsHistoryLimit or ttlSecondsAfterFinished",
            )
        if step is not None:
            for told in self._stepped:
                told(step)

    def _tell_listed(self, namespace: str | None) -> None:
        for told in self._listed:
            told(namespace)
