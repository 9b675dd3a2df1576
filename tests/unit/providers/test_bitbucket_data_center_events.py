"""What Bitbucket Data Center's payloads say happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookwright.reasons import EVENT_UNREADABLE, NOT_AN_EVENT, PING
from hookwright.scm import EventType, Fact, NoEvent, Provider, Repository, ScmEvent
from support.deliveries import DELIVERIES, Delivery, read_one
from support.payloads import MERGED, NEW, OLD, TAG, bitbucket_data_center, drop, put

HELLO = Repository(
    owner="OCTO",
    name="hello",
    clone_url="https://bitbucket.example/scm/octo/hello.git",
    web_url="https://bitbucket.example/projects/OCTO/repos/hello/browse",
)
PUSH = ScmEvent(
    event=EventType.PUSH,
    index=0,
    repository=HELLO,
    actor="13581",
    head_ref="refs/heads/main",
    sha=NEW,
    before=OLD,
    message="Say hello",
    organisation="OCTO",
)
NEW_BRANCH = replace(PUSH, head_ref="refs/heads/new", sha="7" * 40, before=None, message=None)
BRANCH_DELETED = replace(PUSH, head_ref="refs/heads/old", sha=None, message=None, deleted=True)
NEW_TAG = replace(NEW_BRANCH, head_ref="refs/tags/v1.0", sha=TAG)
PULL_REQUEST = ScmEvent(
    event=EventType.PULL_REQUEST_CREATED,
    index=0,
    repository=HELLO,
    actor="13581",
    head_ref="refs/heads/feature/kind",
    base_ref="refs/heads/main",
    sha=NEW,
    organisation="OCTO",
    pull_request=12,
)


def see(what):
    return read_one(Provider.BITBUCKET_DATA_CENTER, what)


def read(payload, headers):
    return Delivery(provider=Provider.BITBUCKET_DATA_CENTER, what="", headers=headers, payload=payload).read_one()


@pytest.mark.parametrize(
    ("what", "expected"),
    [("push", PUSH), ("new_branch", NEW_BRANCH), ("branch_deleted", BRANCH_DELETED), ("tag", NEW_TAG)],
)
def test_push_of_one_ref(what, expected):
    """A push has its ref and head, and the message if the payload names that very commit."""
    assert see(what) == expected


def test_old_versions_name_no_commits():
    """The message of a push of an old version only the API knows."""
    old = see("push_of_old")
    assert old == replace(PUSH, message=None)
    assert old.lacks() == {Fact.FILES, Fact.MESSAGE}


def test_each_change_of_a_push_is_an_event():
    """A push of several refs is as many events, each with its index and its own commit's message."""
    assert DELIVERIES[Provider.BITBUCKET_DATA_CENTER, "push_of_four"].read() == (
        PUSH,
        replace(BRANCH_DELETED, index=1),
        replace(NEW_BRANCH, index=2),
        replace(NEW_TAG, index=3),
    )


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("opened", {}),
        ("updated", {"event": EventType.PULL_REQUEST_UPDATED, "before": OLD}),
        ("closed", {"event": EventType.PULL_REQUEST_CLOSED}),
        ("deleted", {"event": EventType.PULL_REQUEST_CLOSED}),
        ("merged", {"event": EventType.PULL_REQUEST_MERGED, "merge_commit": MERGED}),
    ],
)
def test_pull_request(what, fields):
    """The event key says what happened; message and files only the API knows."""
    event = see(what)
    assert event == replace(PULL_REQUEST, **fields)
    assert event.lacks() == {Fact.FILES, Fact.MESSAGE}


def test_pull_request_from_a_fork():
    """The head of a pull request from a fork is in another project, a person's own for the most part."""
    mallory = Repository(
        owner="~MALLORY",
        name="hello",
        clone_url="https://bitbucket.example/scm/~mallory/hello.git",
        web_url="https://bitbucket.example/projects/~MALLORY/repos/hello/browse",
    )
    expected = replace(PULL_REQUEST, head_ref="refs/heads/main", fork=True, head_repository=mallory)
    assert see("from_fork") == expected


@pytest.mark.parametrize("value", [None, [], {}, {"slug": "hello"}, {"slug": "hello", "project": {"key": 5}}])
def test_who_hides_where_the_head_is_counts_as_fork(value):
    """A head whose repository cannot be read is not trusted."""
    payload = put(bitbucket_data_center.PULL_REQUEST, {"pullRequest.fromRef.repository": value})
    assert read(payload, {"x-event-key": "pr:opened"}).fork


def test_changed_title_is_no_update():
    """`pr:modified` brings no commits."""
    assert see("modified") == NoEvent(index=0, reason=NOT_AN_EVENT, told="pr:modified")


def test_ping_is_a_ping():
    """The button "Test connection" only tries the URL."""
    assert see("ping") == NoEvent(index=0, reason=PING, told="diagnostics:ping")


def test_body_says_it_too():
    """Where the header is missing the body names the event."""
    assert read(bitbucket_data_center.PUSH, {}) == PUSH
    nameless = read(drop(bitbucket_data_center.PUSH, "eventKey"), {})
    assert nameless == NoEvent(index=0, reason=EVENT_UNREADABLE, told="no x-event-key")


def test_repository_without_links_has_no_urls():
    """What old versions don't say is unknown; a URL of SSH is not taken for one of HTTP."""
    bare = read(drop(bitbucket_data_center.PUSH, "repository.links"), {})
    assert bare.repository == Repository(owner="OCTO", name="hello")
    ssh = read(drop(bitbucket_data_center.PUSH, "repository.links.clone.1"), {})
    assert ssh.repository == replace(HELLO, clone_url=None)
