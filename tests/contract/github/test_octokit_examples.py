"""Every payload that people have sent to npm's `@octokit/webhooks-examples`: each is an event, or none for a reason."""

from __future__ import annotations

import json
import lzma
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from hookwright.providers.catalogue import DIALECTS
from hookwright.reasons import NOT_AN_EVENT, PING
from hookwright.scm import EventType, NoEvent, Provider, ScmEvent

EXAMPLES = Path(__file__).with_name("octokit-examples.json.xz")
# How many payloads each set has.
SETS = {"api.github.com": 329, "ghes-31": 49, "ghes-32": 49, "ghes-33": 50, "ghes-34": 124, "ghes-35": 125}
# What the payloads of github.com say; all others are none of the events.
EVENTS = {
    EventType.PUSH: 7,
    EventType.PULL_REQUEST_CREATED: 4,
    EventType.PULL_REQUEST_UPDATED: 1,
    EventType.PULL_REQUEST_CLOSED: 2,
    EventType.PULL_REQUEST_REOPENED: 2,
    EventType.RELEASED: 1,
    EventType.PRERELEASED: 2,
    EventType.WORKFLOW_JOB_QUEUED: 2,
    PING.name: 4,
}

each_set = pytest.mark.parametrize("examples", SETS)


@cache
def load():
    return json.loads(lzma.decompress(EXAMPLES.read_bytes()))


@cache
def read(examples):
    """Give event name, payload and reading of every payload in a set."""
    provider = Provider.GITHUB if examples == "api.github.com" else Provider.GITHUB_ENTERPRISE
    payloads = [(event, payload) for event, payloads in load()[examples].items() for payload in payloads]
    read_with = DIALECTS[provider].read
    return [(event, payload, *read_with({"x-github-event": event}.get, payload)) for event, payload in payloads]


def test_no_set_is_missing():
    """All sets of the package are here, with all of their payloads."""
    assert {examples: len(read(examples)) for examples in load()} == SETS


@each_set
def test_each_payload_is_an_event_or_none_for_a_reason(examples):
    """Nobody's payload is unreadable; what is no event is a ping, or of another kind."""
    for event, payload, reading in read(examples):
        if isinstance(reading, NoEvent):
            assert reading.reason is (PING if event == "ping" else NOT_AN_EVENT)
            action = payload.get("action")
            assert reading.told == (f"{event}: {action}" if action and event != "ping" else event)
        else:
            assert isinstance(reading, ScmEvent)
            assert reading.index == 0


def test_events_of_github():
    """So many payloads are of each event: no kind is passed over, and none is taken for another."""
    readings = [reading for *_, reading in read("api.github.com")]
    counted = Counter(
        reading.event if isinstance(reading, ScmEvent) else reading.reason.name
        for reading in readings
        if isinstance(reading, ScmEvent) or reading.reason is PING
    )
    assert counted == EVENTS


@each_set
def test_fields_are_those_of_the_payload(examples):
    """What can be said of every event at once: actor, repository, organisation, refs and commits are the payload's."""
    for event, payload, reading in read(examples):
        if isinstance(reading, NoEvent):
            continue
        assert reading.actor == str(payload["sender"]["id"])
        assert reading.repository.full_name == payload["repository"]["full_name"]
        assert reading.repository.clone_url == payload["repository"]["clone_url"]
        assert reading.organisation == payload.get("organization", payload["repository"]["owner"])["login"]
        assert reading.fork is False
        if event == "push":
            assert reading.head_ref == payload["ref"]
            assert reading.deleted is payload["deleted"]
            assert reading.sha == (payload["head_commit"] or {}).get("id")
            assert reading.lacks() == frozenset()
        elif event == "pull_request":
            assert reading.head_ref == "refs/heads/" + payload["pull_request"]["head"]["ref"]
            assert reading.base_ref == "refs/heads/" + payload["pull_request"]["base"]["ref"]
            assert reading.sha == payload["pull_request"]["head"]["sha"]
            assert reading.pull_request == payload["number"]
        elif event == "release":
            assert reading.tag == payload["release"]["tag_name"]
            assert reading.release == (payload["release"]["name"] or "")
        else:
            assert reading.workflow == payload["workflow_job"].get("workflow_name")
            assert reading.sha == payload["workflow_job"]["head_sha"]
            assert reading.head_ref is None
