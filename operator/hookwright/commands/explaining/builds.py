"""What became of a build that a delivery started. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hookwright.builds.targets.job import DELIVERY_ANNOTATION
from hookwright.commands.explaining.gathering import Glance
from hookwright.kinds import LastDelivery, Raw
from hookwright.reasons import Outcome

_TRUE = "True"


class Fate(StrEnum):
    """What became of a build."""

    AWAITED = "awaited"  # it is yet to be created
    CREATED = "created"  # it exists, and nothing of it runs yet
    HELD = "held"  # somebody has suspended it
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    GONE = "gone"
    FOREIGN = "foreign"  # another object has its name
    UNKNOWN = "unknown"  # whoever asks may not see it, or this hookwright does not know its kind


@dataclass(frozen=True, kw_only=True)
class BuildState:
    """What became of a build: in the build's own words (`reason`, `message`), and as a sentence without a full stop."""

    fate: Fate
    reason: str = ""
    message: str = ""
    sentence: str


def judge_build(delivery: LastDelivery, uid: str, glance: Glance | None) -> BuildState | None:
    """Say what became of the build of the newest delivery to the object with `uid`; None if it has none.

    `glance` is the build as it was seen; None if nobody knows how to look at one of its kind.
    """
    if delivery.build is None:
        return None
    name = f"{delivery.build.kind} {delivery.build.name}"
    if glance is None or not glance.allowed:
        return BuildState(fate=Fate.UNKNOWN, sentence=f"what became of {name} cannot be seen")
    if glance.raw is None:
        if delivery.outcome == Outcome.PENDING:
            return BuildState(fate=Fate.AWAITED, sentence=f"{name} is yet to be created")
        sentence = f"{name} is gone: it was deleted, or the time for which a finished one is kept is over"
        return BuildState(fate=Fate.GONE, sentence=sentence)
    if not _is_of(glance.raw, uid, delivery.id):
        sentence = f"{name} exists, and is not of this delivery: somebody else made it"
        return BuildState(fate=Fate.FOREIGN, sentence=sentence)
    return _judge_job(glance.raw, name)


def _is_of(job: Raw, uid: str, delivery_id: str) -> bool:
    """Say whether a build carries the annotation for a delivery, as `builds.names.identify` makes it."""
    annotations = _part(_part(job, "metadata"), "annotations")
    owner, _, rest = str(annotations.get(DELIVERY_ANNOTATION, "")).partition("/")
    return owner == uid and rest.partition("/")[2] == delivery_id


def _judge_job(job: Raw, name: str) -> BuildState:
    """Read a Job's status, which its controller writes (Kubernetes, `JobStatus`)."""
    spec, status = _part(job, "spec"), _part(job, "status")
    held = {
        str(one.get("type")): one
        for one in status.get("conditions") or []
        if isinstance(one, Mapping) and one.get("status") == _TRUE
    }
    for kind, fate, verb in (("Failed", Fate.FAILED, "failed"), ("Complete", Fate.SUCCEEDED, "succeeded")):
        if kind in held:
            reason, message = str(held[kind].get("reason") or ""), str(held[kind].get("message") or "")
            sentence = f"{name} has {verb}"
            if fate is Fate.FAILED:
                sentence += f" ({': '.join(word for word in (reason, message) if word)}); see kubectl logs job/"
                sentence += name.rpartition(" ")[2]
            return BuildState(fate=fate, reason=reason, message=message, sentence=sentence)
    if spec.get("suspend") is True:
        return BuildState(fate=Fate.HELD, sentence=f"{name} exists, and is held back: its spec.suspend is true")
    if status.get("active") or status.get("ready"):
        since = status.get("startTime")
        return BuildState(fate=Fate.RUNNING, sentence=f"{name} is running" + (f" since {since}" if since else ""))
    return BuildState(fate=Fate.CREATED, sentence=f"{name} exists, and has no pod yet")


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:  # Any: a JSON object
    part = raw.get(name)
    return part if isinstance(part, Mapping) else {}
