"""Following builds: by a watch of the Jobs with our label, through everything that can happen to a watch."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from hookwright.builds.follow import PAGE_SIZE, SELECTOR, Following
from hookwright.builds.index import BuildIndex
from hookwright.cluster import JOBS
from hookwright.errors import ClusterError
from support.fakecluster import FakeCluster
from support.jobs import raw_job
from support.objects import NOON, TRIGGER_UID
from support.waiting import eventually, running, settle


class Bench:
    def __init__(self, *, namespaces=(), limit=100):
        self.cluster = FakeCluster()
        self.steps = []
        self.listed = []
        self.following = Following(
            self.cluster, namespaces=namespaces, clock=lambda: NOON, index=BuildIndex(limit=limit)
        )
        self.following.subscribe(stepped=self.steps.append, listed=self.listed.append)

    def put(self, **changes):
        self.cluster.put(JOBS, raw_job(**changes))

    def run(self):
        return running(self.following.informers.run())

    def seen(self):
        return [(step.now.name, step.now.phase.value) for step in self.steps]

    @property
    def is_watched(self):
        return bool(self.cluster.watches.open)


@pytest.fixture
async def bench():
    return Bench()


async def test_what_is_there_and_what_happens(bench):
    """Builds that are there are told, then each change of one."""
    bench.put(name="a", phase="Succeeded")
    async with bench.run():
        await eventually(lambda: bench.is_watched)
        bench.put(name="b", phase="Pending")
        bench.put(name="b", phase="Running")
        bench.cluster.drop(JOBS, "b")
        await eventually(lambda: len(bench.steps) == 4)
    assert bench.seen() == [("a", "Succeeded"), ("b", "Pending"), ("b", "Running"), ("b", "Canceled")]


async def test_only_our_jobs_are_asked_for(bench):
    """Jobs of others are not even sent to us; of ours a page holds few, since each comes whole."""
    bench.put(name="other", metadata={"labels": {}})
    async with bench.run():
        await eventually(lambda: bench.is_watched)
    (listed,), (watched,) = bench.cluster.made("list", JOBS), bench.cluster.made("watch", JOBS)
    assert (listed.selector, watched.selector) == (SELECTOR, SELECTOR)
    assert bench.steps == []
    assert PAGE_SIZE <= 100


async def test_knowing_begins_with_the_list(bench):
    """Before the list came nothing is known; while a watch goes, what is not known is not there."""
    assert not bench.following.knows("default")
    async with bench.run():
        await eventually(lambda: bench.is_watched)
        await settle()
        assert bench.following.knows("default")
        assert bench.following.is_sure("default")
        assert bench.listed == [None]


async def test_broken_watch_leaves_doubt(bench):
    """While the watch is broken it may be that something has gone; what went meanwhile is told by the next list."""
    bench.put(name="a")
    async with bench.run():
        await eventually(lambda: bench.is_watched)
        bench.cluster.fail("list", JOBS, status=503, times=1)
        bench.cluster.watches.end(ClusterError("broken", status=0))
        await eventually(lambda: not bench.is_watched)
        bench.cluster.drop(JOBS, "a")
        await settle()
        assert bench.following.knows("default")
        assert not bench.following.is_sure("default")
        await eventually(lambda: bench.seen()[-1:] == [("a", "Canceled")])
        await eventually(lambda: bench.following.is_sure("default"))
    assert bench.listed == [None, None]


async def test_version_that_is_too_old(bench):
    """After a 410 a list says what was missed: what ended, what came and what went."""
    bench.put(name="a")
    bench.put(name="b")
    async with bench.run():
        await eventually(lambda: bench.is_watched)
        bench.cluster.expire()
        bench.cluster.watches.end(ClusterError("too old", status=410, reason="Expired"))
        bench.cluster.drop(JOBS, "a")
        bench.put(name="b", phase="Failed")
        bench.put(name="c", phase="Pending")
        await eventually(lambda: len(bench.steps) == 5)
    assert sorted(bench.seen()[2:]) == [("a", "Canceled"), ("b", "Failed"), ("c", "Pending")]


async def test_missing_right_is_said_once(bench):
    """Without the right to list Jobs nothing is known; which right it is, is said once in the log."""
    bench.cluster.fail("list", JOBS, status=403, message="jobs.batch is forbidden", times=9)
    with capture_logs() as lines:
        async with bench.run():
            await eventually(lambda: bench.cluster.count("list", JOBS) == 1)
            await settle()
    assert not bench.following.knows("default")
    (line,) = [line for line in lines if line["event"] == "informer"]
    assert line["remedy"] == "if they are to be watched, allow list and watch on jobs of batch in a ClusterRole"


async def test_namespaces_are_followed_apart():
    """In chosen namespaces each is followed by itself, and one without the right keeps no other from being known."""
    bench = Bench(namespaces=("a", "b"))
    bench.cluster.fail("list", JOBS, status=403, message="forbidden", times=1)
    bench.put(name="in-b", namespace="b")
    async with bench.run():
        await eventually(lambda: bench.is_watched)
        await settle()
        assert not bench.following.knows("a")
        assert bench.following.is_sure("b")
        assert not bench.following.knows("c")
    assert (bench.seen(), bench.listed) == ([("in-b", "Running")], ["b"])


async def test_more_than_are_kept_is_said_once():
    """Beyond the bound builds are passed over, which is said once, and then nobody is sure what is not there."""
    bench = Bench(limit=2)
    for name in "abcd":
        bench.put(name=name)
    with capture_logs() as lines:
        async with bench.run():
            await eventually(lambda: bench.is_watched)
            await settle()
            assert not bench.following.is_sure("default")
    assert len(bench.following.index.of("default", TRIGGER_UID)) == 2
    (line,) = [line for line in lines if line["event"] == "builds"]
    assert "HistoryLimit" in line["remedy"]
