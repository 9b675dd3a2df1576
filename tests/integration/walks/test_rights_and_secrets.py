"""Rights that are taken away and given back, and one Secret that a thousand Webhooks share and that changes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from hookwright.cluster import secrets
from hookwright.devcluster.faults import REQUESTS
from support.impatience import be_impatient
from support.running import Running, make_account, make_buildtrigger, make_secret, make_webhook, run_hookwright
from support.waiting import patience

JOBS = r"/apis/batch/v1/namespaces/default/jobs"
SECRET_PATH = "/api/v1/namespaces/default/secrets/hello-webhook"
STATUSES = r"/apis/hookwright\.dev/.*/status"
NO_JOBS = 'jobs.batch is forbidden: User "system:serviceaccount:default:default" cannot create resource "jobs"'
NO_DISGUISE = 'serviceaccounts "default" is forbidden: User "hookwright" cannot impersonate resource "serviceaccounts"'
# What a Webhook says whose build is forbidden: its own trial found that out, or that of its BuildTrigger.
FORBIDDEN = [("False", "TemplateForbidden"), ("False", "TargetNotReady")]
# For all that is asked of the API server about one Secret while hundreds of deliveries come; one more each second.
MOST_READINGS = 20
# Two cores that others use too need time for a thousand objects.
MANY_SECONDS = 120.0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Hookwright look again for what was forbidden after moments."""
    be_impatient(monkeypatch)


# ── rights ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("account", [None, "builder"])
@pytest.mark.parametrize(("message", "outcome"), [(NO_JOBS, "BuildForbidden"), (NO_DISGUISE, "ImpersonationForbidden")])
async def test_right_to_build_is_taken_and_given_back(running: Running, account, message, outcome):
    """Without the right the delivery fails and the Webhook is not Ready; with it, both come right, and one Job is made.

    So it is for the target's ServiceAccount, which the BuildTrigger tries, and for the Webhook's own.
    """
    if account is not None:
        running.apply(make_account(account), make_webhook(serviceAccountName=account))
        await running.until(lambda: running.status()["observedGeneration"] == 2)
    url = await running.until_ready()
    fault = running.cluster.answer(
        method="POST", path=JOBS, status=403, reason="Forbidden", message=message, times=None
    )
    assert (await running.push(url, delivery="once")).status_code == 202
    await running.until(lambda: running.last() == ("failed", outcome))
    await running.until(lambda: running.ready() in FORBIDDEN)
    assert message in running.status()["errorMessage"]
    # It is looked at again, and stays as it is while the right is missing.
    tries = fault.hits
    await running.until(lambda: fault.hits > tries + 1)
    assert running.ready() in FORBIDDEN
    assert running.jobs() == []

    fault.remove()
    assert await running.until_ready() == url
    assert "errorCode" not in running.status()
    assert (await running.push(url, delivery="once")).status_code == 202
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    assert len(running.jobs()) == 1


async def until_watched(running: Running) -> None:
    """Wait until the watch of Secrets has shown what was there when Hookwright started: it begins after its list."""
    watches = ("/api/v1/secrets", "watch=true")
    await running.until(lambda: any((one.path, one.query[:10]) == watches for one in running.cluster.requests))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("watched", [False, True])
async def test_right_to_read_the_secret_is_taken_and_given_back(tmp_path: Path, monkeypatch, watched):
    """A Secret that may not be read any more takes nothing in, and says so; with the right all is as it was.

    What a watch shows is read by another right: a labelled Secret serves on.
    """
    # What is kept does not age while the machine stands still: the first reading is the one that is refused.
    monkeypatch.setattr(secrets, "KEEP_SECONDS", 3600.0)
    async with run_hookwright(tmp_path, started=False) as running:
        running.apply(mark(make_secret(), watched=watched), make_buildtrigger(), make_webhook())
        await running.start()
        await until_watched(running)
        url = await running.until_ready()
        fault = running.cluster.answer(method="GET", path=SECRET_PATH, status=403, reason="Forbidden", times=None)
        # Whose signature does not fit makes Hookwright read the Secret anew.
        assert (await running.push(url, secret="another")).status_code == 401
        assert fault.hits
        answer = await running.push(url, delivery="once")
        if watched:
            assert answer.status_code == 202
        else:
            assert (answer.status_code, answer.json()["reason"]) == (503, "SecretUnusable")
            await running.until(lambda: running.ready() == ("False", "SecretForbidden"))
            assert "verb get" in running.status()["errorMessage"]
            assert running.jobs() == []

        fault.remove()
        assert await running.until_ready() == url
        assert "errorCode" not in running.status()
        assert (await running.push(url, delivery="once")).status_code == (200 if watched else 202)
        await running.until(running.jobs)
        assert len(running.jobs()) == 1


