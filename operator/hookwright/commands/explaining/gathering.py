"""Looking around in a cluster: everything that `explain NAME` says is from these reads, and nothing is written.

Who asks is a person with rights of their own. What they may not see is left open, and said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from hookwright.builds.targets import TARGET_KINDS
from hookwright.cluster import BUILDTRIGGERS, CRONJOBS, EVENTS, LEASES, SECRETS, WEBHOOKS, Cluster, Resource
from hookwright.cluster.claims import GOOD_STANDING, Claims, Standing
from hookwright.cluster.port import Page
from hookwright.cluster.secret_values import FoundSecret, SecretCopy, SecretState
from hookwright.commands.explaining.subject import Subject
from hookwright.errors import ClusterError, HookwrightError, UsageError
from hookwright.intake.route import SecretRef
from hookwright.intake.webhook_route import find_secret_refs
from hookwright.kinds import (
    BuildReference,
    BuildTrigger,
    CronJob,
    InvalidObject,
    LastDelivery,
    ObjectKind,
    ObjectMeta,
    Raw,
    Webhook,
    read,
)
from hookwright.reconcile.election import NAME as LEASE

K = TypeVar("K", bound=ObjectKind)

# A namespace can hold very many Kubernetes Events: about so many are looked through.
MAX_EVENTS = 10_000
MAX_NAMES = 20
_FORBIDDEN, _NOT_FOUND = 403, 404


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """One object that was asked for: as it is, None if it does not exist; or whoever asks may not see it."""

    raw: Raw | None = field(default=None, repr=False)  # it may be a Secret
    allowed: bool = True


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A Webhook and everything around it that could be seen.

    `build` is that of the last delivery, None if it has none that can be followed. `hidden` names what whoever asks may
    not see. `names_known` says whether the other Webhooks of the namespace could be seen.
    """

    subject: Subject
    target_known: bool
    names_known: bool
    build: Glance | None
    lease: Glance
    events: tuple[Raw, ...]
    hidden: tuple[str, ...]

    @property
    def webhook(self) -> Webhook | InvalidObject:
        """The Webhook."""
        return self.subject.webhook


async def look_around(cluster: Cluster, namespace: str, name: str, *, hookwright_namespace: str) -> Scene:
    """Look at a Webhook and at what is around it.

    Raises:
        UsageError: there is no such Webhook.
        HookwrightError: there are no Webhooks in this cluster at all.
        ClusterError: the API server refuses to show the Webhook, or is away.
    """
    hidden: list[str] = []
    siblings = await list_all(cluster, WEBHOOKS, namespace, hidden)
    raw = await find_one(cluster, WEBHOOKS, namespace, name, siblings)
    webhook = make_typed(Webhook, raw)
    target, target_known = await _look_at_target(cluster, webhook, hidden)
    refs = find_secret_refs(webhook) if isinstance(webhook, Webhook) else ()
    last = webhook.status.last_delivery if isinstance(webhook, Webhook) else None
    return Scene(
        subject=Subject(
            webhook=webhook,
            raw=raw,
            target=target,
            secrets=await look_at_secrets(cluster, namespace, refs, hidden),
            standing=find_standing(Webhook, webhook, siblings),
            place=f"in namespace {namespace}",
        ),
        target_known=target_known,
        names_known=siblings is not None,
        build=await look_at_last_build(cluster, namespace, last, hidden),
        lease=await look(cluster, LEASES, hookwright_namespace, LEASE, hidden),
        events=await look_at_events(cluster, Webhook, webhook.metadata, hidden),
        hidden=tuple(hidden),
    )


async def look_at_job(cluster: Cluster, reference: BuildReference, namespace: str) -> Glance | None:
    """Look at a build; None if it is of a kind that is not known here."""
    for target in TARGET_KINDS.values():
        kind = target.build
        if (kind.api_version, kind.kind) == (reference.api_version, reference.kind):
            return await look(cluster, kind.resource, namespace, reference.name, [])
    return None


async def list_all(cluster: Cluster, resource: Resource, namespace: str, hidden: list[str]) -> list[Raw] | None:
    """Give all objects of one of our kinds in a namespace; None if they may not be listed.

    Raises:
        HookwrightError: there are none of them in this cluster at all.
        ClusterError: the API server refuses, or is away.
    """
    try:
        return [raw async for raw in cluster.list(resource, namespace=namespace)]
    except ClusterError as error:
        if error.status == _NOT_FOUND:
            raise HookwrightError(
                f"the cluster has no {resource.kind}s: Hookwright's CRDs are not installed, so that no delivery can "
                "start anything; install them (hookwright crds | kubectl apply -f -), then run Hookwright"
            ) from None
        if error.status != _FORBIDDEN:
            raise
    hidden.append(f"the other {resource.kind}s")
    return None


