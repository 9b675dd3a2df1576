"""How a build stands: from the Job as the API server shows it to a phase, times and what is built. Pure.

Of a Job so little is kept: a whole one takes many times the memory, and nobody asks for the rest. Which condition
means what is Kubernetes' own ("Jobs", batch/v1 JobStatus): Complete and Failed are there only once all pods have ended.
SuccessCriteriaMet and FailureTarget say how it will end, while pods are still being ended: until then it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hookwright.builds.targets.job import JOB, KEPT_ANNOTATION, SOURCE_VERSION_ANNOTATION
from hookwright.kinds import GROUP, MAX_SOURCE_VERSION, BuildState, BuildTrigger, Raw

COMPLETE: Final = "Complete"
FAILED: Final = "Failed"
SUSPENDED: Final = "Suspended"


class BuildPhase(StrEnum):
    """How a build stands."""

    PENDING = "Pending"  # it waits: for Kubernetes to begin with it, or to be released if it is suspended
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"  # deleted before it had ended

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (BuildPhase.PENDING, BuildPhase.RUNNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """A build of a BuildTrigger: which one it is, of which trigger (`owner`), and how it stands.

    `kept_until` is the time before which it is not deleted to keep a history limit; None: it does not say. `going` is
    true once somebody has deleted it, while it is not gone yet.
    """

    namespace: str
    name: str
    uid: str
    owner: str
    owner_uid: str
    phase: BuildPhase
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    kept_until: datetime | None = None
    source_version: str | None = None
    going: bool = False

    @property
    def seconds(self) -> float | None:
        """How long it took; None if it has not ended, or never began."""
        if self.started is None or self.ended is None:
            return None
        return max((self.ended - self.started).total_seconds(), 0.0)

    def describe(self) -> BuildState:
        """Say in a BuildTrigger's status how it stands."""
        return BuildState(
            kind=JOB.kind,
            name=self.name,
            phase=self.phase.value,
            source_version=self.source_version,
            start_time=self.started,
            completion_time=self.ended,
        )


def read_job(raw: Raw) -> Build | None:
    """Read a Job; None if no BuildTrigger controls it."""
    metadata = raw["metadata"]
    owner = _find_owner(metadata)
    if owner is None:
        return None
    annotations = metadata.get("annotations") or {}
    created = _read_time(metadata.get("creationTimestamp"))
    deleted = _read_time(metadata.get("deletionTimestamp"))
    phase, started, ended = _judge(raw, deleted)
    version = annotations.get(SOURCE_VERSION_ANNOTATION)
    return Build(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        owner=owner["name"],
        owner_uid=owner["uid"],
        phase=phase,
        # The API server writes it on every object.
        created=created if created is not None else datetime.fromisoformat("1970-01-01T00:00:00Z"),
        started=started,
        ended=ended,
        kept_until=_read_time(annotations.get(KEPT_ANNOTATION)),
        source_version=version[:MAX_SOURCE_VERSION] if version else None,
        going=deleted is not None,
    )


def take_leave(build: Build, now: datetime) -> Build:
    """Give a build as it is to be remembered, now that its object is gone."""
    if build.phase.is_over:
        return build
    return replace(build, phase=BuildPhase.CANCELED, ended=now)


def _find_owner(metadata: Mapping[str, Any]) -> Mapping[str, Any] | None:  # Any: JSON
    """Give the owner reference of the BuildTrigger that controls an object."""
    for reference in metadata.get("ownerReferences") or ():
        group = str(reference.get("apiVersion", "")).partition("/")[0]
        if reference.get("controller") and group == GROUP and reference.get("kind") == BuildTrigger.KIND:
            found: Mapping[str, Any] = reference
            return found
    return None


def _judge(raw: Raw, deleted: datetime | None) -> tuple[BuildPhase, datetime | None, datetime | None]:
    """Give phase, start and end of a Job."""
    status = raw.get("status") or {}
    started = _read_time(status.get("startTime"))
    # When each condition that holds began to.
    holding = {
        condition.get("type"): _read_time(condition.get("lastTransitionTime"))
        for condition in status.get("conditions") or ()
        if condition.get("status") == "True"
    }
    if FAILED in holding:
        return BuildPhase.FAILED, started, holding[FAILED] or deleted
    if COMPLETE in holding:
        return BuildPhase.SUCCEEDED, started, _read_time(status.get("completionTime")) or holding[COMPLETE]
    if deleted is not None:
        return BuildPhase.CANCELED, started, deleted
    if started is None or SUSPENDED in holding or (raw.get("spec") or {}).get("suspend"):
        return BuildPhase.PENDING, None, None
    return BuildPhase.RUNNING, started, None


def _read_time(text: object) -> datetime | None:
    """Read a time of Kubernetes; None for what is none."""
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None
