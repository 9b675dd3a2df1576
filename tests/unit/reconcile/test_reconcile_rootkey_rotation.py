"""Rotating the root key: whoever makes URLs of a new key waits until whoever must know them has looked."""

from __future__ import annotations

import asyncio
import base64

import pytest
from structlog.testing import capture_logs

from hookwright.cluster import SECRETS
from hookwright.reconcile import rootkey
from hookwright.reconcile.rootkey import KEY, NAME, RootKeys
from support.fakecluster import FakeCluster
from support.waiting import eventually, running

NAMESPACE = "hookwright-system"
OLD, NEW, NEWER = b"o" * 32, b"n" * 32, b"r" * 32
OFTEN = 0.01


def put_keys(cluster, *keys):
    text = b"\n".join(base64.b64encode(key) for key in keys)
    metadata = {"name": NAME, "namespace": NAMESPACE}
    data = {KEY: base64.b64encode(text).decode()}
    cluster.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setattr(rootkey, "FOLLOW_SECONDS", OFTEN)
    cluster = FakeCluster()
    put_keys(cluster, OLD)
    return cluster


def looks(cluster):
    return cluster.count("get", SECRETS)


async def test_new_key_is_taken_and_told(cluster):
    """A key that was put before the others is known without a restart, and who depends on it is told, once."""
    keys, told = RootKeys([OLD]), []
    keys.subscribe(lambda: told.append(keys.keys))
    async with running(keys.follow(cluster, NAMESPACE)):
        put_keys(cluster, NEW, OLD)
        await eventually(lambda: told)
        before = looks(cluster)
        await eventually(lambda: looks(cluster) > before + 2)
    assert told == [(NEW, OLD)]


async def test_who_makes_urls_waits_for_who_must_know_them(cluster):
    """With a time to ripen, a new key is not used before that has passed: others look several times meanwhile."""
    ripened = asyncio.Event()

    async def ripen(seconds):
        if seconds != OFTEN:
            await ripened.wait()
        await asyncio.sleep(OFTEN)

    maker, knower = RootKeys([OLD]), RootKeys([OLD])
    async with (
        running(maker.follow(cluster, NAMESPACE, ripen=30.0, sleep=ripen)),
        running(knower.follow(cluster, NAMESPACE)),
    ):
        put_keys(cluster, NEW, OLD)
        await eventually(lambda: knower.keys == (NEW, OLD))
        before = looks(cluster)
        await eventually(lambda: looks(cluster) > before + 5)
        assert maker.keys == (OLD,)
        ripened.set()
        await eventually(lambda: maker.keys == (NEW, OLD))


async def test_key_that_was_changed_again_ripens_again(cluster):
    """A key that was replaced while it ripened is never used: nobody else may know it."""
    keys, told, waits = RootKeys([OLD]), [], []
    keys.subscribe(lambda: told.append(keys.keys))

    async def ripen(seconds):
        if seconds != OFTEN:
            waits.append(seconds)
            if len(waits) == 1:
                put_keys(cluster, NEWER, OLD)
        await asyncio.sleep(OFTEN)

    async with running(keys.follow(cluster, NAMESPACE, ripen=30.0, sleep=ripen)):
        put_keys(cluster, NEW, OLD)
        await eventually(lambda: told)
    assert (told, waits) == ([(NEWER, OLD)], [30.0, 30.0])


@pytest.mark.parametrize("what", ["gone", "broken", "away"])
async def test_secret_that_cannot_be_used_changes_nothing(cluster, what):
    """While the Secret is gone, broken or cannot be read, the known keys stay; once it is mended it is followed."""
    keys = RootKeys([OLD])
    if what == "gone":
        cluster.drop(SECRETS, NAME, namespace=NAMESPACE)
    elif what == "broken":
        put_keys(cluster, b"short")
    else:
        cluster.fail("get", SECRETS, status=503, times=3)
    async with running(keys.follow(cluster, NAMESPACE)):
        await eventually(lambda: looks(cluster) > 3)
        assert keys.keys == (OLD,)
        put_keys(cluster, NEW, OLD)
        await eventually(lambda: keys.keys == (NEW, OLD))


@pytest.mark.parametrize(("after", "level"), [((NEW, OLD), "info"), ((NEW,), "warning")])
async def test_loss_of_all_known_keys_is_a_warning(cluster, after, level):
    """Keys of which one was known before are a rotation; where none was, all URLs are dead, and it says what helps."""
    keys = RootKeys([OLD])
    with capture_logs() as lines:
        async with running(keys.follow(cluster, NAMESPACE)):
            put_keys(cluster, *after)
            await eventually(lambda: lines)
    assert [(line["log_level"], "remedy" in line) for line in lines] == [(level, level == "warning")]


def test_urls_are_published_after_all_receivers_have_looked():
    """The time to ripen leaves each receiver several looks, and all is done within a minute."""
    assert rootkey.RIPEN_SECONDS >= 2 * rootkey.FOLLOW_SECONDS
    assert 2 * rootkey.FOLLOW_SECONDS + rootkey.RIPEN_SECONDS <= 60


async def test_secret_that_cannot_be_used_is_shown_until_it_can(cluster):
    """A Secret that is gone, broken or forbidden is not usable; that the API server is away says nothing of it."""
    keys = RootKeys([OLD])
    async with running(keys.follow(cluster, NAMESPACE)):
        for broken in (
            lambda: cluster.objects.pop(("secrets", NAMESPACE, NAME)),
            lambda: put_keys(cluster, b"short"),
            lambda: cluster.fail("get", SECRETS, status=403, reason="Forbidden", times=3),
        ):
            broken()
            await eventually(lambda: not keys.usable)
            put_keys(cluster, OLD)
            await eventually(lambda: keys.usable)
        cluster.fail("get", SECRETS, status=503, times=3)
        before = looks(cluster)
        await eventually(lambda: looks(cluster) > before + 2)
        assert keys.usable
