"""How Bitbucket Cloud's deliveries speak: pushes of several refs, and pull requests.

Source: Atlassian, "Event payloads" of Bitbucket Cloud. No payload names files.
"""

from __future__ import annotations

from collections.abc import Iterable

from hookwright.filters import JsonValue
from hookwright.providers import fields
from hookwright.providers.dialect import Change, Dialect, no_event
from hookwright.scm import BRANCHES, TAGS, ActorId, EventType, Ref, Repository, ScmEvent

PUSH = "repo:push"
_PULL_REQUEST_EVENTS = {
    "pullrequest:created": EventType.PULL_REQUEST_CREATED,
    # Also of a title that was changed: the payload does not tell the two apart.
    "pullrequest:updated": EventType.PULL_REQUEST_UPDATED,
    "pullrequest:fulfilled": EventType.PULL_REQUEST_MERGED,
    "pullrequest:rejected": EventType.PULL_REQUEST_CLOSED,
}
_REF_TYPES = {"branch": BRANCHES, "tag": TAGS, "annotated_tag": TAGS}


def _split(name: str, payload: JsonValue) -> Iterable[JsonValue]:
    return fields.items(fields.get(payload, "push", "changes")) if name == PUSH else (payload,)


def understand(change: Change) -> ScmEvent:
    """Give the event of one change of a push, or of a pull request."""
    if change.name == PUSH:
        return _understand_push(change)
    event = _PULL_REQUEST_EVENTS.get(change.name)
    if event is None:
        raise no_event()
    return _understand_pull_request(change, event)


def _understand_push(change: Change) -> ScmEvent:
    new, old = fields.get(change.part, "new"), fields.get(change.part, "old")
    deleted = isinstance(change.part, dict) and "new" in change.part and new is None
    repository = _read_repository(change)
    sha = fields.commit(fields.get(new, "target", "hash"))
    return ScmEvent(
        event=EventType.PUSH,
        index=change.index,
        repository=repository,
        actor=_read_actor(change.payload),
        head_ref=_read_ref(change, old if deleted else new),
        sha=None if deleted else change.need(sha, "new.target.hash"),
        before=fields.commit(fields.get(old, "target", "hash")),
        message=fields.message(fields.get(new, "target", "message")),
        organisation=repository.owner,
        deleted=deleted,
    )


def _read_ref(change: Change, value: JsonValue) -> Ref:
    kind = fields.get(value, "type")
    prefix = change.need(_REF_TYPES.get(kind) if isinstance(kind, str) else None, "new.type")
    return change.need(fields.ref_of(fields.get(value, "name"), prefix), "new.name")


def _understand_pull_request(change: Change, event: EventType) -> ScmEvent:
    pull_request = fields.get(change.payload, "pullrequest")
    source, destination = fields.get(pull_request, "source"), fields.get(pull_request, "destination")
    repository = _read_repository(change)
    # The source's repository is null where the fork is gone.
    head = _make_repository(fields.get(source, "repository"))
    fork = head is None or head.full_name != repository.full_name
    merged = event is EventType.PULL_REQUEST_MERGED
    return ScmEvent(
        event=event,
        index=change.index,
        repository=repository,
        actor=_read_actor(change.payload),
        head_ref=change.need(fields.ref_of(fields.get(source, "branch", "name")), "source.branch.name"),
        base_ref=change.need(fields.ref_of(fields.get(destination, "branch", "name")), "destination.branch.name"),
        sha=change.need(fields.commit(fields.get(source, "commit", "hash")), "source.commit.hash"),
        organisation=repository.owner,
        pull_request=change.need(fields.number(fields.get(pull_request, "id")), "pullrequest.id"),
        merge_commit=fields.commit(fields.get(pull_request, "merge_commit", "hash")) if merged else None,
        head_repository=head if fork else None,
        fork=fork,
    )


def _read_actor(payload: JsonValue) -> ActorId | None:
    """Give the account's id; an account of an app has only a UUID."""
    who = fields.get(payload, "actor")
    return fields.actor(fields.get(who, "account_id")) or fields.actor(fields.get(who, "uuid"))


def _read_repository(change: Change) -> Repository:
    return change.need(_make_repository(fields.get(change.payload, "repository")), "repository.full_name")


def _make_repository(value: JsonValue) -> Repository | None:
    """Give a repository; the address to clone from is in no payload, and always this."""
    full_name = fields.get(value, "full_name")
    return fields.repository(
        full_name,
        clone_url=f"https://bitbucket.org/{full_name}.git" if isinstance(full_name, str) else None,
        web_url=fields.get(value, "links", "html", "href"),
    )


DIALECT = Dialect(
    event_headers=("x-event-key",),
    delivery_headers=("x-request-uuid",),
    events=frozenset({EventType.PUSH, *_PULL_REQUEST_EVENTS.values()}),
    understand=understand,
    split=_split,
)
