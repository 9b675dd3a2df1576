"""What receivers write into status: forward only, newest news only, one patch for many deliveries."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hookwright.builds import status
from hookwright.builds.status import CLOCKS_DIFFER, HIDDEN_AFTER, News, StatusWriter, describe_delivery
from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS
from hookwright.cluster.mirror import Mirror
from hookwright.kinds import BuildReference, Webhook
from support.fakecluster import FakeCluster, merge_patch
from support.objects import NOON, TRIGGER_UID, WEBHOOK_UID, make_invalid, make_webhook, raw_buildtrigger, raw_webhook
from support.waiting import eventually, running, settle

SECOND = timedelta(seconds=1)
LATER = NOON + timedelta(hours=1)  # than all that is told
BUILD = BuildReference(api_version="batch/v1", kind="Job", name="hello-x")


def delivery(*, at=NOON, delivery_id="d", outcome="ignored", reason="FilteredOut", message="no", **more):
    return describe_delivery(delivery_id=delivery_id, time=at, outcome=outcome, reason=reason, message=message, **more)


def news(*, kind="Webhook", uid=WEBHOOK_UID, name="hello", triggered=None, **of_delivery):
    last = delivery(**of_delivery) if of_delivery else None
    return News(kind=kind, namespace="default", name=name, uid=uid, last_delivery=last, last_triggered=triggered)


def make_patch(piece, webhook, *, now=LATER):
    return status.make_patch(piece, webhook, now=now)


def merge(before, after, *, now=LATER):
    return status.merge(before, after, now=now)


def make_status_writer(cluster, mirror, **more):
    return StatusWriter(cluster, mirror, clock=lambda: LATER, **more)


def patched(webhook, *pieces, now=LATER):
    """Give the Webhook whose status the API server has after the patches for some news, one after the other."""
    for piece in pieces:
        raw = merge_patch(webhook.to_raw(), {"status": make_patch(piece, webhook, now=now)})
        webhook = Webhook.model_validate(raw)
    return webhook


# ── one patch ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_first_news_is_written():
    """A Webhook without news gets id, time, outcome, reason, message and build, and lastTriggered."""
    patch = make_patch(news(outcome="started", build=BUILD, triggered=NOON), make_webhook())
    assert patch["lastTriggered"] == "2026-05-01T12:00:00Z"
    assert patch["lastDelivery"] == {
        "id": "d",
        "time": "2026-05-01T12:00:00Z",
        "outcome": "started",
        "reason": "FilteredOut",
        "message": "no",
        "build": {"apiVersion": "batch/v1", "kind": "Job", "name": "hello-x"},
    }


def test_known_news_is_no_patch():
    """What status says already is not written again, whatever fractions of seconds it had."""
    piece = news(outcome="started", build=BUILD, triggered=NOON + SECOND / 3, at=NOON + SECOND / 2)
    assert make_patch(piece, patched(make_webhook(), piece)) == {}


def test_older_delivery_does_not_replace_a_newer_one():
    """LastDelivery goes forward only."""
    webhook = patched(make_webhook(), news(delivery_id="new", at=NOON + SECOND))
    assert make_patch(news(delivery_id="old", at=NOON), webhook) == {}


def test_later_news_of_the_same_second_counts():
    """Of two deliveries with one time, or two pieces of news of one delivery, the later told is shown."""
    webhook = patched(make_webhook(), news(outcome="pending", at=NOON), news(outcome="started", at=NOON))
    assert webhook.status.last_delivery.outcome == "started"


def test_last_triggered_goes_forward_only():
    """An older start, told late, does not move lastTriggered back."""
    webhook = patched(make_webhook(), news(triggered=NOON))
    assert make_patch(news(triggered=NOON - SECOND), webhook) == {}
    assert make_patch(news(triggered=NOON + SECOND), webhook) == {"lastTriggered": "2026-05-01T12:00:01Z"}


def test_build_of_an_older_delivery_goes():
    """A delivery without a build leaves none of the delivery before it, although a merge patch keeps what it can."""
    webhook = patched(make_webhook(), news(build=BUILD), news(at=NOON + SECOND, delivery_id="next"))
    assert (webhook.status.last_delivery.id, webhook.status.last_delivery.build) == ("next", None)


def test_other_members_of_status_are_not_touched():
    """Receivers write two members, and nothing that is the operator's."""
    webhook = make_webhook(status={"url": "http://x", "errorCode": "E"})
    assert set(make_patch(news(triggered=NOON, outcome="started"), webhook)) == {"lastDelivery", "lastTriggered"}


