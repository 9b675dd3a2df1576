"""A Webhook whose target takes deliveries itself: one push starts two builds, and both objects warn of it."""

from __future__ import annotations

from support.running import Running, make_push, make_secret, make_webhook
from support.triggers import begin, deliver


def warnings(running: Running) -> list[tuple[str, str]]:
    """Give kind and reason of the Kubernetes Events that warn of two builds."""
    found = running.cluster.list("events", "default")
    told = ("TargetTakesDeliveries", "TargetOfWebhook")
    return sorted((event["involvedObject"]["kind"], event["reason"]) for event in found if event["reason"] in told)


def doubling(running: Running) -> list[str]:
    """Give the reasons of the BuildTrigger's condition."""
    conditions = running.trigger_status().get("conditions", [])
    return [condition["reason"] for condition in conditions if condition["type"] == "BuildsTwice"]


async def test_push_to_both_builds_twice_and_both_say_so(bare: Running):
    """What the warning says is true, keeps neither from its work, and is gone once one of the two is suspended."""
    url = await begin(bare)
    assert doubling(bare) == []
    webhook = make_webhook(filters=[])
    bare.apply(make_secret(), webhook)
    hook = await bare.until_ready()
    await bare.until(lambda: doubling(bare) == ["TargetOfWebhook"])
    both = [("BuildTrigger", "TargetOfWebhook"), ("Webhook", "TargetTakesDeliveries")]
    await bare.until(lambda: warnings(bare) == both)
    assert (await deliver(bare, url)).status_code == 202
    assert (await bare.push(hook, make_push(), delivery="d-1")).status_code == 202
    await bare.until(lambda: len(bare.jobs()) == 2)
    bare.apply({**webhook, "spec": {**webhook["spec"], "suspend": True}})
    await bare.until(lambda: doubling(bare) == [])
    assert warnings(bare) == both
