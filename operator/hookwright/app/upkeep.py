"""Keeping the routes, and the worker, in line with the objects. Pure but for what it is handed."""

from __future__ import annotations

from hookwright.builds.trigger_filters import Knows, know_nothing
from hookwright.builds.worker import Worker
from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.intake.routes import Routes
from hookwright.intake.trigger_route import compile_trigger
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, Webhook


def keep_routes(change: Change, mirror: Mirror, routes: Routes, knows: Knows = know_nothing) -> None:
    """Bring the routes in line with a change of an object that has a URL, or of a target.

    `knows` says what providers can be asked for.
    """
    before, found = change.before, change.found
    same = _same_spec(before, found)
    if change.key.kind in (Webhook.KIND, BuildTrigger.KIND):
        if before is not None and (found is None or before.metadata.uid != found.metadata.uid):
            routes.remove(before.metadata.uid)
        if found is not None and found.metadata.deletion_timestamp is not None:
            # It may stay for a while, for another's finalizer, but it is not wanted any more.
            routes.remove(found.metadata.uid)
        elif found is not None and not same:
            _put_route(change.key, mirror, routes, knows)
        for key in change.siblings:
            _put_route(key, mirror, routes, knows)
    if not same:
        for key in mirror.webhooks_of(change.key):
            _put_route(key, mirror, routes, knows)


def _put_route(key: Key, mirror: Mirror, routes: Routes, knows: Knows) -> None:
    """Make the route of an object anew, unless it is going; a BuildTrigger without a provider has none."""
    found = mirror.find(key)
    if found is None or found.metadata.deletion_timestamp is not None:
        return
    if isinstance(found, BuildTrigger) and found.spec.source.provider is None:
        routes.remove(found.metadata.uid)
    elif key.kind == BuildTrigger.KIND and isinstance(found, BuildTrigger | InvalidObject):
        routes.put(compile_trigger(found, mirror.standing(found), knows))
    elif isinstance(found, Webhook | InvalidObject):
        routes.put(compile_webhook(found, mirror.target_of(found), mirror.standing(found)))


def _same_spec(before: ObjectKind | InvalidObject | None, found: ObjectKind | InvalidObject | None) -> bool:
    """Whether an object says what it said: then a change of its status costs no compilation."""
    if before is None or found is None or isinstance(before, InvalidObject) or isinstance(found, InvalidObject):
        return False
    old, new = before.metadata, found.metadata
    return (old.uid, old.generation, old.annotations) == (new.uid, new.generation, new.annotations)


def welcome(change: Change, worker: Worker) -> None:
    """Tell the worker of a target that has come."""
    if change.key.kind != Webhook.KIND and change.before is None and change.found is not None:
        worker.welcome(change.key.namespace)
