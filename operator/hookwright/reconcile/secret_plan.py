"""What is to become of the Secret of a BuildTrigger. Pure: what was found, the clock and a fresh secret are arguments.

A secret that is replaced stays good for a while, since the Git host still signs with it. Where it is replaced again
meanwhile, the Git host may have either, so that both stay: nothing that was given out ends before its time. There is
room for three old ones; a fourth rotation waits until the oldest has ended.
"""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hookwright.cluster.secret_values import MADE_FOR, SecretCopy, SecretState, judge_secret
from hookwright.errors import ClusterError
from hookwright.intake.schemes.providers import PROVIDER_SCHEMES
from hookwright.intake.trigger_rules import INVALID_INPUT
from hookwright.kinds import SECRET_KEY, BuildTrigger, Raw, parse_duration
from hookwright.reconcile.checks import (
    RESOURCE_NOT_FOUND,
    SECRET_EMPTY,
    SECRET_FORBIDDEN,
    SECRET_KEY_MISSING,
    SECRET_MALFORMED,
    SECRET_NOT_FOUND,
    SECRET_NOT_OWNED,
    Finding,
)
from hookwright.reconcile.own_secret import (
    MOST_HANDLED,
    MOST_OLD,
    OldSecret,
    OwnSecret,
    encode,
    is_meant_for,
    make_manifest,
    make_patch,
    read_own,
    was_made_for,
    was_made_for_another,
)
from hookwright.reconcile.secret_notices import Notice, tell_ended, tell_lost, tell_made, tell_rotated

# Whoever gives this annotation of a BuildTrigger a new value asks for a new secret.
ROTATE = "hookwright.dev/rotate-secret"
DEFAULT_OVERLAP = timedelta(hours=24)
SHORTEST_ROTATION = timedelta(hours=24)
SOON = 5
# What is due later than that is looked for so often: clocks may be set.
LONGEST_WAIT = 3600
_FORBIDDEN = 403


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to write, at most one of the two; what to tell then; and how it stands after it.

    `made_at` is when the newest secret was made, None for a Secret that is the user's. `known` says that it stands so:
    what could not be read or changed stands as it did. `note` is what a user should know though nothing is wrong.
    `look_again` says after how many seconds there is something to do; None: not unless something changes.
    """

    create: dict[str, Any] | None = field(default=None, repr=False)  # Any: JSON objects
    patch: dict[str, Any] | None = field(default=None, repr=False)
    notices: tuple[Notice, ...] = ()
    made_at: datetime | None = None
    finding: Finding | None = None
    known: bool = True
    note: str = ""
    look_again: int | None = None


@dataclass(frozen=True, kw_only=True)
class Settled:
    """That there was nothing to do: of which copy of a Secret, and with which request for a new one, `plan` said so.

    It did at the time `at`, of which nothing is known where the clock was set back behind it.
    """

    copy: SecretCopy
    request: str | None
    at: datetime
    plan: Plan

    def is_over(self, now: datetime) -> bool:
        """Whether something may be due by now, as the clock stands."""
        again = self.plan.look_again
        return now < self.at or (again is not None and now >= self.at + timedelta(seconds=again))


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What a BuildTrigger says of its Secret; `request` is empty where nobody asks for a new secret."""

    every: timedelta | None
    overlap: timedelta
    request: str


def plan_secret(trigger: BuildTrigger, found: Raw | None, *, now: datetime, fresh: str) -> Plan:
    """Say what is to become of the Secret of a BuildTrigger with a provider; `fresh` is a secret that nobody knows."""
    now, wish = now.replace(microsecond=0), _read_wish(trigger)
    name = trigger.secret_name
    if found is None:
        own = OwnSecret(live=encode(fresh), made_at=now, handled=_handle(wish, ()))
        notice = tell_lost(trigger, "is gone") if trigger.status.secret_ref is not None else tell_made(trigger)
        manifest = make_manifest(own, name=name, trigger=trigger)
        return Plan(create=manifest, notices=(notice,), made_at=now, look_again=_next(own, wish, now))
    if was_made_for(found, trigger):
        if found["metadata"].get("deletionTimestamp"):
            message = f"Secret {name} is being deleted, and is made anew when it is gone"
            return _refuse(SECRET_NOT_FOUND, RESOURCE_NOT_FOUND, message)
        return _plan_own(trigger, wish, found, now=now, fresh=fresh)
    if was_made_for_another(found, trigger.metadata.name):
        message = (
            f"Secret {name} belongs to an earlier BuildTrigger of this name, and goes with it in a moment; delete it "
            "if it stays"
        )
        return replace(_refuse(SECRET_NOT_OWNED, INVALID_INPUT, message), look_again=SOON)
    return _judge_foreign(trigger, wish, found)


def _plan_own(trigger: BuildTrigger, wish: _Wish, found: Raw, *, now: datetime, fresh: str) -> Plan:
    before = read_own(found, now=now, overlap=wish.overlap)
    own = replace(before, olds=tuple(old for old in before.olds if old.until > now))
    ended = len(before.olds) - len(own.olds)
    notices = [tell_ended(trigger, ended)] if ended else []
    due = wish.every is not None and own.made_at + wish.every <= now
    asked = wish.request != "" and wish.request not in own.handled
    note = ""
    if own.live is None:
        own = replace(own, live=encode(fresh), made_at=now, handled=_handle(wish, own.handled))
        notices.append(tell_lost(trigger, f"has no key {SECRET_KEY} with a secret any more"))
    elif (due or asked) and len(own.olds) < MOST_OLD:
        until = now + wish.overlap
        replaced = (OldSecret(value=own.live, until=until),) if wish.overlap else ()
        handled = _handle(wish, own.handled)
        own = OwnSecret(live=encode(fresh), made_at=now, olds=(*replaced, *own.olds), handled=handled)
        notices.append(tell_rotated(trigger, until))
    elif asked:
        note = f"the new secret that {ROTATE} asks for is made when the oldest of {MOST_OLD} old ones has ended"
    # A user may have put one of their own there.
    kept = before.live is not None and own.live == before.live
    return Plan(
        patch=make_patch(found, own),
        notices=tuple(notices),
        made_at=own.made_at,
        finding=check_form(trigger, base64.b64decode(before.live or "")) if kept else None,
        note=note,
        look_again=_next(own, wish, now),
    )


