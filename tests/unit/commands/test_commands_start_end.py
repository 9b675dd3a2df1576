"""`hookwright start --wait`: how the build ended, by what whoever waits may see."""

from __future__ import annotations

import pytest

from hookwright.builds.state import BuildPhase
from hookwright.cluster import BUILDTRIGGERS, JOBS
from hookwright.commands.start import Told, describe, is_good
from hookwright.commands.start_end import LOOK_SECONDS, Watching
from hookwright.commands.start_request import Answer
from hookwright.errors import ClusterError
from hookwright.reasons import Outcome
from support.fakecluster import FakeCluster
from support.objects import TRIGGER_UID, raw_buildtrigger

OWNER = {
    "apiVersion": "hookwright.dev/v1alpha1",
    "kind": "BuildTrigger",
    "name": "hello",
    "uid": TRIGGER_UID,
    "controller": True,
}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": "2026-05-01T12:01:00Z"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": "2026-05-01T12:01:00Z"}]}
RUNNING = {"startTime": "2026-05-01T12:00:00Z", "active": 1}


class Scene:
    """A cluster with one build, in which something happens each time that somebody waits."""

    def __init__(self):
        self.cluster = FakeCluster()
        self.cluster.put(BUILDTRIGGERS, raw_buildtrigger())
        self.put(RUNNING)
        self.seconds = 0.0
        self.next = []

    def put(self, status):
        metadata = {"name": "hello-1", "namespace": "default", "ownerReferences": [OWNER]}
        self.cluster.put(JOBS, {"kind": "Job", "metadata": metadata, "spec": {}, "status": status})

    def say(self, **status):
        self.cluster.put(BUILDTRIGGERS, raw_buildtrigger(status=status))

    def hide(self):
        self.cluster.fail("get", JOBS, status=403, message="cannot get resource jobs", times=999)

    async def sleep(self, seconds):
        self.seconds += seconds
        if self.next:
            self.next.pop(0)()

    async def wait(self, seconds=10):
        return await Watching(
            cluster=self.cluster,
            namespace="default",
            trigger="hello",
            job="hello-1",
            seconds=seconds,
            now=lambda: self.seconds,
            sleep=self.sleep,
        ).wait()


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize(("status", "phase"), [(COMPLETE, BuildPhase.SUCCEEDED), (FAILED, BuildPhase.FAILED)])
async def test_end_of_the_job_is_waited_for(scene, status, phase):
    """A Job that completes has succeeded, one that fails has failed."""
    scene.next = [lambda: None, lambda: scene.put(status)]
    end = await scene.wait()
    assert (end.phase, scene.seconds) == (phase, 2 * LOOK_SECONDS)
    assert "default/hello-1" in end.message


async def test_time_that_is_over_is_said(scene):
    """A build that has not ended in time is said to run."""
    end = await scene.wait(seconds=3)
    assert (end.phase, scene.seconds) == (BuildPhase.RUNNING, 3)
    assert "not ended after 3 seconds: Running" in end.message


async def test_job_that_is_deleted_is_canceled(scene):
    """A Job that is gone was deleted, unless status remembers how it ended."""
    scene.next = [lambda: scene.cluster.drop(JOBS, "hello-1")]
    assert (await scene.wait()).phase is BuildPhase.CANCELED
    scene.say(lastBuild={"kind": "Job", "name": "hello-1", "phase": "Succeeded"})
    assert (await scene.wait()).phase is BuildPhase.SUCCEEDED


async def test_who_may_not_see_jobs_waits_by_status(scene):
    """Without the right to see Jobs the BuildTrigger's status tells."""
    scene.hide()
    build = {"kind": "Job", "name": "hello-1"}
    scene.next = [
        lambda: scene.say(active=[build | {"phase": "Running"}]),
        lambda: scene.say(active=[], lastBuild=build | {"phase": "Failed"}),
    ]
    assert (await scene.wait()).phase is BuildPhase.FAILED


async def test_who_may_see_nothing_is_told_so(scene):
    """If neither the Job nor status tells, the end of the wait says which right is missing."""
    scene.hide()
    scene.say(lastBuild={"kind": "Job", "name": "another", "phase": "Succeeded"})
    end = await scene.wait()
    assert end.phase is None
    assert "get on jobs" in end.message


async def test_api_server_that_is_away_is_waited_for(scene):
    """An API server that does not answer is asked again, as long as there is time."""
    scene.cluster.fail("get", JOBS, status=503, times=2)
    scene.next = [lambda: scene.put(COMPLETE)]
    assert (await scene.wait()).phase is BuildPhase.SUCCEEDED
    scene.cluster.fail("get", JOBS, status=503, times=99)
    with pytest.raises(ClusterError):
        await scene.wait()


@pytest.mark.parametrize("phase", [*BuildPhase, None])
async def test_only_success_is_good(scene, phase):
    """Exit code 0 is for a build that has succeeded; JSON says how it stands."""
    end = await scene.wait(seconds=0)
    answer = Answer(outcome=Outcome.STARTED, reason="BuildCreated", message="m", job="hello-1")
    told = Told(namespace="default", answer=answer, end=type(end)(phase=phase, message="m"))
    assert is_good(told) == (phase is BuildPhase.SUCCEEDED)
    assert describe(told, trigger="hello")["phase"] == (str(phase) if phase is not None else None)
