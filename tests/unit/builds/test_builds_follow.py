"""Following builds: by a watch of the Jobs with our label, through everything that can happen to a watch."""

from __future__ import annotations

import math

import pytest
from structlog.testing import capture_logs

from hookwright.builds.follow import OLDER_SELECTOR, PAGE_SIZE, SELECTOR, Following
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
        self.strays = self.following.strays
        self.strays.again_seconds = 0.0
        self.following.subscribe(stepped=self.steps.append, listed=self.listed.append)

    def put(self, **changes):
        self.cluster.put(JOBS, raw_job(**changes))

    def run(self):
        return running(self.following.run())

    def seen(self):
        return [(step.now.name, step.now.phase.value) for step in self.steps]

    @property
    def is_watched(self):
        return len(self.cluster.watches.open) == 2


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
    for verb in ("list", "watch"):
        assert [call.selector for call in bench.cluster.made(verb, JOBS)] == [SELECTOR, OLDER_SELECTOR]
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
        bench.cluster.fail("list", JOBS, status=503, times=2)
        bench.cluster.watches.end(ClusterError("broken", status=0))
        await eventually(lambda: not bench.cluster.watches.open)
        bench.cluster.drop(JOBS, "a")
        await settle()
        assert bench.following.knows("default")
        assert not bench.following.is_sure("default")
        await eventually(lambda: bench.seen()[-1:] == [("a", "Canceled")])
        await eventually(lambda: bench.following.is_sure("default"))
    assert set(bench.listed) == {None}
    assert len(bench.listed) > 1


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


# ── what a watch does not show ────────────────────────────────────────────────────────────────────────────────────────

OLD = {"app.kubernetes.io/managed-by": "hookwright"}
NEW = {"hookwright.dev/build": "true"}


async def follow(bench, labels, **changes):
    """Have build a there, with these labels, and followed."""
    bench.put(name="a", metadata={"labels": labels}, **changes)
    await eventually(lambda: bench.is_watched and bench.steps)
    await settle()


def label(bench, labels, **changes):
    """Write other labels on build a, and whatever else has changed."""
    bench.put(name="a", metadata={"labels": labels}, **changes)


@pytest.mark.parametrize("labels", [NEW, OLD, NEW | OLD])
async def test_builds_of_all_versions_are_followed(bench, labels):
    """Also a build is followed that was made by a version which knew no label of our own."""
    async with bench.run():
        await follow(bench, labels)
        label(bench, labels, phase="Succeeded")
        await eventually(lambda: len(bench.steps) == 2)
    assert bench.seen() == [("a", "Running"), ("a", "Succeeded")]


@pytest.mark.parametrize("other", [{}, {"app.kubernetes.io/managed-by": "other"}])
async def test_changed_common_label_hides_no_build(bench, other):
    """Whoever writes another managed-by on a build changes nothing of how it is followed."""
    async with bench.run():
        await follow(bench, NEW | OLD)
        label(bench, NEW | other)
        label(bench, NEW | other, phase="Failed")
        await eventually(lambda: len(bench.steps) == 2)
    assert bench.seen() == [("a", "Running"), ("a", "Failed")]
    assert bench.cluster.count("get", JOBS) == 0


@pytest.mark.parametrize("before", [NEW, OLD, NEW | OLD])
async def test_build_without_label_is_not_canceled(bench, before):
    """What has lost the label runs on as long as its Job is there, and its end is seen all the same."""
    async with bench.run():
        await follow(bench, before)
        label(bench, {})
        await eventually(lambda: bench.cluster.count("get", JOBS) > 1)
        assert bench.seen() == [("a", "Running")]
        label(bench, {}, phase="Succeeded")
        await eventually(lambda: len(bench.strays) == 0)
    assert bench.seen()[:2] == [("a", "Running"), ("a", "Succeeded")]
    assert {phase for _, phase in bench.seen()[1:]} == {"Succeeded"}
    assert len(bench.following.index) == 0


async def test_build_without_label_is_canceled_once_it_is_gone(bench):
    """Its Job is deleted, or another has its name: then it is canceled."""
    async with bench.run():
        await follow(bench, NEW)
        label(bench, {})
        await eventually(lambda: bench.cluster.count("get", JOBS) > 1)
        bench.cluster.drop(JOBS, "a")
        bench.put(name="a", uid="another", metadata={"labels": {}})
        await eventually(lambda: bench.seen()[-1:] == [("a", "Canceled")])
    assert len(bench.strays) == 0


