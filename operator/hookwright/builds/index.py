"""The builds that are known, by the BuildTrigger they are of: what is there, and the newest that has gone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hookwright.builds.state import Build, BuildPhase, read_job, take_leave
from hookwright.kinds import Raw

# With what the informer knows of it a build takes less than 2 KB (tests/bench/following.py).
MAX_BUILDS = 50_000
# Of so many BuildTriggers the newest build that has gone is remembered; of others their status says it.
MAX_GONE = 10_000
# Namespace, and UID of the BuildTrigger. Who creates a Job may write any owner into it, one in another namespace too,
# whose it is not: Kubernetes will remove it for that.
_Place = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What has become of a build: `before` is None for one that was not known, `now` how it is, or was when it went."""

    before: Build | None
    now: Build

    @property
    def ends(self) -> bool:
        """Whether the build has ended by it: of one that was over when it was first seen nobody has waited for that."""
        return self.before is not None and not self.before.phase.is_over and self.now.phase.is_over


class BuildIndex:
    """The builds of all BuildTriggers; beyond `limit` no more are taken in until some have gone."""

    def __init__(self, *, limit: int = MAX_BUILDS, gone_limit: int = MAX_GONE) -> None:
        self.is_full = False
        """Whether a build was passed over since there was room."""
        self._limit = limit
        self._gone_limit = gone_limit
        self._builds: dict[str, Build] = {}  # by UID
        self._by_owner: dict[_Place, set[str]] = {}
        self._gone: dict[_Place, Build] = {}
        self._phases: Counter[BuildPhase] = Counter()

    def put(self, raw: Raw, now: datetime) -> Step | None:
        """Take a Job as it is now; None if there is no news in it, or no room for it."""
        build, before = read_job(raw), self._builds.get(raw["metadata"]["uid"])
        if build is None:
            # Its owner has let go of it.
            return self.remove(raw, now)
        if before == build:
            return None
        if before is not None:
            self._drop(before)
        elif len(self._builds) >= self._limit:
            self.is_full = True
            return None
        self._builds[build.uid] = build
        self._by_owner.setdefault(_place(build), set()).add(build.uid)
        self._phases[build.phase] += 1
        return Step(before=before, now=build)

    def remove(self, raw: Raw, now: datetime) -> Step | None:
        """Take a Job that has gone, as it was at last where somebody saw that; None if it was not known."""
        before = self._builds.get(raw["metadata"]["uid"])
        if before is None:
            return None
        self._drop(before)
        self.is_full = False
        at_last = read_job(raw) if "ownerReferences" in raw["metadata"] else None
        left = take_leave(at_last or before, now)
        newest = self._gone.pop(_place(left), left)
        self._gone[_place(left)] = max(newest, left, key=order_by_age)
        if len(self._gone) > self._gone_limit:
            del self._gone[next(iter(self._gone))]
        return Step(before=before, now=left)

    def find(self, uid: str) -> Build | None:
        """Give the build whose Job has a UID; None if it is not known."""
        return self._builds.get(uid)

    def of(self, namespace: str, owner_uid: str) -> Sequence[Build]:
        """Give the builds of a BuildTrigger, the newest first."""
        found = (self._builds[uid] for uid in self._by_owner.get((namespace, owner_uid), ()))
        return sorted(found, key=order_by_age, reverse=True)

    def gone(self, namespace: str, owner_uid: str) -> Build | None:
        """Give the newest build of a BuildTrigger among those that were seen to go."""
        return self._gone.get((namespace, owner_uid))

    def count(self, phase: BuildPhase) -> int:
        """Give how many builds are in a phase."""
        return self._phases[phase]

    def __len__(self) -> int:
        return len(self._builds)

    def _drop(self, build: Build) -> None:
        del self._builds[build.uid]
        self._phases[build.phase] -= 1
        siblings = self._by_owner[_place(build)]
        siblings.discard(build.uid)
        if not siblings:
            del self._by_owner[_place(build)]


def _place(build: Build) -> _Place:
    return build.namespace, build.owner_uid


def order_by_age(build: Build) -> tuple[datetime, str]:
    """Order builds by when they were created, which counts in whole seconds, and then by name."""
    return build.created, build.name
