"""Reconciling a Webhook: one patch when something is to be said, none when not, and healing by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from reconcile_world import ROOT_KEY, TRIGGER, WEBHOOK, Bench

from hookwright.cluster import BUILDTRIGGERS, EVENTS, SECRETS, WEBHOOKS
from hookwright.errors import ClusterError
from hookwright.intake.routes import make_url
from hookwright.reconcile.wakeups import keys_to_look_at
from hookwright.reconcile.webhook import HEALING_SECONDS
from hookwright.reconcile.work import NEVER, Again
from support.objects import WEBHOOK_UID, raw_webhook

HOUR = timedelta(hours=1)


@pytest.fixture
def bench():
    return Bench()


async def test_first_look_writes_one_patch_and_one_event(bench):
    """A right Webhook gets URL, ARN and Ready in one patch, and one Kubernetes Event; the next look writes nothing."""
    bench.put_all()
    await bench.look()
    assert bench.writes() == (1, 1)
    assert bench.status()["url"] == make_url("https://hooks.example.com", [ROOT_KEY], WEBHOOK_UID)
    assert bench.status()["arn"] == "arn:hookwright:webhooks:test:default:webhook:hello"
    assert bench.status()["observedGeneration"] == 1
    assert bench.conditions() == {"Ready": ("True", "Listening")}
    assert bench.events() == [("Normal", "Listening")]
    await bench.look()
    bench.now += HOUR
    await bench.look()
    assert bench.writes() == (1, 1)


async def test_patch_is_of_the_status_subresource(bench):
    """The operator never writes into a spec."""
    bench.put_all()
    await bench.look()
    (call,) = bench.cluster.made("patch", WEBHOOKS)
    assert (call.subresource, set(call.body)) == ("status", {"metadata", "status"})
    # Only the UID: a patch that is meant for this object never lands on another of its name.
    assert call.body["metadata"] == {"uid": WEBHOOK_UID}


async def test_arn_has_the_name_as_at_aws(bench):
    """The ARN-like ID ends with spec.name where there is one."""
    bench.put_all(name="Hello@AWS")
    await bench.look()
    assert bench.status()["arn"].endswith(":webhook:Hello@AWS")


async def test_edit_keeps_the_url(bench):
    """A change of the spec changes nothing of the URL; a re-created object gets another one."""
    bench.put_all()
    await bench.look()
    url = bench.status()["url"]
    bench.put_webhook(suspend=True)
    await bench.look_until_still()
    assert (bench.status()["url"], bench.status()["observedGeneration"]) == (url, 2)
    bench.cluster.drop(WEBHOOKS, "hello")
    bench.put_webhook(metadata={"uid": "another"})
    await bench.look_until_still()
    assert bench.status()["url"] != url


async def test_suspended_webhook_says_so(bench):
    """A suspended Webhook is Ready, for the reason that it is suspended, and the turn is announced."""
    bench.put_all()
    await bench.look()
    bench.put_webhook(suspend=True)
    await bench.look_until_still()
    assert bench.conditions() == {"Ready": ("True", "Suspended")}
    assert bench.events() == [("Normal", "Listening"), ("Normal", "Suspended")]


@pytest.mark.parametrize(
    ("break_", "mend", "reason", "seconds"),
    [
        (
            lambda b: b.cluster.drop(SECRETS, "hello-webhook"),
            lambda b: b.put_secret(),
            "SecretNotFound",
            10,
        ),
        (lambda b: b.put_secret(value=None), lambda b: b.put_secret(), "SecretKeyMissing", 10),
        (lambda b: b.put_secret(value=b""), lambda b: b.put_secret(), "SecretEmpty", 10),
        (
            lambda b: b.cluster.drop(BUILDTRIGGERS, "hello"),
            lambda b: b.put_target(metadata={"uid": "another"}),
            "TargetNotFound",
            300,
        ),
    ],
)
async def test_what_is_missing_heals_when_it_comes(bench, break_, mend, reason, seconds):
    """A Secret or target that is missing is waited for, looked for again, and its coming heals the status."""
    bench.put_all()
    break_(bench)
    again = await bench.look_until_still()
    assert again.seconds == seconds
    assert bench.conditions() == {"Ready": ("False", reason), "Reconciling": ("True", reason)}
    assert bench.status()["errorCode"]
    assert bench.status()["url"]
    mend(bench)
    bench.now += timedelta(seconds=seconds)
    await bench.look_until_still()
    assert bench.conditions() == {"Ready": ("True", "Listening")}
    assert "errorCode" not in bench.status()
    assert "errorMessage" not in bench.status()
    assert bench.events() == [("Warning", reason), ("Normal", "Listening")]


async def test_invalid_spec_is_stalled_and_not_looked_at_again(bench):
    """What the author must mend is said once, and nothing is tried until the object changes."""
    bench.put_all(filters=[{"jsonPath": "$["}], authentication="UNAUTHENTICATED", authenticationConfiguration={})
    assert await bench.look_until_still() == NEVER
    assert bench.conditions() == {"Ready": ("False", "InvalidSpec"), "Stalled": ("True", "InvalidSpec")}
    assert bench.status()["errorCode"] == "InvalidWebhookFilterPatternException"
    assert bench.status()["errorMessage"].startswith("spec.filters[0].jsonPath: ")
    assert bench.events() == [("Warning", "InvalidSpec")]


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": "all"},
        {"authenticationConfiguration": 5},
        {"filters": "all", "status": {"conditions": [{"type": "Ready"}], "url": 5}},
    ],
)
async def test_object_of_another_shape_does_not_loop(bench, changes):
    """A Webhook that cannot be read gets a status all the same, once, and is not written to again and again."""
    bench.put_webhook(**changes)
    assert await bench.look_until_still() == NEVER
    bench.now += HOUR
    bench.cluster.show()
    await bench.look()
    assert bench.writes() == (1, 1)
    assert bench.conditions()["Stalled"] == ("True", "InvalidSpec")


async def test_target_that_was_not_looked_at_is_waited_for(bench):
    """Nothing is said of a right Webhook before its target was judged, so that status does not flap."""
    bench.put_secret()
    bench.put_target(status={})
    bench.put_webhook()
    await bench.look()
    assert bench.writes() == (0, 0)


async def test_sick_target_is_said_with_its_error(bench):
    """A target that cannot make a build makes its Webhooks wait for it, with the target's own words."""
    bench.put_all()
    bench.put_target(status={"observedGeneration": 1, "errorCode": "InvalidInputException", "errorMessage": "no image"})
    await bench.look_until_still()
    assert bench.conditions()["Reconciling"] == ("True", "TargetNotReady")
    assert "no image" in bench.status()["errorMessage"]


