"""A delivery to a BuildTrigger: what its provider sends for an event, signed with the live secret as it signs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import replace

from hookwright.cluster import SECRETS, Cluster
from hookwright.cluster.secret_values import SecretCopy
from hookwright.commands.delivering.prepared import Changes, Prepared, Wish
from hookwright.commands.naming import Named
from hookwright.errors import UsageError
from hookwright.intake.trigger_decision import TriggerRoute
from hookwright.intake.trigger_route import compile_trigger
from hookwright.kinds import BuildTrigger, InvalidObject, Raw, read
from hookwright.kinds.source import BuildSource
from hookwright.providers.fields import commit, ref_of, repository
from hookwright.providers.sample import Happening, Samples, Sent
from hookwright.providers.samples import SAMPLES
from hookwright.scm import BRANCHES, TAGS, EventType, Provider

PING = "ping"
_TAGGED = (EventType.PUSH, EventType.RELEASED, EventType.PRERELEASED)


async def prepare_for_trigger(cluster: Cluster, raw: Raw, named: Named, wish: Wish) -> Prepared:
    """Make a delivery for a BuildTrigger: body, headers and signature.

    Raises:
        UsageError: the BuildTrigger is invalid or takes no deliveries, or there is no such event or secret.
        ClusterError: the API server refuses, or is away.
    """
    try:
        trigger = read(BuildTrigger, raw)
    except InvalidObject as invalid:
        raise UsageError(f"BuildTrigger {named.name} is invalid: {invalid}") from None
    provider = trigger.spec.source.provider
    if provider is None:
        message = f"BuildTrigger {named.name} has no spec.source.provider, so that only Webhooks start it"
        if named.kind is None:
            message = f"there is no Webhook {named.name} in namespace {trigger.metadata.namespace}, and {message}"
        raise UsageError(message)
    route = compile_trigger(trigger)
    if route.problem is not None:
        raise UsageError(f"BuildTrigger {named.name} is invalid: {route.problem.message}")
    url = wish.url or trigger.status.payload_url
    if url is None:
        why = trigger.status.error_message or "is Hookwright running?"
        raise UsageError(f"BuildTrigger {named.name} has no URL yet; {why}")
    samples = SAMPLES[provider]
    sent, sample = make_sample(provider, samples, trigger.spec.source, wish)
    body = json.dumps(sent.payload, separators=(",", ":")).encode() if wish.body is None else wish.body
    headers = samples.make_headers(
        name=sent.name,
        delivery_id=wish.delivery_id or str(uuid.uuid4()),
        body=body,
        secret=await _find_secret(cluster, route, trigger.status.error_message),
    )
    place = f"bt/{named.name} -n {trigger.metadata.namespace}"
    hint = f"the sample is {sample}; hookwright explain {place} says why; --branch and its like change it, or --payload"
    return Prepared(url=url, headers=headers, body=body, hint=hint if wish.body is None else None)


def make_sample(provider: Provider, samples: Samples, source: BuildSource, wish: Wish) -> tuple[Sent, str]:
    """Give what the provider sends for the event that is wished, in words too.

    With a body of one's own the event may be any, by the provider's own name of it.

    Raises:
        UsageError: the provider sends no such event, or something that is wished does not belong to it.
    """
    if wish.body is not None and wish.changes.given:
        raise UsageError(f"{wish.changes.given[0]} is for samples: --payload gives the whole body; leave one out")
    event = read_event(wish.event)
    happening = make_happening(source, event, wish.changes)
    if event == PING:
        sent = samples.make_test(happening)
        if sent is None:
            raise UsageError(f"{provider} tries a URL with what it tests: there is no ping; write --event push")
        return sent, f"{provider}'s {PING}"
    if event in samples.events:
        sent = samples.make(EventType(event), happening)
        return sent, f"{provider}'s {event} in {happening.repository}"
    if wish.body is not None:
        return Sent(name=wish.event, payload={}), ""
    known = ", ".join([*(one for one in EventType if one in samples.events), *([PING] if samples.test else [])])
    raise UsageError(f"{wish.event} is not read from {provider}, only: {known}; give a body of its own with --payload")


def read_event(text: str) -> EventType | str:
    """Give an event by its name, in capitals or not; what is none stays as it is."""
    word = text.upper().replace("-", "_")
    return EventType(word) if word in EventType.__members__ else text.lower() if word == PING.upper() else text


def make_happening(source: BuildSource, event: EventType | str, changes: Changes) -> Happening:
    """Give what a sample tells of: it happens where the BuildTrigger looks, but for what is wished otherwise.

    Raises:
        UsageError: something that is wished does not belong to such an event, or no Git host would say it.
    """
    _check_changes(event, changes)
    _check_forms(changes)
    owner = source.organization or source.group
    happening = Happening()
    happening = replace(
        happening,
        repository=changes.repository or source.repository or f"{owner}/{happening.name}",
        branch=source.branch or happening.branch,
        tag=changes.tag,
        sha=changes.sha or happening.sha,
        message=happening.message if changes.message is None else changes.message,
        files=happening.files if changes.changed is None else changes.changed,
        pull_request=changes.pull_request or happening.pull_request,
        fork=bool(changes.fork),
    )
    if isinstance(event, EventType) and event.is_pull_request:
        return replace(happening, head=changes.branch or happening.head, branch=changes.base or happening.branch)
    return replace(happening, branch=changes.branch or happening.branch)


def _check_changes(event: EventType | str, changes: Changes) -> None:
    """Refuse what would change nothing in the sample."""
    pull_request = isinstance(event, EventType) and event.is_pull_request
    of_pull_requests = {"--base", "--pull-request", "--fork"}
    _refuse(changes, () if pull_request else of_pull_requests, "a pull request", "PULL_REQUEST_CREATED")
    _refuse(changes, () if event in _TAGGED else {"--tag"}, "a push or a release", "PUSH")
    _refuse(changes, () if event is EventType.PUSH else {"--changed"}, "a push", "PUSH")


def _check_forms(changes: Changes) -> None:
    """Refuse what no payload of a Git host says: the receiver would find the sample unreadable."""
    if changes.repository is not None and repository(changes.repository, clone_url=None, web_url=None) is None:
        raise UsageError(f"--repository {changes.repository!r}: should be OWNER/NAME")
    if changes.sha is not None and commit(changes.sha) is None:
        raise UsageError(f"--sha {changes.sha!r}: should be 7 to 64 digits of 0-9a-f, not zeros only")
    refs = {"--branch": (changes.branch, BRANCHES), "--base": (changes.base, BRANCHES), "--tag": (changes.tag, TAGS)}
    for option, (name, prefix) in refs.items():
        if name is not None and (name.startswith(prefix) or ref_of(name, prefix) is None):
            raise UsageError(f"{option} {name!r}: git has no such name; write it without {prefix}, blanks and .. in it")


def _refuse(changes: Changes, options: Collection[str], what: str, event: str) -> None:
    for option in changes.given:
        if option in options:
            raise UsageError(f"{option} is for {what}: add --event {event}")


async def _find_secret(cluster: Cluster, route: TriggerRoute, said: str | None) -> bytes:
    """Give the newest of the live secrets, which is what the Git host is to have; `said` is what status says."""
    newest = route.secret_refs[0]
    raw = await cluster.get(SECRETS, namespace=newest.namespace, name=newest.name)
    found = SecretCopy.of(raw).judge(newest.key, newest.owners)
    where = f"Secret {newest.name}, key {newest.key}"
    if not found.values:
        raise UsageError(f"{where}: {found.state}; {said or 'Hookwright makes it: is it running?'}")
    wrong = route.scheme.check_secret(found.values[0])
    if wrong is not None:
        raise UsageError(f"{where}: {wrong}")
    return found.values[0]
