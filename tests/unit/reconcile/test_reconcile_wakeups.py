"""Which objects are looked at because of a change: those that it may matter to, and no others."""

from __future__ import annotations

import pytest

from hookwright.cluster.mirror import Change, Key, Mirror
from hookwright.kinds import BuildTrigger, CronJob, Webhook
from hookwright.reconcile.wakeups import changes_builds, find_refuted, keys_to_look_at
from support.objects import make_buildtrigger, make_invalid, make_webhook, raw_buildtrigger, raw_webhook

WEBHOOK = Key("Webhook", "default", "hello")
TRIGGER = Key("BuildTrigger", "default", "hello")


def delivery(outcome="ignored", **members):
    last = {"id": "d", "time": "2026-05-01T12:00:00Z", "outcome": outcome, "reason": "R", "message": "m"} | members
    return {"lastDelivery": last}


def woken(before, found, *, key=WEBHOOK, ours=False, mirror=None):
    return keys_to_look_at(Change(key=key, before=before, found=found, ours=ours), mirror or Mirror())


@pytest.mark.parametrize(
    "found",
    [
        make_webhook(metadata={"generation": 2}),
        make_webhook(metadata={"uid": "another"}),
        make_webhook(metadata={"annotations": {"hookwright.dev/a": "b"}}),
        make_webhook(metadata={"deletionTimestamp": "2026-05-01T12:00:00Z"}),
        make_webhook(status={"url": "http://forged"}),
        make_webhook(status={"errorCode": "x"}),
        make_webhook(status=delivery("failed")),
        make_invalid(Webhook, raw_webhook(filters="all", metadata={"generation": 2})),
        None,
    ],
)
def test_change_that_matters_wakes_its_object(found):
    """An edit, an annotation, a deletion, a foreign hand in status and a failed delivery are looked at."""
    assert woken(make_webhook(), found) == [WEBHOOK]
    assert woken(found, make_webhook()) == [WEBHOOK]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ({}, delivery()),
        (delivery(), delivery("started", id="e", time="2026-05-01T12:00:01Z")),
        (delivery(), {"lastTriggered": "2026-05-01T12:00:01Z"}),
        (delivery("failed"), delivery("failed", id="e", time="2026-05-01T12:00:01Z")),
        ({}, {}),
    ],
)
def test_traffic_wakes_nobody(before, found):
    """What deliveries write into status costs no look, unless one failed in a new way."""
    metadata = {"resourceVersion": "2"}
    assert woken(make_webhook(status=before), make_webhook(status=found, metadata=metadata)) == []
    odd_before, odd_found = (make_invalid(Webhook, raw_webhook(filters="all", status=s)) for s in (before, found))
    assert woken(odd_before, odd_found) == []


@pytest.mark.parametrize(
    ("before", "found"),
    [
        (delivery(), delivery("failed")),
        (delivery("failed"), delivery("started")),
        (delivery("failed"), delivery("failed", reason="Other")),
        (delivery("failed"), delivery("failed", message="other")),
    ],
)
def test_failure_wakes(before, found):
    """A delivery that failed, failed otherwise, or no longer did, is looked at for the condition that says so."""
    assert woken(make_webhook(status=before), make_webhook(status=found)) == [WEBHOOK]


def test_own_status_wakes_nobody():
    """The status that we have just written is known."""
    assert woken(make_webhook(), make_webhook(status={"url": "http://x", "observedGeneration": 1}), ours=True) == []
    before, found = (make_invalid(Webhook, raw_webhook(filters="all", status=s)) for s in ({}, {"url": "http://x"}))
    assert woken(before, found, ours=True) == []


@pytest.mark.parametrize(
    "found",
    [
        make_webhook(metadata={"generation": 2}),
        make_webhook(metadata={"uid": "another"}),
        make_webhook(status=delivery("failed")),
        make_invalid(Webhook, raw_webhook(filters="all", metadata={"generation": 2})),
    ],
)
def test_what_came_with_our_own_write_wakes(found):
    """What others changed between our reading and our writing comes back with the answer, and is looked at."""
    assert woken(make_webhook(), found, ours=True) == [WEBHOOK]


