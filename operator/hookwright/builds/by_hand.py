"""Starts by hand: what two annotations of a BuildTrigger ask for, and the build that it comes to. Pure.

As in Flux, any new value of the first is a new request, and status says which value was dealt with last: nobody needs
a right on Hookwright itself to start a build, only one to write the BuildTrigger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hookwright.builds.environment import describe_request
from hookwright.builds.state import Build
from hookwright.builds.targets.job import JOB, SOURCE_VERSION
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.kinds import API_VERSION, MAX_SOURCE_VERSION, BuildTrigger, ObjectMeta
from hookwright.kinds.texts import parse_duration
from hookwright.providers.fields import ref_of
from hookwright.reasons import (
    START_REF_INVALID,
    START_REF_MISSING,
    START_REPOSITORY_MISSING,
    START_REQUEST_INVALID,
    START_VALUE_USED,
    Reason,
)

REQUESTED_AT = "hookwright.dev/start-requested-at"
REF = "hookwright.dev/start-ref"
MAX_REQUEST = 255  # of status.lastHandledStart
MAX_REF = 255
_SHOWN = 80
_REFS = "refs/"
_MANUAL = "manual:"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A build that is asked for: `value` names the request, `ref` is the branch, full ref or commit to build."""

    value: str
    ref: str


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why what is asked for is never started; `value` names the request."""

    value: str
    reason: Reason
    message: str


def find_value(metadata: ObjectMeta) -> str:
    """Give the value that names the newest request, as status.lastHandledStart will have it; empty if there is none."""
    return metadata.annotations.get(REQUESTED_AT, "")[:MAX_REQUEST]


def read_request(trigger: BuildTrigger) -> Request | Refusal:
    """Give what the annotations ask for; there must be a request."""
    annotations, value = trigger.metadata.annotations, find_value(trigger.metadata)
    if (wrong := check_value(annotations[REQUESTED_AT])) is not None:
        return Refusal(value=value, reason=START_REQUEST_INVALID, message=f"annotation {REQUESTED_AT}: {wrong}")
    source = trigger.spec.source
    if source.organization is not None or source.group is not None:
        message = f"spec.source: {source.organization or source.group} has more than one repository"
        return Refusal(value=value, reason=START_REPOSITORY_MISSING, message=message)
    ref, where = annotations.get(REF, ""), f"annotation {REF}"
    if not ref:
        ref, where = source.branch or "", "spec.source.branch"
    if not ref:
        message = f"annotation {REF}: missing, and spec.source.branch too: nothing says what to build"
        return Refusal(value=value, reason=START_REF_MISSING, message=message)
    if (wrong := check_ref(ref)) is not None:
        return Refusal(value=value, reason=START_REF_INVALID, message=f"{where}: {wrong}")
    return Request(value=value, ref=ref)


def check_value(value: str) -> str | None:
    """Say what is wrong with the value that names a request; None: nothing."""
    if len(value) > MAX_REQUEST:
        return f"{len(value)} characters: at most {MAX_REQUEST}"
    return None if value.isprintable() else f"{_show(value)}: should have printable characters only"


def check_ref(text: str) -> str | None:
    """Say what is wrong with a branch, full ref or commit by the rules of git check-ref-format; None: nothing."""
    if len(text) > MAX_REF:
        return f"{len(text)} characters: at most {MAX_REF}"
    if text in ("HEAD", "@"):
        return f"{text}: write the name of the branch"
    name = text.removeprefix(_REFS)
    if name != text and "/" not in name:
        return f"{_show(text)}: should be refs/heads/NAME, refs/tags/NAME or the like"
    if name.startswith("-") or ref_of(name) is None or not name.isprintable():
        return (
            f"{_show(text)}: git has no such ref: none begins with - or a dot, ends with /, a dot or .lock, or has "
            "blanks, control characters, .., //, /., @{ or one of ~ ^ : ? * [ \\ in it"
        )
    return None


def identify_request(value: str) -> str:
    """Give what stands for the delivery's id where a build was asked for by hand."""
    return _MANUAL + value


def is_by_hand(delivery_id: str) -> bool:
    """Say whether an id stands for a request by hand; of no sender it is taken, since it names the build."""
    return delivery_id.startswith(_MANUAL)


def check_found(request: Request, found: Build, wanted: WantedBuild) -> Refusal | None:
    """Refuse a request whose value has a build already, the one that was `found`, if it is not of what is `wanted`."""
    version = wanted.parameters[SOURCE_VERSION][:MAX_SOURCE_VERSION]
    if found.source_version in (None, version):
        return None
    message = f"annotation {REQUESTED_AT}: its {JOB.kind} {found.name} is of {found.source_version}, not {version}"
    return Refusal(value=request.value, reason=START_VALUE_USED, message=message)


def want_build(request: Request, trigger: BuildTrigger, *, now: datetime) -> WantedBuild:
    """Give the build that is asked for; its name is decided by the BuildTrigger's UID and the request's value."""
    metadata = trigger.metadata
    return WantedBuild(
        namespace=metadata.namespace,
        owner_kind=BuildTrigger.KIND,
        owner_name=metadata.name,
        owner_uid=metadata.uid,
        delivery_id=identify_request(request.value),
        accepted_at=now,
        target=TargetRef(api_version=API_VERSION, kind=BuildTrigger.KIND, name=metadata.name),
        service_account=None,
        parameters=describe_request(request.ref, trigger.spec.source),
        keep_seconds=int(parse_duration(trigger.spec.duplicate_window).total_seconds()),
    )


def _show(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
