"""How a build stands, read from its Job: each condition of Kubernetes, alone and with others."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from hookwright.builds.state import BuildPhase, read_job, take_leave
from support.jobs import BEGAN, CREATED, ENDED, make_condition, raw_job

DELETED = "2026-05-01T12:09:00Z"
CONDITIONS = ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget", "Suspended")


def at(text):
    return datetime.fromisoformat(text)


def expected(holding, *, started, deleted, suspend):
    """Say in the simplest words what the phase is to be."""
    if "Failed" in holding:
        return BuildPhase.FAILED
    if "Complete" in holding:
        return BuildPhase.SUCCEEDED
    if deleted:
        return BuildPhase.CANCELED
    if suspend or not started or "Suspended" in holding:
        return BuildPhase.PENDING
    return BuildPhase.RUNNING


SETS = [frozenset(chosen) for size in range(len(CONDITIONS) + 1) for chosen in itertools.combinations(CONDITIONS, size)]


@pytest.mark.parametrize("holding", SETS, ids=lambda chosen: "+".join(sorted(chosen)) or "none")
@pytest.mark.parametrize("others", ["False", "Unknown", None])
def test_phase_for_every_set_of_conditions(holding, others):
    """Only Complete and Failed end a Job; what does not hold counts as what is not there."""
    for started, deleted, suspend in itertools.product((False, True), repeat=3):
        conditions = [make_condition(name) for name in holding]
        if others is not None:
            conditions += [make_condition(name, status=others) for name in CONDITIONS if name not in holding]
        job = raw_job(
            started=BEGAN if started else None,
            conditions=conditions,
            metadata={"deletionTimestamp": DELETED} if deleted else {},
            spec={"suspend": suspend},
        )
        build = read_job(job)
        assert build.phase == expected(holding, started=started, deleted=deleted, suspend=suspend)
        assert (build.ended is not None) == build.phase.is_over
        assert build.going == deleted


def test_times_of_a_build_that_succeeded():
    """A build that succeeded ended when its Job says; it took what lies between."""
    build = read_job(raw_job(phase="Succeeded"))
    assert (build.created, build.started, build.ended) == (at(CREATED), at(BEGAN), at(ENDED))
    assert build.seconds == (at(ENDED) - at(BEGAN)).total_seconds()


def test_times_of_a_build_that_failed():
    """A Job that failed has no time of completion: it ended when it began to have failed."""
    build = read_job(raw_job(phase="Failed"))
    assert (build.started, build.ended) == (at(BEGAN), at(ENDED))


def test_failed_before_it_began_has_no_duration():
    """A Job whose deadline passed while it was suspended has no start, and no seconds that it took."""
    build = read_job(raw_job(started=None, conditions=[make_condition("Failed")]))
    assert (build.phase, build.seconds) == (BuildPhase.FAILED, None)


def test_clock_that_went_back_gives_no_negative_duration():
    """Times are those of several machines: an end before the start counts as no time at all."""
    build = read_job(raw_job(started=ENDED, conditions=[make_condition("Complete", at=BEGAN)]))
    assert build.seconds == 0.0


def test_who_it_is():
    """A build has the name and UID of the Job, and those of the BuildTrigger that controls it."""
    build = read_job(raw_job(name="b-1", uid="job-1", owner="hello", owner_uid="trigger-1", version="0a1b2c"))
    assert (build.namespace, build.name, build.uid) == ("default", "b-1", "job-1")
    assert (build.owner, build.owner_uid, build.source_version) == ("hello", "trigger-1", "0a1b2c")


@pytest.mark.parametrize(
    "references",
    [
        [],
        None,
        [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "n", "uid": "u", "controller": True}],
        [{"apiVersion": "hookwright.dev/v1alpha1", "kind": "BuildTrigger", "name": "n", "uid": "u"}],
        [{"apiVersion": "hookwright.dev/v1alpha1", "kind": "Webhook", "name": "n", "uid": "u", "controller": True}],
        [{"apiVersion": "other.dev/v1", "kind": "BuildTrigger", "name": "n", "uid": "u", "controller": True}],
    ],
    ids=["none", "null", "CronJob", "not its controller", "Webhook", "another group"],
)
def test_jobs_of_others_are_none_of_ours(references):
    """Only what a BuildTrigger of ours controls is one of its builds."""
    assert read_job(raw_job(metadata={"ownerReferences": references})) is None


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-05-01T13:00:00Z", datetime(2026, 5, 1, 13, tzinfo=UTC)),
        ("tomorrow", None),
        ("2026-05-01T13:00:00", None),
        ("", None),
    ],
)
def test_kept_until_may_be_anything(text, read):
    """Who may write the Job may write anything into its annotation: what is no time says nothing."""
    assert read_job(raw_job(kept_until=text)).kept_until == read


def test_source_version_is_bounded():
    """An annotation that is longer than a status can hold is cut."""
    assert read_job(raw_job(version="v" * 9000)).source_version == "v" * 255


def test_gone_before_its_end_is_canceled():
    """A build whose object goes while it runs is canceled, at that time; one that had ended stays what it was."""
    now = at(ENDED) + timedelta(minutes=1)
    running, failed = read_job(raw_job(phase="Running")), read_job(raw_job(phase="Failed"))
    assert (take_leave(running, now).phase, take_leave(running, now).ended) == (BuildPhase.CANCELED, now)
    assert take_leave(failed, now) == failed


def test_status_of_a_build():
    """In status stand kind, name, phase, what is built, and the times that there are."""
    assert read_job(raw_job(name="b-1", phase="Succeeded", version="0a1b2c")).describe().to_raw() == {
        "kind": "Job",
        "name": "b-1",
        "phase": "Succeeded",
        "sourceVersion": "0a1b2c",
        "startTime": BEGAN,
        "completionTime": ENDED,
    }
    assert read_job(raw_job(name="b-2", phase="Pending")).describe().to_raw() == {
        "kind": "Job",
        "name": "b-2",
        "phase": "Pending",
    }
