"""`hookwright deliver`: the delivery as the Git host would make it, and what is said of the answer."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from hookwright.cluster import BUILDTRIGGERS, SECRETS, WEBHOOKS
from hookwright.commands.deliver import prepare, render, send
from hookwright.commands.delivering.prepared import Prepared, Wish
from hookwright.errors import ClusterError, HookwrightError, UsageError
from hookwright.intake.judge import judge
from hookwright.intake.request import Request
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import BuildTrigger, Webhook, read
from hookwright.reasons import ACCEPTED
from support.fakecluster import FakeCluster
from support.objects import (
    SECRET,
    make_buildtrigger,
    make_request,
    make_webhook,
    raw_buildtrigger,
    raw_secret,
    raw_webhook,
)

URL = "http://127.0.0.1:1/hooks/x"


@pytest.fixture
def cluster():
    made = FakeCluster()
    made.put(SECRETS, raw_secret())
    made.put(BUILDTRIGGERS, raw_buildtrigger())
    made.put(WEBHOOKS, raw_webhook(status={"url": URL}))
    return made


async def make(cluster, **changes):
    return await prepare(cluster, "default", "hello", Wish(**changes))


async def test_prepared_delivery_is_accepted(cluster):
    """A sample push fits the target's repository and branch and is signed with the Webhook's secret: it is accepted."""
    prepared = await make(cluster)
    headers = {name.lower().replace("-", "_"): value for name, value in prepared.headers.items()}
    request = make_request(body=prepared.body, secret=None, **headers)
    route = compile_webhook(
        read(Webhook, cluster.find(WEBHOOKS, "hello")), read(BuildTrigger, cluster.find(BUILDTRIGGERS, "hello"))
    )
    assert judge(request, route, [SECRET], new_id=str).reason is ACCEPTED
    assert (prepared.url, prepared.hint) == (URL, "the sample is GitHub's push; give another body with --payload")
    assert json.loads(prepared.body)["repository"]["full_name"] == "octo/hello"


async def test_each_delivery_has_an_id_of_its_own(cluster):
    """Two deliveries have two ids, unless one is given."""
    ids = {(await make(cluster)).headers["X-GitHub-Delivery"] for _ in range(3)}
    assert len(ids) == 3
    assert (await make(cluster, delivery_id="again")).headers["X-GitHub-Delivery"] == "again"


async def test_own_branch_goes_before_the_targets(cluster):
    """A Branch in actionConfiguration is what the filter expects, so the sample has it."""
    cluster.put(WEBHOOKS, raw_webhook(status={"url": URL}, actionConfiguration={"Branch": "own"}))
    assert json.loads((await make(cluster)).body)["ref"] == "refs/heads/own"


async def test_given_body_and_url_are_used(cluster):
    """A payload file is sent as it is, to another URL if one is given."""
    prepared = await make(cluster, body=b'{"a": 1}', url="http://127.0.0.1:2/x")
    assert (prepared.body, prepared.url) == (b'{"a": 1}', "http://127.0.0.1:2/x")


async def test_missing_target_does_not_keep_from_delivering(cluster):
    """Without a target, or with one that cannot be read, the sample is GitHub's own."""
    for raw in (None, raw_buildtrigger(projectName="")):
        cluster.drop(BUILDTRIGGERS, "hello")
        if raw is not None:
            cluster.put(BUILDTRIGGERS, raw)
        assert json.loads((await make(cluster)).body)["repository"]["full_name"]
        cluster.put(BUILDTRIGGERS, raw_buildtrigger())


async def test_inline_and_no_secret(cluster):
    """An inline secret signs; an UNAUTHENTICATED Webhook gets no signature, as GitHub without a secret sends none."""
    inline = {"authenticationConfiguration": {"secretToken": "x"}}
    cluster.put(WEBHOOKS, raw_webhook(status={"url": URL}, **inline))
    assert "X-Hub-Signature-256" in (await make(cluster)).headers
    nobody = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    cluster.put(WEBHOOKS, raw_webhook(status={"url": URL}, **nobody))
    assert "X-Hub-Signature-256" not in (await make(cluster)).headers


REF = {"secretTokenRef": {"name": "hello-webhook", "key": "token"}}
WAYS = {
    "GITHUB_HMAC": ({}, b"secret"),
    "GITLAB_TOKEN": ({}, b"secret"),
    "STANDARD_WEBHOOKS": ({}, b"whsec_" + base64.b64encode(b"k" * 32)),
    "BEARER_TOKEN": ({}, b"secret"),
    "BASIC": ({"username": "hook"}, b"pass:word"),
    "HMAC": ({"header": "X-Signature", "prefix": "v0=", "timestampHeader": "X-Time", "encoding": "BASE64"}, b"secret"),
}