def test_object_of_another_shape_gets_its_news():
    """A Webhook that cannot be read still has it said what became of a delivery to it."""
    invalid = make_invalid(Webhook, raw_webhook(filters="all"))
    assert set(make_patch(news(outcome="refused"), invalid)) == {"lastDelivery"}


def test_long_texts_are_cut_to_the_schema():
    """Id and message fit their bounds, so that the API server never refuses them."""
    last = delivery(delivery_id="d" * 1000, message="m" * 5000)
    assert (len(last.id), len(last.message)) == (256, 1024)


# ── several pieces ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"delivery_id": "a"}, {"delivery_id": "b", "at": NOON + SECOND}, "b"),
        ({"delivery_id": "a", "at": NOON + SECOND}, {"delivery_id": "b"}, "a"),
        ({"delivery_id": "a"}, {"delivery_id": "b"}, "b"),
        ({"delivery_id": "a"}, {}, "a"),
        ({}, {"delivery_id": "b"}, "b"),
    ],
)
def test_merged_news_has_the_newest_delivery(before, after, expected):
    """Of two deliveries the newer remains, of two with the same time the one that was told later."""
    assert merge(news(**before), news(**after)).last_delivery.id == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (NOON, NOON + SECOND, NOON + SECOND),
        (NOON + SECOND, NOON, NOON + SECOND),
        (NOON, None, NOON),
        (None, NOON, NOON),
        (None, None, None),
    ],
)
def test_merged_news_has_the_newest_start(before, after, expected):
    """Of two starts the newer remains, and none is lost by news without one."""
    assert merge(news(triggered=before), news(triggered=after)).last_triggered == expected


# ── a clock that was set back ─────────────────────────────────────────────────────────────────────────────────────────

HOUR = timedelta(hours=1)
BEFORE = {"delivery_id": "before", "at": NOON, "triggered": NOON, "outcome": "failed"}
AFTER = {"delivery_id": "after", "at": NOON - HOUR, "triggered": NOON - HOUR}
NOW = NOON - HOUR + SECOND


def test_clock_that_was_set_back_hides_nothing():
    """What happens after it is shown, although it seems to be older than what is there."""
    webhook = patched(make_webhook(), news(**BEFORE), now=NOON)
    webhook = patched(webhook, news(**AFTER), now=NOW)
    assert webhook.status.last_delivery.id == "after"
    assert webhook.status.last_triggered == NOON - HOUR


def test_news_of_before_the_step_moves_nothing():
    """What a journal remembers of a future that is over is not written over what came after it."""
    webhook = patched(make_webhook(), news(**AFTER), now=NOW)
    assert make_patch(news(**BEFORE), webhook, now=NOW) == {}


def test_news_from_around_the_step_is_merged_in_its_order():
    """News that waits across the step makes room for what came after it."""
    merged = merge(news(**BEFORE), news(**AFTER), now=NOW)
    assert (merged.last_delivery.id, merged.last_triggered) == ("after", NOON - HOUR)


def test_clocks_that_differ_a_little_are_no_step():
    """What another receiver's clock, a little ahead of ours, has written is not in the future: forward only holds."""
    ahead = NOON + CLOCKS_DIFFER
    webhook = patched(make_webhook(), news(delivery_id="ahead", at=ahead, triggered=ahead), now=NOON)
    assert make_patch(news(delivery_id="ours", at=NOON, triggered=NOON), webhook, now=NOON) == {}


# ── the writer ────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_writer(*raws):
    cluster, mirror = FakeCluster(), Mirror()
    for raw in raws or (raw_webhook(),):
        cluster.put(WEBHOOKS, raw)
    cluster.feed(mirror)
    return cluster, make_status_writer(cluster, mirror)


def status_of(cluster, name="hello"):
    return cluster.find(WEBHOOKS, name).get("status", {})


async def test_burst_costs_one_patch():
    """A thousand deliveries to one Webhook are one patch, of the newest."""
    cluster, writer = make_writer()
    for second in range(1000):
        writer.tell(news(delivery_id=f"d{second}", at=NOON + second * SECOND))
    await writer.flush()
    assert cluster.count("patch", WEBHOOKS) == 1
    assert status_of(cluster)["lastDelivery"]["id"] == "d999"