async def find_one(cluster: Cluster, resource: Resource, namespace: str, name: str, siblings: list[Raw] | None) -> Raw:
    """Give the object of this name, one of `siblings` if those are known.

    Raises:
        UsageError: there is none.
        ClusterError: the API server refuses, or is away.
    """
    lacking = f"there is no {resource.kind} {name} in namespace {namespace}"
    if siblings is None:
        raw = await cluster.get(resource, namespace=namespace, name=name)
        if raw is None:
            raise UsageError(lacking)
        return raw
    names = {str((raw.get("metadata") or {}).get("name")): raw for raw in siblings}
    if name not in names:
        shown = ", ".join(sorted(names)[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
        there = f"there is: {shown}" if names else "there is none at all; choose another namespace with -n"
        raise UsageError(f"{lacking}; {there}")
    return names[name]


def make_typed(kind: type[K], raw: Raw) -> K | InvalidObject:
    """Give an object as it is read, or what is wrong with it."""
    try:
        return read(kind, raw)
    except InvalidObject as invalid:
        return invalid


def find_standing(
    kind: type[Webhook | BuildTrigger], obj: Webhook | BuildTrigger | InvalidObject, siblings: Sequence[Raw] | None
) -> Standing:
    """Say who has the object's name; how many there may be only the operator knows, whose setting that is."""
    if siblings is None:
        return GOOD_STANDING
    claims = Claims()
    for raw in siblings:
        claims.put(make_typed(kind, raw))
    return claims.standing(obj.metadata.namespace, obj.metadata.name)


async def look(cluster: Cluster, resource: Resource, namespace: str, name: str, hidden: list[str]) -> Glance:
    """Look at one object; what may not be seen is noted in `hidden`."""
    try:
        return Glance(raw=await cluster.get(resource, namespace=namespace, name=name))
    except ClusterError as error:
        if error.status != _FORBIDDEN:
            raise
    hidden.append(f"{resource.kind} {name}")
    return Glance(allowed=False)


async def _look_at_target(
    cluster: Cluster, webhook: Webhook | InvalidObject, hidden: list[str]
) -> tuple[ObjectKind | InvalidObject | None, bool]:
    """Give what the Webhook is to start, and whether that could be seen."""
    if isinstance(webhook, InvalidObject):
        return None, False
    pipeline, namespace = webhook.spec.target_pipeline, webhook.metadata.namespace
    of_cronjob = pipeline.kind == CronJob.KIND
    glance = await look(cluster, CRONJOBS if of_cronjob else BUILDTRIGGERS, namespace, pipeline.name, hidden)
    if glance.raw is None:
        return None, glance.allowed
    return (make_typed(CronJob, glance.raw) if of_cronjob else make_typed(BuildTrigger, glance.raw)), True


async def look_at_secrets(
    cluster: Cluster, namespace: str, refs: Sequence[SecretRef], hidden: list[str], *, now: datetime | None = None
) -> list[tuple[SecretRef, FoundSecret]]:
    """Give what is where secrets should be; at the time `now`, where some may have ended."""
    glances = {
        name: await look(cluster, SECRETS, namespace, name, hidden) for name in dict.fromkeys(ref.name for ref in refs)
    }
    unknown = FoundSecret(state=SecretState.UNKNOWN)
    copies = {name: SecretCopy.of(glance.raw) for name, glance in glances.items() if glance.allowed}
    return [
        (ref, copies[ref.name].judge(ref.key, ref.owners, now=now) if ref.name in copies else unknown) for ref in refs
    ]


async def look_at_last_build(
    cluster: Cluster, namespace: str, last: LastDelivery | None, hidden: list[str]
) -> Glance | None:
    """Look at the build of the newest delivery; None if it has none that can be followed."""
    if last is None or last.build is None:
        return None
    glance = await look_at_job(cluster, last.build, namespace)
    if glance is not None and not glance.allowed:
        hidden.append(f"{last.build.kind} {last.build.name}")
    return glance


async def look_at_events(
    cluster: Cluster, kind: type[ObjectKind], metadata: ObjectMeta, hidden: list[str]
) -> tuple[Raw, ...]:
    """Give the Kubernetes Events about an object, of the first that are listed."""
    found: list[Raw] = []
    seen = 0
    listed: AsyncIterator[Page] = cluster.list_pages(EVENTS, namespace=metadata.namespace)
    try:
        async for page in listed:
            found += [raw for raw in page.items if _is_about(raw, kind, metadata)]
            seen += len(page.items)
            if seen >= MAX_EVENTS:
                break
    except ClusterError as error:
        if error.status != _FORBIDDEN:
            raise
        hidden.append("Kubernetes Events")
    return tuple(found)


def _is_about(event: Raw, kind: type[ObjectKind], metadata: ObjectMeta) -> bool:
    about = event.get("involvedObject") or {}
    return about.get("kind") == kind.KIND and about.get("uid") == metadata.uid
