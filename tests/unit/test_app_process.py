"""The life of a process: what it insists on, what ends it, and what it says then."""

from __future__ import annotations

import asyncio

import pytest
from kubernetes.aio.client import Configuration
from structlog.testing import capture_logs

from hookwright.app import process
from hookwright.app.feeds import fill
from hookwright.app.process import REMEDY_FORBIDDEN, App, insist
from hookwright.app.readiness import Readiness
from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS
from hookwright.cluster.mirror import Mirror
from hookwright.errors import HookwrightError, UsageError
from hookwright.settings import Settings
from support.fakecluster import FakeCluster
from support.objects import raw_webhook
from support.waiting import eventually, patience


@pytest.fixture
def stop():
    return asyncio.Event()


@pytest.fixture
def cluster():
    made = FakeCluster()
    made.put(WEBHOOKS, raw_webhook())
    return made


async def test_list_that_took_too_long_is_begun_anew(cluster, stop):
    """An API server that has forgotten where a list began is asked again: that is no refusal."""
    cluster.fail("list", BUILDTRIGGERS, status=410, reason="Expired")
    mirror = Mirror()
    async with patience():
        assert await insist(lambda: fill(mirror, cluster), stop)
    assert mirror.webhook("default", "hello") is not None


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (403, {"error": "webhooks is forbidden", "remedy": REMEDY_FORBIDDEN}),
        (404, {"error": "the CRDs are not installed: kubectl apply -f crds/"}),
    ],
    ids=["right", "CRDs"],
)
async def test_what_must_be_mended_first_is_said_once_and_waited_for(cluster, stop, monkeypatch, status, told):
    """A right, or CRDs, that are missing at the start are said in one line, however long it takes until they come."""
    monkeypatch.setattr(process, "FIRST_WAIT_SECONDS", 0.001)
    cluster.fail("list", WEBHOOKS, status=status, message="webhooks is forbidden", times=5)
    mirror = Mirror()
    with capture_logs() as lines:
        async with patience():
            assert await insist(lambda: fill(mirror, cluster), stop)
    assert lines == [{"event": "waiting", "log_level": "warning", **told}]
    assert cluster.count("list", WEBHOOKS) == 6
    assert mirror.webhook("default", "hello") is not None


async def test_wait_is_no_longer_than_it_may_be(cluster, stop, monkeypatch):
    """What was refused very often is asked for as soon as before: the pauses do not grow beyond their bound."""
    monkeypatch.setattr(process, "FIRST_WAIT_SECONDS", 0.001)
    cluster.fail("list", WEBHOOKS, status=403, times=40)
    async with patience():
        assert await insist(lambda: fill(Mirror(), cluster), stop, longest=0.002)


async def test_stop_does_not_wait_for_an_api_server_that_hangs(cluster, stop):
    """SIGTERM ends a process that is still at its first list, although nobody answers."""
    cluster.gate = asyncio.Event()
    asking = asyncio.create_task(insist(lambda: fill(Mirror(), cluster), stop))
    await eventually(lambda: cluster.count("list", BUILDTRIGGERS) == 1)
    stop.set()
    async with patience():
        assert await asking is None


async def live(*parts, stop):
    app = App(settings=Settings(), configuration=Configuration())
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        async with patience():
            await app._live(tasks, None, Readiness(), stop=stop, ready=lambda: None)
    finally:
        for task in tasks:
            task.cancel()


async def test_part_that_ends_by_itself_ends_the_process(stop):
    """A process of which a part is over, even without an error, does not live on half, nor end as if all were well."""
    with pytest.raises(HookwrightError):
        await live(asyncio.sleep(0), asyncio.Event().wait(), stop=stop)


async def test_part_that_fails_ends_the_process_with_its_error(stop):
    """What ended a part is what the process ends with."""

    async def fail():
        raise UsageError("no room")

    with pytest.raises(UsageError, match="no room"):
        await live(fail(), asyncio.Event().wait(), stop=stop)


async def test_stop_ends_the_process(stop):
    """SIGTERM ends a process whose parts all go on."""
    stop.set()
    await live(asyncio.Event().wait(), stop=stop)
