"""A BuildTrigger and what is around it, and which object in files is meant: a Webhook or a BuildTrigger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.cluster.secret_values import FoundSecret
from hookwright.commands.explaining.choosing import choose_one
from hookwright.commands.explaining.subject import Subject, choose
from hookwright.commands.file_objects import FileObject, FileObjects
from hookwright.commands.naming import Named
from hookwright.intake.route import SecretRef
from hookwright.intake.trigger_route import find_trigger_secret_refs
from hookwright.kinds import BuildTrigger, InvalidObject, Webhook


@dataclass(frozen=True, kw_only=True)
class TriggerSubject:
    """A BuildTrigger and what is around it; `secrets` and `place` as in `Subject`."""

    trigger: BuildTrigger | InvalidObject
    secrets: Sequence[tuple[SecretRef, FoundSecret]] = ()
    standing: Standing = GOOD_STANDING
    place: str


def choose_object(objects: FileObjects, named: Named | None, namespace: str | None) -> Subject | TriggerSubject:
    """Give the object in the files that is meant; where nobody says which kind, a Webhook before a BuildTrigger.

    Raises:
        UsageError: there is none, or there are several.
    """
    kind, name = (named.kind, named.name) if named is not None else (None, None)
    if kind is None:
        receiving = [trigger for trigger in objects.buildtriggers if name is not None or _takes_deliveries(trigger)]
        of_webhooks = any(name in (None, webhook.name) for webhook in objects.webhooks)
        of_triggers = any(name in (None, trigger.name) for trigger in receiving)
        kind = BuildTrigger if of_triggers and not of_webhooks else Webhook
    if kind is Webhook:
        return choose(objects, name, namespace)
    return choose_trigger(objects, name, namespace)


def choose_trigger(objects: FileObjects, name: str | None, namespace: str | None) -> TriggerSubject:
    """Give the BuildTrigger in the files that is meant; without a name one that takes deliveries.

    Raises:
        UsageError: there is none, or there are several.
    """
    chosen = choose_one(BuildTrigger, objects.buildtriggers, name, namespace, counts=_takes_deliveries)
    trigger = chosen.found
    refs = find_trigger_secret_refs(trigger) if isinstance(trigger, BuildTrigger) else ()
    return TriggerSubject(
        trigger=trigger,
        secrets=[(ref, objects.secret(ref)) for ref in refs],
        standing=objects.standing(trigger),
        place="in the files",
    )


def _takes_deliveries(trigger: FileObject[BuildTrigger]) -> bool:
    """Say whether a BuildTrigger has a provider, or is so wrong that nobody knows."""
    return isinstance(trigger.found, InvalidObject) or trigger.found.spec.source.provider is not None