async def test_failed_delivery_is_said_and_goes_with_the_next_one(bench):
    """A delivery that failed is a condition, announced, until a later one did not."""
    bench.put_all()
    await bench.look()
    last = {"id": "d", "time": "2026-05-01T12:00:00Z", "outcome": "failed", "reason": "BuildForbidden", "message": "no"}
    for outcome, there in (("failed", True), ("started", False)):
        patch = {"status": {"lastDelivery": last | {"outcome": outcome}}}
        await bench.cluster.patch(WEBHOOKS, patch, namespace="default", name="hello", subresource="status")
        bench.cluster.show()
        await bench.look_until_still()
        assert ("LastDeliveryFailed" in bench.conditions()) is there
    assert bench.events() == [("Normal", "Listening"), ("Warning", "BuildForbidden")]


async def test_what_receivers_wrote_stays(bench):
    """The operator's patches leave lastDelivery and lastTriggered as they are."""
    theirs = {
        "lastTriggered": "2026-05-01T11:00:00Z",
        "lastDelivery": {"id": "d", "time": "2026-05-01T11:00:00Z", "outcome": "x", "reason": "y", "message": "z"},
    }
    bench.put_all(status=theirs)
    await bench.look()
    assert {name: bench.status()[name] for name in theirs} == theirs


async def test_inline_secret_is_warned_about_once(bench):
    """A secret in the spec works, and its author is told once that others can read it, without the secret."""
    bench.put_target()
    bench.put_webhook(authenticationConfiguration={"secretToken": "hush"})
    assert await bench.look_until_still() == NEVER
    assert bench.events() == [("Normal", "Listening"), ("Warning", "InlineSecret")]
    assert "hush" not in str(bench.cluster.all(EVENTS))
    assert "hush" not in str(bench.status())


async def test_object_that_is_going_is_left_alone(bench):
    """A Webhook that is being deleted, or is gone, gets no status."""
    bench.put_all(metadata={"deletionTimestamp": "2026-05-01T12:00:00Z"})
    assert await bench.look() == NEVER
    bench.cluster.drop(WEBHOOKS, "hello")
    assert await bench.look() == NEVER
    assert bench.writes() == (0, 0)


async def test_object_that_goes_while_it_is_looked_at_is_no_error(bench):
    """A 404 on the patch means that nothing is left to say."""
    bench.put_all()
    bench.cluster.interrupt("patch", WEBHOOKS, lambda: bench.cluster.drop(WEBHOOKS, "hello"))
    await bench.look()
    assert bench.events() == []


@pytest.mark.parametrize("status", [0, 403, 409, 500])
async def test_refused_patch_is_tried_again_by_the_queue(bench, status):
    """Any other refusal of the patch is an error for the queue, and nothing is announced that was not written."""
    bench.put_all()
    bench.cluster.fail("patch", WEBHOOKS, status=status)
    with pytest.raises(ClusterError):
        await bench.look()
    assert bench.events() == []
    await bench.look()
    assert bench.events() == [("Normal", "Listening")]


