"""A BuildTrigger takes deliveries at its own URL: from each Git host, judged by what happened, into a Job."""

from __future__ import annotations

import pytest

from hookwright.scm import Provider
from support.running import Running
from support.triggers import begin, deliver, environment_of


@pytest.mark.parametrize("provider", Provider)
async def test_signed_push_starts_job(bare: Running, provider):
    """A push that the Git host signed is answered 202 with the Job's name, and that Job knows what to build."""
    url = await begin(bare, provider=provider)
    response = await deliver(bare, url, provider, delivery_id="d-1")
    answer = response.json()
    assert (response.status_code, answer["reason"], answer["deliveryId"]) == (202, "Accepted", "d-1")
    (build,) = answer["builds"]
    job = await bare.until(lambda: bare.cluster.get("jobs.batch", "default", build["name"]))
    environment = environment_of(job)
    assert environment["HOOKWRIGHT_WEBHOOK_EVENT"] == "PUSH"
    assert environment["HOOKWRIGHT_WEBHOOK_HEAD_REF"] == "refs/heads/main"
    assert environment["HOOKWRIGHT_WEBHOOK_TRIGGER"] == "branch/main"
    assert environment["HOOKWRIGHT_PROJECT_NAME"] == "hello-project"
    assert len(environment["HOOKWRIGHT_SOURCE_VERSION"]) == 40
    assert job["metadata"]["annotations"]["hookwright.dev/started-by"] == "BuildTrigger/hello"
    await bare.until(lambda: (bare.trigger_status().get("lastDelivery") or {}).get("reason") == "BuildCreated")
    status = bare.trigger_status()
    assert status["lastDelivery"]["build"]["name"] == build["name"]
    assert status["lastTriggered"] >= status["lastDelivery"]["time"]


@pytest.mark.parametrize("provider", Provider)
async def test_unsigned_push_is_refused(bare: Running, provider):
    """What was signed with another secret is answered 401 and starts nothing."""
    response = await deliver(bare, await begin(bare, provider=provider), provider, secret="another")
    assert (response.status_code, response.json()["reason"], bare.jobs()) == (401, "NotAuthentic", [])
