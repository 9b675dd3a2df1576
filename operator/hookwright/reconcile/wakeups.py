"""Which objects must be looked at because of a change. Pure."""

from __future__ import annotations

from typing import Any

from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, Webhook
from hookwright.reasons import Outcome


def keys_to_look_at(change: Change, mirror: Mirror) -> list[Key]:
    """Give the keys of the object itself and of those that depend on it."""
    keys = []
    if not change.ours and _matter(change.found) != _matter(change.before):
        keys.append(change.key)
    if change.key.kind == BuildTrigger.KIND:
        keys += mirror.webhooks_of(change.key)
    return keys


def _matter(obj: ObjectKind | InvalidObject | None) -> Any:  # Any: compared only
    """Give what of an object a reconcile looks at.

    Of what receivers write, only whether the newest delivery failed: else every delivery would cost a reconcile.
    """
    if obj is None:
        return None
    metadata = obj.metadata
    common = (metadata.uid, metadata.generation, metadata.annotations, metadata.labels, metadata.deletion_timestamp)
    if isinstance(obj, InvalidObject):
        return (*common, obj.found_status)
    if isinstance(obj, Webhook):
        last = obj.status.last_delivery
        failed = (last.reason, last.message) if last is not None and last.outcome == Outcome.FAILED else None
        return (*common, failed, obj.status.model_copy(update={"last_delivery": None, "last_triggered": None}))
    if isinstance(obj, BuildTrigger):
        return (*common, obj.status)
    return common
