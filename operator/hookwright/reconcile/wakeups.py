"""Which objects must be looked at because of a change. Pure."""

from __future__ import annotations

from typing import Any

from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, Webhook
from hookwright.reasons import BUILD_FORBIDDEN, BUILD_INVALID, IMPERSONATION_FORBIDDEN, SECRET_UNUSABLE, Outcome

# What receivers write into the status of whatever has a URL.
RECEIVERS_MEMBERS = ("lastDelivery", "lastTriggered")
_OURS = (Webhook.KIND, BuildTrigger.KIND)
_OF_TARGETS = (BUILD_FORBIDDEN.name, IMPERSONATION_FORBIDDEN.name, BUILD_INVALID.name)


def keys_to_look_at(change: Change, mirror: Mirror) -> list[Key]:
    """Give the keys of the object itself and of those that depend on it."""
    keys = list(change.siblings)
    if _matter(change.found, ours=change.ours) != _matter(change.before, ours=change.ours):
        keys.append(change.key)
    if change.key.kind != Webhook.KIND and _matter_as_target(change.found) != _matter_as_target(change.before):
        keys += mirror.webhooks_of(change.key)
    refuted = find_refuted(change)
    keys += [refuted] if refuted is not None else []
    keys += _find_doubled(change, mirror)
    return [key for key in keys if key.kind in _OURS]


def changes_builds(change: Change) -> bool:
    """Say whether status says something else of builds, and not by us as far as we know.

    It may be what we have just written, told by a watch before the answer came: a look at once would make two of one.
    """
    return not change.ours and _builds_of(change.found) != _builds_of(change.before)


def _builds_of(obj: ObjectKind | InvalidObject | None) -> object:
    return (obj.status.last_build, obj.status.active) if isinstance(obj, BuildTrigger) else None


def find_refuted(change: Change) -> Key | None:
    """Give the target of a start that was newly refused, which says more of it than its trial did; None without one."""
    found, failed = change.found, _find_failure(change.found)
    if failed is None or failed[0] not in _OF_TARGETS or failed == _find_failure(change.before):
        return None
    return _find_target(found) if isinstance(found, Webhook) else change.key


def _find_doubled(change: Change, mirror: Mirror) -> list[Key]:
    """Give the BuildTriggers that may have begun, or ceased, to build twice by a change of a Webhook."""
    aims = set[tuple[Key, bool]]()
    for obj in (change.before, change.found):
        if isinstance(obj, Webhook):
            # What is in both states is no news.
            aims ^= {(_find_target(obj), obj.spec.suspend)}
    return sorted({target for target, _ in aims if _takes_deliveries(target, mirror)})


def _takes_deliveries(key: Key, mirror: Mirror) -> bool:
    trigger = mirror.buildtrigger(key.namespace, key.name) if key.kind == BuildTrigger.KIND else None
    return isinstance(trigger, BuildTrigger) and trigger.spec.source.provider is not None


def _find_target(webhook: Webhook) -> Key:
    pipeline = webhook.spec.target_pipeline
    return Key(pipeline.kind, webhook.metadata.namespace, pipeline.name)


def _find_failure(obj: ObjectKind | InvalidObject | None) -> tuple[str, str] | None:
    """Give reason and message of a newest delivery that somebody must mend something for."""
    last = obj.status.last_delivery if isinstance(obj, Webhook | BuildTrigger) else None
    if last is None or (last.outcome != Outcome.FAILED and last.reason != SECRET_UNUSABLE.name):
        return None
    return last.reason, last.message


def _matter_as_target(obj: ObjectKind | InvalidObject | None) -> Any:  # Any: compared only
    """Give what of a target its Webhooks look at.

    Of status only whether a BuildTrigger is ready: all else in it, and in a CronJob's, changes with each build.
    """
    if obj is None:
        return None
    said: object = None
    if isinstance(obj, InvalidObject):
        said = str(obj)
    elif isinstance(obj, BuildTrigger):
        said = obj.status.observed_generation, obj.status.error_message
    return *_metadata_that_matters(obj), said


def _metadata_that_matters(obj: ObjectKind | InvalidObject) -> tuple[Any, ...]:  # Any: compared only
    metadata = obj.metadata
    return metadata.uid, metadata.generation, metadata.annotations, metadata.deletion_timestamp


def _matter(obj: ObjectKind | InvalidObject | None, *, ours: bool) -> Any:  # Any: compared only
    """Give what of an object a reconcile looks at.

    Of what receivers write, only whether the newest delivery failed: else every delivery would cost a reconcile. Of a
    write of `ours` we know the members of status that are ours; what others changed meanwhile has come with the answer.
    """
    if obj is None:
        return None
    status: object = None
    if isinstance(obj, InvalidObject):
        status = {name: value for name, value in obj.found_status.items() if name not in RECEIVERS_MEMBERS}
    elif isinstance(obj, Webhook | BuildTrigger):
        builds: dict[str, object] = {"last_build": None, "active": []} if isinstance(obj, BuildTrigger) else {}
        status = obj.status.model_copy(update={"last_delivery": None, "last_triggered": None, **builds})
    return (*_metadata_that_matters(obj), _find_failure(obj), None if ours else status)
