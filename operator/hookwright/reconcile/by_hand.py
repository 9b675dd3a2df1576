"""Starting a build that was asked for by hand: once for each value of the annotation, whatever crashes.

The build's name is made of the BuildTrigger's UID and the value, so that a second try makes the same object; only then
status says that the value was dealt with. What is refused for good is said and not tried again; all else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from hookwright.builds.by_hand import (
    Refusal,
    Request,
    check_found,
    find_value,
    identify_request,
    read_request,
    want_build,
)
from hookwright.builds.starter import Conclusion
from hookwright.builds.wanted import format_time
from hookwright.kinds import BuildTrigger, Condition, InvalidObject
from hookwright.kinds.conditions import LAST_START_FAILED, START_PENDING, last_start_failed, start_pending
from hookwright.logs import name_object
from hookwright.reasons import TARGET_INVALID, Outcome, Reason
from hookwright.reconcile.checks import INVALID_SPEC, Finding, found_conditions, found_status
from hookwright.reconcile.work import NEVER, Again
from hookwright.reconcile.world import World

log = structlog.get_logger()

# What cannot be started now is tried again after so long.
DELAYED_SECONDS = 10.0
# Reasons of Kubernetes Events.
STARTED = "Started"
START_FAILED = "StartFailed"
_REDELIVER, _ANEW = "redeliver.", "ask for the build anew."


@dataclass(frozen=True, kw_only=True)
class Handled:
    """What became of a request by hand: nothing new if there is no `reason`.

    `members` and `conditions` are for status, and there whether it is news or not.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    value: str = ""
    reason: Reason | None = None
    message: str = ""
    build: str | None = None
    again: Again = NEVER


async def start_by_hand(trigger: BuildTrigger | InvalidObject, finding: Finding | None, world: World) -> Handled:
    """Start what the annotations of a BuildTrigger ask for, if that was not dealt with yet.

    `finding` is what is wrong with it: of an invalid spec nothing is started. spec.suspend is about deliveries.
    """
    value = find_value(trigger.metadata)
    if not value or value == found_status(trigger).get("lastHandledStart"):
        return Handled(conditions=_keep_failure(trigger) if value else ())
    if isinstance(trigger, InvalidObject) or (finding is not None and finding.reason == INVALID_SPEC):
        why = finding.message if finding is not None else str(trigger)
        return _refuse(trigger, Refusal(value=value, reason=TARGET_INVALID, message=why), world)
    request = read_request(trigger)
    if isinstance(request, Refusal):
        return _refuse(trigger, request, world)
    return _conclude(
        trigger, request, await world.starter.start(want_build(request, trigger, now=world.clock())), world
    )


def _keep_failure(trigger: BuildTrigger | InvalidObject) -> tuple[Condition, ...]:
    """Give the condition that the newest request, which was dealt with, has left."""
    return tuple(one for one in found_conditions(trigger) if one.type == LAST_START_FAILED)


def _refuse(trigger: BuildTrigger | InvalidObject, refusal: Refusal, world: World) -> Handled:
    text = f"{refusal.message}. {_say_remedy(refusal.reason)}"
    return _fail(trigger, refusal.value, refusal.reason, text, world)


def _conclude(trigger: BuildTrigger, request: Request, conclusion: Conclusion, world: World) -> Handled:
    reason, value, found = conclusion.reason, request.value, conclusion.found
    if found is not None and (refusal := check_found(request, found, conclusion.wanted)) is not None:
        return _refuse(trigger, refusal, world)
    if conclusion.build is not None:
        build, now = conclusion.build, world.clock()
        # One that was there may be of a start that nobody could tell of, or one that was told of long ago.
        made = now if found is None else min(found.created, now)
        before = trigger.status.last_triggered
        triggered = {} if before is not None and before >= made else {"lastTriggered": format_time(made)}
        return Handled(
            members={"lastHandledStart": value, **triggered},
            value=value,
            reason=reason,
            message=f"{build.kind} {build.name} was started by hand, of {request.ref}",
            build=build.name,
        )
    text = conclusion.message.removesuffix(reason.remedy) + _say_remedy(reason)
    if reason.outcome is not Outcome.PENDING:
        return _fail(trigger, value, reason, text, world)
    condition = start_pending(reason.name, text, now=world.clock(), generation=trigger.metadata.generation)
    known = any((one.type, one.reason) == (START_PENDING, reason.name) for one in trigger.status.conditions)
    return Handled(
        conditions=(condition,),
        value=value,
        reason=None if known else reason,
        message=text,
        again=Again(DELAYED_SECONDS),
    )


def _fail(trigger: BuildTrigger | InvalidObject, value: str, reason: Reason, message: str, world: World) -> Handled:
    """Say that nothing is started for `value`, neither now nor later."""
    condition = last_start_failed(reason.name, message, now=world.clock(), generation=trigger.metadata.generation)
    return Handled(
        members={"lastHandledStart": value}, conditions=(condition,), value=value, reason=reason, message=message
    )


def _say_remedy(reason: Reason) -> str:
    """Give the remedy in words for who did not deliver anything."""
    return reason.remedy.replace(_REDELIVER, _ANEW)


async def tell_of_start(handled: Handled, trigger: BuildTrigger | InvalidObject, world: World) -> None:
    """Tell what became of a request, once status says it: in the log, and by a Kubernetes Event."""
    reason, metadata = handled.reason, trigger.metadata
    if reason is None:
        return
    owner = name_object(BuildTrigger.KIND, metadata.namespace, metadata.name)
    common = owner | {"delivery": identify_request(handled.value), "outcome": str(reason.outcome)}
    if reason.outcome is Outcome.STARTED:
        log.info("build", **common, reason=reason.name, build=handled.build)
        event = STARTED, handled.message
    else:
        log.warning("build", **common, reason=reason.name, message=handled.message)
        failed = reason.outcome is Outcome.FAILED
        event = (START_FAILED, f"{reason.name}: {handled.message}") if failed else (reason.name, handled.message)
    await world.announcer.announce(
        BuildTrigger.KIND, metadata, reason=event[0], message=event[1], warning=reason.outcome is not Outcome.STARTED
    )
