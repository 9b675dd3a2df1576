"""Kubernetes Events: what `kubectl describe` shows of a change."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from hookwright.cluster import EVENTS
from hookwright.reconcile.announcer import Announcer
from support.fakecluster import FakeCluster
from support.objects import NOON, WEBHOOK_UID, make_webhook


async def announce(cluster, *, message="all is well", warning=False, **metadata):
    announcer = Announcer(cluster, lambda: NOON)
    obj = make_webhook(metadata=metadata).metadata
    await announcer.announce("Webhook", obj, reason="Listening", message=message, warning=warning)


@pytest.mark.parametrize(("warning", "kind"), [(False, "Normal"), (True, "Warning")])
async def test_event_is_about_its_object(warning, kind):
    """An event names object, UID, reason, message and time, in the object's namespace."""
    cluster = FakeCluster()
    await announce(cluster, warning=warning)
    (event,) = cluster.all(EVENTS)
    assert (event["type"], event["reason"], event["message"]) == (kind, "Listening", "all is well")
    involved = event["involvedObject"]
    assert (involved["kind"], involved["name"], involved["uid"]) == ("Webhook", "hello", WEBHOOK_UID)
    assert (event["metadata"]["namespace"], event["firstTimestamp"]) == ("default", "2026-05-01T12:00:00Z")
    assert event["metadata"]["name"].startswith("hello.")


async def test_long_message_is_cut():
    """A message has at most the 1024 characters that Kubernetes allows, and shows that it was cut."""
    cluster = FakeCluster()
    await announce(cluster, message="m" * 5000)
    (event,) = cluster.all(EVENTS)
    assert (len(event["message"]), event["message"][-1]) == (1024, "…")


async def test_long_name_leaves_room_for_what_is_generated():
    """The name of an event about an object of 253 characters is still a name."""
    cluster = FakeCluster()
    await announce(cluster, name="n" * 253)
    (event,) = cluster.all(EVENTS)
    assert len(event["metadata"]["name"]) <= 253


@pytest.mark.parametrize("status", [0, 403, 404, 500])
async def test_event_that_cannot_be_written_raises_nothing(status):
    """A Kubernetes Event is a courtesy: without it the work goes on."""
    cluster = FakeCluster()
    cluster.fail("create", EVENTS, status=status)
    await announce(cluster)
    assert cluster.all(EVENTS) == []


ENDS = 'events "hello." is forbidden: unable to create new content in namespace default because it is being terminated'


@pytest.mark.parametrize(("message", "lines"), [(ENDS, 0), ("events is forbidden", 1)])
async def test_event_in_a_namespace_that_ends_is_no_warning(message, lines):
    """Nobody has to mend anything for it: it is not logged; what a right is missing for is."""
    cluster = FakeCluster()
    cluster.fail("create", EVENTS, status=403, reason="Forbidden", message=message)
    with capture_logs() as logged:
        await announce(cluster)
    assert len(logged) == lines
