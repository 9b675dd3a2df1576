"""Reconciling a BuildTrigger: its Job is tried without effect, as the build's ServiceAccount."""

from __future__ import annotations

from datetime import timedelta

import pytest
from reconcile_world import TRIGGER, Bench

from hookwright.cluster import BUILDTRIGGERS, JOBS, SERVICE_ACCOUNTS
from hookwright.reconcile.buildtrigger import FORBIDDEN_SECONDS, REFUSED_SECONDS
from hookwright.reconcile.work import NEVER, Again
from support.objects import JOB_SPEC


@pytest.fixture
def bench():
    return Bench()


async def test_first_look_writes_one_patch_and_one_event(bench):
    """A right BuildTrigger gets ARN and Ready in one patch and one Kubernetes Event; the next look writes nothing."""
    bench.put_target(status=None)
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.writes() == (1, 1)
    assert bench.status(TRIGGER)["arn"] == "arn:hookwright:webhooks:test:default:buildtrigger:hello"
    assert bench.status(TRIGGER)["observedGeneration"] == 1
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}
    assert bench.events() == [("Normal", "Startable")]


async def test_arn_ends_in_the_name_of_the_project(bench):
    """The ARN-like ID has AWS's name, as that of a Webhook has, and not the object's."""
    bench.put_target(projectName="Hello_Project")
    await bench.look(TRIGGER)
    assert bench.status(TRIGGER)["arn"] == "arn:hookwright:webhooks:test:default:buildtrigger:Hello_Project"


async def test_job_is_tried_without_effect(bench):
    """The API server is asked by a dry run as the ServiceAccount, and no Job is made."""
    bench.cluster.put_account("builder")
    bench.put_target(serviceAccountName="builder")
    await bench.look(TRIGGER)
    (call,) = bench.cluster.made("create", JOBS, dry_run=True)
    assert (call.service_account, call.namespace) == ("builder", "default")
    assert bench.cluster.all(JOBS) == []


async def test_default_account_is_default(bench):
    """Without a ServiceAccount of its own the Job is tried as default."""
    bench.put_target()
    await bench.look(TRIGGER)
    assert bench.cluster.made("create", JOBS, dry_run=True)[0].service_account == "default"


def make_build(account, *, member="serviceAccountName"):
    pod = JOB_SPEC["template"]["spec"] | {member: account}
    return {"jobTemplate": {"spec": {**JOB_SPEC, "template": {"spec": pod}}}}


@pytest.mark.parametrize("member", ["serviceAccountName", "serviceAccount"])
async def test_account_of_pods_that_does_not_exist_is_said_and_waited_for(bench, member):
    """Kubernetes takes a Job whose pods have an account that does not exist, and starts none: status says it."""
    bench.put_target(build=make_build("runner", member=member))
    assert await bench.look_until_still(TRIGGER) == Again(FORBIDDEN_SECONDS)
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "ServiceAccountNotFound")
    assert bench.status(TRIGGER)["errorCode"] == "ResourceNotFoundException"
    assert "ServiceAccount runner" in bench.status(TRIGGER)["errorMessage"]
    bench.cluster.put_account("runner")
    bench.now += timedelta(seconds=FORBIDDEN_SECONDS)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Ready"][0] == "True"


async def test_account_that_lacks_rights_since_it_does_not_exist_is_said(bench):
    """Who has misspelt the account as which builds are created is not told to give it a right."""
    bench.put_target(serviceAccountName="builder")
    message = 'jobs.batch is forbidden: User "system:serviceaccount:default:builder" cannot create resource "jobs"'
    bench.cluster.fail("create", JOBS, status=403, message=message, times=99)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "ServiceAccountNotFound")
    bench.cluster.put_account("builder")
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "TemplateForbidden")


@pytest.mark.parametrize(
    ("message", "away"), [("admission webhook says no", False), ('User "builder" cannot create resource "jobs"', True)]
)
async def test_account_is_missing_only_where_that_is_known(bench, message, away):
    """A policy's refusal is no lack of a right, and of an account that cannot be looked for now nothing is known."""
    bench.put_target(serviceAccountName="builder")
    bench.cluster.fail("create", JOBS, status=403, message=message, times=99)
    if away:
        bench.cluster.fail("get", SERVICE_ACCOUNTS, times=99)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Ready"] == ("False", "TemplateForbidden")


async def test_account_with_rights_need_not_exist(bench):
    """Kubernetes gives rights to names: as such an account builds are created, and their pods have another."""
    bench.put_target(serviceAccountName="builder")
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


async def test_account_that_may_not_be_seen_is_taken_to_be_there(bench):
    """Without the right to look at ServiceAccounts the dry run alone judges."""
    bench.put_target(build=make_build("runner"))
    bench.cluster.fail("get", SERVICE_ACCOUNTS, status=403, reason="Forbidden", message="no", times=9)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Ready"][0] == "True"


