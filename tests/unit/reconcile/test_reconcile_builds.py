"""The builds in a reconcile of a BuildTrigger: status in one patch, no dry run for them, and history limits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reconcile_world import TRIGGER, Bench

from hookwright.cluster import BUILDTRIGGERS, JOBS
from hookwright.reconcile.builds import DOUBTFUL_SECONDS, FORBIDDEN_SECONDS, LONGEST_SECONDS, MAX_DELETIONS
from hookwright.reconcile.work import NEVER, Again
from support.jobs import raw_job
from support.objects import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
def bench():
    return Bench()


def at(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def put_jobs(bench, count, phase="Succeeded"):
    """Have builds b-0, b-1, … that were created a minute after each other, from noon on."""
    for number in range(count):
        bench.put_job(name=f"b-{number}", phase=phase, created=at(NOON + timedelta(minutes=number)))


def deleted(bench):
    return [call.name for call in bench.cluster.made("delete", JOBS)]


def last(bench):
    state = bench.status(TRIGGER).get("lastBuild", {})
    return state.get("name"), state.get("phase")


# ── status ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_builds_stand_in_the_one_patch(bench):
    """What is said of builds is in the patch that says all else; a second look writes nothing."""
    bench.put_target(status=None)
    bench.put_job(name="b-1", version="0a1b2c")
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.writes() == (1, 1)
    state = {
        "kind": "Job",
        "name": "b-1",
        "phase": "Running",
        "sourceVersion": "0a1b2c",
        "startTime": "2026-05-01T12:00:02Z",
    }
    assert bench.status(TRIGGER)["lastBuild"] == state
    assert bench.status(TRIGGER)["active"] == [state]


async def test_build_costs_no_dry_run(bench):
    """What becomes of builds is said without trying the template again, which was judged for this generation."""
    bench.put_target(status=None)
    await bench.look(TRIGGER)
    for phase in ("Pending", "Running", "Failed"):
        bench.put_job(name="b-1", phase=phase)
        await bench.look_at_builds()
        assert last(bench) == ("b-1", phase)
    assert bench.cluster.count("create", JOBS, dry_run=True) == 1
    assert bench.status(TRIGGER)["active"] == []


async def test_new_spec_is_tried_also_because_of_a_build(bench):
    """What was judged of one generation says nothing of the next."""
    bench.put_target(status=None)
    await bench.look(TRIGGER)
    bench.put_target(status=None, projectName="other")
    await bench.look_at_builds()
    assert bench.cluster.count("create", JOBS, dry_run=True) == 2


async def test_refused_template_is_tried_in_its_own_time(bench):
    """While a right is missing builds do not make it be asked for more often, and the time to ask stays."""
    bench.put_target(status=None)
    bench.cluster.fail("create", JOBS, status=403, message="cannot create", times=9)
    assert await bench.look(TRIGGER) == Again(30)
    bench.now += timedelta(seconds=12)
    bench.put_job(name="b-1")
    assert await bench.look_at_builds() == Again(18)
    assert last(bench) == ("b-1", "Running")
    assert bench.conditions(TRIGGER)["Ready"] == ("False", "TemplateForbidden")
    bench.cluster.heal()
    bench.now += timedelta(seconds=18)
    assert await bench.look_at_builds() == NEVER
    assert bench.conditions(TRIGGER)["Ready"] == ("True", "Startable")


async def test_template_that_cannot_be_tried_hides_no_build(bench):
    """While dry runs fail for a time, as with an admission webhook that is away, builds are told all the same."""
    bench.put_target()
    bench.cluster.fail("create", JOBS, status=500, message="failed calling webhook", times=99)
    bench.put_job(name="b-1")
    assert await bench.look(TRIGGER) == Again(10)
    assert last(bench) == ("b-1", "Running")
    assert "conditions" not in bench.status(TRIGGER)
    assert await bench.look_at_builds() == Again(10)
    assert bench.cluster.count("create", JOBS, dry_run=True) == 1


async def test_member_that_is_gone_leaves_status(bench):
    """A last build without a start does not keep the start of the one before it."""
    bench.put_target()
    bench.put_job(name="b-1", phase="Succeeded")
    await bench.look(TRIGGER)
    bench.put_job(name="b-2", phase="Pending", created=at(NOON + HOUR))
    await bench.look_until_still(TRIGGER)
    assert bench.status(TRIGGER)["lastBuild"] == {"kind": "Job", "name": "b-2", "phase": "Pending"}


async def test_build_that_goes_is_canceled(bench):
    """A Job that is deleted while it runs is the last build, canceled, and not active any more."""
    bench.put_target()
    bench.put_job(name="b-1")
    await bench.look(TRIGGER)
    bench.drop_job("b-1")
    assert await bench.look_at_builds() == NEVER
    assert last(bench) == ("b-1", "Canceled")
    assert bench.status(TRIGGER)["lastBuild"]["completionTime"] == at(NOON)
    assert bench.status(TRIGGER)["active"] == []


async def test_unknown_builds_are_left_as_they_stand(bench):
    """Who may not see Jobs, or has not yet, says nothing of builds; status keeps what it said, and all else works."""
    state = {"kind": "Job", "name": "b-1", "phase": "Running"}
    bench.put_target(status={"lastBuild": state, "active": [state]}, successfulBuildsHistoryLimit=0)
    put_jobs(bench, 3)
    bench.following.known = False
    bench.now += 2 * HOUR
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.status(TRIGGER)["lastBuild"] == state
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    assert deleted(bench) == []


async def test_doubtful_build_is_looked_at_again(bench):
    """While the watch is broken a build that is not known is not called canceled, but looked at again."""
    bench.put_target(status={"lastBuild": {"kind": "Job", "name": "b-1", "phase": "Running"}})
    bench.following.sure = False
    assert await bench.look(TRIGGER) == Again(DOUBTFUL_SECONDS)
    assert last(bench) == ("b-1", "Running")
    bench.following.sure = True
    assert await bench.look_at_builds() == NEVER
    assert last(bench) == ("b-1", "Canceled")


async def test_build_without_its_label_is_not_canceled(bench):
    """A build that status names is looked for before it is called canceled: it may only have lost its label."""
    for name, phase in (("b-1", "Running"), ("b-2", "Running")):
        bench.cluster.put(JOBS, raw_job(name=name, phase=phase, metadata={"labels": {}}))
    states = [{"kind": "Job", "name": name, "phase": "Running"} for name in ("b-2", "b-1", "gone")]
    bench.put_target(status={"lastBuild": states[0], "active": states})
    assert await bench.look(TRIGGER) == NEVER
    assert last(bench) == ("b-2", "Running")
    assert {state["name"] for state in bench.status(TRIGGER)["active"]} == {"b-1", "b-2"}
    asked = bench.cluster.count("get", JOBS)
    await bench.look_until_still(TRIGGER)
    assert bench.cluster.count("get", JOBS) == asked


async def test_end_of_a_build_without_its_label(bench):
    """A build that status names and that has ended meanwhile has the end that its Job tells."""
    bench.cluster.put(JOBS, raw_job(name="b-1", phase="Succeeded", metadata={"labels": {}}))
    bench.put_target(status={"lastBuild": {"kind": "Job", "name": "b-1", "phase": "Running"}})
    await bench.look(TRIGGER)
    assert last(bench) == ("b-1", "Succeeded")


async def test_build_that_cannot_be_looked_for_is_not_canceled(bench):
    """While the API server does not say whether a build is there, status keeps what it said, and it is asked again."""
    state = {"kind": "Job", "name": "b-1", "phase": "Running", "startTime": at(NOON + HOUR)}
    bench.put_target(status={"lastBuild": state, "active": [state]})
    bench.put_job(name="a-1", phase="Pending")
    bench.cluster.fail("get", JOBS, status=503)
    assert await bench.look(TRIGGER) == Again(DOUBTFUL_SECONDS)
    assert bench.status(TRIGGER)["active"] == [state]
    bench.cluster.fail("get", JOBS, status=403)
    assert await bench.look(TRIGGER) == Again(DOUBTFUL_SECONDS)
    assert last(bench) == ("b-1", "Running")
    assert await bench.look_at_builds() == NEVER
    assert last(bench) == ("b-1", "Canceled")


async def test_build_that_was_seen_to_go_is_not_looked_for(bench):
    """Whoever saw a build go knows that it is canceled, without asking."""
    bench.put_target()
    bench.put_job(name="b-1")
    await bench.look(TRIGGER)
    bench.drop_job("b-1")
    await bench.look_at_builds()
    assert bench.cluster.count("get", JOBS) == 0


# ── history limits ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_surplus_is_deleted_as_the_account(bench):
    """What is older than the limit keeps goes, the oldest first, as the BuildTrigger's ServiceAccount and by UID."""
    bench.cluster.put_account("builder")
    bench.put_target(successfulBuildsHistoryLimit=1, serviceAccountName="builder")
    put_jobs(bench, 3)
    bench.now += 2 * HOUR
    assert await bench.look(TRIGGER) == NEVER
    assert [(c.name, c.uid, c.namespace, c.service_account) for c in bench.cluster.made("delete", JOBS)] == [
        ("b-0", "uid-b-0", "default", "builder"),
        ("b-1", "uid-b-1", "default", "builder"),
    ]
    assert [job["metadata"]["name"] for job in bench.cluster.all(JOBS)] == ["b-2"]


