"""How Gitea's deliveries speak, and Forgejo's and Gogs', whose headers have their own names.

Gogs says less: nothing of a tag but that it was made or deleted, and not which commit a pull request brings. It lists
no renamed file, of others the name up to its first blank, and of a new branch the newest commits, new or not.

Source: deliveries of a Gitea 1.25.4 (tests/contract/gitea). Its payloads have GitHub's form, but for what is here. For
Gogs internal/database/actions.go and update.go; gogs/git-module, CommitFileStatus; gogs/go-gogs-client, PullRequest.
"""

from __future__ import annotations

from dataclasses import replace

from hookwright.filters import JsonValue
from hookwright.providers import fields
from hookwright.providers.dialect import Change, Dialect, no_event, ping
from hookwright.providers.github import events as github
from hookwright.scm import BRANCHES, TAGS, EventType, ScmEvent

GITEA_EVENT, FORGEJO_EVENT, GOGS_EVENT = "x-gitea-event", "x-forgejo-event", "x-gogs-event"
# A push has the newest commits only, this many unless FEED_MAX_COMMIT_NUM says another number. Old versions don't
# say how many there were.
FEWEST_COMMITS = 5

# What stands for a branch that is gone, or that never was.
_PULLS = "refs/pull/"

_PULL_REQUEST_ACTIONS = {
    "opened": EventType.PULL_REQUEST_CREATED,
    "synchronized": EventType.PULL_REQUEST_UPDATED,
    "reopened": EventType.PULL_REQUEST_REOPENED,
}


def understand(change: Change) -> ScmEvent:
    """Give the event of a delivery."""
    action = fields.get(change.payload, "action")
    if change.name == "push":
        return _understand_push(change)
    if change.name == "delete":
        return _understand_delete(change)
    if change.name == "create" and _is_gogs(change):
        return _understand_new_tag(change)
    if change.name in ("pull_request", "pull_request_sync"):
        if _is_gogs(change):
            raise no_event("Gogs does not say which commit")
        known = github.find_end(change) if action == "closed" else _PULL_REQUEST_ACTIONS.get(fields.word(action))
        return _understand_pull_request(change, known)
    if change.name == "release":
        return github.understand_release(change, _find_release_event(change.payload))
    raise no_event(action)


def _is_gogs(change: Change) -> bool:
    """Say whether a delivery is one of Gogs: Gitea and Forgejo send its header too, beside their own."""
    return change.header == GOGS_EVENT


def _understand_push(change: Change) -> ScmEvent:
    payload = change.payload
    after = fields.get(payload, "after")
    deleted = fields.is_zeros(after)
    # "Test Delivery": a push that changes nothing, with no other mark; zeros where there is no commit yet.
    if (deleted or fields.commit(after) is not None) and after == fields.get(payload, "before"):
        raise ping()
    head = fields.get(payload, "head_commit")
    # An annotated tag's `after` is the tag, not the commit. Gogs has no `head_commit`.
    sha = fields.commit(fields.get(head, "id")) or fields.commit(after)
    repository = github.read_repository(change)
    return ScmEvent(
        event=EventType.PUSH,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "sender", "id")),
        head_ref=change.need(fields.ref(fields.get(payload, "ref")), "ref"),
        sha=None if deleted else change.need(sha, "after"),
        before=fields.commit(fields.get(payload, "before")),
        message=None if deleted or sha is None else fields.message_of([head, *_list_commits(payload)], sha),
        files=_list_files(payload) if change.wants_files and not deleted and not _is_gogs(change) else None,
        organisation=github.read_organisation(change, repository),
        deleted=deleted,
    )


def _list_commits(payload: JsonValue) -> list[JsonValue]:
    return fields.items(fields.get(payload, "commits"))


def _list_files(payload: JsonValue) -> tuple[str, ...] | None:
    """Give the files of a push; a new ref without commits of its own (a tag, say) has those of its head."""
    commits = fields.get(payload, "commits")
    if commits is not None and not isinstance(commits, list):
        return None
    listed = _list_commits(payload)
    if fields.may_be_rewound(listed, fields.get(payload, "before")):
        return None
    total = fields.count(fields.get(payload, "total_commits"))
    whole = len(listed) < FEWEST_COMMITS if total is None else len(listed) >= total
    return fields.files(listed or [fields.get(payload, "head_commit")]) if whole else None


def _understand_pull_request(change: Change, event: EventType | None) -> ScmEvent:
    """Give the event of a pull request, whose head need not be a branch.

    Whoever may read a repository can push to refs/for/main (AGit): that makes a pull request without any branch, whose
    head is said to be in the repository itself. It is a stranger's as much as one from a fork.
    """
    found = github.understand_pull_request(change, event)
    head = fields.get(change.payload, "pull_request", "head")
    if not fields.word(fields.get(head, "ref")).startswith(_PULLS):
        return found
    branch = fields.ref_of(fields.get(head, "label"))
    return replace(found, head_ref=branch, fork=found.fork or branch is None)


def _understand_delete(change: Change) -> ScmEvent:
    """Give the event of a branch that is gone, for which there is no push; for a tag there is one, but at Gogs."""
    payload = change.payload
    what = fields.get(payload, "ref_type")
    is_tag = what == "tag" and _is_gogs(change)
    if what != "branch" and not is_tag:
        raise no_event(what)
    return replace(_read_ref(change, TAGS if is_tag else BRANCHES), deleted=True)


def _understand_new_tag(change: Change) -> ScmEvent:
    """Give the event of a tag that was pushed to a Gogs, which sends no push for it; for a branch it does."""
    payload = change.payload
    what = fields.get(payload, "ref_type")
    if what != "tag":
        raise no_event(what)
    return replace(_read_ref(change, TAGS), sha=change.need(fields.commit(fields.get(payload, "sha")), "sha"))


def _read_ref(change: Change, prefix: str) -> ScmEvent:
    """Give what `create` and `delete` say alike; they name a branch or a tag without its `prefix`."""
    payload = change.payload
    repository = github.read_repository(change)
    return ScmEvent(
        event=EventType.PUSH,
        index=change.index,
        repository=repository,
        actor=fields.actor(fields.get(payload, "sender", "id")),
        head_ref=change.need(fields.ref_of(fields.get(payload, "ref"), prefix), "ref"),
        organisation=github.read_organisation(change, repository),
    )


def _find_release_event(payload: JsonValue) -> EventType | None:
    """Say what was published; a draft is not out yet."""
    if fields.get(payload, "action") != "published" or fields.get(payload, "release", "draft") is True:
        return None
    early = fields.get(payload, "release", "prerelease") is True
    return EventType.PRERELEASED if early else EventType.RELEASED


DIALECT = Dialect(
    # A Gitea also sends GitHub's headers.
    event_headers=(GITEA_EVENT, FORGEJO_EVENT, GOGS_EVENT),
    delivery_headers=("x-gitea-delivery", "x-forgejo-delivery", "x-gogs-delivery"),
    events=frozenset(EventType) - {EventType.WORKFLOW_JOB_QUEUED},
    understand=understand,
    pull_request_ref="refs/pull/{number}/head",
)