async def test_patch_is_of_the_status_subresource():
    """A receiver cannot change a spec by mistake: it writes to /status."""
    cluster, writer = make_writer()
    writer.tell(news(outcome="started"))
    await writer.flush()
    (call,) = cluster.made("patch", WEBHOOKS)
    assert (call.subresource, set(call.body)) == ("status", {"metadata", "status"})
    # A patch that is meant for this object never lands on another of its name, nor on a newer state.
    assert set(call.body["metadata"]) == {"uid", "resourceVersion"}


async def test_recreated_object_gets_no_news_of_its_predecessor():
    """A Webhook of the same name and another UID had nothing to do with the delivery."""
    cluster, writer = make_writer()
    writer.tell(news(uid="uid of the one before", outcome="started", triggered=NOON))
    writer.tell(news(uid="another", name="never-was", outcome="started"))
    await writer.flush()
    assert cluster.count("patch", WEBHOOKS) == 0


async def test_news_survives_an_absent_api_server():
    """What the API server does not take now is written later, with what has come meanwhile."""
    cluster, writer = make_writer()
    cluster.fail("patch", WEBHOOKS, status=503)
    writer.tell(news(delivery_id="a", triggered=NOON))
    await writer.flush()
    writer.tell(news(delivery_id="b", at=NOON + SECOND))
    await writer.flush()
    found = status_of(cluster)
    assert (found["lastDelivery"]["id"], found["lastTriggered"]) == ("b", "2026-05-01T12:00:00Z")


async def test_news_that_came_while_writing_is_not_overwritten():
    """News that arrives while a patch fails is newer than what is put back, also if it has the same time."""
    cluster, writer = make_writer()
    cluster.fail("patch", WEBHOOKS, status=0)
    cluster.interrupt("patch", WEBHOOKS, lambda: writer.tell(news(delivery_id="b")))
    writer.tell(news(delivery_id="a"))
    await writer.flush()
    await writer.flush()
    assert status_of(cluster)["lastDelivery"]["id"] == "b"


async def test_refused_news_is_dropped():
    """News that the API server refuses for good is not tried for ever."""
    cluster, writer = make_writer()
    cluster.fail("patch", WEBHOOKS, status=403, reason="Forbidden", message="no right", times=9)
    writer.tell(news(outcome="started"))
    await writer.flush()
    await writer.flush()
    assert cluster.count("patch", WEBHOOKS) == 1
    assert writer.dropped == 1


async def test_object_that_goes_meanwhile_is_no_error():
    """A Webhook that is deleted before its news is written needs none."""
    cluster, writer = make_writer()
    cluster.interrupt("patch", WEBHOOKS, lambda: cluster.objects.pop(("webhooks", "default", "hello")))
    writer.tell(news(outcome="started"))
    await writer.flush()
    await writer.flush()
    assert cluster.count("patch", WEBHOOKS) == 1


async def test_what_waits_is_bounded(monkeypatch):
    """Of more objects than are kept waiting the oldest news is dropped; news of a known one takes no more room."""
    monkeypatch.setattr(status, "MAX_WAITING", 2)
    raws = [raw_webhook(metadata={"name": name, "uid": name}) for name in "abc"]
    cluster, writer = make_writer(*raws)
    for name in ("a", "b", "b", "c"):
        writer.tell(news(uid=name, name=name, outcome="started"))
    await writer.flush()
    assert [bool(status_of(cluster, name)) for name in "abc"] == [False, True, True]
    assert writer.dropped == 1


async def test_running_writer_writes_what_it_is_told():
    """Told anything at any time, the running writer writes it, and sleeps between its rounds."""
    cluster, mirror = FakeCluster(), Mirror()
    cluster.put(WEBHOOKS, raw_webhook())
    cluster.feed(mirror)
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        await asyncio.sleep(0)

    writer = make_status_writer(cluster, mirror, sleep=sleep)
    async with running(writer.run()):
        writer.tell(news(delivery_id="a"))
        await eventually(lambda: status_of(cluster).get("lastDelivery", {}).get("id") == "a")
        writer.tell(news(delivery_id="b", at=NOON + SECOND))
        await eventually(lambda: status_of(cluster)["lastDelivery"]["id"] == "b")
    assert set(slept) == {status.FLUSH_SECONDS}


# ── what anybody may have sent ────────────────────────────────────────────────────────────────────────────────────────

FORGED = {"outcome": "refused", "reason": "SignatureMismatch"}
LATE = HIDDEN_AFTER + SECOND


