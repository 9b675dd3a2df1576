"""What a Git host says happened: which facts an event lacks, and what its parts are called."""

from __future__ import annotations

import dataclasses

import pytest

from hookwright.scm import EventType, Fact, Repository, ScmEvent

PULL_REQUESTS = {event for event in EventType if event.value.startswith("PULL_REQUEST_")}
OTHERS = set(EventType) - PULL_REQUESTS - {EventType.PUSH}


def make_event(**fields):
    return ScmEvent(**({"event": EventType.PUSH, "index": 0, "repository": Repository(owner="o", name="r")} | fields))


@pytest.mark.parametrize("event", sorted(PULL_REQUESTS | {EventType.PUSH}))
def test_what_is_none_is_lacking(event):
    """A push or pull request without files or message lacks them; an empty list and an empty message are known."""
    assert make_event(event=event).lacks() == {Fact.FILES, Fact.MESSAGE}
    assert make_event(event=event, files=()).lacks() == {Fact.MESSAGE}
    assert make_event(event=event, message="").lacks() == {Fact.FILES}
    assert make_event(event=event, files=("a",), message="m").lacks() == frozenset()


@pytest.mark.parametrize("event", sorted(OTHERS))
def test_other_events_lack_nothing(event):
    """A release or a job has no files and no message, so that nobody is asked for them."""
    assert make_event(event=event).lacks() == frozenset()


def test_deleted_ref_lacks_nothing():
    """Of a ref that is gone nothing is asked."""
    assert make_event(deleted=True).lacks() == frozenset()


def test_pull_requests_are_told_by_their_name():
    """Five events are of pull requests."""
    assert {event for event in EventType if event.is_pull_request} == PULL_REQUESTS
    assert len(PULL_REQUESTS) == 5


def test_full_name_is_owner_and_name():
    """The full name has the whole owner, groups above it included."""
    assert Repository(owner="group/subgroup", name="r").full_name == "group/subgroup/r"


def test_event_cannot_be_changed():
    """An event is a fact."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_event().sha = "0"
