"""What Bitbucket Cloud's payloads say happened."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hookwright.reasons import EVENT_UNREADABLE, NOT_AN_EVENT
from hookwright.scm import EventType, Fact, NoEvent, Provider, Repository, ScmEvent
from support.deliveries import DELIVERIES, Delivery, read_one
from support.payloads import NEW, OLD, bitbucket_cloud, drop, put

HELLO = Repository(
    owner="octo",
    name="hello",
    clone_url="https://bitbucket.org/octo/hello.git",
    web_url="https://bitbucket.org/octo/hello",
)
PUSH = ScmEvent(
    event=EventType.PUSH,
    index=0,
    repository=HELLO,
    actor="557058:c0b72ad0-1cb5-4018-9cdc-0cde8492c443",
    head_ref="refs/heads/main",
    sha=NEW,
    before=OLD,
    message="Say hello\n",
    organisation="octo",
)
NEW_BRANCH = replace(PUSH, head_ref="refs/heads/new", before=None)
BRANCH_DELETED = replace(PUSH, head_ref="refs/heads/old", sha=None, message=None, deleted=True)
NEW_TAG = replace(NEW_BRANCH, head_ref="refs/tags/v1.0")
PULL_REQUEST = ScmEvent(
    event=EventType.PULL_REQUEST_CREATED,
    index=0,
    repository=HELLO,
    actor="557058:c0b72ad0-1cb5-4018-9cdc-0cde8492c443",
    head_ref="refs/heads/feature/kind",
    base_ref="refs/heads/main",
    sha=NEW[:12],
    organisation="octo",
    pull_request=12,
)


def see(what):
    return read_one(Provider.BITBUCKET_CLOUD, what)


def read(payload, event="repo:push"):
    headers = {"x-event-key": event}
    return Delivery(provider=Provider.BITBUCKET_CLOUD, what="", headers=headers, payload=payload).read()


@pytest.mark.parametrize(
    ("what", "expected"),
    [("push", PUSH), ("new_branch", NEW_BRANCH), ("branch_deleted", BRANCH_DELETED), ("tag", NEW_TAG)],
)
def test_push_of_one_ref(what, expected):
    """A push has its ref, head and message; its files only the API knows, and of a ref that is gone nobody asks."""
    event = see(what)
    assert event == expected
    assert event.lacks() == (frozenset() if event.deleted else {Fact.FILES})


def test_each_change_of_a_push_is_an_event():
    """A push of several refs is as many events, each with its index."""
    assert DELIVERIES[Provider.BITBUCKET_CLOUD, "push_of_four"].read() == (
        PUSH,
        replace(BRANCH_DELETED, index=1),
        replace(NEW_BRANCH, index=2),
        replace(NEW_TAG, index=3),
    )


def test_one_bad_change_does_not_spoil_the_others():
    """A change that cannot be read keeps its index; those around it are events."""
    for bad in (None, 5, {}, {"new": {}}, {"new": None, "old": None}, {"new": {"type": "bookmark", "name": "x"}}):
        first, second, third = read(put(bitbucket_cloud.PUSH_OF_FOUR, {"push.changes.1": bad}))[:3]
        assert (first, third) == (PUSH, replace(NEW_BRANCH, index=2))
        assert (second.index, second.reason) == (1, EVENT_UNREADABLE)


def test_what_is_missing_is_not_deleted():
    """Only `new: null` says that a ref is gone; a change without `new` says nothing."""
    (change,) = read(drop(bitbucket_cloud.BRANCH_DELETED, "push.changes.0.new"))
    assert change == NoEvent(index=0, reason=EVENT_UNREADABLE, told="repo:push: new.type")


@pytest.mark.parametrize("changes", [None, [], "x", {"0": {}}])
def test_push_without_changes_says_nothing(changes):
    """A push without changes is unreadable."""
    reading = read(put(bitbucket_cloud.PUSH, {"push.changes": changes}))
    assert reading == (NoEvent(index=0, reason=EVENT_UNREADABLE, told="no change"),)


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("opened", {}),
        ("updated", {"event": EventType.PULL_REQUEST_UPDATED}),
        ("closed", {"event": EventType.PULL_REQUEST_CLOSED}),
        ("merged", {"event": EventType.PULL_REQUEST_MERGED, "merge_commit": "4" * 12}),
    ],
)
def test_pull_request(what, fields):
    """The event key says what happened; message and files only the API knows, and commits are abbreviated."""
    event = see(what)
    assert event == replace(PULL_REQUEST, **fields)
    assert event.lacks() == {Fact.FILES, Fact.MESSAGE}


def test_pull_request_from_a_fork():
    """The source of a pull request from a fork is another repository, or gone."""
    mallory = Repository(
        owner="mallory",
        name="hello",
        clone_url="https://bitbucket.org/mallory/hello.git",
        web_url="https://bitbucket.org/mallory/hello",
    )
    assert see("from_fork") == replace(PULL_REQUEST, fork=True, head_repository=mallory)
    assert see("from_fork_that_is_gone") == replace(PULL_REQUEST, fork=True)


def test_app_has_only_a_uuid():
    """Who has no account id is known by the UUID."""
    (event,) = read(drop(bitbucket_cloud.PUSH, "actor.account_id"))
    assert event.actor == "{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}"


def test_comment_is_no_event():
    """Other event keys are none of the events."""
    assert see("comment") == NoEvent(index=0, reason=NOT_AN_EVENT, told="pullrequest:comment_created")