@pytest.mark.parametrize("scheme", WAYS)
async def test_delivery_proves_itself_as_its_scheme_wants_it(cluster, scheme):
    """What is prepared for a Webhook of any scheme with a secret is accepted by it, under its own id."""
    members, secret = WAYS[scheme]
    spec = {"authentication": scheme, "authenticationConfiguration": {**REF, **members}}
    if scheme in ("BEARER_TOKEN", "BASIC", "HMAC"):
        spec["deliveryIdHeader"] = "X-Request-Id"
    cluster.put(SECRETS, raw_secret(value=secret))
    cluster.put(WEBHOOKS, raw_webhook(status={"url": URL}, **spec))
    prepared = await make(cluster, delivery_id="mine")
    route = compile_webhook(make_webhook(**spec), make_buildtrigger())
    lines = {name.lower(): [value] for name, value in prepared.headers.items()}
    request = Request(method="POST", path="/", headers=lines, body=prepared.body, received_at=datetime.now(UTC))
    verdict = judge(request, route, [secret], new_id=lambda: "none")
    assert (verdict.reason, verdict.delivery_id) == (ACCEPTED, "mine")


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda c: c.drop(WEBHOOKS, "hello"), ["no Webhook hello", "namespace default"]),
        (lambda c: c.put(WEBHOOKS, raw_webhook(filters="all")), ["Webhook hello is invalid", "spec.filters"]),
        (lambda c: c.put(WEBHOOKS, raw_webhook(status={})), ["no URL yet"]),
        (lambda c: c.drop(SECRETS, "hello-webhook"), ["Secret hello-webhook", "token"]),
        (lambda c: c.put(SECRETS, raw_secret(value=b"")), ["Secret hello-webhook", "empty"]),
        (
            lambda c: c.put(WEBHOOKS, raw_webhook(status={"url": URL}, authenticationConfiguration={})),
            ["Webhook hello is invalid", "needs either secretTokenRef or secretToken"],
        ),
    ],
)
async def test_what_is_missing_is_said(cluster, arrange, words):
    """A Webhook, URL or secret that is not there is a usage error that names it."""
    arrange(cluster)
    with pytest.raises(UsageError) as refused:
        await make(cluster)
    assert [word for word in words if word not in refused.value.message] == []


async def test_event_without_a_sample_is_said(cluster):
    """An event of which there is no sample names those of which there is one."""
    with pytest.raises(UsageError, match=r"no sample of release.*push.*--payload"):
        await make(cluster, event="release")
    assert (await make(cluster, event="release", body=b"{}")).headers["X-GitHub-Event"] == "release"


async def test_absent_api_server_is_said(cluster):
    """The API server's refusal comes out as it is."""
    cluster.fail("get", WEBHOOKS, status=503)
    with pytest.raises(ClusterError):
        await make(cluster)


def test_prepared_delivery_does_not_print_its_signature():
    """A log line of a prepared delivery holds neither headers nor body."""
    assert "hush" not in repr(Prepared(url=URL, headers={"X": "hush"}, body=b"hush"))


@pytest.mark.parametrize("url", [URL, "nonsense", "ftp://x/", "http://[::bad", "http://", "http://127.0.0.1:99999/"])
async def test_receiver_that_does_not_answer_is_said(url):
    """A receiver that cannot be reached, or a URL that is none, is one sentence."""
    with pytest.raises(HookwrightError) as failed:
        await send(Prepared(url=url, headers={}, body=b"{}"))
    assert "\n" not in failed.value.message
    assert failed.value.message


JOB = {"apiVersion": "batch/v1", "kind": "Job", "namespace": "default", "name": "hello-x"}


@pytest.mark.parametrize(
    ("status", "answer", "text"),
    [
        (
            202,
            {"outcome": "started", "reason": "Accepted", "message": "ok", "builds": [JOB]},
            "202 started (Accepted): ok\n  Job default/hello-x",
        ),
        (
            401,
            {"outcome": "refused", "reason": "NotAuthentic", "message": "no", "builds": []},
            "401 refused (NotAuthentic): no",
        ),
        (502, {"outcome": None, "reason": None, "message": "Bad Gateway"}, "502 None (None): Bad Gateway"),
        (200, {}, "200 None (None): None"),
        (200, {"builds": None}, "200 None (None): None"),
    ],
)
def test_answer_is_shown_in_a_line(status, answer, text):
    """Status, outcome, reason, message and builds of an answer are shown, whoever gave it."""
    assert render(status, answer) == text


def test_answer_does_not_speak_to_the_terminal():
    """Whatever answers at the URL: control characters of it stand as escapes."""
    shown = render(200, {"outcome": "ignored", "reason": "x", "message": "a\x1b[2J\x9b2J\nb"})
    assert shown == r"200 ignored (x): a\x1b[2J\x9b2J\nb"


def test_ignored_sample_points_to_payload():
    """That a filter did not match our sample is answered with how to give another body; not of the user's own body."""
    ignored, started = ({"outcome": outcome, "reason": "x", "message": "y"} for outcome in ("ignored", "started"))
    assert render(200, ignored, hint="the sample is mine; give --payload").endswith(
        "\n  the sample is mine; give --payload"
    )
    assert "--payload" not in render(200, ignored)
    assert "--payload" not in render(202, started, hint="give --payload")
