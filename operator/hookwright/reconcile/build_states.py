"""What a BuildTrigger's status says of its builds: the newest one, and those that have not ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hookwright.builds.index import order_by_age
from hookwright.builds.state import Build, BuildPhase
from hookwright.kinds import MAX_ACTIVE, BuildState

OVER = frozenset(phase.value for phase in BuildPhase if phase.is_over)


@dataclass(frozen=True, kw_only=True)
class BuildStates:
    """The members of status; `doubtful` says that what became of the newest one is not known yet."""

    last: BuildState | None
    active: Sequence[BuildState]
    doubtful: bool = False

    def to_members(self) -> dict[str, Any]:  # Any: JSON
        """Give them as they stand in status."""
        return {
            "lastBuild": self.last.to_raw() if self.last is not None else None,
            "active": [state.to_raw() for state in self.active],
        }


def describe_builds(
    builds: Sequence[Build], gone: Build | None, written: BuildState | None, *, sure: bool, now: datetime
) -> BuildStates:
    """Say how the builds stand that are there, the newest first.

    The newest build may have gone: `gone` is the newest that was seen to go, `written` what status says, maybe of one
    that went while nobody looked. If it had not ended then, it is canceled; only who is `sure` that it is not there may
    say so.
    """
    active = [build.describe() for build in builds if not build.phase.is_over][:MAX_ACTIVE]
    known = [*builds[:1], *([gone] if gone is not None else [])]
    newest = max(known, key=order_by_age) if known else None
    if written is None or (newest is not None and _replaces(newest, written, builds)):
        return BuildStates(last=newest.describe() if newest is not None else None, active=active)
    if written.phase in OVER:
        return BuildStates(last=written, active=active)
    if not sure:
        return BuildStates(last=written, active=active, doubtful=True)
    changes = {"phase": BuildPhase.CANCELED.value, "completion_time": now.replace(microsecond=0)}
    return BuildStates(last=written.model_copy(update=changes), active=active)


def _replaces(newest: Build, written: BuildState, builds: Sequence[Build]) -> bool:
    """Say whether `newest` is the build that is written, or a newer one.

    Status does not say when a build was created: of one that is not there any more, its start or end must do.
    """
    if written.name == newest.name or any(build.name == written.name for build in builds):
        return True
    mark = written.start_time or written.completion_time
    return mark is None or newest.created >= mark
