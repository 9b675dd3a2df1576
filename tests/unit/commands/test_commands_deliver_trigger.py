"""`hookwright deliver` for BuildTriggers: what each provider sends for each event, where, and how it is signed."""

from __future__ import annotations

import base64
import json

import pytest

from hookwright.cluster import BUILDTRIGGERS, SECRETS, WEBHOOKS
from hookwright.cluster.secret_values import MADE_FOR
from hookwright.commands.deliver import prepare
from hookwright.commands.delivering.prepared import Changes, Wish
from hookwright.commands.naming import Named, read_name
from hookwright.errors import UsageError
from hookwright.intake.judge import judge
from hookwright.intake.request import Request
from hookwright.intake.trigger_route import compile_trigger
from hookwright.kinds import BuildTrigger, Webhook
from hookwright.kinds import read as read_object
from hookwright.providers.catalogue import DIALECTS
from hookwright.providers.samples import SAMPLES
from hookwright.reasons import ACCEPTED, EVENT_NOT_BUILT, PING
from hookwright.scm import EventType, Provider
from support.fakecluster import FakeCluster
from support.objects import NOON, SECRET, raw_buildtrigger, raw_webhook

URL = "http://127.0.0.1:1/hooks/t"
BUILT = (EventType.PUSH, EventType.PULL_REQUEST_CREATED, EventType.PULL_REQUEST_UPDATED)
EVENTS = [(provider, event) for provider in Provider for event in EventType if event in DIALECTS[provider].events]


def put_trigger(cluster, provider="GitLab", *, status=None, **source):
    given = {"repository": "team/app", "branch": "trunk"} | source
    spec = {"source": {name: value for name, value in {"provider": provider, **given}.items() if value is not None}}
    cluster.put(BUILDTRIGGERS, raw_buildtrigger(status={"payloadUrl": URL} if status is None else status, **spec))


def put_secret(cluster, secret, *, meant_for="hello"):
    annotations = {MADE_FOR: meant_for}
    metadata = {"name": "hello-hookwright", "namespace": "default", "annotations": annotations}
    data = {"secret": base64.b64encode(secret).decode()}
    cluster.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


def put_refused_secret(cluster):
    put_secret(cluster, SECRET, meant_for="other")
    put_trigger(cluster, status={"payloadUrl": URL, "errorMessage": "not for it; annotate it"})


@pytest.fixture
def cluster():
    made = FakeCluster()
    put_secret(made, SECRET)
    put_trigger(made)
    return made


async def make(cluster, name="bt/hello", **wish):
    changes = {key: wish.pop(key) for key in list(wish) if key in Changes.__dataclass_fields__}
    return await prepare(cluster, "default", name, Wish(**wish, changes=Changes(**changes)))


def read(provider, prepared):
    headers = {name.lower(): value for name, value in prepared.headers.items()}
    (found,) = DIALECTS[Provider(provider)].read(headers.get, json.loads(prepared.body))
    return found


async def make_and_read(cluster, **wish):
    return read("GitLab", await make(cluster, **wish))


@pytest.mark.parametrize(("provider", "event"), EVENTS)
async def test_every_event_of_every_provider_can_be_delivered(cluster, provider, event):
    """What is sent is the provider's own delivery of the event, in the trigger's repository, and authentic."""
    put_trigger(cluster, provider)
    prepared = await make(cluster, event=event.lower().replace("_", "-"), delivery_id="mine")
    found = read(provider, prepared)
    assert (found.event, found.repository.full_name) == (event, "team/app")
    # GitHub's jobs name a branch, of which nobody knows whose it is.
    job = json.loads(prepared.body).get("workflow_job", {})
    branches = (found.base_ref, found.head_ref, f"refs/heads/{job.get('head_branch')}")
    assert "refs/heads/trunk" in branches or found.tag is not None
    assert prepared.url == URL
    headers = {name.lower(): value for name, value in prepared.headers.items()}
    assert DIALECTS[provider].find_delivery_id(headers.get) == "mine"
    signed = SAMPLES[provider].make_headers(
        name=headers[DIALECTS[provider].event_headers[0]], delivery_id="mine", body=prepared.body, secret=SECRET
    )
    assert prepared.headers == signed
    lines = {name: [value] for name, value in headers.items()}
    request = Request(method="POST", path="/", headers=lines, body=prepared.body, received_at=NOON)
    route = compile_trigger(read_object(BuildTrigger, cluster.find(BUILDTRIGGERS, "hello")))
    verdict = judge(request, route, [SECRET], new_id=lambda: "none")
    assert (verdict.authentic, verdict.delivery_id) == (True, "mine")
    assert verdict.reason is (ACCEPTED if event in BUILT else EVENT_NOT_BUILT)
    assert f"the sample is {provider}'s {event} in team/app; hookwright explain bt/hello -n default" in prepared.hint


