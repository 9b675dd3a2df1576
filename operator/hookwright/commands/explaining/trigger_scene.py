"""Looking around in a cluster for a BuildTrigger, as `gathering` does for a Webhook: nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hookwright.cluster import BUILDTRIGGERS, LEASES, WEBHOOKS, Cluster
from hookwright.commands.explaining.gathering import (
    Glance,
    find_one,
    find_standing,
    list_all,
    look,
    look_at_events,
    look_at_last_build,
    look_at_secrets,
    make_typed,
)
from hookwright.commands.explaining.trigger_subject import TriggerSubject
from hookwright.commands.naming import Named
from hookwright.errors import ClusterError
from hookwright.intake.trigger_route import find_trigger_secret_refs
from hookwright.kinds import BuildTrigger, InvalidObject, Raw, Webhook
from hookwright.reconcile.election import NAME as LEASE


@dataclass(frozen=True, kw_only=True)
class TriggerScene:
    """A BuildTrigger and everything around it that could be seen; the fields are those of `gathering.Scene`."""

    subject: TriggerSubject
    names_known: bool
    build: Glance | None
    lease: Glance
    events: tuple[Raw, ...]
    hidden: tuple[str, ...]

    @property
    def trigger(self) -> BuildTrigger | InvalidObject:
        """The BuildTrigger."""
        return self.subject.trigger


async def find_kind(cluster: Cluster, namespace: str, named: Named) -> type[Webhook | BuildTrigger]:
    """Give the kind of the object that is meant: where nobody says which, a Webhook before a BuildTrigger.

    That there is neither, or that whoever asks may not see it, is said when the Webhook is looked at.

    Raises:
        ClusterError: the API server is away.
    """
    if named.kind is not None:
        return named.kind
    for kind, resource in ((Webhook, WEBHOOKS), (BuildTrigger, BUILDTRIGGERS)):
        try:
            if await cluster.get(resource, namespace=namespace, name=named.name) is not None:
                return kind
        except ClusterError as error:
            if error.transient:
                raise
            break
    return Webhook


async def look_around_trigger(
    cluster: Cluster, namespace: str, name: str, *, hookwright_namespace: str, now: datetime
) -> TriggerScene:
    """Look at a BuildTrigger and at what is around it, at the time `now`.

    Raises:
        UsageError: there is no such BuildTrigger.
        HookwrightError: there are no BuildTriggers in this cluster at all.
        ClusterError: the API server refuses to show the BuildTrigger, or is away.
    """
    hidden: list[str] = []
    siblings = await list_all(cluster, BUILDTRIGGERS, namespace, hidden)
    trigger = make_typed(BuildTrigger, await find_one(cluster, BUILDTRIGGERS, namespace, name, siblings))
    refs = find_trigger_secret_refs(trigger) if isinstance(trigger, BuildTrigger) else ()
    last = trigger.status.last_delivery if isinstance(trigger, BuildTrigger) else None
    return TriggerScene(
        subject=TriggerSubject(
            trigger=trigger,
            secrets=await look_at_secrets(cluster, namespace, refs, hidden, now=now),
            standing=find_standing(BuildTrigger, trigger, siblings),
            place=f"in namespace {namespace}",
        ),
        names_known=siblings is not None,
        build=await look_at_last_build(cluster, namespace, last, hidden),
        lease=await look(cluster, LEASES, hookwright_namespace, LEASE, hidden),
        events=await look_at_events(cluster, BuildTrigger, trigger.metadata, hidden),
        hidden=tuple(hidden),
    )
