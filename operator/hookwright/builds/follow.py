"""Follows builds: the Jobs that BuildTriggers control, whoever has started them, from their coming to their going.

A watch does not tell whether a Job was deleted or has only lost the label by which it is chosen: before a build is
called canceled its Job is looked for (`builds.strays`). Jobs of CronJobs are not followed: whoever wants to know looks
at them with the CronJob's own means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from hookwright.builds.index import MAX_BUILDS, BuildIndex, Step
from hookwright.builds.state import Build, read_job
from hookwright.builds.strays import Strays
from hookwright.builds.targets.job import BUILD_LABEL, MANAGED_LABEL
from hookwright.cluster import JOBS, Cluster
from hookwright.cluster.answers import DELETED
from hookwright.cluster.informer import Informer
from hookwright.kinds import Raw

log = structlog.get_logger()

# What every Job has that Hookwright makes.
SELECTOR: Final = BUILD_LABEL
# What those have that a version has made which knew no label of our own; it may still make some during an upgrade.
OLDER_SELECTOR: Final = f"{MANAGED_LABEL}=hookwright,!{BUILD_LABEL}"
# All Jobs of a page are in memory at a time, each with the whole of its pod's template.
PAGE_SIZE: Final = 100


class Following:
    """The builds in `namespaces` (none: in all); `run()` keeps what is known of them right.

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
        def make(selector: str, namespace: str | None) -> Informer:
            return Informer(
                cluster,
                JOBS,
                seen=self._see,
                namespace=namespace,
                label_selector=selector,
                page_size=PAGE_SIZE,
                listed=partial(self._tell_listed, namespace),
            )

        self.index = index if index is not None else BuildIndex()
        self.strays = Strays(cluster, seen=self._find_stray)
        self._informers = {
            place: (make(SELECTOR, place), make(OLDER_SELECTOR, place)) for place in namespaces or (None,)
        }
        self._cluster = cluster
        self._clock = clock
        self._stepped: list[Callable[[Step], None]] = []
        self._listed: list[Callable[[str | None], None]] = []

    def subscribe(self, *, stepped: Callable[[Step], None], listed: Callable[[str | None], None]) -> None:
        """Have `stepped` called for each change of a build, and `listed` whenever all of a namespace are known.

        None in place of a namespace stands for all of them.
        """
        self._stepped.append(stepped)
        self._listed.append(listed)

    async def run(self) -> None:
        """Follow them until cancelled."""
        async with asyncio.TaskGroup() as group:
            for labelled, older in self._informers.values():
                group.create_task(labelled.run())
                group.create_task(_run_after(labelled, older))
            group.create_task(self.strays.run())

    @property
    def going(self) -> bool:
        """Whether all watches go, as far as we know."""
        return all(informer.going for both in self._informers.values() for informer in both)

    def knows(self, namespace: str) -> bool:
        """Whether all builds of a namespace are known."""
        found = self._of(namespace)
        return bool(found) and all(informer.synced.is_set() and informer.available for informer in found)

    def is_sure(self, namespace: str) -> bool:
        """Whether they are known as they are now: then what is not known is not there, or has lost the label."""
        going = all(informer.going for informer in self._of(namespace))
        return self.knows(namespace) and going and not self.index.is_full

    async def look_for(self, names: Iterable[str], *, namespace: str, owner_uid: str) -> None:
        """Look for builds of a BuildTrigger that no watch shows; those that are there are known from now on.

        Raises:
            ClusterError: the API server does not say.
        """
        for name in names:
            raw = await self._cluster.get(JOBS, namespace=namespace, name=name)
            build = read_job(raw) if raw is not None else None
            # A watch may have shown it meanwhile.
            if raw is None or build is None or build.owner_uid != owner_uid or self.index.find(build.uid) is not None:
                continue
            self._put(raw)
            self._lose(build, raw)

    def _of(self, namespace: str) -> Sequence[Informer]:
        """Give the informers that follow a namespace."""
        return self._informers.get(namespace) or self._informers.get(None) or ()

    def _see(self, event: str, raw: Raw) -> None:
        uid = raw["metadata"]["uid"]
        if event != DELETED:
            self.strays.forget(uid)
            self._put(raw)
            return
        if any(informer.shows(raw) for informer in self._of(raw["metadata"]["namespace"])):
            # It was given the label: the other watch has it.
            return
        if self.index.find(uid) is not None and "ownerReferences" in raw["metadata"]:
            self._put(raw)
        build = self.index.find(uid)
        if build is not None:
            self._lose(build, raw)

    def _lose(self, build: Build, raw: Raw) -> None:
        """Take a build that no watch shows: nothing more is told of it, so that only the end of one is believed."""
        if build.phase.is_over:
            self._remove(raw)
        else:
            self.strays.add(build)

    def _find_stray(self, build: Build, raw: Raw | None) -> None:
        """Take what was read of a build that no watch shows; None: it is not there."""
        if raw is None:
            self._remove({"metadata": {"uid": build.uid}})
            return
        self._put(raw)
        now = self.index.find(build.uid)
        if now is None or now.phase.is_over:
            self.strays.forget(build.uid)
            self._remove(raw)

    def _put(self, raw: Raw) -> None:
        was_full = self.index.is_full
        step = self.index.put(raw, self._clock())
        if self.index.is_full and not was_full:
            log.warning(
                "builds",
                error=f"more than {MAX_BUILDS} builds: others stand in no status and count for no history limit",
                remedy="set successfulBuildsHistoryLimit, failedBuildsHistoryLimit or ttlSecondsAfterFinished",
            )
        self._tell(step)

    def _remove(self, raw: Raw) -> None:
        self._tell(self.index.remove(raw, self._clock()))

    def _tell(self, step: Step | None) -> None:
        if step is not None:
            for told in self._stepped:
                told(step)

    def _tell_listed(self, namespace: str | None) -> None:
        # The other informer may not have come so far; it tells, too.
        if all(informer.synced.is_set() for informer in self._of(namespace or "")):
            for told in self._listed:
                told(namespace)


async def _run_after(first: Informer, second: Informer) -> None:
    """Run an informer once another one has listed: a right that is missing is asked for, and said, by one."""
    await first.synced.wait()
    await second.run()
