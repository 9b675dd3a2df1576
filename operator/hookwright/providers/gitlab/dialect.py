"""How GitLab's deliveries speak: pushes, merge requests, releases and jobs.

Source: GitLab, "Webhook events". The body's `object_kind` says what happened; the header says it for people.
"""

from __future__ import annotations

from hookwright.filters import JsonValue
from hookwright.providers import fields
from hookwright.providers.dialect import Change, Dialect, no_event
from hookwright.scm import BRANCHES, TAGS, EventType, Repository, ScmEvent

_MERGE_REQUEST_ACTIONS = {
    "open": EventType.PULL_REQUEST_CREATED,
    "reopen": EventType.PULL_REQUEST_REOPENED,
    "close": EventType.PULL_REQUEST_CLOSED,
    "merge": EventType.PULL_REQUEST_MERGED,
}
_RELEASE_ACTIONS = {"create", "update"}


def _find_name(header: str | None, payload: JsonValue) -> str | None:
    """Give the kind of an event; what has none of the kinds that count keeps the name in the header."""
    kind = fields.get(payload, "object_kind")
    return kind if isinstance(kind, str) and kind in _KINDS else header


def understand(change: Change) -> ScmEvent:
    """Give the event of a delivery."""
    kind = _KINDS.get(change.name)
    if kind is None:
        raise no_event()
    return kind(change)


def _understand_push(change: Change) -> ScmEvent:
    payload = change.payload
    after = fields.get(payload, "after")
    deleted = fields.is_zeros(after)
    # `after` of an annotated tag is the tag, not the commit.
    sha = fields.commit(fields.get(payload, "checkout_sha")) or fields.commit(after)
    repository = _read_repository(change)
    commits = fields.get(payload, "commits")
    message = None if deleted or sha is None else fields.message_of(fields.items(commits), sha)
    return ScmEvent(
        event=EventType.PUSH,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "user_id")),
        head_ref=change.need(fields.ref(fields.get(payload, "ref")), "ref"),
        sha=None if deleted else change.need(sha, "checkout_sha"),
        before=fields.commit(fields.get(payload, "before")),
        message=message,
        files=_list_files(payload) if change.wants_files and not deleted else None,
        organisation=repository.owner,
        deleted=deleted,
    )


def _list_files(payload: JsonValue) -> tuple[str, ...] | None:
    """Give the files of a push, of which GitLab lists the newest 20 commits; a new ref without any has none."""
    commits = fields.get(payload, "commits")
    total = fields.count(fields.get(payload, "total_commits_count"))
    if not isinstance(commits, list) or total is None or total > len(commits):
        return None
    if fields.may_be_rewound(commits, fields.get(payload, "before")):
        return None
    return fields.files(commits)


def _understand_merge_request(change: Change) -> ScmEvent:
    payload = change.payload
    merge_request = fields.get(payload, "object_attributes")
    action = fields.get(merge_request, "action")
    before = fields.commit(fields.get(merge_request, "oldrev"))
    event = _MERGE_REQUEST_ACTIONS.get(fields.word(action))
    # `update` also tells of labels, titles and milestones; only new commits have an `oldrev`.
    if action == "update" and before is not None:
        event = EventType.PULL_REQUEST_UPDATED
    if event is None:
        raise no_event(action)
    repository = _read_repository(change)
    head = _make_repository(fields.get(merge_request, "source"))
    source, target = (fields.number(fields.get(merge_request, f"{side}_project_id")) for side in ("source", "target"))
    fork = source is None or source != target  # who lies about it gets no trust
    merged = event is EventType.PULL_REQUEST_MERGED
    # Where commits are squashed and no merge commit is made.
    squashed = fields.commit(fields.get(merge_request, "squash_commit_sha"))
    last = fields.get(merge_request, "last_commit")
    return ScmEvent(
        event=event,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "user", "id")),
        head_ref=change.need(fields.ref_of(fields.get(merge_request, "source_branch")), "source_branch"),
        base_ref=change.need(fields.ref_of(fields.get(merge_request, "target_branch")), "target_branch"),
        sha=change.need(fields.commit(fields.get(last, "id")), "last_commit.id"),
        before=before if event is EventType.PULL_REQUEST_UPDATED else None,
        message=fields.message(fields.get(last, "message")),
        organisation=repository.owner,
        pull_request=change.need(fields.number(fields.get(merge_request, "iid")), "iid"),
        merge_commit=fields.commit(fields.get(merge_request, "merge_commit_sha")) or squashed if merged else None,
        head_repository=head if fork else None,
        fork=fork,
    )


def _understand_release(change: Change) -> ScmEvent:
    payload = change.payload
    action = fields.get(payload, "action")
    if fields.word(action) not in _RELEASE_ACTIONS:
        raise no_event(action)
    tag = fields.get(payload, "tag")
    repository = _read_repository(change)
    return ScmEvent(
        event=EventType.RELEASED,
        index=change.index,
        repository=repository,
        head_ref=change.need(fields.ref_of(tag, TAGS), "tag"),
        sha=fields.commit(fields.get(payload, "commit", "id")),
        tag=fields.text(tag),
        release=fields.title(payload, "name"),
        organisation=repository.owner,
    )


def _understand_job(change: Change) -> ScmEvent:
    payload = change.payload
    # Then it is `pending`, and so on.
    status = fields.get(payload, "build_status")
    if status != "created":
        raise no_event(status)
    repository = _read_repository(change)
    prefix = TAGS if fields.get(payload, "tag") is True else BRANCHES
    name = fields.get(payload, "ref")
    # In pipelines of merge requests it is refs/merge-requests/N/head, which is no branch. One from a fork has its
    # pipeline here if a member starts it, and nothing else tells that job from those of the project's own.
    ref = None if fields.word(name).startswith("refs/") else fields.ref_of(name, prefix)
    return ScmEvent(
        event=EventType.WORKFLOW_JOB_QUEUED,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "user", "id")),
        head_ref=ref,
        sha=change.need(fields.commit(fields.get(payload, "sha")), "sha"),
        workflow=fields.text(fields.get(payload, "build_name")),
        organisation=repository.owner,
        fork=ref is None,
    )


def _read_repository(change: Change) -> Repository:
    project = _make_repository(fields.get(change.payload, "project"))
    if project is None:
        # Jobs of old versions have no project, and in `repository` no path but that of its URLs.
        repository = fields.get(change.payload, "repository")
        clone_url = fields.url(fields.get(repository, "git_http_url")) or ""
        path = clone_url.partition("://")[2].partition("/")[2].removesuffix(".git")
        project = fields.repository(path, clone_url=clone_url, web_url=fields.get(repository, "homepage"))
    return change.need(project, "project.path_with_namespace")


def _make_repository(project: JsonValue) -> Repository | None:
    return fields.repository(
        fields.get(project, "path_with_namespace"),
        clone_url=fields.get(project, "git_http_url"),
        web_url=fields.get(project, "web_url"),
    )


_KINDS = {
    "push": _understand_push,
    "tag_push": _understand_push,
    "merge_request": _understand_merge_request,
    "release": _understand_release,
    "build": _understand_job,
}

DIALECT = Dialect(
    event_headers=("x-gitlab-event",),
    # Since GitLab 17.4; before that there is no id. X-Gitlab-Event-UUID is none: it is the same for a chain of hooks
    # that call GitLab, each of which sets off the next, and what a build pushes back carries it again.
    delivery_headers=("idempotency-key",),
    events=frozenset(EventType) - {EventType.PRERELEASED},
    understand=understand,
    find_name=_find_name,
    pull_request_ref="refs/merge-requests/{number}/head",
)
