"""What PutWebhook is at AWS, `kubectl apply` is here: its errors, its updates, its limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.kubectl import FOUND, MISSING, Kubectl
from support.running import Running, make_buildtrigger, make_secret, make_webhook, run_hookwright

pytestmark = pytest.mark.skipif(FOUND is None, reason=MISSING)

FIELD = "spec.authenticationConfiguration"


@pytest.fixture
def kubectl(bare: Running, tmp_path: Path) -> Kubectl:
    """Kubectl for the development cluster."""
    return Kubectl(bare.kubeconfig, tmp_path)


async def grow_older(running: Running, name: str) -> None:
    """Wait until whatever is made now is younger than a Webhook: ages are in whole seconds."""
    made = running.webhook(name)["metadata"]["creationTimestamp"]
    await running.until(lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") > made)


@pytest.mark.parametrize(
    ("spec", "code", "words"),
    [
        ({"targetAction": "Deploy"}, "ValidationException", ["spec.targetAction", "Deploy", "Source"]),
        ({"duplicateWindow": "5m"}, "ValidationException", ["spec.duplicateWindow", "5m", "1h"]),
        (
            {"targetPipeline": {"kind": "CronJob", "name": "hello"}},
            "ValidationException",
            ["spec.targetPipeline.apiVersion", "batch/v1"],
        ),
        (
            {"actionConfiguration": {"OAuthToken": "x"}},
            "ValidationException",
            ["spec.actionConfiguration.OAuthToken", "remove"],
        ),
        (
            {"filters": [{"jsonPath": "$.["}]},
            "InvalidWebhookFilterPatternException",
            ["spec.filters[0].jsonPath", "$.["],
        ),
        (
            {"filters": [{"jsonPath": "$.a", "matchEquals": "{Nobody}"}]},
            "InvalidWebhookFilterPatternException",
            ["spec.filters[0].matchEquals", "{Nobody}", "Branch"],
        ),
        (
            {"filters": [{"jsonPath": "$.a", "matchEquals": "{OAuthToken}"}]},
            "InvalidWebhookFilterPatternException",
            ["spec.filters[0].matchEquals", "{OAuthToken}"],
        ),
        (
            {"authentication": "IP", "authenticationConfiguration": {"allowedIPRange": "10.1.2.3/8"}},
            "InvalidWebhookAuthenticationParametersException",
            [f"{FIELD}.allowedIPRange", "10.1.2.3/8", "10.0.0.0/8"],
        ),
        (
            {"authenticationConfiguration": {"allowedIPRange": "10.0.0.0/8", "secretTokenRef": {"name": "a"}}},
            "InvalidWebhookAuthenticationParametersException",
            [f"{FIELD}.allowedIPRange", "GITHUB_HMAC", "remove"],
        ),
        (
            {"authentication": "UNAUTHENTICATED"},
            "InvalidWebhookAuthenticationParametersException",
            [f"{FIELD}.secretTokenRef", "no properties"],
        ),
        ({"targetPipeline": {"name": "nobody"}}, "PipelineNotFoundException", ["spec.targetPipeline.name", "nobody"]),
        (
            {"tags": [{"key": f"k{n}", "value": ""} for n in range(51)]},
            "TooManyTagsException",
            ["spec.tags", "51", "50", "remove"],
        ),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidTagsException", ["spec.tags[0]", "aws:x", "reserved"]),
        ({"tags": [{"key": "a", "value": "#"}]}, "InvalidTagsException", ["spec.tags[0]"]),
    ],
)
async def test_each_error_says_field_value_limit_and_remedy(bare: Running, kubectl: Kubectl, spec, code, words):
    """What is wrong with a Webhook stands in its status with AWS's code, field, value, limit and remedy.

    What a CEL rule can tell has the code and the field at apply, where the API server knows CEL.
    """
    bare.apply(make_secret(), make_buildtrigger())
    exit_code, said = await kubectl.apply(make_webhook(**spec))
    if exit_code == 1 and f"{code}: " in said:
        # A rule knows the field, but not the member of it.
        assert f"{code}: {'.'.join(re.split(r'[.[]', words[0])[:2])}" in said
        return
    assert (exit_code, said) == (0, "webhook.hookwright.dev/hello created\n")
    # Another error may come before it: kinds are watched apart, and the target may be seen after the Webhook.
    status = await bare.until(lambda: bare.status().get("errorCode") == code and bare.status())
    assert [word for word in words if word not in status["errorMessage"]] == []
    assert bare.ready()[0] == "False"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"filters": [{"jsonPath": "$.a"}] * 6}, ["spec.filters", "5"]),
        ({"targetAction": "a b"}, ["spec.targetAction"]),
        ({"name": "n" * 101}, ["spec.name", "100"]),
        ({"authentication": "NONE"}, ["spec.authentication", "GITHUB_HMAC"]),
        ({"filters": None}, ["spec.filters"]),
    ],
)
async def test_schema_refuses_at_apply(kubectl: Kubectl, spec, words):
    """What the schema can tell is refused by kubectl apply."""
    code, said = await kubectl.apply(make_webhook(**spec))
    assert code == 1
    assert [word for word in words if word not in said] == []


async def test_same_name_is_an_update_and_keeps_the_url(bare: Running, kubectl: Kubectl):
    """To apply a Webhook again updates it: URL and ARN stay, what was changed counts at once."""
    bare.apply(make_secret(), make_buildtrigger())
    await kubectl.apply(make_webhook())
    url = await bare.until_ready()
    arn = bare.status()["arn"]
    await kubectl.apply(make_webhook(filters=[{"jsonPath": "$.ref", "matchEquals": "refs/heads/other"}]))
    await bare.until(lambda: bare.status()["observedGeneration"] == 2)
    assert (bare.status()["url"], bare.status()["arn"]) == (url, arn)
    assert (await bare.push(url)).json()["reason"] == "FilteredOut"


async def test_recreation_gives_a_new_url(bare: Running, kubectl: Kubectl):
    """A Webhook that is deleted and made again has another URL; the old one leads nowhere."""
    bare.apply(make_secret(), make_buildtrigger())
    await kubectl.apply(make_webhook())
    url = await bare.until_ready()
    await kubectl.run("delete", "webhook", "hello")
    await bare.until_answered(url, 404)
    await kubectl.apply(make_webhook())
    assert await bare.until_ready() != url
    assert (await bare.push(url)).status_code == 404


async def test_name_belongs_to_the_oldest(bare: Running, kubectl: Kubectl):
    """Of two Webhooks with one spec.name the younger is refused, in status and by its URL, until the name is free."""
    bare.apply(make_secret(), make_buildtrigger())
    await kubectl.apply(make_webhook("first", name="Deploy"))
    await bare.until_ready("first")
    await grow_older(bare, "first")
    await kubectl.apply(make_webhook("second", name="Deploy"))
    status = await bare.until(lambda: bare.status("second").get("errorCode") and bare.status("second"))
    assert status["errorCode"] == "ConcurrentModificationException"
    assert [word for word in ("spec.name", "Deploy", "first") if word not in status["errorMessage"]] == []
    assert (await bare.push(status["url"])).json()["reason"] == "SpecInvalid"
    await kubectl.run("delete", "webhook", "first")
    url = await bare.until_ready("second")
    assert (await bare.push(url)).status_code == 202


async def test_quota_refuses_the_youngest(tmp_path: Path):
    """A namespace with all the Webhooks that it may have refuses the next, until one goes."""
    async with run_hookwright(tmp_path, webhook_quota=2) as running:
        kubectl = Kubectl(running.kubeconfig, tmp_path)
        running.apply(make_secret(), make_buildtrigger())
        for name in ("one", "two"):
            await kubectl.apply(make_webhook(name))
            await running.until_ready(name)
        await grow_older(running, "two")
        await kubectl.apply(make_webhook("three"))
        status = await running.until(lambda: running.status("three").get("errorCode") and running.status("three"))
        assert status["errorCode"] == "LimitExceededException"
        assert [word for word in ("2", "HOOKWRIGHT_WEBHOOK_QUOTA") if word not in status["errorMessage"]] == []
        await kubectl.run("delete", "webhook", "one")
        await running.until_ready("three")
        assert running.ready("two") == ("True", "Listening")


async def test_tags_are_kept_as_they_are(bare: Running, kubectl: Kubectl):
    """Tags, at most 50, are the user's own; they change nothing."""
    bare.apply(make_secret(), make_buildtrigger())
    tags = [{"key": f"team {n}", "value": "a@b" if n else ""} for n in range(50)]
    assert (await kubectl.apply(make_webhook(tags=tags)))[0] == 0
    await bare.until_ready()
    assert bare.webhook()["spec"]["tags"] == tags