async def test_wrong_template_is_stalled(bench):
    """A Job that the API server refuses as invalid must be mended; it is tried again slowly, for policies change."""
    bench.put_target()
    bench.cluster.fail("create", JOBS, status=422, message="spec.template.spec.containers: Required value", times=9)
    assert await bench.look_until_still(TRIGGER) == Again(REFUSED_SECONDS)
    assert bench.conditions(TRIGGER)["Stalled"] == ("True", "TemplateInvalid")
    assert "containers: Required value" in bench.status(TRIGGER)["errorMessage"]


async def test_missing_right_heals(bench):
    """A right that is missing is looked for again, and its coming heals the status."""
    bench.put_target()
    bench.cluster.fail("create", JOBS, status=403, message="cannot create resource jobs", times=99)
    assert (await bench.look_until_still(TRIGGER)).seconds == 30
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "TemplateForbidden")
    bench.cluster.heal()
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.conditions(TRIGGER) == {"Ready": ("True", "Startable")}


@pytest.mark.parametrize("status", [0, 429, 500, 503])
async def test_absent_api_server_says_nothing_of_the_template(bench, status):
    """If the API server does not say, status stays as it is, and it is asked again soon."""
    bench.put_target()
    bench.cluster.fail("create", JOBS, status=status)
    assert (await bench.look(TRIGGER)).seconds == 10
    assert bench.writes() == (0, 0)


async def test_template_of_odd_shape_reaches_the_api_server(bench):
    """A template in which nothing is as it should be is tried, so that the API server says what is wrong."""
    spec = {"template": {"spec": {"containers": [{"env": 5}, None]}}}
    bench.put_target(build={"jobTemplate": {"spec": spec}})
    bench.cluster.fail("create", JOBS, status=400, message="cannot unmarshal number", times=9)
    await bench.look_until_still(TRIGGER)
    assert "cannot unmarshal number" in bench.status(TRIGGER)["errorMessage"]


async def test_object_of_another_shape_does_not_loop(bench):
    """A BuildTrigger that cannot be read gets a status once, and no Job of it is tried."""
    bench.put_target(projectName="")
    assert await bench.look_until_still(TRIGGER) == NEVER
    assert bench.conditions(TRIGGER)["Stalled"] == ("True", "InvalidSpec")
    assert bench.cluster.count("create", JOBS, dry_run=True) == 0


async def test_object_that_is_going_is_left_alone(bench):
    """A BuildTrigger that is being deleted, or is gone, gets no status."""
    bench.put_target(metadata={"deletionTimestamp": "2026-05-01T12:00:00Z"})
    assert await bench.look(TRIGGER) == NEVER
    bench.cluster.drop(BUILDTRIGGERS, "hello")
    assert await bench.look(TRIGGER) == NEVER
    assert bench.writes() == (0, 0)


GITHUB = {"provider": "GitHub", "repository": "octo/hello"}


async def test_provider_brings_a_url(bench):
    """A BuildTrigger with a provider says where deliveries go; without one any more it no longer does."""
    bench.put_target(source=GITHUB)
    await bench.look_until_still(TRIGGER)
    assert bench.status(TRIGGER)["payloadUrl"].startswith("https://hooks.example.com/hooks/")
    bench.put_target(status=bench.status(TRIGGER))
    await bench.look_until_still(TRIGGER)
    assert "payloadUrl" not in bench.status(TRIGGER)


async def test_suspended_trigger_says_so(bench):
    """Ready says that deliveries start nothing; where there are none, suspend is about nothing."""
    bench.put_target(source=GITHUB, suspend=True)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Ready"] == ("True", "Suspended")
    bench.put_target(suspend=True)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Ready"] == ("True", "Startable")


async def test_filters_are_checked(bench):
    """What the receiver would refuse stands in status, with CodeBuild's code."""
    bench.put_target(source=GITHUB, branchFilter="(")
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Stalled"] == ("True", "InvalidSpec")
    assert bench.status(TRIGGER)["errorCode"] == "InvalidInputException"
    assert "spec.branchFilter" in bench.status(TRIGGER)["errorMessage"]


async def test_younger_trigger_of_a_project_waits(bench):
    """It says who has the project, and is well once that one is gone."""
    bench.put_target(metadata={"creationTimestamp": "2026-05-01T12:00:00Z"})
    older = {"name": "older", "uid": "older", "creationTimestamp": "2026-05-01T11:00:00Z"}
    bench.put_target(metadata=older)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Reconciling"] == ("True", "InvalidSpec")
    assert bench.status(TRIGGER)["errorCode"] == "ResourceAlreadyExistsException"
    bench.cluster.drop(BUILDTRIGGERS, "older")
    assert any(TRIGGER in change.siblings for change in bench.changes)
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["Ready"] == ("True", "Startable")


async def test_failed_delivery_is_a_condition(bench):
    """The newest delivery that failed is said beside Ready."""
    last = {"id": "d", "time": "2026-05-01T12:00:00Z", "outcome": "failed", "reason": "BuildForbidden", "message": "no"}
    bench.put_target(source=GITHUB, status={"lastDelivery": last})
    await bench.look_until_still(TRIGGER)
    assert bench.conditions(TRIGGER)["LastDeliveryFailed"] == ("True", "BuildForbidden")
