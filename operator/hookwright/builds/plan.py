"""What to do for a wanted build, decided from the world as it is when it is to start. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hookwright.builds.retry import has_waited
from hookwright.builds.targets import find_service_account, find_values, render
from hookwright.builds.wanted import WantedBuild
from hookwright.errors import ClusterError
from hookwright.filters import UnknownKey, parse_template
from hookwright.kinds import InvalidObject, ObjectKind
from hookwright.reasons import (
    BUILD_FORBIDDEN,
    BUILD_INVALID,
    FILTERED_OUT,
    IMPERSONATION_FORBIDDEN,
    NAMESPACE_GONE,
    QUOTA_EXCEEDED,
    TARGET_INVALID,
    TARGET_MISSING,
    TARGET_REPLACED,
    TARGET_STAYED_MISSING,
    Reason,
)

# kube-apiserver's words, in a 403: a quota is used up, or it is so new that nobody has counted yet.
_QUOTA_WORDS = ("exceeded quota", "status unknown for quota")


@dataclass(frozen=True, kw_only=True)
class Start:
    """Create this object as this ServiceAccount."""

    manifest: dict[str, Any] = field(repr=False)
    service_account: str


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Not now: look again."""

    reason: Reason
    message: str


@dataclass(frozen=True, kw_only=True)
class End:
    """Never: the delivery ends without a build."""

    reason: Reason
    message: str


def plan(
    wanted: WantedBuild,
    target: ObjectKind | InvalidObject | None,
    *,
    now: datetime,
    patience: timedelta,
    attempts: int,
    hidden: bool = False,
) -> Start | Wait | End:
    """Decide what to do for `wanted`, whose target is `target` just now (None: it does not exist).

    A target that is missing is waited for until `patience` has passed, by the clock and by the `attempts` that were
    made too: a clock that is set forward ends nothing. `hidden` says that it may be there and not be seen: then it is
    waited for however long.
    """
    name = f"{wanted.target.kind} {wanted.target.name} in namespace {wanted.namespace}"
    if target is None and hidden:
        return Wait(reason=TARGET_MISSING, message=f"Hookwright may not see whether {name} exists")
    if target is None:
        seconds = int(patience.total_seconds())
        if now - wanted.accepted_at < patience or not has_waited(attempts, seconds):
            return Wait(reason=TARGET_MISSING, message=f"{name} does not exist")
        return End(reason=TARGET_STAYED_MISSING, message=f"{name} did not exist for {seconds} seconds")
    return _start(wanted, target, name)


def _start(wanted: WantedBuild, target: ObjectKind | InvalidObject, name: str) -> Start | End:
    """Decide what a target that is there, and called `name`, does."""
    if is_another(wanted, target):
        # Its code, and its rights, may be another's by now.
        message = f"{name} is another than the one that took the delivery: that was deleted"
        return End(reason=TARGET_REPLACED, message=message)
    if isinstance(target, InvalidObject):
        return End(reason=TARGET_INVALID, message=f"{name} is invalid: {target}")
    if not _matches(wanted, target):
        return End(reason=FILTERED_OUT, message=f"a filter with a value from {name} does not match")
    return Start(manifest=render(wanted, target), service_account=find_service_account(wanted, target))


def is_another(wanted: WantedBuild, target: ObjectKind | InvalidObject) -> bool:
    """Say whether `target` only has the name of the object that was to start its own build."""
    own = (wanted.owner_kind, wanted.owner_name) == (wanted.target.kind, wanted.target.name)
    return own and target.metadata.uid != wanted.owner_uid


def _matches(wanted: WantedBuild, target: ObjectKind) -> bool:
    """Decide the filters that waited for the target's values."""
    values = find_values(target) | dict(wanted.values)
    for undecided in wanted.undecided:
        try:
            expected = parse_template(undecided.match_equals).expand(values)
        except UnknownKey:
            return False
        if expected not in undecided.found:
            return False
    return True


def is_quota(error: ClusterError) -> bool:
    """Say whether a ResourceQuota refuses a build: it is free again when other builds are gone."""
    return any(words in error.message for words in _QUOTA_WORDS)


def judge_refusal(error: ClusterError) -> Reason | None:
    """Say why the API server refuses a build: for good, or by a quota; None if trying again may help.

    The statuses and messages are those of kube-apiserver: 403 for a missing right and for a namespace that is being
    deleted, 404 for a namespace that is gone, 400 and 422 for a manifest that is no such object.
    """
    if error.transient:
        return None
    if is_quota(error):
        return QUOTA_EXCEEDED
    if error.status == 404 or error.namespace_ends:  # noqa: PLR2004 - the statuses are named above
        return NAMESPACE_GONE
    if error.status == 403:  # noqa: PLR2004
        return IMPERSONATION_FORBIDDEN if "cannot impersonate" in error.message else BUILD_FORBIDDEN
    return BUILD_INVALID
