"""Each scheme on the running process: who proves itself starts a build, who does not starts nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from functools import partial
from urllib.parse import urlencode

import pytest

from support.running import Running, make_buildtrigger, make_push, make_secret, make_webhook

SECRET = b"whsec_" + base64.b64encode(b"k" * 32)
REF = {"secretTokenRef": {"name": "hello-webhook", "key": "token"}}
BODY = make_push()
HALF_AN_HOUR = 1800


def ago(seconds: int) -> str:
    """Give the time so long ago, as senders write it."""
    return str(int(time.time()) - seconds)


def standard(*, key: bytes = b"k" * 32, age: int = 0) -> dict[str, str]:
    """Sign as Standard Webhooks does."""
    timestamp = ago(age)
    digest = hmac.digest(key, f"msg_1.{timestamp}.".encode() + BODY, "sha256")
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": f"v1a,xx {signature}"}


def slack(*, key: bytes = SECRET, age: int = 0) -> dict[str, str]:
    """Sign as Slack does."""
    timestamp = ago(age)
    digest = hmac.new(key, f"v0:{timestamp}:".encode() + BODY, hashlib.sha256).hexdigest()
    return {"X-Slack-Signature": f"v0={digest}", "X-Slack-Request-Timestamp": timestamp}


def basic(text: bytes) -> dict[str, str]:
    """Give user and password."""
    return {"Authorization": f"Basic {base64.b64encode(text).decode()}"}


SLACK = {
    **REF,
    "header": "X-Slack-Signature",
    "prefix": "v0=",
    "timestampHeader": "X-Slack-Request-Timestamp",
    "signedContent": "v0:{timestamp}:{body}",
}
GITEA = {**REF, "header": "X-Gitea-Signature"}
GITEA_SIGNED = {"X-Gitea-Signature": hmac.new(SECRET, BODY, hashlib.sha256).hexdigest()}
CASES = [
    ("GITLAB_TOKEN", REF, {"X-Gitlab-Token": SECRET.decode()}, 202),
    ("GITLAB_TOKEN", REF, {"X-Gitlab-Token": "other"}, 401),
    ("GITLAB_TOKEN", REF, {}, 401),
    ("STANDARD_WEBHOOKS", REF, standard, 202),
    ("STANDARD_WEBHOOKS", REF, partial(standard, key=b"x" * 32), 401),
    ("STANDARD_WEBHOOKS", REF, partial(standard, age=HALF_AN_HOUR), 401),
    ("STANDARD_WEBHOOKS", {**REF, "toleranceSeconds": 3600}, partial(standard, age=HALF_AN_HOUR), 202),
    ("HMAC", SLACK, slack, 202),
    ("HMAC", SLACK, partial(slack, age=HALF_AN_HOUR), 401),
    ("HMAC", SLACK, lambda: slack() | {"X-Slack-Request-Timestamp": ago(-1)}, 401),
    ("HMAC", GITEA, GITEA_SIGNED, 202),
    ("HMAC", GITEA, {"X-Gitea-Signature": "0" * 64}, 401),
    ("BEARER_TOKEN", REF, {"Authorization": f"Bearer {SECRET.decode()}"}, 202),
    ("BEARER_TOKEN", REF, {"Authorization": "Bearer x"}, 401),
    ("BASIC", {**REF, "username": "hook"}, basic(b"hook:" + SECRET), 202),
    ("BASIC", {**REF, "username": "hook"}, basic(b"other:" + SECRET), 401),
    ("IP", {"allowedIPRange": "127.0.0.0/8"}, {}, 202),
    ("IP", {"allowedIPRange": "10.0.0.0/8"}, {}, 403),
    ("IP", {"allowedIPRange": "10.0.0.0/8"}, {"X-Forwarded-For": "10.1.2.3"}, 403),
]


@pytest.mark.parametrize(("scheme", "configuration", "headers", "status"), CASES)
async def test_scheme_lets_in_whom_it_should(bare: Running, scheme, configuration, headers, status):
    """A delivery that proves itself is on disk and becomes a Job; any other is refused without a hint."""
    bare.apply(make_secret(value=SECRET.decode()), make_buildtrigger())
    bare.apply(make_webhook(authentication=scheme, authenticationConfiguration=configuration))
    url = await bare.until_ready()
    # What says when it was sent is signed now, and not when the tests were gathered.
    proof = headers() if callable(headers) else headers
    answer = await bare.client.post(url, content=BODY, headers={"Content-Type": "application/json", **proof})
    assert answer.status_code == status
    if status == 202:
        await bare.until(bare.jobs)
    else:
        assert answer.json()["reason"] in {"NotAuthentic", "AddressNotAllowed"}
        assert bare.jobs() == []


async def test_secret_is_replaced_without_a_gap(bare: Running):
    """While a secret is replaced both work; once the old one is taken out it does not."""
    bare.apply(make_secret(value="old"), make_buildtrigger())
    bare.apply(make_secret("next", value="new"))
    both = {"secretTokenRef": {"name": "next"}, "additionalSecretTokenRefs": [{"name": "hello-webhook"}]}
    bare.apply(make_webhook(authenticationConfiguration=both))
    url = await bare.until_ready()
    assert [(await bare.push(url, secret=secret)).status_code for secret in ("old", "new", "other")] == [202, 202, 401]
    bare.apply(make_webhook(authenticationConfiguration={"secretTokenRef": {"name": "next"}}))
    await bare.until(lambda: bare.status()["observedGeneration"] == 2)
    assert [(await bare.push(url, secret=secret)).status_code for secret in ("old", "new")] == [401, 202]


async def test_secret_of_the_wrong_form_is_said(bare: Running):
    """A secret that the scheme cannot use is said in status, and deliveries are told to come again."""
    secret = make_secret(value="whsec_no base64!")
    secret["metadata"]["labels"] = {"hookwright.dev/watched": "true"}
    bare.apply(secret, make_buildtrigger())
    bare.apply(make_webhook(authentication="STANDARD_WEBHOOKS", authenticationConfiguration=REF))
    await bare.until(lambda: bare.ready() == ("False", "SecretMalformed"))
    assert "no base64!" not in str(bare.webhook())
    answer = await bare.client.post(bare.status()["url"], content=BODY, headers=standard())
    assert (answer.status_code, answer.json()["reason"]) == (503, "SecretUnusable")
    bare.apply({**secret, "stringData": {"token": SECRET.decode()}})
    await bare.until_ready()


async def test_githubs_form_is_read(bare: Running):
    """GitHub may send a form: its raw bytes are verified, its field payload is the document."""
    bare.apply(make_secret(), make_buildtrigger(), make_webhook())
    url = await bare.until_ready()
    form = urlencode({"payload": BODY.decode()}).encode()
    answer = await bare.push(url, form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 202
    gitea = await bare.push(url, form, content_type="application/x-www-form-urlencoded", x_gitea_event="push")
    assert (gitea.status_code, gitea.json()["reason"]) == (415, "ContentTypeUnsupported")


async def test_limit_of_an_object_is_its_own(bare: Running):
    """Authentic deliveries beyond spec.rateLimit are answered 429 with Retry-After; strangers do not use it up."""
    bare.apply(make_secret(), make_buildtrigger(), make_webhook(rateLimit={"perMinute": 1, "burst": 2}))
    url = await bare.until_ready()
    assert [(await bare.push(url, secret="other")).status_code for _ in range(3)] == [401, 401, 401]
    answers = [await bare.push(url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["reason"] == "RateLimited"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60


async def test_delivery_id_is_that_of_the_header_that_was_named(bare: Running):
    """A sender without an id of its own gets one by spec.deliveryIdHeader: the second delivery is a duplicate."""
    webhook = make_webhook(
        authentication="UNAUTHENTICATED", authenticationConfiguration={}, deliveryIdHeader="X-Request-UUID"
    )
    bare.apply(make_buildtrigger(), webhook)
    url = await bare.until_ready()
    sent = {"Content-Type": "application/json", "X-Request-UUID": "42"}
    answers = [(await bare.client.post(url, content=BODY, headers=sent)).json() for _ in range(2)]
    assert [answer["outcome"] for answer in answers] == ["started", "duplicate"]
    assert answers[0]["builds"] == answers[1]["builds"]