async def test_time_of_the_next_deletion_is_known(bench):
    """What may not go yet is looked at when it may; nothing is polled."""
    bench.put_target(failedBuildsHistoryLimit=0, duplicateWindow="2h")
    put_jobs(bench, 1, "Failed")
    bench.now += timedelta(minutes=90)
    assert await bench.look(TRIGGER) == Again(30 * 60)
    assert deleted(bench) == []
    bench.now += timedelta(minutes=30)
    assert await bench.look_at_builds() == NEVER
    assert deleted(bench) == ["b-0"]


async def test_promise_of_the_far_future_is_looked_at_daily(bench):
    """Somebody may have written any time on a Job: the next look is not put off for ever."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    bench.put_job(name="b-1", phase="Succeeded", kept_until="9999-12-31T23:59:59Z")
    bench.now += 2 * HOUR
    assert await bench.look(TRIGGER) == Again(LONGEST_SECONDS)


async def test_many_go_some_at_a_time(bench):
    """One with very many builds keeps no other waiting: some are deleted in each look, and the next is soon."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, MAX_DELETIONS + 5)
    bench.now += 3 * HOUR
    assert await bench.look(TRIGGER) == Again(1)
    assert len(deleted(bench)) == MAX_DELETIONS


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('jobs.batch "b-0" is forbidden: User cannot delete resource "jobs"', "may not delete"),
        ('serviceaccounts "default" is forbidden: User cannot impersonate resource', "may not act as"),
    ],
)
async def test_missing_right_is_said_in_a_condition(bench, message, says):
    """Without the right to delete Jobs a condition and one Kubernetes Event say so, and builds start all the same."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, 2)
    bench.now += 2 * HOUR
    bench.cluster.fail("delete", JOBS, status=403, reason="Forbidden", message=message, times=9)
    assert await bench.look_until_still(TRIGGER) == Again(FORBIDDEN_SECONDS)
    assert bench.conditions(TRIGGER) == {
        "Ready": ("True", "Startable"),
        "BuildsNotDeleted": ("True", "DeletionRefused"),
    }
    said = next(c["message"] for c in bench.status(TRIGGER)["conditions"] if c["type"] == "BuildsNotDeleted")
    assert says in said
    assert "hookwright grant" in said
    assert "errorCode" not in bench.status(TRIGGER)
    assert bench.events().count(("Warning", "DeletionRefused")) == 1
    assert deleted(bench) == ["b-0"]


def complaints(bench):
    return [one for one in bench.status(TRIGGER)["conditions"] if one["type"] == "BuildsNotDeleted"]


def let_jobs_be_unreadable(bench):
    state = {"kind": "Job", "name": "stray", "phase": "Running"}
    bench.put_target(successfulBuildsHistoryLimit=0, status=bench.status(TRIGGER) | {"active": [state]})
    bench.cluster.fail("get", JOBS, status=503, times=9)


def let_jobs_be_unknown(bench):
    bench.following.known = False


def let_deletion_fail(bench):
    bench.now += timedelta(seconds=FORBIDDEN_SECONDS)
    bench.cluster.heal()
    bench.cluster.fail("delete", JOBS, status=500, times=9)


@pytest.mark.parametrize("doubt", [let_jobs_be_unreadable, let_jobs_be_unknown, let_deletion_fail])
async def test_doubt_takes_no_complaint_back(bench, doubt):
    """While nothing is known of the builds the condition stays as it is, and no second Event tells of it."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, 1)
    bench.now += 2 * HOUR
    bench.cluster.fail("delete", JOBS, status=403, reason="Forbidden", message="forbidden", times=9)
    await bench.look_until_still(TRIGGER)
    before = complaints(bench)
    assert len(before) == 1
    doubt(bench)
    await bench.look_at_builds()
    await bench.look_at_builds()
    assert complaints(bench) == before
    assert bench.events().count(("Warning", "DeletionRefused")) == 1


