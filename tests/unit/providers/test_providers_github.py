"""GitHub's dialect: headers, signatures and samples as GitHub has them."""

from __future__ import annotations

import json

import pytest

from hookwright.intake.payload import read_payload
from hookwright.providers.github import dialect
from support.objects import make_request


def test_signature_is_githubs():
    """The signature of GitHub's documented example."""
    signature = dialect.sign(b"Hello, World!", b"It's a Secret to Everybody")
    assert signature == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_headers_are_those_that_github_sends():
    """Event, delivery id, content type and signature stand in GitHub's headers; without a secret nothing is signed."""
    headers = dialect.make_headers(event="push", delivery_id="d", body=b"x", secret=b"s")
    assert headers["X-GitHub-Event"] == "push"
    assert headers["X-GitHub-Delivery"] == "d"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Hub-Signature-256"] == dialect.sign(b"x", b"s")
    unsigned = dialect.make_headers(event="push", delivery_id="d", body=b"x", secret=None)
    assert set(headers) - set(unsigned) == {"X-Hub-Signature-256"}


def test_there_are_samples_of_what_users_try_first():
    """A push and a ping can be sent without a payload of one's own."""
    assert {"push", "ping"} <= set(dialect.sample_events())


@pytest.mark.parametrize("event", dialect.sample_events())
def test_samples_are_payloads(event):
    """Every sample is a JSON object with a repository, as the receiver reads it."""
    body = json.dumps(dialect.make_sample(event)).encode()
    assert read_payload(make_request(body=body))["repository"]["full_name"]


@pytest.mark.parametrize("event", dialect.sample_events())
@pytest.mark.parametrize("repository", ["octo/hello", "group/sub/repo", 'o"dd/na\\me', "ü/ö"])
def test_sample_can_happen_in_any_repository(event, repository):
    """A sample for a repository has its name wherever GitHub's payload has one, and nothing of the original."""
    original = dialect.make_sample(event)["repository"]["full_name"]
    sample = dialect.make_sample(event, repository=repository)
    owner, _, name = repository.rpartition("/")
    assert sample["repository"]["full_name"] == repository
    assert sample["repository"]["name"] == name
    assert sample["repository"]["owner"]["login"] == owner
    assert repository == original or original not in json.dumps(sample)


def test_sample_can_happen_on_any_branch():
    """A push for a branch has its ref; an event without one is left alone."""
    assert dialect.make_sample("push", branch="feature/x")["ref"] == "refs/heads/feature/x"
    assert "ref" not in dialect.make_sample("ping", branch="feature/x")


@pytest.mark.parametrize("event", ["release", "", "../push", "push.json"])
def test_unknown_event_has_no_sample(event):
    """An event of which there is no sample is a KeyError, and no way into other files."""
    with pytest.raises(KeyError):
        dialect.make_sample(event)
