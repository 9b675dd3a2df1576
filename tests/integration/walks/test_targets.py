"""A target: missing, late, removed between answer and start, invalid."""

from __future__ import annotations

from pathlib import Path

from support.running import Running, make_buildtrigger, make_push, make_secret, make_webhook, run_hookwright

TARGET = ("buildtriggers.hookwright.dev", "default", "hello")


async def remove_target(running: Running) -> None:
    """Delete BuildTrigger hello as kubectl does."""
    path = "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers/hello"
    response = await running.client.delete(running.cluster.url + path)
    assert response.status_code == 200


async def test_missing_target_is_waited_for(bare: Running):
    """A delivery for a target that is missing is answered 202 pending, and starts once the target has come."""
    bare.apply(make_secret(), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "TargetNotFound"))
    assert bare.status()["errorCode"] == "PipelineNotFoundException"
    response = await bare.push(bare.status()["url"])
    assert (response.status_code, response.json()["outcome"]) == (202, "pending")
    await bare.until(lambda: bare.last() == ("pending", "TargetMissing"))
    assert bare.jobs() == []
    bare.apply(make_buildtrigger())
    await bare.until(lambda: bare.last() == ("started", "BuildCreated"))
    assert [job["metadata"]["name"] for job in bare.jobs()] == [response.json()["builds"][0]["name"]]
    await bare.until_ready()


async def test_filter_that_needs_the_target_is_decided_later(bare: Running):
    """A filter with a value of the missing target is decided once the target has come."""
    bare.apply(make_secret(), make_webhook())
    url = await bare.until(lambda: bare.status().get("url"))
    wrong = await bare.push(url, make_push("refs/heads/other"), delivery="wrong")
    right = await bare.push(url, make_push("refs/heads/main"), delivery="right")
    assert (wrong.status_code, right.status_code) == (202, 202)
    bare.apply(make_buildtrigger())
    await bare.until(bare.jobs)
    await bare.until(lambda: bare.last() in {("started", "BuildCreated"), ("ignored", "FilteredOut")})
    again = await bare.push(url, make_push("refs/heads/other"), delivery="wrong")
    assert again.json()["reason"] == "FilteredOut"
    assert [job["metadata"]["name"] for job in bare.jobs()] == [right.json()["builds"][0]["name"]]


async def test_filter_that_needs_nothing_of_the_target_is_decided_at_once(bare: Running):
    """With the value in actionConfiguration, a delivery that does not match is ignored although there is no target."""
    bare.apply(make_secret(), make_webhook(actionConfiguration={"Branch": "main"}))
    url = await bare.until(lambda: bare.status().get("url"))
    assert (await bare.push(url, make_push("refs/heads/other"))).json()["reason"] == "FilteredOut"


async def test_target_that_stays_missing_fails_the_delivery(tmp_path: Path):
    """After the set time the delivery has failed, status says so in a condition, and a redelivery works later."""
    async with run_hookwright(tmp_path, target_patience=0) as running:
        running.apply(make_secret(), make_webhook())
        url = await running.until(lambda: running.status().get("url"))
        assert (await running.push(url, delivery="early")).status_code == 202
        await running.until(lambda: running.last() == ("failed", "TargetStayedMissing"))
        await running.until(
            lambda: "LastDeliveryFailed" in [condition["type"] for condition in running.status()["conditions"]]
        )
        running.apply(make_buildtrigger())
        await running.until_ready()
        assert (await running.push(url, delivery="early")).status_code == 202
        await running.until(lambda: running.last() == ("started", "BuildCreated"))
        await running.until(
            lambda: "LastDeliveryFailed" not in [condition["type"] for condition in running.status()["conditions"]]
        )


async def test_target_removed_between_answer_and_start(running: Running):
    """A target that is removed before the start is waited for, like one that is missing, and starts when it is back."""
    fault = running.cluster.answer(
        method="POST",
        path=r"/apis/batch/v1/namespaces/default/jobs",
        status=503,
        reason="ServiceUnavailable",
        times=None,
    )
    response = await running.push(running.status()["url"])
    assert response.status_code == 202
    await running.until(lambda: running.last() == ("pending", "StartDelayed"))
    await remove_target(running)
    await running.until(lambda: running.last() == ("pending", "TargetMissing"))
    fault.remove()
    assert running.jobs() == []
    running.apply(make_buildtrigger())
    await running.until(lambda: running.last() == ("started", "BuildCreated"))


async def test_invalid_template_is_said_before_anything_is_delivered(bare: Running):
    """A template that the API server refuses stands in the BuildTrigger's status, and its Webhook is not ready."""
    template = {"spec": {"template": {"spec": {"containers": [{"name": "build", "image": "busybox"}]}}}}
    bare.apply(make_secret(), make_buildtrigger(build={"jobTemplate": template}), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "TargetNotReady"))
    trigger = bare.cluster.get(*TARGET)
    assert trigger["status"]["errorCode"] == "InvalidInputException"
    assert "restartPolicy" in trigger["status"]["errorMessage"]
    assert {c["type"]: c["status"] for c in trigger["status"]["conditions"]} == {"Ready": "False", "Stalled": "True"}
    assert bare.jobs() == []
    await bare.push(bare.status()["url"])
    await bare.until(lambda: bare.last() == ("failed", "BuildInvalid"))
    bare.apply(make_buildtrigger())
    await bare.until_ready()
