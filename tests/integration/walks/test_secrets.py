"""A Webhook's secret: missing, unusable, late, changed."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import pytest

from hookwright.reconcile import webhook
from support.impatience import be_impatient
from support.running import Running, make_buildtrigger, make_secret, make_webhook, run_hookwright

CODE = "InvalidWebhookAuthenticationParametersException"


def mark(secret: dict[str, Any], *, watched: bool) -> dict[str, Any]:
    """Give a Secret the label by which it is watched, or not."""
    labels = {"hookwright.dev/watched": "true"} if watched else {}
    return {**secret, "metadata": {**secret["metadata"], "labels": labels}}


def count_readings(running: Running) -> int:
    """Count how often the Secret was asked for."""
    return sum(request.path.endswith("/secrets/hello-webhook") for request in running.cluster.requests)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (None, "SecretNotFound"),
        (make_secret(key="other"), "SecretKeyMissing"),
        (make_secret(value=""), "SecretEmpty"),
        (make_secret(value="  \n"), "SecretEmpty"),
    ],
    ids=["missing", "without key", "empty", "blank"],
)
async def test_unusable_secret_is_said_and_nothing_is_taken(bare: Running, secret, reason):
    """While the secret cannot be used, status says why, and deliveries get 503 with Retry-After and start nothing."""
    bare.apply(make_buildtrigger(), make_webhook(), *([secret] if secret else []))
    await bare.until(lambda: bare.ready() == ("False", reason))
    status = bare.status()
    assert status["errorCode"] == CODE
    assert "hello-webhook" in status["errorMessage"]
    for secret_of_sender in ("", "x", None):
        response = await bare.push(status["url"], secret=secret_of_sender)
        assert (response.status_code, response.json()["reason"]) == (503, "SecretUnusable")
        assert int(response.headers["retry-after"]) > 0
    assert bare.jobs() == []


async def test_late_secret_heals_by_itself(bare: Running, monkeypatch):
    """A Secret that appears later makes the Webhook ready without anybody touching it."""
    be_impatient(monkeypatch)
    bare.apply(make_buildtrigger(), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "SecretNotFound"))
    url = bare.status()["url"]
    bare.apply(make_secret())
    assert await bare.until_ready() == url
    assert "errorCode" not in bare.status()
    assert (await bare.push(url)).status_code == 202


async def test_watched_secret_heals_many_at_once(bare: Running, monkeypatch):
    """A labelled Secret that comes makes all Webhooks on it ready at once, for one reading at most."""
    # None of them looks for it by itself.
    monkeypatch.setattr(webhook, "MISSING_SECRET_SECONDS", 3600.0)
    names = [f"hello-{number}" for number in range(20)]
    bare.apply(make_buildtrigger(), *(make_webhook(name) for name in names))
    for name in names:
        await bare.until(lambda name=name: bare.ready(name) == ("False", "SecretNotFound"))
    before = count_readings(bare)
    bare.apply(mark(make_secret(), watched=True))
    for name in names:
        await bare.until_ready(name)
    assert (await bare.push(bare.status(names[0])["url"])).status_code == 202
    assert count_readings(bare) - before <= 1


async def test_without_right_to_watch_nothing_is_lost(tmp_path: Path):
    """Where Secrets may be read and not watched, a labelled Secret works as any other."""
    async with run_hookwright(tmp_path, started=False) as running:
        running.cluster.answer(status=403, reason="Forbidden", path="/api/v1/secrets")
        running.apply(mark(make_secret(), watched=True), make_buildtrigger(), make_webhook())
        await running.start()
        url = await running.until_ready()
        running.apply(mark(make_secret(value="new secret"), watched=True))
        assert (await running.push(url, secret="new secret")).status_code == 202


@pytest.mark.parametrize("watched", [False, True])
async def test_next_delivery_uses_changed_secret(running: Running, watched):
    """A delivery signed with a new secret is taken at once; the old secret is not taken any more."""
    url = running.status()["url"]
    running.apply(mark(make_secret(), watched=watched))
    assert (await running.push(url)).status_code == 202
    running.apply(mark(make_secret(value="new secret"), watched=watched))
    assert (await running.push(url, secret="new secret")).status_code == 202
    assert (await running.push(url)).status_code == 401


@pytest.mark.parametrize("watched", [False, True])
async def test_forged_signatures_do_not_flood_the_api_server(running: Running, watched):
    """However many bad signatures come, the Secret is read a bounded number of times."""
    url = running.status()["url"]
    running.apply(mark(make_secret(), watched=watched))

    before, began = count_readings(running), time.monotonic()
    for _ in range(100):
        assert (await running.push(url, secret="forged")).status_code == 401
    # One more each second, however slow the machine is.
    assert count_readings(running) - before < 20 + time.monotonic() - began


async def test_inline_secret_works_and_is_warned_about(bare: Running):
    """AWS's inline secretToken is taken; a Kubernetes Event says that others can read it."""
    bare.apply(make_buildtrigger(), make_webhook(authenticationConfiguration={"secretToken": "inline"}))
    url = await bare.until_ready()
    assert (await bare.push(url, secret="inline")).status_code == 202
    assert (await bare.push(url, secret="other")).status_code == 401
    await bare.until(lambda: [e for e in bare.cluster.list("events", "default") if e["reason"] == "InlineSecret"])


async def test_secret_of_binary_bytes_is_used_as_it_is(bare: Running):
    """Any bytes can be a secret, and a newline at its end counts."""
    secret = make_secret()
    del secret["stringData"]
    secret["data"] = {"token": base64.b64encode(b"with newline\n").decode()}
    bare.apply(secret, make_buildtrigger(), make_webhook())
    url = await bare.until_ready()
    assert (await bare.push(url, secret="with newline\n")).status_code == 202
    assert (await bare.push(url, secret="with newline")).status_code == 401


async def test_known_secret_serves_while_api_server_is_away(running: Running):
    """While the API server does not answer, deliveries are still judged with the secret that was read last."""
    url = running.status()["url"]
    assert (await running.push(url)).status_code == 202
    running.cluster.pause()
    assert (await running.push(url)).status_code == 202