def _judge_foreign(trigger: BuildTrigger, wish: _Wish, found: Raw) -> Plan:
    """Judge a Secret that somebody else has made: it is only used if it says that it is for this BuildTrigger."""
    name = trigger.secret_name
    if not is_meant_for(found, trigger):
        message = (
            f"Secret {name} is there, and was not made for this BuildTrigger: Hookwright neither uses nor changes it; "
            f"delete it, so that one is made, or, if it is meant, annotate it with {MADE_FOR}={trigger.metadata.name}"
        )
        return _refuse(SECRET_NOT_OWNED, INVALID_INPUT, message)
    remedy = f"key {SECRET_KEY}; put the secret there"
    secret = judge_secret(found, SECRET_KEY)
    match secret.state:
        case SecretState.NO_KEY:
            return _refuse(SECRET_KEY_MISSING, RESOURCE_NOT_FOUND, f"Secret {name} has no {remedy}")
        case SecretState.EMPTY:
            return _refuse(SECRET_EMPTY, RESOURCE_NOT_FOUND, f"Secret {name} has nothing at {remedy}")
    if wish.every is not None or wish.request:
        what = "spec.secretRotation" if wish.every is not None else f"the annotation {ROTATE}"
        message = (
            f"{what}: Secret {name} is yours (annotation {MADE_FOR}), so that Hookwright does not replace what is in "
            f"it; replace key {SECRET_KEY} yourself, and take {what} away"
        )
        return _refuse(SECRET_NOT_OWNED, INVALID_INPUT, message)
    return Plan(finding=next((wrong for one in secret.values if (wrong := check_form(trigger, one))), None))


def check_form(trigger: BuildTrigger, secret: bytes) -> Finding | None:
    """Say why no delivery of the provider can be proved by a secret, without repeating it; None if one can."""
    provider = trigger.spec.source.provider
    wrong = PROVIDER_SCHEMES[provider].check_secret(secret) if provider is not None else None
    if wrong is None:
        return None
    message = f"Secret {trigger.secret_name}, key {SECRET_KEY}: no secret for deliveries of {provider}: {wrong}"
    return Finding(reason=SECRET_MALFORMED, code=INVALID_INPUT, message=message, heals=True)


def judge_refusal(trigger: BuildTrigger, error: ClusterError, *, verb: str) -> Plan:
    """Say what it means that the API server does not let `verb` (get, create, patch) the Secret."""
    name, namespace = trigger.secret_name, trigger.metadata.namespace
    if error.transient:
        return _refuse(
            SECRET_NOT_FOUND,
            RESOURCE_NOT_FOUND,
            f"Secret {name} could not be made, and is tried again: {error.message}",
        )
    what = {"get": "read", "create": "make", "patch": "change"}[verb]
    remedy = "mend the quota or the policy that forbids it, or what is in the way in the Secret"
    if _is_lack_of_a_right(error):
        remedy = "give the operator's account the verb get on secrets"
        if verb != "get":
            remedy = (
                "give the operator's account the verbs create and patch on secrets by a Role in this namespace "
                f"(hookwright grant {namespace} --service-account NAME prints it)"
            )
    if verb == "create":
        remedy += (
            f", or make it yourself, with a secret at key {SECRET_KEY} and the annotation "
            f"{MADE_FOR}={trigger.metadata.name}"
        )
    message = f"Hookwright cannot {what} Secret {name}: {error.message}; {remedy}"
    plan = _refuse(SECRET_FORBIDDEN, RESOURCE_NOT_FOUND, message)
    return replace(plan, known=verb == "create")


def _is_lack_of_a_right(error: ClusterError) -> bool:
    """Say whether RBAC refuses, which says who cannot do what; quotas and policies answer 403 too."""
    return error.status == _FORBIDDEN and " cannot " in f"{error.message} "


def _refuse(reason: str, code: str, message: str) -> Plan:
    return Plan(finding=Finding(reason=reason, code=code, message=message, heals=True))


def _read_wish(trigger: BuildTrigger) -> _Wish:
    rotation = trigger.spec.secret_rotation
    request = trigger.metadata.annotations.get(ROTATE)
    return _Wish(
        # Objects that no rule has checked must not make new secrets without end.
        every=max(parse_duration(rotation.every), SHORTEST_ROTATION) if rotation is not None else None,
        overlap=parse_duration(rotation.overlap) if rotation is not None else DEFAULT_OVERLAP,
        request=hashlib.sha256(request.encode()).hexdigest()[:16] if request is not None else "",
    )


def _handle(wish: _Wish, handled: tuple[str, ...]) -> tuple[str, ...]:
    """Give the requests that are fulfilled with a new secret."""
    if not wish.request or wish.request in handled:
        return handled
    return (wish.request, *handled)[:MOST_HANDLED]


def _next(own: OwnSecret, wish: _Wish, now: datetime) -> int | None:
    """Give after how many seconds there may be something to do."""
    times = [old.until for old in own.olds]
    if wish.every is not None and len(own.olds) < MOST_OLD:
        times.append(own.made_at + wish.every)
    seconds = math.ceil((min(times) - now).total_seconds()) if times else None
    return min(max(seconds, 1), LONGEST_WAIT) if seconds is not None else None
