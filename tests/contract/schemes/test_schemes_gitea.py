"""Deliveries that a real Gitea has sent are authentic, by each of the signatures that they carry."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from hookwright.errors import NotAuthentic, Unreadable
from hookwright.intake.judge import judge
from hookwright.intake.request import Request
from hookwright.intake.schemes import SCHEMES
from hookwright.kinds import Authentication, AuthenticationConfiguration
from support.objects import NEW_ID, NOON, make_route

DELIVERIES = json.loads(Path(__file__).with_name("gitea.json").read_text("utf-8"))
SIGNATURES = {
    "X-Hub-Signature-256": ("GITHUB_HMAC", {}),
    "X-Gitea-Signature": ("HMAC", {"header": "X-Gitea-Signature"}),
    "X-Gogs-Signature": ("HMAC", {"header": "X-Gogs-Signature"}),
    "X-Hub-Signature": ("HMAC", {"header": "X-Hub-Signature", "algorithm": "SHA1", "prefix": "sha1="}),
}
every_delivery = pytest.mark.parametrize("recorded", DELIVERIES, ids=lambda recorded: find(recorded, "X-Gitea-Event"))
every_signature = pytest.mark.parametrize(("name", "members"), SIGNATURES.values(), ids=SIGNATURES)


def find(recorded, name):
    return next(value for known, value in recorded["headers"] if known == name)


def receive(recorded, *, body=None, **headers):
    lines = {name.lower(): [value] for name, value in recorded["headers"]}
    lines |= {name.replace("_", "-"): [value] for name, value in headers.items()}
    sent = recorded["body"].encode() if body is None else body
    return Request(method="POST", path="/hooks/token", headers=lines, body=sent, received_at=NOON)


def make_scheme(name, members):
    return SCHEMES[Authentication(name)](AuthenticationConfiguration.model_validate(members))


@every_delivery
@every_signature
def test_recorded_delivery_is_authentic(recorded, name, members):
    """Each signature that Gitea sends fits its bytes and secret, and no other body or secret."""
    scheme, secret = make_scheme(name, members), recorded["secret"].encode()
    scheme.verify(receive(recorded), [secret])
    for request, other in (
        (receive(recorded), b"another"),
        (receive(recorded), recorded["secret"].encode("latin-1")),
        (receive(recorded, body=recorded["body"].encode() + b" "), secret),
    ):
        with pytest.raises(NotAuthentic):
            scheme.verify(request, [other])


@every_delivery
@every_signature
def test_signature_of_a_hook_without_a_secret_is_none(recorded, name, members):
    """Without a secret Gitea sends its headers with nothing in them, which is no signature."""
    header = members.get("header", "X-Hub-Signature-256")
    for empty in (members.get("prefix", ""), "sha256=", ""):
        request = receive(recorded, **{header.lower().replace("-", "_"): empty})
        with pytest.raises(NotAuthentic) as refused:
            make_scheme(name, members).verify(request, [recorded["secret"].encode()])
        assert refused.value.reason == "SignatureMissing"


@every_delivery
@pytest.mark.parametrize(("name", "members"), [SIGNATURES["X-Hub-Signature-256"], SIGNATURES["X-Gitea-Signature"]])
def test_form_is_told_from_a_wrong_secret(recorded, name, members):
    """Gitea signs the JSON and sends a form: what it is to send instead is said, and nothing of a secret."""
    body = urlencode({"payload": recorded["body"]}).encode()
    request = receive(recorded, body=body, content_type="application/x-www-form-urlencoded")
    with pytest.raises(Unreadable) as refused:
        make_scheme(name, members).verify(request, [recorded["secret"].encode()])
    assert "application/json" in refused.value.message


@every_delivery
def test_delivery_is_judged_as_one_of_github(recorded):
    """A Webhook that is made for GitHub takes Gitea's deliveries: id, event and values are found."""
    route = make_route(
        filters=[{"jsonPath": "$.repository.full_name", "matchEquals": "lab/{Repo}"}],
        actionConfiguration={"Repo": json.loads(recorded["body"])["repository"]["name"]},
        parameters=[{"name": "EVENT", "from": "eventHeader"}, {"name": "WHO", "jsonPath": "$.sender.login"}],
    )
    verdict = judge(receive(recorded), route, [recorded["secret"].encode()], new_id=lambda: NEW_ID)
    (wanted,) = verdict.wanted
    assert verdict.delivery_id == find(recorded, "X-Gitea-Delivery")
    assert wanted.parameters == {"EVENT": find(recorded, "X-Gitea-Event"), "WHO": "lab"}
