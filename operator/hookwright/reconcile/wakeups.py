"""Which objects must be looked at because of a change. Pure."""

from __future__ import annotations

from typing import Any

from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, Webhook
from hookwright.reasons import Outcome

# What receivers write into a Webhook's status.
RECEIVERS_MEMBERS = ("lastDelivery", "lastTriggered")


def keys_to_look_at(change: Change, mirror: Mirror) -> list[Key]:
    """Give the keys of the object itself and of those that depend on it."""
    keys = list(change.siblings)
    if change.key.kind not in (Webhook.KIND, BuildTrigger.KIND):
        # A target of somebody else's: only those who start it must look.
        return mirror.webhooks_of(change.key)
    if _matter(change.found, ours=change.ours) != _matter(change.before, ours=change.ours):
        keys.append(change.key)
    if change.key.kind == BuildTrigger.KIND:
        keys += mirror.webhooks_of(change.key)
    return keys


def _matter(obj: ObjectKind | InvalidObject | None, *, ours: bool) -> Any:  # Any: compared only
    """Give what of an object a reconcile looks at.

    Of what receivers write, only whether the newest delivery failed: else every delivery would cost a reconcile. Of a
    write of `ours` we know the members of status that are ours; what others changed meanwhile has come with the answer.
    """
    if obj is None:
        return None
    metadata = obj.metadata
    common = (metadata.uid, metadata.generation, metadata.annotations, metadata.labels, metadata.deletion_timestamp)
    failed: tuple[str, str] | None = None
    status: object = None
    if isinstance(obj, InvalidObject):
        status = {name: value for name, value in obj.found_status.items() if name not in RECEIVERS_MEMBERS}
    elif isinstance(obj, Webhook):
        last = obj.status.last_delivery
        failed = (last.reason, last.message) if last is not None and last.outcome == Outcome.FAILED else None
        status = obj.status.model_copy(update={"last_delivery": None, "last_triggered": None})
    elif isinstance(obj, BuildTrigger):
        status = obj.status
    return (*common, failed, None if ours else status)
