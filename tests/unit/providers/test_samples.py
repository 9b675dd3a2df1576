"""The samples of every provider: what is sent, and that the dialect reads it as exactly what was to happen."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace

import pytest

from hookwright.filters.groups.fields import FIELDS, NO_FACTS
from hookwright.filters.groups.sources import Source
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.sample import BEFORE, COMMIT, MERGE, Happening
from hookwright.providers.samples import SAMPLES
from hookwright.reasons import PING
from hookwright.scm import EventType, Fact, NoEvent, Provider, ScmEvent

EVENTS = [(provider, event) for provider in Provider for event in EventType if event in DIALECTS[provider].events]
TESTS = [provider for provider in Provider if SAMPLES[provider].test is not None]
OWN = Happening(
    repository="team/app",
    branch="release/2",
    head="fix/login",
    sha="ab" * 20,
    message="Mend the login\n\nat last",
    files=("a.txt", "b/ü.txt"),
    pull_request=77,
)


def read(provider, sent, secret=None):
    """Read what is sent as a receiver gets it: bytes and header lines."""
    body = json.dumps(sent.payload).encode()
    headers = SAMPLES[provider].make_headers(name=sent.name, delivery_id="d-1", body=body, secret=secret)
    lower = {name.lower(): value for name, value in headers.items()}
    return body, lower, DIALECTS[provider].read(lower.get, json.loads(body))


def read_event(provider, event, happening=OWN):
    (found,) = read(provider, SAMPLES[provider].make(event, happening))[2]
    assert isinstance(found, ScmEvent), found
    return found


@pytest.mark.parametrize("provider", Provider)
def test_every_event_has_a_sample(provider):
    """There is a sample of each event that a provider sends, and of no other."""
    assert set(SAMPLES[provider].events) == DIALECTS[provider].events


@pytest.mark.parametrize(("provider", "event"), EVENTS)
def test_sample_is_read_as_its_event(provider, event):
    """The dialect finds in a sample one event, the very one, in the repository, on the branch, by the commit given."""
    found = read_event(provider, event)
    assert (found.event, found.index, found.deleted, found.fork) == (event, 0, False, False)
    assert (found.repository.full_name, found.organisation) == ("team/app", "team")
    assert (found.repository.clone_url or "").startswith("https://")
    if event in (EventType.RELEASED, EventType.PRERELEASED):
        assert (found.head_ref, found.tag, found.release) == ("refs/tags/v1.0", "v1.0", "Release v1.0")
        return
    assert OWN.sha.startswith(found.sha)
    if event.is_pull_request:
        assert (found.head_ref, found.base_ref) == ("refs/heads/fix/login", "refs/heads/release/2")
        assert (found.pull_request, found.head_repository) == (77, None)
        merged = event is EventType.PULL_REQUEST_MERGED
        assert MERGE.startswith(found.merge_commit) if merged else found.merge_commit is None
    else:
        # GitHub does not say whose branch a job is of.
        hidden = event is EventType.WORKFLOW_JOB_QUEUED and provider is not Provider.GITLAB
        assert found.head_ref == (None if hidden else "refs/heads/release/2")


@pytest.mark.parametrize(("provider", "event"), EVENTS)
def test_sample_says_all_that_the_provider_says(provider, event):
    """What filters look at is there, wherever a payload of the provider has it; what only its API knows is not."""
    found = read_event(provider, event)
    source = Source(provider=provider, sends=DIALECTS[provider].events)
    known = {kind: field.read(found, NO_FACTS) for kind, field in FIELDS.items() if event in field.events}
    assert {kind for kind, value in known.items() if value is None} == {
        kind for kind in known if source.never_says(kind, event)
    }
    if Fact.FILES not in found.lacks() and event is EventType.PUSH:
        assert set(found.files) == set(OWN.files)
    if found.message is not None:
        assert found.message == OWN.message


@pytest.mark.parametrize("provider", Provider)
def test_tag_is_pushed_instead_of_a_branch(provider):
    """With a tag, a push is one of that tag, which is new; with one, a release is of it."""
    happening = replace(OWN, tag="v2.1")
    found = read_event(provider, EventType.PUSH, happening)
    assert (found.head_ref, found.sha, found.before) == ("refs/tags/v2.1", OWN.sha, None)
    assert read_event(provider, EventType.PUSH).before == BEFORE
    if EventType.RELEASED in DIALECTS[provider].events:
        assert read_event(provider, EventType.RELEASED, happening).tag == "v2.1"


@pytest.mark.parametrize("provider", Provider)
def test_pull_request_comes_from_a_fork(provider):
    """A pull request from a fork is marked so, and says where its head is."""
    found = read_event(provider, EventType.PULL_REQUEST_CREATED, replace(OWN, fork=True))
    assert (found.fork, found.head_repository.full_name) == (True, "mallory/app")
    assert found.repository.full_name == "team/app"


@pytest.mark.parametrize("provider", TESTS)
def test_test_delivery_is_a_ping(provider):
    """What a provider sends to try a URL is a ping."""
    (found,) = read(provider, SAMPLES[provider].make_test(OWN))[2]
    assert isinstance(found, NoEvent)
    assert found.reason is PING


def test_two_providers_have_no_test_of_their_own():
    """GitLab and Bitbucket Cloud test a URL with what they test, so that there is nothing to send."""
    assert set(Provider) - set(TESTS) == {Provider.GITLAB, Provider.BITBUCKET_CLOUD}
    assert SAMPLES[Provider.GITLAB].make_test(OWN) is None


@pytest.mark.parametrize("provider", Provider)
def test_delivery_id_and_event_stand_in_the_providers_headers(provider):
    """The dialect finds the id that was given, and the name of the event."""
    sent = SAMPLES[provider].make(EventType.PUSH, OWN)
    _, headers, _ = read(provider, sent)
    dialect = DIALECTS[provider]
    assert dialect.find_delivery_id(headers.get) == "d-1"
    assert headers[dialect.event_headers[0]] == sent.name
    assert headers["content-type"].startswith("application/json")


PROOFS = {
    Provider.GITHUB: ("x-hub-signature-256", "sha256={}"),
    Provider.GITHUB_ENTERPRISE: ("x-hub-signature-256", "sha256={}"),
    Provider.GITLAB: ("x-gitlab-token", "hush"),
    Provider.BITBUCKET_CLOUD: ("x-hub-signature", "sha256={}"),
    Provider.BITBUCKET_DATA_CENTER: ("x-hub-signature", "sha256={}"),
    Provider.GITEA: ("x-gitea-signature", "{}"),
}


@pytest.mark.parametrize("provider", Provider)
def test_delivery_proves_itself_as_the_provider_does(provider):
    """With a secret the bytes are signed, or the token sent, in the provider's own header; without one nothing is."""
    sent = SAMPLES[provider].make(EventType.PUSH, OWN)
    body, headers, _ = read(provider, sent, secret=b"hush")
    name, form = PROOFS[provider]
    assert headers[name] == form.format(hmac.digest(b"hush", body, "sha256").hex())
    bare = read(provider, sent)[1]
    assert not [each for each in bare if "signature" in each or "token" in each]
    assert name in set(headers) - set(bare)


@pytest.mark.parametrize(("provider", "event"), EVENTS)
def test_sample_without_wishes_is_read_too(provider, event):
    """Nothing has to be given: a sample happens in octo/hello, by a commit that builds can be named after."""
    found = read_event(provider, event, Happening())
    assert found.repository.full_name == "octo/hello"
    assert found.sha is None or COMMIT.startswith(found.sha)
