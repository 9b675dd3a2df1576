"""Payloads that nobody sends in good faith, to a BuildTrigger: whatever they hold, builds stay legal and distinct."""

from __future__ import annotations

import copy
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright import reasons
from hookwright.builds.targets import render
from hookwright.builds.wanted import MAX_VALUE_LENGTH, WantedBuild
from hookwright.intake.judge import judge
from hookwright.intake.request import Request
from hookwright.intake.trigger_route import compile_trigger
from hookwright.reasons import CATALOGUE, Outcome
from hookwright.scm import Provider
from support.deliveries import DELIVERIES
from support.objects import NEW_ID, NOON, make_buildtrigger
from support.payloads import put
from support.triggers import REPOSITORIES, SECRET, make_delivery

NAMES = (
    "a..b",
    "a\nb",
    "a\0b",
    "$(id)",
    "`id`",
    "; rm -rf /",
    "x" * 250,
    "\N{ROCKET}",
    "\N{ROCKET}" * 250,
    "a b",
    "-x",
)
LIES = st.sampled_from(
    (None, True, 0, -1, 10**400, 1.5, "", "0", "7", "null", "0" * 40, [], {}, [[]], {"id": {}}, "refs/heads/..", *NAMES)
)
PLACES_OF_PUSH = {
    "ref": lambda name: f"refs/heads/{name}",
    "after": str,
    "sender.id": str,
    "sender.login": str,
    "repository.clone_url": lambda name: f"https://github.com/{name}",
    "head_commit.message": str,
    "organization.login": str,
}
ROUTES = {
    provider: compile_trigger(
        make_buildtrigger(source={"provider": str(provider), "repository": REPOSITORIES[provider]})
    )
    for provider in Provider
}


def give_verdict(provider, what, payload):
    body, headers = make_delivery(provider, what, payload=payload)
    lines = {name: [value] for name, value in headers.items()}
    request = Request(method="POST", path="/", headers=lines, body=body, received_at=NOON)
    return judge(request, ROUTES[provider], (SECRET.encode(),), new_id=lambda: NEW_ID)


def check(verdict):
    """Say that a verdict is answered as one should be, and that its builds are such as an API server takes."""
    assert verdict.reason is CATALOGUE[verdict.reason.name]
    assert verdict.outcome in {Outcome.STARTED, Outcome.IGNORED, Outcome.PING, Outcome.REFUSED}
    assert verdict.message.isprintable()
    assert (verdict.outcome is Outcome.STARTED) == bool(verdict.wanted)
    names = set()
    for wanted in verdict.wanted:
        assert WantedBuild.from_json(wanted.to_json()) == wanted
        job = render(wanted, make_buildtrigger())
        names.add(job["metadata"]["name"])
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", job["metadata"]["name"])
        for variable in job["spec"]["template"]["spec"]["containers"][0]["env"]:
            assert re.fullmatch(r"[A-Z_]+", variable["name"])
            assert "\0" not in variable["value"]
            assert len(variable["value"]) <= 2 * MAX_VALUE_LENGTH
            variable["value"].encode()  # halves of characters are no UTF-8
        json.dumps(job)
    assert len(names) == len(verdict.wanted)


def places_in(value, way=()):
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        yield from places_in(each, (*way, key))


PLACES = {key: sorted(places_in(delivery.payload), key=str) for key, delivery in DELIVERIES.items()}


@settings(deadline=None)
@given(data=st.data(), key=st.sampled_from(sorted(DELIVERIES)))
def test_any_lie_gives_a_verdict(data, key):
    """A true delivery in which some values are others, or missing, is answered, and what it starts is legal."""
    payload = copy.deepcopy(DELIVERIES[key].payload)
    for _ in range(data.draw(st.integers(1, 4))):
        *way, last = data.draw(st.sampled_from(PLACES[key]))
        place = payload
        try:
            for step in way:
                place = place[step]
            if data.draw(st.booleans()):
                place[last] = data.draw(LIES)
            else:
                del place[last]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier lie took the place away
    check(give_verdict(*key, payload))


@pytest.mark.parametrize("key", sorted(DELIVERIES), ids=": ".join)
def test_every_recorded_delivery_has_a_verdict(key):
    """Each thing that a Git host tells of is answered with its reason, and what it starts is legal."""
    check(give_verdict(*key, DELIVERIES[key].payload))


@pytest.mark.parametrize("place", PLACES_OF_PUSH)
@pytest.mark.parametrize("name", NAMES)
def test_odd_names_stay_data(place, name):
    """What stands in a payload is a value of a variable, whole, or is left out; it names nothing else."""
    payload = put(DELIVERIES[Provider.GITHUB, "push"].payload, {place: PLACES_OF_PUSH[place](name)})
    verdict = give_verdict(Provider.GITHUB, "push", payload)
    check(verdict)
    if place == "ref" and name in ("$(id)", "`id`", "x" * 250, "\N{ROCKET}", "\N{ROCKET}" * 250, "-x"):
        (wanted,) = verdict.wanted
        assert wanted.parameters["HOOKWRIGHT_WEBHOOK_HEAD_REF"] == f"refs/heads/{name}"
    elif place == "ref":
        assert verdict.reason is reasons.EVENT_UNREADABLE


@pytest.mark.parametrize("payload", [False, True, 7, "push", [], {}, [[]], [None], [{}]])
@pytest.mark.parametrize("provider", Provider)
def test_payload_of_another_type_is_no_event(provider, payload):
    """JSON that is no payload at all is answered 200, and starts nothing."""
    verdict = give_verdict(provider, "push", payload)
    assert (verdict.outcome, verdict.reason.status, verdict.wanted) == (Outcome.IGNORED, 200, ())


def test_megabytes_of_commits_are_one_build():
    """Five megabytes of commits are read, and start one build that holds none of them."""
    push = copy.deepcopy(DELIVERIES[Provider.GITHUB, "push"].payload)
    commit = push["commits"][0] | {"message": "m" * 3_000}
    push["commits"] = [commit] * 1_500
    verdict = give_verdict(Provider.GITHUB, "push", push)
    (wanted,) = verdict.wanted
    assert len(wanted.to_json()) < 5_000
    check(verdict)
