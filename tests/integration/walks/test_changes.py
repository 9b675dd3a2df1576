"""What the world does behind Hookwright's back: objects that go unseen, rights that change, callers that hold on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hookwright.builds import worker
from hookwright.intake import server
from support.impatience import be_impatient
from support.running import PATIENCE, Running, make_buildtrigger, make_secret, make_webhook, run_hookwright
from support.waiting import patience

KIND = "/apis/hookwright.dev/v1alpha1/namespaces/default/"
JOBS = r"/apis/batch/v1/namespaces/default/jobs"


async def delete(running: Running, path: str) -> None:
    """Delete an object as kubectl does."""
    response = await running.client.delete(running.cluster.url + path)
    assert response.status_code == 200


async def test_webhook_that_went_while_nobody_watched_is_forgotten(running: Running):
    """A Webhook deleted while the watches were broken is unknown soon after they are back."""
    running.apply(make_webhook("kept"))
    await running.until_ready("kept")
    url = running.status()["url"]
    held = running.cluster.answer(
        method="GET", path=r"/apis/hookwright.dev/.*", status=503, reason="ServiceUnavailable", times=None
    )
    running.cluster.close_watches()
    await delete(running, KIND + "webhooks/hello")
    running.cluster.expire_history()
    held.remove()

    await running.until_answered(url, 404)


async def test_webhook_that_is_being_deleted_takes_nothing(running: Running):
    """A Webhook that another's finalizer holds back is not wanted any more: its URL is unknown."""
    url = running.status()["url"]
    await running.client.patch(
        running.cluster.url + KIND + "webhooks/hello",
        json={"metadata": {"finalizers": ["example.com/hold"]}},
        headers={"content-type": "application/merge-patch+json"},
    )
    await delete(running, KIND + "webhooks/hello")
    assert running.webhook()["metadata"]["deletionTimestamp"]

    await running.until_answered(url, 404)


async def test_secret_that_appears_is_used_by_the_next_delivery(bare: Running):
    """The first delivery after the Secret has come is taken, also if one was refused for want of it a moment ago."""
    bare.apply(make_buildtrigger(), make_webhook())
    url = await bare.until(lambda: bare.status().get("url"))
    assert (await bare.push(url)).status_code == 503
    bare.apply(make_secret())
    assert (await bare.push(url)).status_code == 202


async def test_secret_that_may_not_be_read_is_said(bare: Running, monkeypatch):
    """Without the right to read the Secret the Webhook is not ready, and says which right is missing; it heals."""
    be_impatient(monkeypatch)
    bare.apply(make_secret(), make_buildtrigger())
    fault = bare.cluster.answer(
        method="GET", path=r".*/secrets/hello-webhook", status=403, reason="Forbidden", times=None
    )
    bare.apply(make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "SecretForbidden"))
    assert "verb get" in bare.status()["errorMessage"]
    assert (await bare.push(bare.status()["url"])).status_code == 503
    fault.remove()
    await bare.until_ready()


async def test_secret_that_went_is_said_after_the_next_delivery(running: Running):
    """A Secret that is deleted makes the Webhook not ready as soon as a delivery needed it."""
    await delete(running, "/api/v1/namespaces/default/secrets/hello-webhook")
    await running.push(running.status()["url"], secret="another")
    await running.push(running.status()["url"], secret="another")
    await running.until(lambda: running.ready() == ("False", "SecretNotFound"))


async def test_untried_template_is_said(bare: Running, monkeypatch):
    """While the Job cannot be tried, both objects say so, the URL is there, and deliveries are taken."""
    be_impatient(monkeypatch)
    fault = bare.cluster.answer(
        method="POST", path=JOBS, status=500, reason="InternalError", message="failed calling webhook", times=None
    )
    bare.apply(make_secret(), make_buildtrigger(), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "TargetNotReady"))
    assert "failed calling webhook" in bare.status()["errorMessage"]
    assert (await bare.push(bare.status()["url"])).status_code == 202
    fault.remove()
    await bare.until_ready()
    await bare.until(bare.jobs)


async def test_target_that_cannot_start_is_looked_at_again(running: Running):
    """A start that is forbidden makes the target, and so the Webhook, not ready."""
    fault = running.cluster.answer(
        method="POST", path=JOBS, status=403, reason="Forbidden", message="jobs.batch is forbidden", times=None
    )
    await running.push(running.status()["url"])
    await running.until(lambda: running.ready() == ("False", "TargetNotReady"))
    assert "may not create" in running.status()["errorMessage"]
    fault.remove()


async def test_target_that_comes_late_starts_at_once(bare: Running, monkeypatch):
    """A delivery whose next try is an hour away starts as soon as its target comes."""
    monkeypatch.setattr(worker, "backoff", lambda attempts, *, jitter: 3600.0)
    bare.apply(make_secret(), make_webhook())
    url = await bare.until(lambda: bare.status().get("url"))
    assert (await bare.push(url)).status_code == 202
    await bare.until(lambda: bare.last() == ("pending", "TargetMissing"))
    bare.apply(make_buildtrigger())
    await bare.until(bare.jobs)


async def test_short_lived_jobs_are_refused(bare: Running):
    """A Job that is removed sooner than its delivery can come again is refused in status."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "build", "image": "busybox"}]}
    template = {"spec": {"ttlSecondsAfterFinished": 60, "template": {"spec": pod}}}
    bare.apply(make_secret(), make_buildtrigger(build={"jobTemplate": template}), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "TargetNotReady"))
    assert "ttlSecondsAfterFinished" in bare.status()["errorMessage"]


@pytest.mark.parametrize("start", [b"", b"POST /hooks/x HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"])
async def test_idle_connections_keep_nobody_out(tmp_path: Path, monkeypatch, start):
    """Hundreds of connections that send nothing, or never finish, do not delay a delivery."""
    # None of them ends while the delivery is waited for.
    monkeypatch.setattr(server, "HEADER_MILLISECONDS", 1_000_000)
    monkeypatch.setattr(server, "BODY_SECONDS", 1_000)
    async with run_hookwright(tmp_path) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        url = await running.until_ready()
        host, port = running.settings.listen.split(":")
        held = []
        for _ in range(600):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(start)
            held.append(writer)
        try:
            async with patience(PATIENCE):
                assert (await running.push(url)).status_code == 202
        finally:
            for writer in held:
                writer.close()


async def test_trickling_sender_does_not_hold_up_the_end(running: Running, monkeypatch):
    """A body that never ends does not keep the process from stopping."""
    monkeypatch.setattr(server, "BODY_SECONDS", 1)
    url = running.status()["url"]
    host, port = url.split("/")[2].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /{url.split('/', 3)[3]} HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n".encode())
    await writer.drain()
    async with patience():
        await running.stop()
    writer.close()