@pytest.mark.parametrize("ours", [False, True])
def test_target_wakes_its_webhooks(ours):
    """A target that comes, changes or goes wakes all Webhooks of it, whoever wrote it."""
    mirror = Mirror()
    for name in "ba":
        mirror.put(Webhook, raw_webhook(metadata={"name": name, "uid": name}))
    mirror.put(Webhook, raw_webhook(metadata={"name": "c", "uid": "c"}, targetPipeline={"name": "elsewhere"}))
    webhooks = [Key("Webhook", "default", name) for name in "ab"]
    target = make_buildtrigger()
    assert woken(None, target, key=TRIGGER, mirror=mirror) == [TRIGGER, *webhooks]
    assert woken(target, None, key=TRIGGER, mirror=mirror) == [TRIGGER, *webhooks]
    judged = make_buildtrigger(status={"observedGeneration": 1})
    assert [key for key in woken(target, judged, key=TRIGGER, mirror=mirror, ours=ours) if key != TRIGGER] == webhooks


def test_own_status_of_a_target_does_not_wake_the_target():
    """A BuildTrigger is not looked at for what was just written of it; for a foreign hand it is."""
    before = make_buildtrigger()
    judged = make_buildtrigger(status={"observedGeneration": 1})
    assert woken(before, judged, key=TRIGGER, ours=True) == []
    assert woken(before, judged, key=TRIGGER) == [TRIGGER]
    edited = make_buildtrigger(status={"observedGeneration": 1}, metadata={"generation": 2})
    assert woken(before, edited, key=TRIGGER, ours=True) == [TRIGGER]
    invalid = make_invalid(BuildTrigger, raw_buildtrigger(projectName="", metadata={"generation": 2}))
    assert woken(before, invalid, key=TRIGGER, ours=True) == [TRIGGER]


def test_traffic_of_a_target_wakes_nobody():
    """What deliveries and builds write into a BuildTrigger's status is nothing to it, nor to its Webhooks."""
    mirror = Mirror()
    mirror.put(Webhook, raw_webhook())
    before, found = make_buildtrigger(status=delivery()), make_buildtrigger(status=delivery("started", id="e"))
    assert woken(before, found, key=TRIGGER, mirror=mirror) == []
    forged = {"payloadUrl": "https://forged.example.com"}
    assert woken(before, make_buildtrigger(status=delivery() | forged), key=TRIGGER, mirror=mirror) == [TRIGGER]
    failed = make_buildtrigger(status=delivery("failed"))
    assert woken(before, failed, key=TRIGGER, mirror=mirror) == [TRIGGER]


def test_status_of_a_cronjob_wakes_nobody():
    """A CronJob that starts a Job of its own is no news for its Webhooks; one whose template changed is."""
    mirror = Mirror()
    mirror.put(Webhook, raw_webhook(targetPipeline={"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"}))
    key = Key("CronJob", "default", "nightly")

    def cronjob(version, **metadata):
        known = {"name": "nightly", "namespace": "default", "uid": "u", "resourceVersion": version, "generation": 1}
        return CronJob.model_validate({"metadata": known | metadata, "spec": {"jobTemplate": {"spec": {}}}})

    assert woken(cronjob("1"), cronjob("2"), key=key, mirror=mirror) == []
    for changed in ({"generation": 2}, {"uid": "v"}, {"annotations": {"config.hookwright.dev/A": "b"}}):
        assert woken(cronjob("1"), cronjob("2", **changed), key=key, mirror=mirror) == [WEBHOOK]


def test_builds_wake_nobody_at_once():
    """How builds stand is nothing to Webhooks, and has time for the BuildTrigger itself: it may be our own hand."""
    mirror = Mirror()
    mirror.put(Webhook, raw_webhook())
    state = {"kind": "Job", "name": "b-1", "phase": "Running"}
    before = make_buildtrigger()
    for members in ({"lastBuild": state}, {"active": [state]}):
        found = make_buildtrigger(status=members)
        assert woken(before, found, key=TRIGGER, mirror=mirror) == []
        assert changes_builds(Change(key=TRIGGER, before=before, found=found))
        assert not changes_builds(Change(key=TRIGGER, before=before, found=found, ours=True))
        assert not changes_builds(Change(key=TRIGGER, before=found, found=found))


@pytest.mark.parametrize("reason", ["BuildForbidden", "ImpersonationForbidden", "BuildInvalid"])
def test_start_that_was_refused_refutes_the_trial(reason):
    """What a start was refused for says more of the target than its trial did; once it is told."""
    failed = make_webhook(status=delivery("failed", reason=reason))
    assert find_refuted(Change(key=WEBHOOK, before=make_webhook(), found=failed)) == TRIGGER
    assert find_refuted(Change(key=WEBHOOK, before=failed, found=failed)) is None


def test_other_failures_refute_no_trial():
    """A secret that cannot be used, or a target that stays missing, says nothing of the target's template."""
    failed = make_webhook(status=delivery("failed", reason="TargetStayedMissing"))
    assert find_refuted(Change(key=WEBHOOK, before=make_webhook(), found=failed)) is None
