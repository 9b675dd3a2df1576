"""Informers of several namespaces: each says for itself what it may see, and none has to wait for all others."""

from __future__ import annotations

import math

import pytest

from hookwright.cluster import CRONJOBS
from hookwright.cluster.informer import Informer
from hookwright.cluster.informers import Informers, space_refusals
from support.fakecluster import FakeCluster
from support.waiting import eventually, running


@pytest.fixture
def cluster():
    return FakeCluster()


def follow(cluster, *namespaces):
    return Informers(
        lambda namespace: Informer(
            cluster, CRONJOBS, seen=lambda event, raw: None, namespace=namespace, clock=lambda: 7.0
        ),
        namespaces,
    )


async def test_one_follows_all_namespaces(cluster):
    """Where none is chosen, one informer answers for every namespace."""
    informers = follow(cluster)
    async with running(informers.run()):
        await informers.synced()
        await eventually(lambda: len(cluster.watches.open) == 1)
        assert [informers.available(name) for name in ("a", "b")] == [True, True]
        assert informers.as_of(9.0, "a") == 9.0
    assert {call.namespace for call in cluster.calls} == {None}


async def test_each_namespace_answers_for_itself(cluster):
    """Of chosen namespaces each has an informer of its own; of others nothing is known."""
    cluster.fail("list", CRONJOBS, status=403)
    informers = follow(cluster, "a", "b")
    async with running(informers.run()):
        await informers.synced()
        await eventually(lambda: len(cluster.watches.open) == 1)
        assert [informers.available(name) for name in ("a", "b", "c")] == [False, True, False]
        assert [informers.as_of(9.0, name) for name in ("a", "b", "c")] == [-math.inf, 9.0, -math.inf]
    assert [call.namespace for call in cluster.calls] == ["a", "b", "b"]


async def test_synced_waits_while_all_are_refused(cluster):
    """As long as nothing may be seen anywhere nothing is ready, though every answer is there."""
    cluster.fail("list", CRONJOBS, status=403, times=2)
    informers = follow(cluster, "a", "b")
    async with running(informers.run()):
        await informers.settled()
        async with running(informers.synced()) as synced:
            await eventually(lambda: cluster.count("list", CRONJOBS) == 2)
            assert not synced.done()


def test_refusals_are_spread_over_many_namespaces():
    """A right is asked for again within seconds, and of the most namespaces together not more than 4 times a second."""
    assert space_refusals(()) == space_refusals(["a"] * 20) == 5.0
    assert space_refusals(["a"] * 100) == 25.0
