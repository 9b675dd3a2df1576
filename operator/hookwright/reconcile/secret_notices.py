"""Kubernetes Events that tell what became of the secret of a BuildTrigger. Pure; none of them shows a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hookwright.builds.wanted import format_time
from hookwright.kinds import SECRET_KEY, BuildTrigger

SECRET_MADE = "SecretMade"  # noqa: S105 - a reason's name
SECRET_ROTATED = "SecretRotated"  # noqa: S105 - a reason's name
SECRET_REPLACED = "SecretReplaced"  # noqa: S105 - a reason's name
SECRET_ENDED = "SecretEnded"  # noqa: S105 - a reason's name


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A Kubernetes Event that tells of a step."""

    reason: str
    message: str
    warning: bool = False


def tell_made(trigger: BuildTrigger) -> Notice:
    """Tell that the first secret is there."""
    message = (
        f"Secret {trigger.secret_name} was made: its key {SECRET_KEY} is the webhook's secret, to be entered at "
        f"{trigger.spec.source.provider} beside status.payloadUrl"
    )
    return Notice(reason=SECRET_MADE, message=message)


def tell_rotated(trigger: BuildTrigger, until: datetime) -> Notice:
    """Tell of a new secret beside which the one before is good `until` then."""
    message = (
        f"key {SECRET_KEY} of Secret {trigger.secret_name} is a new secret: enter it at "
        f"{trigger.spec.source.provider}; the one before is good until {format_time(until)}"
    )
    return Notice(reason=SECRET_ROTATED, message=message)


def tell_lost(trigger: BuildTrigger, how: str) -> Notice:
    """Tell of a new secret in place of one that is lost; `how` says in which way."""
    message = (
        f"Secret {trigger.secret_name} {how}, and was made anew: {trigger.spec.source.provider} has the old secret; "
        f"its deliveries are refused until the new one, at key {SECRET_KEY}, is entered there"
    )
    return Notice(reason=SECRET_REPLACED, message=message, warning=True)


def tell_ended(trigger: BuildTrigger, count: int) -> Notice:
    """Tell that old secrets have ended."""
    message = f"{count} old secret(s) in Secret {trigger.secret_name} ended: what is signed with it is refused"
    return Notice(reason=SECRET_ENDED, message=message)