@pytest.mark.parametrize("provider", [each for each in Provider if SAMPLES[each].test is not None])
async def test_ping_is_what_the_provider_tests_with(cluster, provider):
    """Where a provider has a test of its own, --event ping sends it."""
    put_trigger(cluster, provider)
    assert read(provider, await make(cluster, event="PING")).reason is PING


async def test_sample_tells_of_what_is_wished(cluster):
    """Branches, tag, commit, message, files, number and fork are those that are given."""
    sha = "cd" * 20
    push = await make_and_read(cluster, branch="b", sha=sha, message="m", changed=("x", "y"), repository="o/r")
    assert (push.head_ref, push.sha, push.message, set(push.files)) == ("refs/heads/b", sha, "m", {"x", "y"})
    assert push.repository.full_name == "o/r"
    tag = await make_and_read(cluster, tag="v9")
    assert tag.head_ref == "refs/tags/v9"
    assert (await make_and_read(cluster, event="released", tag="v9")).tag == "v9"
    request = await make_and_read(
        cluster, event="pull_request_created", branch="b", base="c", pull_request=5, fork=True, message="m"
    )
    assert (request.head_ref, request.base_ref, request.pull_request) == ("refs/heads/b", "refs/heads/c", 5)
    assert (request.fork, request.message) == (True, "m")


@pytest.mark.parametrize(
    ("source", "repository", "branch"),
    [
        ({"repository": None, "group": "a/b", "branch": None}, "a/b/hello", "main"),
        ({"provider": "GitHub", "repository": None, "organization": "octo"}, "octo/hello", "trunk"),
    ],
)
async def test_organisation_has_some_repository(cluster, source, repository, branch):
    """Where the source is an organisation or a group the sample happens in a repository of it; main is the default."""
    put_trigger(cluster, **source)
    found = read(source.get("provider", "GitLab"), await make(cluster))
    assert (found.repository.full_name, found.head_ref) == (repository, f"refs/heads/{branch}")