async def test_label_that_comes_back(bench):
    """A build that gets its label again is followed by the watch again, and read no more."""
    async with bench.run():
        await follow(bench, NEW)
        label(bench, {})
        await eventually(lambda: len(bench.strays) == 1)
        label(bench, NEW)
        await eventually(lambda: len(bench.strays) == 0)
        label(bench, NEW, phase="Succeeded")
        await eventually(lambda: len(bench.steps) == 2)
        assert [build.name for build in bench.following.index.of("default", TRIGGER_UID)] == ["a"]


async def test_label_that_an_older_build_is_given(bench):
    """A build that goes from one watch to the other is in no doubt."""
    async with bench.run():
        await follow(bench, OLD)
        label(bench, OLD | NEW)
        label(bench, OLD | NEW, phase="Succeeded")
        await eventually(lambda: len(bench.steps) == 2)
        await settle()
        assert len(bench.strays) == 0
        assert [build.name for build in bench.following.index.of("default", TRIGGER_UID)] == ["a"]


async def test_label_is_lost_while_the_watch_is_broken(bench):
    """What a list does not have any more is not canceled either, unless its Job is gone."""
    async with bench.run():
        await follow(bench, NEW)
        bench.cluster.expire()
        bench.cluster.watches.end(ClusterError("too old", status=410, reason="Expired"))
        label(bench, {})
        await eventually(lambda: bench.cluster.count("get", JOBS) > 1)
        assert bench.seen() == [("a", "Running")]
        bench.cluster.drop(JOBS, "a")
        await eventually(lambda: bench.seen()[-1:] == [("a", "Canceled")])


async def test_mistake_about_one_build_hides_no_other(bench):
    """A listener that fails at the end of one build is logged; the ends of others are told all the same."""

    def fail(step):
        if (step.now.name, step.now.phase.value) == ("a", "Canceled"):
            raise KeyError("a mistake")

    bench.following.subscribe(stepped=fail, listed=lambda namespace: None)
    with capture_logs() as lines:
        async with bench.run():
            await follow(bench, NEW)
            bench.put(name="b")
            await eventually(lambda: len(bench.steps) == 2)
            bench.cluster.drop(JOBS, "a")
            await eventually(lambda: bench.seen()[-1:] == [("a", "Canceled")])
            bench.cluster.drop(JOBS, "b")
            await eventually(lambda: bench.seen()[-1:] == [("b", "Canceled")])
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["builds"]


async def test_nothing_is_said_without_an_answer(bench):
    """While the API server does not say whether a Job is there, its build is not canceled; a refusal is said once."""
    async with bench.run():
        await follow(bench, NEW)
        bench.cluster.fail("get", JOBS, status=503, times=2)
        bench.cluster.fail("get", JOBS, status=403, message="may not", times=math.inf)
        bench.cluster.drop(JOBS, "a")
        with capture_logs() as lines:
            await eventually(lambda: bench.cluster.count("get", JOBS) > 4)
            assert bench.seen() == [("a", "Running")]
            bench.cluster.heal()
            await eventually(lambda: bench.seen()[-1:] == [("a", "Canceled")])
    assert ["may not" in line["error"] for line in lines if line["event"] == "builds"] == [True]


async def test_missing_builds_are_looked_for(bench):
    """Of the builds that are asked for those are known that are there and the BuildTrigger's, whatever their labels."""
    bench.put(name="a", metadata={"labels": {}})
    bench.put(name="over", phase="Succeeded", metadata={"labels": {}})
    bench.put(name="theirs", owner_uid="other", metadata={"labels": {}})
    names = ("a", "over", "theirs", "gone")
    await bench.following.look_for(names, namespace="default", owner_uid=TRIGGER_UID)
    assert [build.name for build in bench.following.index.of("default", TRIGGER_UID)] == ["a"]
    assert bench.following.index.gone("default", TRIGGER_UID).name == "over"
    async with bench.run():
        bench.put(name="a", phase="Failed", metadata={"labels": {}})
        await eventually(lambda: ("a", "Failed") in bench.seen())
    assert len(bench.following.index) == 0
