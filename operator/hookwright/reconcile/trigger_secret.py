"""Keeping the Secret of a BuildTrigger as it should be: read it, do what the plan says, and say what came of it.

One that is watched, and in which nothing was to be done, is not read again before something changes or is due.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hookwright.builds.wanted import format_time
from hookwright.cluster import SECRETS
from hookwright.cluster.mirror import Key
from hookwright.cluster.secret_values import SecretCopy
from hookwright.errors import ClusterError
from hookwright.kinds import SECRET_KEY, BuildTrigger, InvalidObject
from hookwright.reconcile.checks import SECRET_MALFORMED
from hookwright.reconcile.secret_plan import ROTATE, Plan, Settled, judge_refusal, plan_secret
from hookwright.reconcile.world import World

# Who else writes it changes it once: more conflicts than that are tried again later.
TRIES = 3
# Where Secrets are not watched, somebody may have changed it without our being told.
LOOK_AGAIN = 300
_SERVER_ERROR = 500


async def keep_secret(trigger: BuildTrigger | InvalidObject, world: World) -> Plan:
    """Make, replace or end secrets of a BuildTrigger as its plan says, and give that plan.

    Raises:
        ClusterError: the API server does not answer, the namespace is being deleted, or somebody else writes the Secret
            again and again.
    """
    if isinstance(trigger, InvalidObject) or trigger.spec.source.provider is None:
        return Plan()
    settled = _find_settled(trigger, world)
    if settled is not None:
        return settled
    tries = 0
    while True:
        verb, tries, before = "get", tries + 1, _find_watched(trigger, world)
        try:
            found = await world.cluster.get(SECRETS, namespace=trigger.metadata.namespace, name=trigger.secret_name)
            plan = plan_secret(trigger, found, now=world.clock(), fresh=world.invent())
            verb = "create" if plan.create is not None else "patch"
            await _write(trigger, plan, world)
        except ClusterError as error:
            if _is_overtaken(error) and tries < TRIES:
                continue
            # One that is there does without what was to be changed in it; without any, status says what is in the way.
            said = verb == "create" and error.status >= _SERVER_ERROR
            if not said and (error.transient or error.reason == "AlreadyExists" or error.namespace_ends):
                raise
            return judge_refusal(trigger, error, verb=verb)
        for notice in plan.notices:
            await world.announcer.announce(
                BuildTrigger.KIND,
                trigger.metadata,
                reason=notice.reason,
                message=notice.message,
                warning=notice.warning,
            )
        if before == SecretCopy.of(found) and plan.patch is None and plan.finding is None:
            _note_settled(trigger, plan, before, world)
        return replace(plan, look_again=_look_again(plan, trigger, world))


def tell_secret(trigger: BuildTrigger | InvalidObject, kept: Plan) -> dict[str, Any]:  # Any: JSON
    """Give what status says of the secret: where it is, and when it was made."""
    if isinstance(trigger, InvalidObject) or not kept.known:
        return {}
    # One of the wrong form is where it should be.
    found = kept.finding is None or kept.finding.reason == SECRET_MALFORMED
    there = trigger.spec.source.provider is not None and found
    return {
        "secretRef": {"name": trigger.secret_name, "key": SECRET_KEY} if there else None,
        "lastModifiedSecret": format_time(kept.made_at) if kept.made_at is not None else None,
    }


def _find_settled(trigger: BuildTrigger, world: World) -> Plan | None:
    """Give the plan by which nothing is to be done, if all that it was made of is as it was: builds come and go often.

    The Secret must be watched, and its copy the very same: then the API server has told of no change.
    """
    note = world.settled.find(_key(trigger), trigger.metadata)
    copy = _find_watched(trigger, world)
    if note is None or copy is not note.value.copy or trigger.metadata.annotations.get(ROTATE) != note.value.request:
        return None
    if note.value.is_over(world.clock()):
        return None
    left = math.ceil(note.seconds_left) if note.seconds_left is not None else None
    return replace(note.value.plan, look_again=left)


def _note_settled(trigger: BuildTrigger, plan: Plan, copy: SecretCopy | None, world: World) -> None:
    # If another copy came while the Secret was read, nobody knows of which of the two the answer was.
    if copy is None or copy is not _find_watched(trigger, world):
        return
    request = trigger.metadata.annotations.get(ROTATE)
    settled = Settled(copy=copy, request=request, at=world.clock(), plan=plan)
    world.settled.keep(_key(trigger), trigger.metadata, settled, plan.look_again)


def _find_watched(trigger: BuildTrigger, world: World) -> SecretCopy | None:
    return world.secrets.find_watched(trigger.metadata.namespace, trigger.secret_name)


def _key(trigger: BuildTrigger) -> Key:
    return Key(BuildTrigger.KIND, trigger.metadata.namespace, trigger.metadata.name)


def _look_again(plan: Plan, trigger: BuildTrigger, world: World) -> int | None:
    """Give after how many seconds to look: when something is due, and where nobody would tell of a change."""
    if world.secrets.is_watched(trigger.metadata.namespace, trigger.secret_name):
        return plan.look_again
    return min(plan.look_again or LOOK_AGAIN, LOOK_AGAIN)


async def _write(trigger: BuildTrigger, plan: Plan, world: World) -> None:
    namespace, name = trigger.metadata.namespace, trigger.secret_name
    if plan.create is not None:
        await world.cluster.create(SECRETS, plan.create, namespace=namespace)
    elif plan.patch is not None:
        await world.cluster.patch(SECRETS, plan.patch, namespace=namespace, name=name)


def _is_overtaken(error: ClusterError) -> bool:
    """Say whether it is another Secret by now than the one that was read, or none."""
    return error.status in (404, 409)