async def test_own_payload_is_sent_as_it_is(cluster):
    """A payload file is signed and sent; its event may be one of ours, or any in the provider's own words."""
    prepared = await make(cluster, body=b'{"a": 1}')
    assert (prepared.body, prepared.headers["X-Gitlab-Event"], prepared.hint) == (b'{"a": 1}', "Push Hook", None)
    assert (await make(cluster, body=b"{}", event="Note Hook")).headers["X-Gitlab-Event"] == "Note Hook"
    assert (await make(cluster, body=b"{}", url="http://127.0.0.1:2/")).url == "http://127.0.0.1:2/"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"event": "prereleased"}, ["prereleased is not read from GitLab", "PUSH, PULL_REQUEST_CREATED", "--payload"]),
        ({"event": "nonsense"}, ["nonsense is not read from GitLab", "WORKFLOW_JOB_QUEUED;"]),
        ({"event": "ping"}, ["GitLab", "no ping", "--event push"]),
        ({"base": "x"}, ["--base is for a pull request", "--event PULL_REQUEST_CREATED"]),
        ({"fork": True}, ["--fork is for a pull request"]),
        ({"pull_request": 3, "event": "released"}, ["--pull-request is for a pull request"]),
        ({"tag": "v1", "event": "pull_request_created"}, ["--tag is for a push or a release"]),
        ({"changed": ("a",), "event": "released"}, ["--changed is for a push"]),
        ({"branch": "x", "body": b"{}"}, ["--branch", "--payload"]),
    ],
)
async def test_what_does_not_belong_together_is_said(cluster, wish, words):
    """An event that the provider does not send, and an option that would change nothing, are refused by name."""
    with pytest.raises(UsageError) as refused:
        await make(cluster, **wish)
    assert [word for word in words if word not in refused.value.message] == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"repository": "hello"}, ["--repository 'hello'", "OWNER/NAME"]),
        ({"sha": "HEAD"}, ["--sha 'HEAD'", "0-9a-f"]),
        ({"sha": "0" * 40}, ["--sha", "zeros"]),
        ({"branch": "a b"}, ["--branch 'a b'", "git"]),
        ({"branch": "refs/heads/main"}, ["--branch 'refs/heads/main'", "without refs/heads/"]),
        ({"event": "pull_request_created", "base": "a..b"}, ["--base 'a..b'"]),
        ({"tag": "v1/"}, ["--tag 'v1/'", "refs/tags/"]),
    ],
)
async def test_what_no_git_host_says_is_said(cluster, wish, words):
    """A repository, commit, branch or tag that cannot be is refused here, and not sent to be found unreadable."""
    with pytest.raises(UsageError) as refused:
        await make(cluster, **wish)
    assert [word for word in words if word not in refused.value.message] == []


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda c: c.drop(BUILDTRIGGERS, "hello"), ["no BuildTrigger hello", "namespace default"]),
        (lambda c: put_trigger(c, None), ["BuildTrigger hello has no spec.source.provider", "Webhooks start it"]),
        (lambda c: put_trigger(c, status={}), ["no URL yet", "Hookwright running"]),
        (lambda c: put_trigger(c, status={"errorMessage": "too many"}), ["no URL yet", "too many"]),
        (lambda c: put_trigger(c, "Subversion"), ["BuildTrigger hello is invalid", "spec.source.provider"]),
        (lambda c: c.drop(SECRETS, "hello-hookwright"), ["Secret hello-hookwright", "key secret", "no secret"]),
        (lambda c: put_secret(c, b"two\nlines"), ["Secret hello-hookwright, key secret", "newline"]),
        (lambda c: put_secret(c, SECRET, meant_for="other"), ["hello-hookwright", "somebody else's", "is it running"]),
        (put_refused_secret, ["hello-hookwright", "somebody else's", "annotate it"]),
        (lambda c: put_trigger(c, group="a"), ["BuildTrigger hello is invalid", "spec.source", "keep one of them"]),
    ],
)
async def test_what_the_trigger_lacks_is_said(cluster, arrange, words):
    """A BuildTrigger, provider, URL or secret that is not there is a usage error that names it."""
    arrange(cluster)
    with pytest.raises(UsageError) as refused:
        await make(cluster)
    assert [word for word in words if word not in refused.value.message] == []


async def test_plain_name_is_the_webhooks_first(cluster):
    """A name alone is the Webhook's; where there is none it is the BuildTrigger's; with a kind it is that kind's."""
    assert (await make(cluster, name="hello")).url == URL
    nobody = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    cluster.put(WEBHOOKS, raw_webhook(status={"url": "http://127.0.0.1:1/hooks/w"}, **nobody))
    assert (await make(cluster, name="hello")).url == "http://127.0.0.1:1/hooks/w"
    assert (await make(cluster, name="webhook/hello")).url == "http://127.0.0.1:1/hooks/w"
    assert (await make(cluster, name="buildtrigger/hello")).url == URL
    with pytest.raises(UsageError, match="--tag is for BuildTriggers"):
        await make(cluster, name="hello", tag="v1")


async def test_absent_names_are_told_by_kind(cluster):
    """Who names nothing that is there hears which kinds were looked for, and of a trigger that takes no deliveries."""
    with pytest.raises(UsageError, match="no Webhook and no BuildTrigger nobody in namespace default"):
        await make(cluster, name="nobody")
    with pytest.raises(UsageError, match=r"no Webhook hello in namespace default$"):
        await make(cluster, name="wh/hello")
    put_trigger(cluster, None)
    with pytest.raises(UsageError, match=r"no Webhook hello in namespace default, and BuildTrigger hello has no spec"):
        await make(cluster, name="hello")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hello", Named(kind=None, name="hello")),
        ("bt/hello", Named(kind=BuildTrigger, name="hello")),
        ("BuildTrigger/hello", Named(kind=BuildTrigger, name="hello")),
        ("buildtriggers/hello", Named(kind=BuildTrigger, name="hello")),
        ("wh/hello", Named(kind=Webhook, name="hello")),
        ("webhooks/hello", Named(kind=Webhook, name="hello")),
    ],
)
def test_kind_stands_before_the_name(text, named):
    """A kind is written as kubectl takes it: singular, plural or short."""
    assert read_name(text) == named


@pytest.mark.parametrize("text", ["job/hello", "bt/", "/hello"])
def test_unknown_kind_is_said(text):
    """A kind that takes no deliveries, or no name, is a usage error with what to write."""
    with pytest.raises(UsageError, match="bt/NAME"):
        read_name(text)