async def test_event_that_cannot_be_written_is_forgotten(bench):
    """Without the right to write Kubernetes Events the status is right all the same."""
    bench.put_all()
    bench.cluster.fail("create", EVENTS, status=403, times=99)
    await bench.look_until_still()
    assert bench.conditions()["Ready"] == ("True", "Listening")


async def test_unknown_secret_state_is_looked_at_again_soon(bench):
    """While the API server does not say whether the Secret is there, it is asked again after 10 s."""
    bench.put_all()
    bench.cluster.fail("get", SECRETS, status=503)
    assert (await bench.look()).seconds == 10


# ── what a write of our own leads to ──────────────────────────────────────────────────────────────────────────────────


def woken(bench):
    """Give the keys that the changes so far have woken, and forget the changes."""
    keys = [key for change in bench.changes for key in keys_to_look_at(change, bench.mirror)]
    bench.changes.clear()
    return keys


async def test_own_write_wakes_nobody(bench):
    """The change that a look makes itself, and its echo from the watch, cause no further look."""
    bench.put_all()
    bench.changes.clear()
    await bench.look()
    bench.cluster.show()
    assert woken(bench) == []


async def test_edit_between_reading_and_writing_is_not_lost(bench):
    """A spec that was edited while its status was written is looked at again, although the watch comes too late."""
    bench.put_all()
    bench.cluster.mirrors.clear()  # the watch is slow
    bench.cluster.interrupt("patch", WEBHOOKS, lambda: bench.put_webhook(suspend=True))
    bench.changes.clear()
    await bench.look()
    assert bench.status()["observedGeneration"] == 1
    assert woken(bench) == [WEBHOOK]
    await bench.look_until_still()
    assert bench.conditions() == {"Ready": ("True", "Suspended")}
    assert bench.status()["observedGeneration"] == 2


async def test_failure_between_reading_and_writing_is_not_lost(bench):
    """A delivery that failed while the status was written is looked at again."""
    bench.put_all()
    last = {"id": "d", "time": "2026-05-01T12:00:00Z", "outcome": "failed", "reason": "BuildForbidden", "message": "no"}

    def fail():
        bench.cluster.put(WEBHOOKS, raw_webhook(status={"lastDelivery": last}))

    bench.cluster.mirrors.clear()
    bench.cluster.interrupt("patch", WEBHOOKS, fail)
    bench.changes.clear()
    await bench.look()
    assert woken(bench) == [WEBHOOK, TRIGGER]


async def test_target_wakes_its_webhooks_by_its_status(bench):
    """What the operator finds of a target is news for the Webhooks of it."""
    bench.put_secret()
    bench.put_target(status={})
    bench.put_webhook()
    bench.changes.clear()
    await bench.look(TRIGGER)
    assert woken(bench) == [WEBHOOK]
    await bench.look()
    assert bench.conditions() == {"Ready": ("True", "Listening")}


async def test_foreign_hand_between_reading_and_writing_is_not_lost(bench):
    """What somebody else wrote into our members while we wrote others is looked at, and put right."""
    bench.put_all()
    await bench.look()
    url = bench.status()["url"]
    bench.put_webhook(suspend=True)
    bench.cluster.mirrors.clear()  # the watch is slow

    def forge():
        found = bench.cluster.find(WEBHOOKS, "hello")
        bench.cluster.put(WEBHOOKS, {**found, "status": {**found["status"], "url": "https://elsewhere.example.com"}})

    bench.cluster.interrupt("patch", WEBHOOKS, forge)
    bench.changes.clear()
    await bench.look()
    assert woken(bench) == [WEBHOOK]
    await bench.look()
    assert bench.status()["url"] == url


# ── what nobody tells of ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_heals_is_looked_at_again_without_a_secret(bench):
    """The right to see CronJobs may come without anything else happening: it is noticed all the same."""
    visible = False
    bench.world = replace(bench.world, cronjobs_known=lambda _: visible)
    bench.put_webhook(
        authentication="UNAUTHENTICATED",
        authenticationConfiguration={},
        targetPipeline={"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"},
    )
    assert await bench.look_until_still() == Again(HEALING_SECONDS)
    assert bench.conditions()["Reconciling"] == ("True", "TargetForbidden")
    visible = True
    await bench.look()
    assert bench.conditions()["Reconciling"] == ("True", "TargetNotFound")


async def test_inline_secret_of_an_edit_is_warned_about(bench):
    """Who puts a secret into a Webhook that was there before hears of it too."""
    bench.put_all()
    await bench.look()
    bench.put_webhook(authenticationConfiguration={"secretToken": "hush"})
    await bench.look_until_still()
    assert bench.events() == [("Normal", "Listening"), ("Warning", "InlineSecret")]