@pytest.mark.parametrize(
    ("found", "came", "after", "replaced"),
    [
        (None, FORGED, SECOND, True),
        (FORGED, FORGED, SECOND, True),
        ({"outcome": "failed"}, FORGED, LATE, False),
        ({"outcome": "pending"}, FORGED, LATE, False),
        ({"outcome": "started"}, FORGED, SECOND, False),
        ({"outcome": "started"}, FORGED, LATE, True),
        ({"outcome": "ignored"}, FORGED, SECOND, False),
        ({"outcome": "refused", "reason": "JournalUnwritable"}, FORGED, SECOND, False),
        ({"outcome": "started"}, {"outcome": "refused", "reason": "JournalUnwritable"}, SECOND, True),
        ({"outcome": "failed"}, {"outcome": "ignored"}, SECOND, True),
        (FORGED, {"outcome": "started"}, SECOND, True),
        (FORGED, {"outcome": "started"}, -SECOND, True),
        (FORGED, {"outcome": "started"}, -LATE, False),
        (FORGED, {"outcome": "failed"}, -LATE, True),
        (FORGED, {"outcome": "pending"}, -LATE, True),
    ],
)
def test_what_takes_no_proof_stands_back(found, came, after, replaced):
    """What anybody can send hides no failure, nothing under way, and what was proved only after a while."""
    before = [] if found is None else [news(delivery_id="found", **found)]
    came_later = news(delivery_id="came", at=NOON + after, **came)
    assert patched(make_webhook(), *before, came_later).status.last_delivery.id == ("came" if replaced else "found")
    if before:
        assert merge(*before, came_later).last_delivery.id == ("came" if replaced else "found")


OUTCOMES = st.sampled_from([FORGED, {"outcome": "failed"}, {"outcome": "pending"}, {"outcome": "started"}])


@given(OUTCOMES, OUTCOMES, st.integers(-200, 200))
def test_order_of_telling_does_not_matter(one, other, seconds):
    """Of two deliveries of different times the same one remains, whichever is told first and however it is written."""
    assume(seconds)
    first, second = news(delivery_id="1", **one), news(delivery_id="2", at=NOON + seconds * SECOND, **other)
    left = {
        merge(first, second).last_delivery.id,
        merge(second, first).last_delivery.id,
        patched(make_webhook(), first, second).status.last_delivery.id,
        patched(make_webhook(), second, first).status.last_delivery.id,
    }
    assert len(left) == 1


async def test_flood_of_forgeries_hides_no_failure():
    """A failure is written although forged deliveries come before and after it in the same second and the next ones."""
    cluster, mirror = FakeCluster(), Mirror()
    cluster.put(WEBHOOKS, raw_webhook())
    writer = make_status_writer(cluster, mirror)
    for second in range(5):
        cluster.feed(mirror)
        writer.tell(news(delivery_id="forged", at=NOON + second * SECOND, **FORGED))
        if second == 3:
            writer.tell(news(delivery_id="real", outcome="failed", reason="BuildForbidden"))
            writer.tell(news(delivery_id="forged", at=NOON + LATE, **FORGED))
        await writer.flush()
    assert status_of(cluster)["lastDelivery"]["id"] == "real"


async def test_forgeries_are_shown_where_nothing_else_comes():
    """Who has set another secret at the sender sees in status that deliveries are refused, and why."""
    cluster, writer = make_writer()
    writer.tell(news(delivery_id="good", outcome="started"))
    await writer.flush()
    writer.tell(news(delivery_id="refused", at=NOON + LATE, **FORGED))
    await writer.flush()
    assert status_of(cluster)["lastDelivery"]["reason"] == "SignatureMismatch"


# ── several receivers ─────────────────────────────────────────────────────────────────────────────────────────────────


def make_second(cluster):
    """Give another receiver's writer, whose watch is slow: it has seen the Webhook as it is now, and sees no more."""
    mirror = Mirror()
    mirror.put(Webhook, cluster.find(WEBHOOKS, "hello"))
    return make_status_writer(cluster, mirror), mirror


async def test_receiver_that_knows_less_moves_nothing_back():
    """What another receiver wrote meanwhile is not overwritten by older news, however slow a watch is."""
    cluster, writer = make_writer()
    slow, mirror = make_second(cluster)
    writer.tell(news(delivery_id="new", at=NOON + 5 * SECOND, triggered=NOON + 5 * SECOND))
    await writer.flush()
    newest = dict(status_of(cluster))
    slow.tell(news(delivery_id="old", triggered=NOON))
    await slow.flush()
    assert status_of(cluster) == newest
    mirror.put(Webhook, cluster.find(WEBHOOKS, "hello"))
    slow.tell(news(delivery_id="newer", at=NOON + 9 * SECOND))
    await slow.flush()
    assert status_of(cluster)["lastDelivery"]["id"] == "newer"
    assert status_of(cluster)["lastTriggered"] == newest["lastTriggered"]


