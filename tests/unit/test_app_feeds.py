"""The receiver's feed: the mirror holds what is there, whatever happened between its first list and its watch."""

from __future__ import annotations

from hookwright.app.feeds import InformerFeed, fill
from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS
from hookwright.cluster.mirror import Mirror
from hookwright.kinds import BuildTrigger, Webhook
from support.fakecluster import FakeCluster
from support.objects import raw_buildtrigger, raw_webhook
from support.waiting import eventually, running

KINDS = {Webhook: WEBHOOKS, BuildTrigger: BUILDTRIGGERS}


def named(raw, name):
    raw["metadata"] |= {"name": name, "uid": f"uid-of-{name}"}
    return raw


def names(mirror):
    return {key.name for kind in KINDS for key in mirror.keys(kind.KIND)}


def make_cluster(*webhooks):
    cluster = FakeCluster()
    cluster.put(BUILDTRIGGERS, named(raw_buildtrigger(), "target"))
    for name in webhooks:
        cluster.put(WEBHOOKS, named(raw_webhook(), name))
    return cluster


async def test_what_went_before_the_watch_began_is_forgotten():
    """What a receiver listed at its start and what was deleted before its watch began has no URL any more."""
    cluster, mirror = make_cluster("stays", "goes"), Mirror()
    await fill(mirror, cluster)
    assert names(mirror) == {"target", "stays", "goes"}
    cluster.delete(WEBHOOKS, "goes")
    cluster.delete(BUILDTRIGGERS, "target")
    async with running(InformerFeed(cluster, mirror).run()):
        await eventually(lambda: names(mirror) == {"stays"})


async def test_what_comes_while_the_watch_begins_stays():
    """What is made just when a receiver's watch begins is known: to forget what went takes nothing else along."""
    for verb in ("list", "watch"):
        cluster, mirror = make_cluster("there"), Mirror()
        await fill(mirror, cluster)
        cluster.interrupt(verb, WEBHOOKS, lambda cluster=cluster: cluster.put(WEBHOOKS, named(raw_webhook(), "new")))
        async with running(InformerFeed(cluster, mirror).run()):
            await eventually(lambda mirror=mirror: "new" in names(mirror))
            cluster.put(WEBHOOKS, named(raw_webhook(), "last"))
            await eventually(lambda mirror=mirror: "last" in names(mirror))
            assert names(mirror) == {"target", "there", "new", "last"}


async def test_changes_and_deletions_are_followed():
    """What changes or goes while the watch goes is seen."""
    cluster, mirror = make_cluster("changes", "goes"), Mirror()
    await fill(mirror, cluster)
    async with running(InformerFeed(cluster, mirror).run()):
        changed = named(raw_webhook(), "changes")
        changed["spec"]["suspend"] = True
        cluster.put(WEBHOOKS, changed)
        await eventually(lambda: mirror.webhook("default", "changes").spec.suspend)
        cluster.delete(WEBHOOKS, "goes")
        await eventually(lambda: names(mirror) == {"target", "changes"})
