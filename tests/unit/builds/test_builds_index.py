"""The builds that are known: by their BuildTrigger, the newest first, bounded; what has gone, and what has ended."""

from __future__ import annotations

import pytest

from hookwright.builds.index import BuildIndex
from hookwright.builds.state import BuildPhase
from support.jobs import raw_job
from support.objects import NOON, TRIGGER_UID


@pytest.fixture
def index():
    return BuildIndex()


def names(index, owner_uid=TRIGGER_UID, *, namespace="default"):
    return [build.name for build in index.of(namespace, owner_uid)]


def created(minute):
    return f"2026-05-01T12:{minute:02}:00Z"


def test_builds_are_given_the_newest_first(index):
    """Those of one BuildTrigger, in the order of their creation; in the same second in that of their names."""
    for name, minute in (("b", 1), ("d", 3), ("a", 1), ("c", 2)):
        index.put(raw_job(name=name, created=created(minute)), NOON)
    index.put(raw_job(name="other", owner="other", owner_uid="other"), NOON)
    assert names(index) == ["d", "c", "b", "a"]
    assert names(index, "other") == ["other"]
    assert names(index, "nobody") == []


def test_job_of_another_namespace_is_nobodys_there(index):
    """Whoever knows a BuildTrigger's UID may write it into a Job elsewhere: that one is none of its builds."""
    index.put(raw_job(name="mine"), NOON)
    stranger = raw_job(name="theirs", metadata={"namespace": "elsewhere", "uid": "theirs"})
    index.put(stranger, NOON)
    assert (names(index), names(index, namespace="elsewhere")) == (["mine"], ["theirs"])
    index.remove(stranger, NOON)
    assert index.gone("default", TRIGGER_UID) is None


def test_what_matters_not_is_no_news(index):
    """A Job whose status changes without the build's changing, as pods come and go, is no step."""
    job = raw_job()
    assert index.put(job, NOON).before is None
    job["status"]["active"] = 1
    job["metadata"]["resourceVersion"] = "7"
    assert index.put(job, NOON) is None


def test_step_tells_before_and_after(index):
    """A build that ends is told once, with what it was before."""
    index.put(raw_job(phase="Running"), NOON)
    step = index.put(raw_job(phase="Succeeded"), NOON)
    assert (step.before.phase, step.now.phase, step.ends) == (BuildPhase.RUNNING, BuildPhase.SUCCEEDED, True)
    assert index.put(raw_job(phase="Succeeded"), NOON) is None


def test_what_had_ended_before_it_was_seen_does_not_end(index):
    """A build that was over when it was first seen, as after a restart, is not one that ends now."""
    assert not index.put(raw_job(phase="Failed"), NOON).ends


def test_build_that_goes_while_it_runs_is_canceled(index):
    """A Job that is deleted before it has ended is a build that was canceled, and has ended by that."""
    index.put(raw_job(name="a", phase="Running"), NOON)
    step = index.remove(raw_job(name="a", phase="Running"), NOON)
    assert (step.now.phase, step.now.ended, step.ends) == (BuildPhase.CANCELED, NOON, True)
    assert names(index) == []
    assert index.gone("default", TRIGGER_UID) == step.now


def test_last_words_of_a_job_count(index):
    """What goes is told as it was at last: it may have ended since it was seen."""
    index.put(raw_job(phase="Running"), NOON)
    assert index.remove(raw_job(phase="Succeeded"), NOON).now.phase == BuildPhase.SUCCEEDED


def test_unseen_going_tells_little(index):
    """Of what went while the watch was broken only the name is told: it is known as it was seen last."""
    index.put(raw_job(name="a", phase="Failed"), NOON)
    step = index.remove({"metadata": {"namespace": "default", "name": "a", "uid": "uid-a"}}, NOON)
    assert (step.now.phase, step.ends) == (BuildPhase.FAILED, False)


def test_newest_that_went_is_remembered(index):
    """Of several that went the newest is remembered, in whatever order they went."""
    for name, minute in (("old", 1), ("new", 2)):
        index.put(raw_job(name=name, created=created(minute)), NOON)
    for name, minute in (("new", 2), ("old", 1)):
        index.remove(raw_job(name=name, created=created(minute)), NOON)
    assert index.gone("default", TRIGGER_UID).name == "new"


def test_what_went_is_remembered_of_so_many(index):
    """The memory of what went is bounded: the BuildTriggers whose builds went longest ago are forgotten."""
    index = BuildIndex(gone_limit=2)
    for owner in ("a", "b", "a", "c"):
        index.put(raw_job(owner_uid=owner), NOON)
        index.remove(raw_job(owner_uid=owner), NOON)
    assert [index.gone("default", owner) is not None for owner in "abc"] == [True, False, True]


def test_what_is_not_known_does_not_go(index):
    """A Job that nobody knew, or that no BuildTrigger controls, is nothing to tell of."""
    stranger = raw_job(metadata={"ownerReferences": []})
    assert index.put(stranger, NOON) is None
    assert index.remove(stranger, NOON) is None
    assert index.remove(raw_job(), NOON) is None


def test_job_that_is_orphaned_is_let_go(index):
    """A Job whose owner lets go of it, as with kubectl delete --cascade=orphan, is no build any more."""
    index.put(raw_job(), NOON)
    assert index.put(raw_job(metadata={"ownerReferences": []}), NOON).now.phase == BuildPhase.CANCELED
    assert names(index) == []


def test_job_that_changes_hands_is_moved(index):
    """A Job that another BuildTrigger has adopted is one of its builds."""
    index.put(raw_job(name="a", owner_uid="one"), NOON)
    index.put(raw_job(name="a", owner_uid="two"), NOON)
    assert (names(index, "one"), names(index, "two"), len(index)) == ([], ["a"], 1)


def test_phases_are_counted(index):
    """How many builds are in each phase follows every change."""
    index.put(raw_job(name="a", phase="Pending"), NOON)
    index.put(raw_job(name="b", phase="Running"), NOON)
    index.put(raw_job(name="a", phase="Running"), NOON)
    assert [index.count(phase) for phase in BuildPhase] == [0, 2, 0, 0, 0]
    index.remove(raw_job(name="b", phase="Running"), NOON)
    assert index.count(BuildPhase.RUNNING) == 1


def test_index_is_bounded():
    """Beyond the limit builds are passed over, those that are known are followed on, and room is used again."""
    index = BuildIndex(limit=2)
    assert [index.put(raw_job(name=name), NOON) is not None for name in "abc"] == [True, True, False]
    assert index.is_full
    assert index.put(raw_job(name="a", phase="Failed"), NOON).ends
    index.remove(raw_job(name="a", phase="Failed"), NOON)
    assert not index.is_full
    assert index.put(raw_job(name="c"), NOON) is not None
    assert len(index) == 2
