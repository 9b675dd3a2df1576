"""How Bitbucket Data Center's deliveries speak: pushes of several refs, and pull requests.

Source: Atlassian, "Event payload" of Bitbucket Data Center. No payload names files.
"""

from __future__ import annotations

from collections.abc import Iterable

from hookwright.filters import JsonValue
from hookwright.providers import fields
from hookwright.providers.dialect import Change, Dialect, no_event, ping
from hookwright.scm import EventType, Repository, ScmEvent

PUSH = "repo:refs_changed"
# So many are looked through for the one that a change leads to, once for each change.
_MAX_COMMITS = 500
PING = "diagnostics:ping"
_PULL_REQUEST_EVENTS = {
    "pr:opened": EventType.PULL_REQUEST_CREATED,
    # `pr:modified` tells of titles, descriptions and targets only.
    "pr:from_ref_updated": EventType.PULL_REQUEST_UPDATED,
    "pr:merged": EventType.PULL_REQUEST_MERGED,
    "pr:declined": EventType.PULL_REQUEST_CLOSED,
    "pr:deleted": EventType.PULL_REQUEST_CLOSED,
}


def _find_name(header: str | None, payload: JsonValue) -> str | None:
    return header or fields.text(fields.get(payload, "eventKey"))


def _split(name: str, payload: JsonValue) -> Iterable[JsonValue]:
    return fields.items(fields.get(payload, "changes")) if name == PUSH else (payload,)


def understand(change: Change) -> ScmEvent:
    """Give the event of one change of a push, or of a pull request."""
    if change.name == PING:
        raise ping()
    if change.name == PUSH:
        return _understand_push(change)
    event = _PULL_REQUEST_EVENTS.get(change.name)
    if event is None:
        raise no_event()
    return _understand_pull_request(change, event)


def _understand_push(change: Change) -> ScmEvent:
    payload, part = change.payload, change.part
    after = fields.get(part, "toHash")
    deleted = fields.get(part, "type") == "DELETE" or fields.is_zeros(after)
    sha = fields.commit(after)
    repository = _read_repository(change, fields.get(payload, "repository"))
    # Versions before 8 name no commits.
    commits = [fields.get(payload, "toCommit"), *fields.items(fields.get(payload, "commits"))[:_MAX_COMMITS]]
    ref = fields.ref(fields.get(part, "refId")) or fields.ref(fields.get(part, "ref", "id"))
    return ScmEvent(
        event=EventType.PUSH,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "actor", "id")),
        head_ref=change.need(ref, "refId"),
        sha=None if deleted else change.need(sha, "toHash"),
        before=fields.commit(fields.get(part, "fromHash")),
        message=None if deleted or sha is None else fields.message_of(commits, sha),
        organisation=repository.owner,
        deleted=deleted,
    )


def _understand_pull_request(change: Change, event: EventType) -> ScmEvent:
    payload = change.payload
    pull_request = fields.get(payload, "pullRequest")
    source, destination = fields.get(pull_request, "fromRef"), fields.get(pull_request, "toRef")
    repository = _read_repository(change, fields.get(destination, "repository"))
    head = _make_repository(fields.get(source, "repository"))
    fork = head is None or head.full_name != repository.full_name
    merged = event is EventType.PULL_REQUEST_MERGED
    updated = event is EventType.PULL_REQUEST_UPDATED
    return ScmEvent(
        event=event,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "actor", "id")),
        head_ref=change.need(fields.ref(fields.get(source, "id")), "fromRef.id"),
        base_ref=change.need(fields.ref(fields.get(destination, "id")), "toRef.id"),
        sha=change.need(fields.commit(fields.get(source, "latestCommit")), "fromRef.latestCommit"),
        before=fields.commit(fields.get(payload, "previousFromHash")) if updated else None,
        organisation=repository.owner,
        pull_request=change.need(fields.number(fields.get(pull_request, "id")), "pullRequest.id"),
        merge_commit=fields.commit(fields.get(pull_request, "properties", "mergeCommit", "id")) if merged else None,
        head_repository=head if fork else None,
        fork=fork,
    )


def _read_repository(change: Change, value: JsonValue) -> Repository:
    return change.need(_make_repository(value), "repository.slug")


def _make_repository(value: JsonValue) -> Repository | None:
    """Give a repository: its owner is the project's key (~name for a person's own)."""
    project, slug = fields.name(fields.get(value, "project", "key")), fields.name(fields.get(value, "slug"))
    links = [link for link in fields.items(fields.get(value, "links", "clone")) if fields.get(link, "name") == "http"]
    pages = fields.items(fields.get(value, "links", "self"))
    return fields.repository(
        f"{project}/{slug}" if project and slug else None,
        clone_url=fields.get(links[0], "href") if links else None,
        web_url=fields.get(pages[0], "href") if pages else None,
    )


DIALECT = Dialect(
    event_headers=("x-event-key",),
    delivery_headers=("x-request-id",),
    events=frozenset({EventType.PUSH, *_PULL_REQUEST_EVENTS.values()}),
    understand=understand,
    find_name=_find_name,
    split=_split,
    pull_request_ref="refs/pull-requests/{number}/from",
)
