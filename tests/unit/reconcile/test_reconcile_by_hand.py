"""Starting by hand: one build for each value of the annotation, and what is refused is said once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reconcile_world import TRIGGER, Bench
from structlog.testing import capture_logs

from hookwright import reasons
from hookwright.builds.by_hand import REF, REQUESTED_AT
from hookwright.builds.names import name_build
from hookwright.builds.wanted import format_time
from hookwright.cluster import BUILDTRIGGERS, EVENTS, JOBS
from hookwright.errors import ClusterError
from hookwright.reconcile.by_hand import DELAYED_SECONDS
from hookwright.reconcile.work import NEVER, Again
from support.facts import FakeFacts
from support.objects import JOB_SPEC, NOON, TRIGGER_UID

GITHUB = {"provider": "GitHub", "repository": "octo/hello"}
FORBIDDEN = 'jobs.batch is forbidden: User "system:serviceaccount:default:default" cannot create resource "jobs"'


@pytest.fixture
def bench():
    return Bench()


def ask(bench, value="1", *, ref=None, **changes):
    """Ask for a build of BuildTrigger hello."""
    annotations = {REQUESTED_AT: value} | ({REF: ref} if ref is not None else {})
    bench.put_target(status=None, metadata={"annotations": annotations}, **changes)


def name_of(value):
    return name_build(owner_name="hello", owner_uid=TRIGGER_UID, delivery_id=f"manual:{value}")


def jobs(bench):
    return [job["metadata"]["name"] for job in bench.cluster.all(JOBS)]


def environment(job):
    return {one["name"]: one["value"] for one in job["spec"]["template"]["spec"]["containers"][0]["env"]}


def told(bench):
    """Give type, reason and message of each Kubernetes Event about starts by hand."""
    return [
        (event["type"], event["reason"], event["message"])
        for event in bench.cluster.all(EVENTS)
        if event["reason"] in ("Started", "StartFailed", reasons.START_DELAYED.name, reasons.QUOTA_EXCEEDED.name)
    ]


def handled(bench):
    return bench.status(TRIGGER).get("lastHandledStart")


# ── started ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_request_starts_one_build(bench):
    """A value starts one Job, as the ServiceAccount, and status and a Kubernetes Event say so; it starts no second."""
    bench.cluster.put_account("builder")
    ask(bench, ref="feature/x", serviceAccountName="builder")
    assert await bench.look_until_still(TRIGGER) == NEVER
    (call,) = bench.cluster.made("create", JOBS)
    assert (call.name, call.service_account) == (name_of("1"), "builder")
    assert (handled(bench), bench.status(TRIGGER)["lastTriggered"]) == ("1", "2026-05-01T12:00:00Z")
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    ((kind, reason, message),) = told(bench)
    assert (kind, reason) == ("Normal", "Started")
    assert name_of("1") in message
    assert "feature/x" in message


async def test_build_is_told_what_was_asked_for(bench):
    """The Job has the source version and its ref in the environment, and nothing that only a delivery says."""
    ask(bench, ref="feature/x", source={"provider": "GitHub", "repository": "octo/hello"})
    await bench.look(TRIGGER)
    given = environment(bench.cluster.find(JOBS, name_of("1")))
    assert given["HOOKWRIGHT_SOURCE_VERSION"] == "refs/heads/feature/x"
    assert given["HOOKWRIGHT_SOURCE_REF"] == "refs/heads/feature/x"
    assert given["HOOKWRIGHT_SOURCE_REPO_URL"] == "https://github.com/octo/hello.git"
    assert given["HOOKWRIGHT_PROJECT_NAME"] == "hello"
    assert not [name for name in given if name.startswith("HOOKWRIGHT_WEBHOOK_")]


async def test_each_new_value_is_a_build(bench):
    """Another value starts another build."""
    for value in ("1", "2"):
        ask(bench, value)
        await bench.look_until_still(TRIGGER)
    assert sorted(jobs(bench)) == sorted([name_of("1"), name_of("2")])
    assert handled(bench) == "2"


async def test_ref_alone_starts_nothing(bench):
    """To change the ref, or anything else, is no request."""
    ask(bench)
    await bench.look(TRIGGER)
    ask(bench, ref="other")
    await bench.look_until_still(TRIGGER)
    assert jobs(bench) == [name_of("1")]


async def test_suspended_trigger_starts_by_hand(bench):
    """spec.suspend is about deliveries: who asks by hand means it."""
    ask(bench, suspend=True)
    await bench.look(TRIGGER)
    assert jobs(bench) == [name_of("1")]


async def test_crash_before_status_is_no_second_build(bench):
    """A build that was made before status could say so is recognised, and told of once."""
    ask(bench)
    bench.cluster.fail("patch", BUILDTRIGGERS, status=503)
    with pytest.raises(ClusterError):
        await bench.look(TRIGGER)
    assert (handled(bench), told(bench)) == (None, [])
    await bench.look_until_still(TRIGGER)
    assert jobs(bench) == [name_of("1")]
    assert (handled(bench), len(told(bench))) == ("1", 1)


async def test_lost_answer_is_no_second_build(bench):
    """A build that was made although the answer was lost is recognised at the next try."""
    ask(bench)
    bench.cluster.fail("create", JOBS, status=0, after=True, dry_run=False)
    assert await bench.look(TRIGGER) == Again(DELAYED_SECONDS)
    await bench.look_until_still(TRIGGER)
    assert (handled(bench), jobs(bench)) == ("1", [name_of("1")])


async def test_last_triggered_goes_forward_only(bench):
    """A later start that a receiver has written stays; what it writes meanwhile is looked at first."""
    later = "2026-05-01T12:00:30Z"
    ask(bench)

    def write():
        bench.cluster.find(BUILDTRIGGERS, "hello")["status"] = {"lastTriggered": later}
        bench.cluster.version += 1
        bench.cluster.find(BUILDTRIGGERS, "hello")["metadata"]["resourceVersion"] = str(bench.cluster.version)

    bench.cluster.interrupt("patch", BUILDTRIGGERS, write)
    with pytest.raises(ClusterError) as error:
        await bench.look(TRIGGER)
    assert error.value.transient
    bench.cluster.show()
    await bench.look_until_still(TRIGGER)
    assert (handled(bench), bench.status(TRIGGER)["lastTriggered"]) == ("1", later)


async def ask_all(bench, *asked):
    """Ask for one build after another, each at a later minute; give status.lastTriggered."""
    for value, ref in asked:
        bench.now += timedelta(minutes=1)
        ask(bench, value, ref=ref)
        await bench.look_until_still(TRIGGER)
    return bench.status(TRIGGER)["lastTriggered"]


async def test_value_of_a_build_of_something_else_is_refused(bench):
    """A value whose Job is of another ref starts nothing, and says so: no build of what was asked for is there."""
    triggered = await ask_all(bench, ("11", "main"), ("12", "main"))
    before = len(told(bench))
    assert await ask_all(bench, ("11", "release/7")) == triggered
    assert sorted(jobs(bench)) == sorted([name_of("11"), name_of("12")])
    assert handled(bench) == "11"
    assert bench.conditions(TRIGGER)["LastStartFailed"] == ("True", reasons.START_VALUE_USED.name)
    ((kind, reason, message),) = told(bench)[before:]
    assert (kind, reason, message.partition(":")[0]) == ("Warning", "StartFailed", reasons.START_VALUE_USED.name)
    for part in (name_of("11"), "refs/heads/main", "refs/heads/release/7"):
        assert part in message


async def test_value_of_a_build_of_the_same_triggers_nothing(bench):
    """A value whose Job is of what is asked for is no new start: lastTriggered stays."""
    triggered = await ask_all(bench, ("11", "main"), ("12", "main"))
    assert await ask_all(bench, ("11", "refs/heads/main")) == triggered
    assert (handled(bench), len(jobs(bench))) == ("11", 2)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_build_that_was_found_was_triggered_when_it_was_made(bench):
    """Of a start whose answer was lost, lastTriggered is the time of its Job, and never later than now."""
    ask(bench)
    bench.cluster.fail("create", JOBS, status=0, after=True, dry_run=False)
    await bench.look(TRIGGER)
    made = bench.cluster.find(JOBS, name_of("1"))["metadata"]["creationTimestamp"]
    bench.now += timedelta(minutes=1)
    await bench.look_until_still(TRIGGER)
    assert bench.status(TRIGGER)["lastTriggered"] == made
    ask(bench, "2")
    bench.cluster.fail("create", JOBS, status=0, after=True, dry_run=False)
    await bench.look(TRIGGER)
    bench.cluster.find(JOBS, name_of("2"))["metadata"]["creationTimestamp"] = "2026-05-01T12:30:00Z"
    await bench.look_until_still(TRIGGER)
    assert bench.status(TRIGGER)["lastTriggered"] == format_time(bench.now)


# ── refused ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_start_that_is_refused_is_said_and_not_repeated(bench):
    """What the API server refuses for good is in a condition and a Kubernetes Event; only a new value tries again."""
    ask(bench)
    bench.cluster.fail("create", JOBS, status=403, message=FORBIDDEN, times=9, dry_run=False)
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.cluster.count("create", JOBS) == 1
    assert handled(bench) == "1"
    assert "lastTriggered" not in bench.status(TRIGGER)
    assert bench.conditions(TRIGGER)["LastStartFailed"] == ("True", reasons.BUILD_FORBIDDEN.name)
    ((kind, reason, message),) = told(bench)
    assert (kind, reason, message.partition(":")[0]) == ("Warning", "StartFailed", reasons.BUILD_FORBIDDEN.name)
    assert message.endswith("then ask for the build anew.")
    bench.cluster.heal()
    ask(bench, "2")
    await bench.look_until_still(TRIGGER)
    assert jobs(bench) == [name_of("2")]
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"ref": "a..b"}, reasons.START_REF_INVALID),
        ({"ref": "-x"}, reasons.START_REF_INVALID),
        ({"source": {"repository": "octo/hello"}}, reasons.START_REF_MISSING),
        ({"source": {"provider": "GitHub", "organization": "octo"}, "ref": "main"}, reasons.START_REPOSITORY_MISSING),
        ({"source": {"provider": "GitLab", "group": "octo/lab"}, "ref": "main"}, reasons.START_REPOSITORY_MISSING),
        ({"value": "x" * 256}, reasons.START_REQUEST_INVALID),
        ({"value": "a\nb"}, reasons.START_REQUEST_INVALID),
        ({"projectName": ""}, reasons.TARGET_INVALID),
        ({"source": GITHUB, "filterGroups": [[{"type": "EVENT", "pattern": "PUSHED"}]]}, reasons.TARGET_INVALID),
        ({"build": {"jobTemplate": {"spec": {**JOB_SPEC, "ttlSecondsAfterFinished": 1}}}}, reasons.TARGET_INVALID),
    ],
)
async def test_what_cannot_be_built_is_said_once(bench, request_, reason):
    """A request that makes no sense, or one of an invalid spec, starts nothing and is said once."""
    ask(bench, **request_)
    await bench.look_until_still(TRIGGER)
    assert bench.cluster.count("create", JOBS) == 0
    assert bench.conditions(TRIGGER)["LastStartFailed"] == ("True", reason.name)
    ((kind, event, message),) = told(bench)
    assert (kind, event, message.partition(":")[0]) == ("Warning", "StartFailed", reason.name)
    assert len(handled(bench)) <= 255


async def test_failure_goes_with_its_request(bench):
    """Who takes the annotation away takes the condition away."""
    ask(bench, ref="a..b")
    await bench.look(TRIGGER)
    assert "LastStartFailed" in bench.conditions(TRIGGER)
    bench.put_target(status=None)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_failure_is_logged_with_what_was_asked_for(bench):
    """The log names the BuildTrigger and the request, once."""
    ask(bench, ref="a..b")
    with capture_logs() as lines:
        await bench.look_until_still(TRIGGER)
    ((line),) = [line for line in lines if line["event"] == "build"]
    assert line["log_level"] == "warning"
    assert (line["buildtrigger"], line["delivery"]) == ("default/hello", "manual:1")
    assert (line["outcome"], line["reason"]) == ("failed", reasons.START_REF_INVALID.name)


# ── delayed ───────────────────────────────────────────────────────────────────────────────────────────────────────────

QUOTA = "jobs.batch is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1"


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        (503, "the server is busy", reasons.START_DELAYED),
        (403, QUOTA, reasons.QUOTA_EXCEEDED),
        (0, "no answer", reasons.START_DELAYED),
    ],
)
async def test_start_that_may_work_later_is_tried_again(bench, status, message, reason):
    """What the API server does not take now is tried until it does; a Kubernetes Event says once why it waits."""
    ask(bench)
    bench.cluster.fail("create", JOBS, status=status, message=message, times=99, dry_run=False)
    assert await bench.look_until_still(TRIGGER) == Again(DELAYED_SECONDS)
    assert handled(bench) is None
    assert bench.conditions(TRIGGER)["StartPending"] == ("True", reason.name)
    assert [one[:2] for one in told(bench)] == [("Warning", reason.name)]
    bench.cluster.heal()
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert (handled(bench), jobs(bench)) == ("1", [name_of("1")])
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    assert [one[:2] for one in told(bench)][1:] == [("Normal", "Started")]


async def test_start_is_tried_though_the_job_cannot_be_tried(bench):
    """While the API server does not answer dry runs, a start is tried all the same, and what was said stays."""
    bench.put_target(status=None)
    await bench.look_until_still(TRIGGER)
    ask(bench)
    bench.now += timedelta(hours=1)
    bench.world.trials.forget(TRIGGER)
    bench.cluster.fail("create", JOBS, status=503, times=99)
    await bench.look(TRIGGER)
    assert bench.conditions(TRIGGER) == {
        "Ready": ("True", "Startable"),
        "StartPending": ("True", reasons.START_DELAYED.name),
    }
    bench.cluster.heal()
    bench.cluster.fail("create", JOBS, status=503, times=99, dry_run=True)
    bench.world.trials.forget(TRIGGER)
    await bench.look(TRIGGER)
    assert (handled(bench), jobs(bench)) == ("1", [name_of("1")])
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_filters_that_the_provider_is_asked_for_are_no_obstacle_then(bench):
    """Where the provider is asked for files, a filter that needs them is right, whether the Job can be tried or not."""
    bench.world.starter.facts = FakeFacts()
    spec = {
        "source": GITHUB,
        "filterGroups": [
            [{"type": "EVENT", "pattern": "PULL_REQUEST_CREATED"}, {"type": "FILE_PATH", "pattern": "^src/"}]
        ],
    }
    bench.put_target(status=None, **spec)
    await bench.look_until_still(TRIGGER)
    ask(bench, ref="main", **spec)
    bench.world.trials.forget(TRIGGER)
    bench.cluster.fail("create", JOBS, status=503, times=99, dry_run=True)
    await bench.look(TRIGGER)
    assert (handled(bench), jobs(bench)) == ("1", [name_of("1")])
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_stranger_in_the_way_is_no_build(bench):
    """A Job of another origin under the build's name fails the start."""
    ask(bench)
    bench.cluster.put(JOBS, {"metadata": {"name": name_of("1"), "namespace": "default"}})
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["LastStartFailed"] == ("True", reasons.BUILD_NAME_TAKEN.name)
    assert bench.now == NOON
