"""Two ways to one build: said of the Webhook and of the BuildTrigger, and of neither where it is not so."""

from __future__ import annotations

import pytest
from reconcile_world import TRIGGER, Bench

from hookwright.cluster import WEBHOOKS
from hookwright.cluster.mirror import Key
from hookwright.reconcile.doubling import MAX_NAMED, doubles, warn_trigger
from hookwright.reconcile.wakeups import keys_to_look_at
from support.objects import NOON, make_buildtrigger, make_webhook

SOURCE = {"repository": "octo/hello", "branch": "main", "provider": "GitHub"}


@pytest.fixture
def bench():
    made = Bench()
    made.put_secret()
    return made


def doubling(bench):
    """Give the condition of the BuildTrigger, and the Kubernetes Events about it and the Webhook."""
    reasons = ("TargetOfWebhook", "TargetTakesDeliveries")
    return bench.conditions(TRIGGER).get("BuildsTwice"), [one for one in bench.events() if one[1] in reasons]


def woken(bench, act):
    """Give the keys that a change wakes."""
    bench.changes.clear()
    act()
    return {key for change in bench.changes for key in keys_to_look_at(change, bench.mirror)}


async def test_both_are_told_once(bench):
    """The Webhook gets one Kubernetes Event for each generation, the BuildTrigger a condition; both stay Ready."""
    bench.put_target(source=SOURCE)
    bench.put_webhook()
    await bench.look_until_still(TRIGGER)
    await bench.look_until_still()
    expected = [("Warning", "TargetOfWebhook"), ("Warning", "TargetTakesDeliveries")]
    assert doubling(bench) == (("True", "TargetOfWebhook"), expected)
    assert bench.conditions(TRIGGER)["Ready"] == ("True", "Startable")
    assert bench.conditions()["Ready"] == ("True", "Listening")
    bench.put_webhook(parameters=[{"name": "A", "value": "1"}])
    await bench.look_until_still()
    assert doubling(bench)[1] == [*expected, ("Warning", "TargetTakesDeliveries")]


async def test_condition_goes_with_its_cause(bench):
    """A Webhook that comes, is suspended or goes wakes the BuildTrigger, whose condition follows."""
    bench.put_target(source=SOURCE)
    await bench.look_until_still(TRIGGER)
    assert doubling(bench) == (None, [])
    assert TRIGGER in woken(bench, bench.put_webhook)
    await bench.look_until_still(TRIGGER)
    assert doubling(bench)[0] == ("True", "TargetOfWebhook")
    assert TRIGGER in woken(bench, lambda: bench.put_webhook(suspend=True))
    await bench.look_until_still(TRIGGER)
    assert doubling(bench)[0] is None
    assert TRIGGER in woken(bench, bench.put_webhook)
    assert TRIGGER in woken(bench, lambda: bench.cluster.drop(WEBHOOKS, "hello"))
    await bench.look_until_still(TRIGGER)
    assert doubling(bench)[0] is None


async def test_other_changes_of_a_webhook_wake_no_target(bench):
    """A BuildTrigger without a provider is not looked at for its Webhooks, nor any for what does not matter to it."""
    bench.put_target()
    assert TRIGGER not in woken(bench, bench.put_webhook)
    bench.put_target(source=SOURCE)
    assert TRIGGER not in woken(bench, lambda: bench.put_webhook(parameters=[{"name": "A", "value": "1"}]))


async def test_new_target_wakes_both(bench):
    """A Webhook that is pointed elsewhere wakes the BuildTrigger that it leaves, and the one that it comes to."""
    bench.put_target(source=SOURCE)
    other = {"name": "other", "uid": "another"}
    bench.put_target(source=SOURCE, metadata=other, projectName="other")
    bench.put_webhook()
    keys = woken(bench, lambda: bench.put_webhook(targetPipeline={"name": "other"}))
    assert {TRIGGER, Key("BuildTrigger", "default", "other")} <= keys


def test_many_webhooks_are_counted():
    """The message names a few Webhooks, however many there are."""
    webhooks = [make_webhook(metadata={"name": f"w{number}"}) for number in range(300)]
    (condition,) = warn_trigger(make_buildtrigger(source=SOURCE), webhooks, now=NOON)
    assert f"and {300 - MAX_NAMED} more" in condition.message
    assert len(condition.message) < 1000


def test_two_ways_that_are_open_at_once():
    """Two builds come only of a provider and a Webhook, neither of which is suspended."""
    assert doubles(make_webhook(), make_buildtrigger(source=SOURCE))
    assert not doubles(make_webhook(), make_buildtrigger())
    assert not doubles(make_webhook(), None)
    assert not doubles(make_webhook(suspend=True), make_buildtrigger(source=SOURCE))
    assert not doubles(make_webhook(), make_buildtrigger(source=SOURCE, suspend=True))