async def test_own_writes_need_no_watch():
    """A receiver whose watch is slow goes on writing what it alone writes."""
    cluster, _ = make_writer()
    slow, _ = make_second(cluster)
    for number in range(3):
        slow.tell(news(delivery_id=f"d{number}", at=NOON + number * SECOND))
        await slow.flush()
        assert status_of(cluster)["lastDelivery"]["id"] == f"d{number}"


async def test_end_waits_for_what_is_being_written():
    """Before a process ends, a patch that is under way is waited for, and what came after it is written."""
    cluster, writer = make_writer()
    cluster.gate = asyncio.Event()
    async with running(writer.run()):
        writer.tell(news(delivery_id="a"))
        await eventually(lambda: cluster.count("patch", WEBHOOKS) == 1)
        ending = asyncio.create_task(writer.finish())
        await settle()
        assert not ending.done()
        writer.tell(news(delivery_id="b", at=NOON + SECOND))
        cluster.gate.set()
        await ending
    assert status_of(cluster)["lastDelivery"]["id"] == "b"


async def test_end_tries_again_what_was_refused_for_being_old():
    """News that collides with another receiver's at the very end is written with what that one wrote."""
    cluster, writer = make_writer()
    pauses = []
    slow, mirror = make_second(cluster)

    async def sleep(seconds):
        pauses.append(seconds)
        mirror.put(Webhook, cluster.find(WEBHOOKS, "hello"))

    slow._sleep = sleep
    writer.tell(news(delivery_id="a"))
    await writer.flush()
    slow.tell(news(delivery_id="b", at=NOON + SECOND))
    await slow.finish()
    assert (status_of(cluster)["lastDelivery"]["id"], len(pauses)) == ("b", 1)
    cluster.fail("patch", WEBHOOKS, status=503, times=99)
    slow.tell(news(delivery_id="c", at=NOON + 2 * SECOND))
    await slow.finish()
    assert len(pauses) == 1 + status.FAREWELLS


async def test_news_of_a_buildtrigger_lands_on_it():
    """What became of a delivery to a BuildTrigger is written into its own status, not that of a Webhook of its name."""
    cluster, writer = make_writer()
    cluster.put(BUILDTRIGGERS, raw_buildtrigger())
    writer.tell(news(kind="BuildTrigger", uid=TRIGGER_UID, outcome="started", triggered=NOON))
    await writer.flush()
    found = cluster.find(BUILDTRIGGERS, "hello")["status"]
    assert (found["lastDelivery"]["id"], found["lastTriggered"]) == ("d", "2026-05-01T12:00:00Z")
    assert status_of(cluster) == {}


@pytest.mark.parametrize("reason", ["TooManyChanges", "PayloadTooComplex", "BodyUnreadable"])
def test_refusal_of_a_proved_sender_is_told_at_once(reason):
    """What the sender has proved to have sent takes the place of what is there, as any delivery does."""
    webhook = patched(make_webhook(), news(outcome="ignored", at=NOON))
    refused = news(outcome="refused", reason=reason, at=NOON + SECOND, delivery_id="refused")
    assert make_patch(refused, webhook)["lastDelivery"]["id"] == "refused"


@pytest.mark.parametrize("outcomes", [("failed", "started"), ("started", "failed"), ("failed", "pending")])
def test_build_that_failed_is_not_hidden_by_its_siblings(outcomes):
    """Of several builds of one delivery one that failed is shown, whichever ends first; later ones replace it."""
    told = [news(outcome=outcome, reason=outcome, one_of_several=True) for outcome in outcomes]
    assert patched(make_webhook(), *told).status.last_delivery.outcome == "failed"
    assert merge(*told).last_delivery.outcome == "failed"
    later = news(outcome="started", at=NOON + SECOND, one_of_several=True)
    assert patched(make_webhook(), *told, later).status.last_delivery.outcome == "started"


def test_build_that_is_alone_replaces_its_failure():
    """A delivery that was sent again within a second, once its failure was mended, is shown as it is now."""
    webhook = patched(make_webhook(), news(outcome="failed"), news(outcome="started"))
    assert webhook.status.last_delivery.outcome == "started"
