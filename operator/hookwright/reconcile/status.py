"""Writing what the operator says in status: one patch at most, and a Kubernetes Event for each change of note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookwright.cluster import Resource
from hookwright.errors import ClusterError
from hookwright.kinds import Condition, ObjectKind
from hookwright.kinds.conditions import BUILDS_NOT_DELETED, BUILDS_TWICE, LAST_DELIVERY_FAILED, READY
from hookwright.reconcile.checks import Finding, OurObject, conditions_of, found_conditions, found_status, status_patch
from hookwright.reconcile.url_notice import tell_new_url
from hookwright.reconcile.world import World

MAX_MESSAGE = 4096  # of status.errorMessage, in the CRDs


async def write_status(
    obj: OurObject,
    finding: Finding | None,
    world: World,
    *,
    kind: type[ObjectKind],
    resource: Resource,
    good: tuple[str, str],
    members: Mapping[str, Any],
    more: Sequence[Condition] = (),
    unless_changed: bool = False,
) -> None:
    """Write `finding`, `members` and the conditions `more` into the status of `obj`, if they are not there yet.

    `good` are reason and message of Ready where nothing is wrong. `unless_changed` says that what somebody else has
    written meanwhile must be looked at first: then nothing is written, and it is a ClusterError.
    """
    metadata = obj.metadata
    conditions = conditions_of(obj, finding, good=good, now=world.clock(), more=more)
    wanted = {
        **members,
        "errorCode": finding.code if finding is not None else None,
        "errorMessage": finding.message[:MAX_MESSAGE] if finding is not None else None,
        "observedGeneration": metadata.generation,
        "conditions": [condition.to_raw() for condition in conditions],
    }
    if not await write_members(obj, wanted, world, kind=kind, resource=resource, unless_changed=unless_changed):
        return
    notice = tell_new_url(found_status(obj), members, uid=metadata.uid, root_keys=world.root_keys.keys)
    if notice is not None:
        await world.announcer.announce(
            kind.KIND, metadata, reason=notice.reason, message=notice.message, warning=notice.warning
        )
    for condition in find_changes(found_conditions(obj), conditions):
        await world.announcer.announce(
            kind.KIND,
            metadata,
            reason=condition.reason,
            message=condition.message,
            warning=condition.type != READY or condition.status != "True",
        )


async def write_members(
    obj: OurObject,
    wanted: Mapping[str, Any],
    world: World,
    *,
    kind: type[ObjectKind],
    resource: Resource,
    unless_changed: bool = False,
) -> bool:
    """Write members of the status of `obj` if they are not there yet; say whether something was written.

    `unless_changed` is as `write_status` has it.
    """
    metadata = obj.metadata
    patch = status_patch(found_status(obj), wanted)
    if not patch:
        return False
    known = {"uid": metadata.uid} | ({"resourceVersion": metadata.resource_version} if unless_changed else {})
    # With the UID, so that what is meant for an object never lands on another that has taken its name: that is a 409.
    try:
        written = await world.cluster.patch(
            resource,
            {"metadata": known, "status": patch},
            namespace=metadata.namespace,
            name=metadata.name,
            subresource="status",
        )
    except ClusterError as error:
        if error.status == 404:  # noqa: PLR2004 - it is gone: nothing is left to say
            return False
        raise
    # If somebody else has changed meanwhile what is ours to say, that is not known, and must be looked at.
    world.mirror.put(kind, written, ours=not status_patch(written.get("status") or {}, wanted))
    return True


def find_changes(before: Sequence[Condition], now: Sequence[Condition]) -> list[Condition]:
    """Give the conditions that a user should hear of, where they say something new."""
    known = {(condition.type, condition.status, condition.reason) for condition in before}
    told = (READY, LAST_DELIVERY_FAILED, BUILDS_TWICE, BUILDS_NOT_DELETED)
    return [c for c in now if c.type in told and (c.type, c.status, c.reason) not in known]
