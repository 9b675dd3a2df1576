"""The builds of a BuildTrigger in a reconcile: what its status says of them, and which ones its history limits end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from hookwright.builds.follow import Following
from hookwright.builds.state import Build
from hookwright.builds.surplus import Limits, Surplus, choose_surplus
from hookwright.builds.targets import DEFAULT_SERVICE_ACCOUNT
from hookwright.cluster import JOBS
from hookwright.cluster.mirror import Key
from hookwright.errors import ClusterError
from hookwright.kinds import SHORTEST_WINDOW, BuildTrigger, Condition, parse_duration
from hookwright.kinds.conditions import BUILDS_NOT_DELETED, builds_not_deleted
from hookwright.logs import name_object
from hookwright.reconcile.build_states import OVER, describe_builds
from hookwright.reconcile.work import NEVER, Again, find_soonest
from hookwright.reconcile.world import World

log = structlog.get_logger()

# So many are deleted in one look, so that a BuildTrigger with thousands keeps no other waiting.
MAX_DELETIONS = 50
MORE_SECONDS = 1.0
# What is not known yet, or could not be done, is looked at again; a right may be given without anything here changing.
DOUBTFUL_SECONDS = 10.0
FORBIDDEN_SECONDS = 300.0
# The reason of the condition BuildsNotDeleted.
DELETION_REFUSED = "DeletionRefused"
LONGEST_SECONDS = 86_400.0
_FORBIDDEN, _CONFLICT = 403, 409


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What a look at the builds has given: members of status, what is wrong, and when to look again."""

    members: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON
    conditions: Sequence[Condition] = ()
    again: Again = NEVER


async def follow_builds(key: Key, trigger: BuildTrigger, world: World) -> Followed:
    """Say how the builds of a BuildTrigger stand, and delete those that its history limits do not keep."""
    metadata, following = trigger.metadata, world.following
    if following is None or not following.knows(metadata.namespace):
        # Without the right to see Jobs nothing is said of them; what status says stays.
        return Followed(conditions=_find_complaint(trigger))
    try:
        await _look_for_missing(trigger, following)
        sure = following.is_sure(metadata.namespace)
    except ClusterError as error:
        if error.transient:
            # What status says of them stays: who is left out of it is not looked for again.
            return Followed(conditions=_find_complaint(trigger), again=Again(DOUBTFUL_SECONDS))
        sure = False
    builds, now = following.index.of(metadata.namespace, metadata.uid), world.clock()
    states = describe_builds(
        builds,
        following.index.gone(metadata.namespace, metadata.uid),
        trigger.status.last_build,
        sure=sure,
        now=now,
    )
    spec = trigger.spec
    surplus = choose_surplus(
        builds,
        Limits(succeeded=spec.successful_builds_history_limit, failed=spec.failed_builds_history_limit),
        now=now,
        window=max(parse_duration(spec.duplicate_window), SHORTEST_WINDOW),
    )
    complaints, later = await _delete(key, trigger, surplus, world)
    doubt = Again(DOUBTFUL_SECONDS) if states.doubtful else NEVER
    return Followed(
        members=states.to_members(),
        conditions=complaints,
        again=find_soonest(doubt, later, _wait_until(surplus.next, now)),
    )


async def _look_for_missing(trigger: BuildTrigger, following: Following) -> None:
    """Look for the builds that status says have not ended, and that no watch shows; not for one that was seen to go.

    Raises:
        ClusterError: the API server does not say.
    """
    metadata, status = trigger.metadata, trigger.status
    gone = following.index.gone(metadata.namespace, metadata.uid)
    known = {build.name for build in following.index.of(metadata.namespace, metadata.uid)}
    known |= {gone.name} if gone is not None else set()
    written = [*status.active, *([status.last_build] if status.last_build is not None else [])]
    missing = {state.name for state in written if state.phase not in OVER and state.name not in known}
    await following.look_for(sorted(missing), namespace=metadata.namespace, owner_uid=metadata.uid)


async def _delete(key: Key, trigger: BuildTrigger, surplus: Surplus, world: World) -> tuple[Sequence[Condition], Again]:
    """Delete what may go, some at a time; give what the API server has against it, and when to go on."""
    if not surplus.now:
        world.refusals.forget(key)
        return (), NEVER
    refused = world.refusals.find(key, trigger.metadata)
    if refused is not None:
        return [_complain(refused.value, trigger, world)], Again(refused.seconds_left)
    account = trigger.spec.service_account_name or DEFAULT_SERVICE_ACCOUNT
    for build in surplus.now[:MAX_DELETIONS]:
        try:
            await _delete_one(build, account, world)
        except ClusterError as error:
            if error.transient:
                log.warning("builds", **name_object(*key), error=error.message, again_in=DOUBTFUL_SECONDS)
                return _find_complaint(trigger), Again(DOUBTFUL_SECONDS)
            complaint = describe_refusal(error, account)
            world.refusals.keep(key, trigger.metadata, complaint, FORBIDDEN_SECONDS)
            return [_complain(complaint, trigger, world)], Again(FORBIDDEN_SECONDS)
    return (), Again(MORE_SECONDS) if len(surplus.now) > MAX_DELETIONS else NEVER


def _complain(complaint: str, trigger: BuildTrigger, world: World) -> Condition:
    return builds_not_deleted(DELETION_REFUSED, complaint, now=world.clock(), generation=trigger.metadata.generation)


def _find_complaint(trigger: BuildTrigger) -> Sequence[Condition]:
    """Give what status complains of: while nothing is known, it stays, or each doubt would make a new Event of it."""
    return [one for one in trigger.status.conditions if one.type == BUILDS_NOT_DELETED]


async def _delete_one(build: Build, account: str, world: World) -> None:
    try:
        await world.cluster.delete(
            JOBS, namespace=build.namespace, name=build.name, uid=build.uid, service_account=account
        )
    except ClusterError as error:
        # Another has its name: this one is gone.
        if error.status != _CONFLICT:
            raise


def describe_refusal(error: ClusterError, account: str) -> str:
    """Say why builds beyond a history limit stay, and what to do."""
    if error.status == _FORBIDDEN and "cannot impersonate" in error.message:
        return (
            f"Hookwright may not act as ServiceAccount {account}, as which it would delete the builds beyond "
            f"spec.successfulBuildsHistoryLimit and spec.failedBuildsHistoryLimit: {error.message}; give it the verb "
            "impersonate on that ServiceAccount by a Role in this namespace (hookwright grant prints one)"
        )
    if error.status == _FORBIDDEN:
        return (
            f"ServiceAccount {account} may not delete the builds beyond spec.successfulBuildsHistoryLimit and "
            f"spec.failedBuildsHistoryLimit: {error.message}; give it the verb delete on jobs by a Role in this "
            "namespace (hookwright grant prints one), or remove the limits"
        )
    return f"a build beyond the history limits cannot be deleted: {error.message}"


def _wait_until(time: datetime | None, now: datetime) -> Again:
    """Give when to look at what may go at `time`; not too late, whatever somebody has written there."""
    if time is None:
        return NEVER
    return Again(min(max((time - now).total_seconds(), MORE_SECONDS), LONGEST_SECONDS))