async def test_right_that_comes_is_used(bench):
    """After a while the deletion is tried again, and the condition goes with the builds."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, 1)
    bench.now += 2 * HOUR
    bench.cluster.fail("delete", JOBS, status=403, reason="Forbidden", message="forbidden")
    await bench.look(TRIGGER)
    bench.now += timedelta(seconds=FORBIDDEN_SECONDS - 1)
    assert await bench.look_at_builds() == Again(1)
    bench.now += timedelta(seconds=1)
    assert await bench.look_at_builds() == NEVER
    assert deleted(bench) == ["b-0", "b-0"]
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_limit_that_is_taken_away_ends_the_complaint(bench):
    """Without a surplus there is nothing to complain of."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, 1)
    bench.now += 2 * HOUR
    bench.cluster.fail("delete", JOBS, status=403, reason="Forbidden", message="forbidden")
    await bench.look(TRIGGER)
    bench.put_target(status=bench.status(TRIGGER))
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


@pytest.mark.parametrize("status", [0, 429, 500])
async def test_absent_api_server_is_asked_again(bench, status):
    """What cannot be deleted for a moment is deleted later, and the rest of the status is written meanwhile."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, 2)
    bench.now += 2 * HOUR
    bench.cluster.fail("delete", JOBS, status=status)
    assert await bench.look(TRIGGER) == Again(DOUBTFUL_SECONDS)
    assert last(bench) == ("b-1", "Succeeded")
    assert await bench.look_at_builds() == NEVER
    assert deleted(bench) == ["b-0", "b-0", "b-1"]


async def test_another_of_its_name_stays(bench):
    """A Job that has taken the name of one that is gone is left alone, and the next is deleted."""
    bench.put_target(successfulBuildsHistoryLimit=0)
    put_jobs(bench, 2)
    bench.cluster.objects["jobs", "default", "b-0"]["metadata"]["uid"] = "another"
    bench.now += 2 * HOUR
    assert await bench.look(TRIGGER) == NEVER
    assert [job["metadata"]["uid"] for job in bench.cluster.all(JOBS)] == ["another"]


async def test_same_look_twice_deletes_nothing_else(bench):
    """A look before the watch has told of the deletion asks for it again, which is done by then."""
    bench.put_target(successfulBuildsHistoryLimit=1)
    put_jobs(bench, 2)
    bench.now += 2 * HOUR
    await bench.look(TRIGGER)
    await bench.look(TRIGGER)
    assert [job["metadata"]["name"] for job in bench.cluster.all(JOBS)] == ["b-1"]
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_object_that_goes_ends_no_builds(bench):
    """A BuildTrigger that is being deleted has its Jobs go by Kubernetes' own means."""
    bench.put_target(successfulBuildsHistoryLimit=0, metadata={"deletionTimestamp": at(NOON)})
    put_jobs(bench, 2)
    bench.now += 2 * HOUR
    assert await bench.look(TRIGGER) == NEVER
    assert deleted(bench) == []
    bench.cluster.drop(BUILDTRIGGERS, "hello")
    assert await bench.look(TRIGGER) == NEVER