async def test_right_to_write_status_is_taken_and_given_back(running: Running):
    """While status cannot be written, deliveries start builds and edits count; once it may, status is right again.

    What could not be said of a delivery is not said later: the next one is.
    """
    url = running.status()["url"]
    fault = running.cluster.answer(method="PATCH", path=STATUSES, status=403, reason="Forbidden", times=None)
    assert (await running.push(url, delivery="unsaid")).status_code == 202
    await running.until(running.jobs)
    running.apply(make_webhook(suspend=True), make_webhook("second"))
    accepted = 1
    async with patience():
        # Each try is a request: there is no event to wait for. On a busy machine the first ones may still start builds.
        while (answer := await running.push(url)).json()["reason"] != "Suspended":
            assert answer.status_code == 202
            accepted += 1
            await asyncio.sleep(0.05)
    running.apply(make_webhook(targetPipeline={"name": "absent"}))
    await running.until(lambda: fault.hits > 3)
    assert running.status().get("observedGeneration") == 1
    assert "lastDelivery" not in running.status()
    assert running.status("second") == {}

    fault.remove()
    await running.until(lambda: running.ready() == ("False", "TargetNotFound"))
    assert running.status()["observedGeneration"] == 3
    url = await running.until_ready("second")
    assert (await running.push(url)).status_code == 202
    await running.until(lambda: running.last("second") == ("started", "BuildCreated"))
    assert running.status("second")["lastTriggered"]
    await running.until(lambda: len(running.jobs()) == accepted + 1)


# ── one Secret of many Webhooks ───────────────────────────────────────────────────────────────────────────────────────


def mark(secret: dict[str, Any], *, watched: bool) -> dict[str, Any]:
    """Give a Secret the label by which it is watched, or not."""
    labels = {"hookwright.dev/watched": "true"} if watched else {}
    return {**secret, "metadata": {**secret["metadata"], "labels": labels}}


def count_readings(running: Running, since: int) -> int:
    """Count how often the Secret was asked for since there were so many requests."""
    assert len(running.cluster.requests) < REQUESTS
    asked = itertools.islice(running.cluster.requests, since, None)
    return sum((request.method, request.path) == ("GET", SECRET_PATH) for request in asked)


async def push_to(running: Running, names: Iterable[str], secret: str) -> Counter[int]:
    """Deliver to all these Webhooks at the same time; give how often each status was answered."""
    urls = [running.status(name)["url"] for name in names]
    answers = await asyncio.gather(*(running.push(url, secret=secret) for url in urls))
    return Counter(answer.status_code for answer in answers)


@pytest.mark.parametrize(
    ("watched", "webhooks", "deliveries"), [(True, 1_000, 200), (False, 300, 100)], ids=["watched", "read on demand"]
)
async def test_changed_secret_serves_all_webhooks_at_once(tmp_path: Path, watched, webhooks, deliveries):
    """All deliveries signed with the new secret are taken, none with the old one, for a handful of readings."""
    everyone = [f"w{number}" for number in range(webhooks)]
    async with run_hookwright(tmp_path, webhook_quota=2 * webhooks) as running:
        running.apply(mark(make_secret(value="old"), watched=watched), make_buildtrigger())
        running.apply(*(make_webhook(name) for name in everyone))
        async with patience(MANY_SECONDS):
            for name in everyone:
                while running.ready(name)[0] != "True":  # noqa: ASYNC110 - it lives in another thread
                    await asyncio.sleep(0.1)
        assert await push_to(running, everyone[:1], "old") == {202: 1}

        since, began = len(running.cluster.requests), time.monotonic()
        running.apply(mark(make_secret(value="new"), watched=watched))
        assert await push_to(running, everyone[-deliveries:], "new") == {202: deliveries}
        assert await push_to(running, everyone[:100], "old") == {401: 100}
        assert count_readings(running, since) <= MOST_READINGS + time.monotonic() - began

        # None of this made a Webhook less than Ready, and each delivery that was taken starts one build.
        await running.until(lambda: len(running.jobs()) == 1 + deliveries)
        assert {running.ready(name)[0] for name in everyone} == {"True"}
