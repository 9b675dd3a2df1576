"""The feed of receivers, and of all in chosen namespaces: the mirror holds what is there, and what may be seen."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from hookwright.app.feeds import NO_CRDS, InformerFeed
from hookwright.cluster import BUILDTRIGGERS, NAMESPACES, WEBHOOKS, informers
from hookwright.cluster.mirror import Mirror
from hookwright.errors import ClusterError
from hookwright.kinds import BuildTrigger, Webhook
from support.fakecluster import FakeCluster
from support.objects import raw_buildtrigger, raw_webhook
from support.waiting import eventually, running, settle

KINDS = {Webhook: WEBHOOKS, BuildTrigger: BUILDTRIGGERS}


def named(raw, name, namespace="default"):
    raw["metadata"] |= {"name": name, "namespace": namespace, "uid": f"uid-of-{namespace}-{name}"}
    return raw


def names(mirror):
    return {key.name for kind in KINDS for key in mirror.keys(kind.KIND)}


def make_cluster(*webhooks):
    cluster = FakeCluster()
    cluster.put(BUILDTRIGGERS, named(raw_buildtrigger(), "target"))
    for name in webhooks:
        cluster.put(WEBHOOKS, named(raw_webhook(), name))
    return cluster


async def test_mirror_is_filled_targets_first():
    """Once the feed says that it is filled all is known, and no Webhook was seen before its target."""
    cluster, mirror, seen = make_cluster("one", "two"), Mirror(), []
    mirror.subscribe(lambda change: seen.append(change.key.kind))
    feed = InformerFeed(cluster, mirror)
    async with running(feed.run()):
        assert await feed.filled()
        assert seen == ["BuildTrigger", "Webhook", "Webhook"]


async def test_what_comes_and_goes_while_the_feed_begins_is_seen():
    """What is made or deleted just when the first list or watch is asked for is known as it is then."""
    for verb in ("list", "watch"):
        cluster, mirror = make_cluster("there", "goes"), Mirror()

        def change(cluster=cluster):
            cluster.put(WEBHOOKS, named(raw_webhook(), "new"))
            cluster.drop(WEBHOOKS, "goes")

        cluster.interrupt(verb, WEBHOOKS, change)
        async with running(InformerFeed(cluster, mirror).run()):
            await eventually(lambda mirror=mirror: names(mirror) == {"target", "there", "new"})
            cluster.put(WEBHOOKS, named(raw_webhook(), "last"))
            await eventually(lambda mirror=mirror: names(mirror) == {"target", "there", "new", "last"})


async def test_changes_and_deletions_are_followed():
    """What changes or goes while the watch goes is seen."""
    cluster, mirror = make_cluster("changes", "goes"), Mirror()
    feed = InformerFeed(cluster, mirror)
    async with running(feed.run()):
        await feed.filled()
        changed = named(raw_webhook(), "changes")
        changed["spec"]["suspend"] = True
        cluster.put(WEBHOOKS, changed)
        await eventually(lambda: mirror.webhook("default", "changes").spec.suspend)
        cluster.drop(WEBHOOKS, "goes")
        await eventually(lambda: names(mirror) == {"target", "changes"})


# ── rights ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "remedy"), [(403, "allow list and watch on webhooks of hookwright.dev in a ClusterRole"), (404, NO_CRDS)]
)
async def test_right_that_is_missing_at_first_is_waited_for(monkeypatch, status, remedy):
    """Without the right, or the CRDs, the feed is not filled and says why; with them it is, without a new start."""
    monkeypatch.setattr(informers, "SHORTEST_REFUSED_SECONDS", 0.001)
    cluster, mirror = make_cluster("there"), Mirror()
    cluster.fail("list", WEBHOOKS, status=status, times=float("inf"))
    feed = InformerFeed(cluster, mirror)
    with capture_logs() as lines:
        async with running(feed.run()):
            await eventually(lambda: cluster.count("list", WEBHOOKS) > 3)
            assert not feed._filled.is_set()
            cluster.heal()
            await feed.filled()
            await eventually(lambda: len(cluster.watches.open) == 2)
    assert "there" in names(mirror)
    assert [remedy in line.get("remedy", "") for line in lines] == [True, False]
    assert lines[-1]["state"] == "followed again"


@pytest.fixture
def two(monkeypatch):
    """A cluster with a Webhook in each of two namespaces, and one in a third."""
    monkeypatch.setattr(informers, "SHORTEST_REFUSED_SECONDS", 0.001)
    monkeypatch.setattr(informers, "REFUSALS_PER_SECOND", 10_000)
    cluster = FakeCluster()
    for namespace in ("a", "b", "c"):
        cluster.put(NAMESPACES, {"metadata": {"name": namespace}})
        cluster.put(WEBHOOKS, named(raw_webhook(), f"in-{namespace}", namespace))
    return cluster


async def test_only_chosen_namespaces_are_asked_for(two):
    """In chosen namespaces nothing is listed or watched that is not in one of them."""
    mirror = Mirror()
    feed = InformerFeed(two, mirror, ["a", "b"])
    async with running(feed.run()):
        await feed.filled()
        await eventually(lambda: len(two.watches.open) == 4)
        two.put(WEBHOOKS, named(raw_webhook(), "new", "b"))
        two.put(WEBHOOKS, named(raw_webhook(), "new", "c"))
        await eventually(lambda: mirror.webhook("b", "new"))
        await settle()
    assert names(mirror) == {"in-a", "in-b", "new"}
    assert {call.namespace for call in two.calls} == {"a", "b"}


async def test_namespace_that_is_refused_keeps_no_other_out(two, monkeypatch):
    """A namespace without the right is left out until the right is there; what the others hold stays all the while."""
    mirror = Mirror()
    refused = True
    listed = two.list_pages

    def list_pages(resource, *, namespace=None, **more):
        if namespace == "b" and refused:
            two.fail("list", resource, status=403, message="no right in b")
        return listed(resource, namespace=namespace, **more)

    monkeypatch.setattr(two, "list_pages", list_pages)
    feed = InformerFeed(two, mirror, ["b", "a"])
    async with running(feed.run()):
        await feed.filled()
        assert names(mirror) == {"in-a"}
        assert [feed.hides("BuildTrigger", namespace) for namespace in "abc"] == [False, True, False]
        two.put(WEBHOOKS, named(raw_webhook(), "more", "a"))
        await eventually(lambda: names(mirror) == {"in-a", "more"})
        refused = False
        await eventually(lambda: names(mirror) == {"in-a", "more", "in-b"})
        await eventually(lambda: not feed.hides("BuildTrigger", "b"))


async def test_namespace_that_is_deleted_and_made_again_is_followed(two):
    """What a namespace held goes with it, what it holds when it is made again is seen, and others keep theirs."""
    mirror = Mirror()
    feed = InformerFeed(two, mirror, ["a", "b"])
    async with running(feed.run()):
        await feed.filled()
        two.drop(WEBHOOKS, "in-b", namespace="b")
        two.watches.end(ClusterError("forbidden", status=403))
        await eventually(lambda: names(mirror) == {"in-a"})
        two.put(WEBHOOKS, named(raw_webhook(), "again", "b"))
        await eventually(lambda: names(mirror) == {"in-a", "again"})
