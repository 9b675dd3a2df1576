"""What Gogs' deliveries say happened: less than Gitea's, and in other words. Written by hand after its source."""

from __future__ import annotations

import pytest

from hookwright.providers.gitea.dialect import DIALECT
from hookwright.reasons import EVENT_UNREADABLE, NOT_AN_EVENT
from hookwright.scm import EventType, Fact, NoEvent, Provider, Repository, ScmEvent
from support.deliveries import read_one
from support.payloads import TAG, drop, gitea, put

LAB = Repository(
    owner="lab",
    name="e2e1795376427",
    clone_url="http://127.0.0.1:3911/lab/e2e1795376427.git",
    web_url="http://127.0.0.1:3911/lab/e2e1795376427",
)


def see(what):
    return read_one(Provider.GITEA, what)


def read(payload, event):
    (only,) = DIALECT.read({"x-gogs-event": event}.get, payload)
    return only


def test_push_has_no_files():
    """Gogs drops renamed files and cuts names at blanks: its list is no list. The head is found among the commits."""
    push = see("push_of_gogs")
    assert push == ScmEvent(
        event=EventType.PUSH,
        index=0,
        repository=LAB,
        actor="1",
        head_ref="refs/heads/main",
        sha=gitea.PUSH["after"],
        before=gitea.PUSH["before"],
        message=gitea.PUSH["commits"][0]["message"],
        organisation="lab",
    )
    assert push.lacks() == {Fact.FILES}


def test_tag_is_pushed_by_its_creation():
    """For a tag there is no push: `create` has its short name, and the tag or commit that it points at."""
    tag = see("tag_of_gogs")
    assert tag == ScmEvent(
        event=EventType.PUSH,
        index=0,
        repository=LAB,
        actor="1",
        head_ref="refs/tags/v1.0",
        sha=TAG,
        organisation="lab",
    )
    assert tag.lacks() == {Fact.FILES, Fact.MESSAGE}


@pytest.mark.parametrize("sha", ["", None, "0" * 40, "main", 7])
def test_tag_without_a_commit_is_unreadable(sha):
    """What a tag points at is not guessed: old versions do not say it."""
    unreadable = NoEvent(index=0, reason=EVENT_UNREADABLE, told="create: sha")
    assert read(put(gitea.TAG_OF_GOGS, {"sha": sha}), "create") == unreadable
    assert read(drop(gitea.TAG_OF_GOGS, "sha"), "create") == unreadable


def test_new_branch_has_a_push():
    """Else it were built twice."""
    assert see("branch_of_gogs") == NoEvent(index=0, reason=NOT_AN_EVENT, told="create: branch")


@pytest.mark.parametrize("header", ["x-gitea-event", "x-forgejo-event"])
def test_creation_counts_at_gogs_alone(header):
    """Gitea and Forgejo send Gogs' header beside their own, and a push for a tag: theirs is built once."""
    headers = {"x-gogs-event": "create", header: "create"}
    assert DIALECT.read(headers.get, gitea.TAG_OF_GOGS) == (NoEvent(index=0, reason=NOT_AN_EVENT, told="create"),)
    headers = dict.fromkeys(headers, "delete")
    told = NoEvent(index=0, reason=NOT_AN_EVENT, told="delete: tag")
    assert DIALECT.read(headers.get, gitea.TAG_OF_GOGS_DELETED) == (told,)


def test_deleted_refs_are_marked():
    """What is gone has a `delete` and no push, a tag too."""
    branch, tag = see("branch_of_gogs_deleted"), see("tag_of_gogs_deleted")
    assert (branch.head_ref, branch.deleted, branch.sha) == ("refs/heads/wip", True, None)
    assert (tag.head_ref, tag.deleted, tag.sha) == ("refs/tags/v1.0", True, None)


@pytest.mark.parametrize("action", ["opened", "synchronized", "closed", "reopened", "label_updated"])
def test_pull_request_is_none(action):
    """No pull request of Gogs says which commit it brings: it starts nothing, and says why."""
    payload = gitea.PULL_REQUEST_OF_GOGS | {"action": action}
    told = "pull_request: Gogs does not say which commit"
    assert read(payload, "pull_request") == NoEvent(index=0, reason=NOT_AN_EVENT, told=told)


def test_releases_are_those_of_gitea():
    """A release of Gogs has what one of Gitea has."""
    assert see("release_of_gogs") == see("release")
    assert see("prerelease_of_gogs") == see("prerelease")
