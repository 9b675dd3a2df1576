"""What GitHub's payloads say: pushes, pull requests, releases and queued jobs.

Source: GitHub, "Webhook events and payloads". Gitea's payloads have the same form where its dialect uses these.
"""

from __future__ import annotations

from hookwright.filters import JsonValue
from hookwright.providers import fields
from hookwright.providers.dialect import Change, no_event, ping
from hookwright.scm import TAGS, CommitId, EventType, Repository, ScmEvent

# A push has at most so many commits ("Webhook events and payloads"); GitHub Enterprise Server's limit of 20 is of its
# timeline, not of webhooks, as its own description says.
MAX_COMMITS = 2048
# "A maximum of 3000 changed files will be reported per commit."
MAX_FILES = 3000

_PULL_REQUEST_ACTIONS = {
    "opened": EventType.PULL_REQUEST_CREATED,
    "synchronize": EventType.PULL_REQUEST_UPDATED,
    "reopened": EventType.PULL_REQUEST_REOPENED,
}
# One publication sends `created`, `published` and one of these.
_RELEASE_ACTIONS = {"released": EventType.RELEASED, "prereleased": EventType.PRERELEASED}


def understand(change: Change) -> ScmEvent:
    """Give the event of a delivery; `create` and `delete` are none, since each of them comes with a push."""
    if change.name == "ping":
        raise ping()
    if change.name == "push":
        return _understand_push(change)
    action = fields.get(change.payload, "action")
    if change.name == "pull_request":
        return understand_pull_request(change, _find_pull_request_event(action, change))
    if change.name == "release":
        return understand_release(change, _RELEASE_ACTIONS.get(fields.word(action)))
    if change.name == "workflow_job":
        return _understand_job(change)
    raise no_event(action)


def _understand_push(change: Change) -> ScmEvent:
    payload = fields.members(change.payload)
    head = fields.members(payload.get("head_commit"))
    after = payload.get("after")
    deleted = payload.get("deleted") is True or fields.is_zeros(after)
    # An annotated tag's `after` is the tag, not the commit.
    sha = fields.commit(head.get("id")) or fields.commit(after)
    repository = read_repository(change)
    return ScmEvent(
        event=EventType.PUSH,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(change.payload, "sender", "id")),
        head_ref=change.need(fields.ref(payload.get("ref")), "ref"),
        sha=None if deleted else change.need(sha, "after"),
        before=fields.commit(payload.get("before")),
        message=None if deleted else fields.message(head.get("message")),
        files=_list_files(change.payload) if change.wants_files and not deleted else None,
        organisation=read_organisation(change, repository),
        deleted=deleted,
    )


def _list_files(payload: JsonValue) -> tuple[str, ...] | None:
    """Give the files of a push; a new ref without commits of its own (a tag, a branch at an old commit) has its head's.

    What a ref that was there has lost is in no payload, so that a forced push does not name all of its files.
    """
    known = fields.members(payload)
    commits = known.get("commits")
    if not isinstance(commits, list) or len(commits) >= MAX_COMMITS:
        return None
    if known.get("forced") not in (None, False) or fields.may_be_rewound(commits, known.get("before")):
        return None
    return fields.files(commits or [fields.get(payload, "head_commit")], most=MAX_FILES)


def _find_pull_request_event(action: JsonValue, change: Change) -> EventType | None:
    if action != "closed":
        return _PULL_REQUEST_ACTIONS.get(fields.word(action))
    return find_end(change)


def find_end(change: Change) -> EventType:
    """Say whether a pull request that is closed was merged."""
    merged = fields.get(change.payload, "pull_request", "merged")
    known = change.need(merged if isinstance(merged, bool) else None, "pull_request.merged")
    return EventType.PULL_REQUEST_MERGED if known else EventType.PULL_REQUEST_CLOSED


def understand_pull_request(change: Change, event: EventType | None) -> ScmEvent:
    """Give the event of a pull request. What is written is the head's; the message and the files only the API knows."""
    payload = change.payload
    if event is None:
        raise no_event(fields.get(payload, "action"))
    pull_request = fields.get(payload, "pull_request")
    number = fields.number(fields.get(payload, "number")) or fields.number(fields.get(pull_request, "number"))
    repository = read_repository(change)
    # The head's repository is null where the fork is gone.
    head = _make_repository(fields.get(pull_request, "head", "repo"))
    fork = head is None or head.full_name != repository.full_name
    merged = event is EventType.PULL_REQUEST_MERGED
    return ScmEvent(
        event=event,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "sender", "id")),
        head_ref=change.need(fields.ref_of(fields.get(pull_request, "head", "ref")), "pull_request.head.ref"),
        base_ref=change.need(fields.ref_of(fields.get(pull_request, "base", "ref")), "pull_request.base.ref"),
        sha=change.need(fields.commit(fields.get(pull_request, "head", "sha")), "pull_request.head.sha"),
        before=_find_before(change, event),
        organisation=read_organisation(change, repository),
        pull_request=change.need(number, "number"),
        merge_commit=fields.commit(fields.get(pull_request, "merge_commit_sha")) if merged else None,
        head_repository=head if fork else None,
        fork=fork,
    )


def _find_before(change: Change, event: EventType) -> CommitId | None:
    """Give what the head was before an update; only GitHub says it."""
    return fields.commit(fields.get(change.payload, "before")) if event is EventType.PULL_REQUEST_UPDATED else None


def understand_release(change: Change, event: EventType | None) -> ScmEvent:
    """Give the event of a release, which is built at its tag."""
    payload = change.payload
    if event is None:
        raise no_event(fields.get(payload, "action"))
    release = fields.get(payload, "release")
    tag = fields.get(release, "tag_name")
    repository = read_repository(change)
    return ScmEvent(
        event=event,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "sender", "id")),
        head_ref=change.need(fields.ref_of(tag, TAGS), "release.tag_name"),
        tag=fields.text(tag),
        release=fields.title(release, "name"),
        organisation=read_organisation(change, repository),
    )


def _understand_job(change: Change) -> ScmEvent:
    payload = change.payload
    action = fields.get(payload, "action")
    if action != "queued":
        raise no_event(action)
    job = fields.get(payload, "workflow_job")
    repository = read_repository(change)
    return ScmEvent(
        event=EventType.WORKFLOW_JOB_QUEUED,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "sender", "id")),
        # `head_branch` may be the name of a tag, or of a branch of somebody's fork: nothing tells which.
        head_ref=None,
        sha=change.need(fields.commit(fields.get(job, "head_sha")), "workflow_job.head_sha"),
        workflow=fields.text(fields.get(job, "workflow_name")),
        organisation=read_organisation(change, repository),
    )


def read_repository(change: Change) -> Repository:
    """Give the repository that a payload is about."""
    return change.need(_make_repository(fields.get(change.payload, "repository")), "repository.full_name")


def _make_repository(value: JsonValue) -> Repository | None:
    known = fields.members(value)
    return fields.repository(known.get("full_name"), clone_url=known.get("clone_url"), web_url=known.get("html_url"))


def read_organisation(change: Change, repository: Repository) -> str:
    """Give who owns the repository."""
    organisation = fields.name(fields.get(change.payload, "organization", "login"))
    return organisation or fields.name(fields.get(change.payload, "repository", "owner", "login")) or repository.owner
