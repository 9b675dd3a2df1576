"""The checks: from an object and what is around it to what its status says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hookwright.cluster.secret_values import FoundSecret, SecretState
from hookwright.errors import ClusterError
from hookwright.kinds import BuildTrigger, CronJob, Webhook
from hookwright.reconcile.checks import (
    OWN_SECRET_REASONS,
    Finding,
    Tried,
    check_buildtrigger,
    check_webhook,
    conditions_of,
    status_patch,
)
from support.objects import (
    JOB_SPEC,
    NOON,
    make_buildtrigger,
    make_invalid,
    make_webhook,
    raw_buildtrigger,
    raw_webhook,
)

FOUND = [FoundSecret(state=SecretState.USABLE, values=(b"x",))]
HOUR = timedelta(hours=1)
GOOD = ("Listening", "deliveries are accepted")
JUDGED = {"observedGeneration": 1}
SICK = {"observedGeneration": 1, "errorCode": "InvalidInputException", "errorMessage": "spec.build: no image"}


def state(name):
    return [FoundSecret(state=name)]


# ── Webhook ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_right_webhook_has_no_finding():
    """With its Secret and its target there, nothing is wrong with a right Webhook."""
    assert check_webhook(make_webhook(), make_buildtrigger(status=JUDGED), FOUND) is None


INVALID_WEBHOOK = make_invalid(Webhook, raw_webhook(filters="all"))
INVALID_TARGET = make_invalid(BuildTrigger, raw_buildtrigger(projectName=""))
BAD_FILTER = [{"jsonPath": "$.a.len()"}]
WEBHOOK_FINDINGS = {
    "another shape": (
        (INVALID_WEBHOOK, None, []),
        ("InvalidSpec", "InvalidWebhookFilterPatternException", False, ["spec.filters"]),
    ),
    "a refused expression": (
        (make_webhook(filters=BAD_FILTER), make_buildtrigger(), FOUND),
        ("InvalidSpec", "InvalidWebhookFilterPatternException", False, ["spec.filters[0].jsonPath", "$.a.len()"]),
    ),
    "a wrong action": (
        (make_webhook(targetAction="Deploy"), make_buildtrigger(), FOUND),
        ("InvalidSpec", "ValidationException", False, ["spec.targetAction", "Deploy", "Source"]),
    ),
    "no secret for the scheme": (
        (make_webhook(authenticationConfiguration={}), make_buildtrigger(), []),
        ("InvalidSpec", "InvalidWebhookAuthenticationParametersException", False, ["spec.authenticationConfiguration"]),
    ),
    "a Secret that is missing": (
        (make_webhook(), make_buildtrigger(), state(SecretState.NO_SECRET)),
        (
            "SecretNotFound",
            "InvalidWebhookAuthenticationParametersException",
            True,
            ["spec.authenticationConfiguration.secretTokenRef.name", "hello-webhook", "create"],
        ),
    ),
    "a Secret without the key": (
        (make_webhook(), make_buildtrigger(), state(SecretState.NO_KEY)),
        (
            "SecretKeyMissing",
            "InvalidWebhookAuthenticationParametersException",
            True,
            ["spec.authenticationConfiguration.secretTokenRef.key", "hello-webhook", "token", "add"],
        ),
    ),
    "an empty Secret": (
        (make_webhook(), make_buildtrigger(), state(SecretState.EMPTY)),
        (
            "SecretEmpty",
            "InvalidWebhookAuthenticationParametersException",
            True,
            ["spec.authenticationConfiguration.secretTokenRef", "hello-webhook", "token", "empty"],
        ),
    ),
    "a target that is missing": (
        (make_webhook(), None, FOUND),
        (
            "TargetNotFound",
            "PipelineNotFoundException",
            True,
            ["spec.targetPipeline.name", "BuildTrigger hello", "namespace default", "create"],
        ),
    ),
    "a target of another shape": (
        (make_webhook(), INVALID_TARGET, FOUND),
        ("TargetNotReady", "PipelineNotFoundException", True, ["BuildTrigger hello", "spec.projectName"]),
    ),
    "a target that cannot build": (
        (make_webhook(), make_buildtrigger(status=SICK), FOUND),
        ("TargetNotReady", "PipelineNotFoundException", True, ["BuildTrigger hello", "no image"]),
    ),
}


@pytest.mark.parametrize(("world", "expected"), WEBHOOK_FINDINGS.values(), ids=WEBHOOK_FINDINGS)
def test_each_mistake_of_a_webhook_is_a_finding(world, expected):
    """Each thing that keeps a Webhook from its work has a reason, AWS's code, and a message with what to do."""
    reason, code, heals, words = expected
    finding = check_webhook(*world)
    assert (finding.reason, finding.code, finding.heals) == (reason, code, heals)
    assert [word for word in words if word not in finding.message] == []


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        ((make_webhook(filters=BAD_FILTER), None, state(SecretState.NO_SECRET)), "InvalidSpec"),
        ((make_webhook(), None, state(SecretState.NO_SECRET)), "SecretNotFound"),
    ],
)
def test_what_the_author_must_mend_is_said_first(world, reason):
    """Of several things the spec's own mistakes come first, then the Secret, then the target."""
    assert check_webhook(*world).reason == reason


@pytest.mark.parametrize("reason", OWN_SECRET_REASONS)
def test_target_that_lacks_only_its_own_secret_can_be_started(reason):
    """What keeps deliveries from a BuildTrigger keeps no Webhook from starting its builds."""
    ready = {"type": "Ready", "status": "False", "reason": reason, "message": "", "lastTransitionTime": NOON}
    sick = {"errorMessage": "no right", "conditions": [ready]}
    assert check_webhook(make_webhook(), make_buildtrigger(status=sick), FOUND) is None


def test_webhook_without_a_secret_needs_none():
    """An UNAUTHENTICATED Webhook is right without any Secret."""
    webhook = make_webhook(authentication="UNAUTHENTICATED", authenticationConfiguration={})
    assert check_webhook(webhook, make_buildtrigger(), []) is None


# ── BuildTrigger ──────────────────────────────────────────────────────────────────────────────────────────────────────

CANNOT_CREATE = 'User "system:serviceaccount:default:builder" cannot create resource "jobs"'
CANNOT_IMPERSONATE = 'User "h" cannot impersonate resource "serviceaccounts" in the namespace "default"'


def refused(status, message="no", reason=""):
    return ClusterError(message, status=status, reason=reason)


@pytest.mark.parametrize(
    "dry_run",
    [
        None,
        refused(409, reason="AlreadyExists"),
        refused(400, 'admission webhook "x.example.com" does not support dry run', "BadRequest"),
        refused(403, "exceeded quota: few", "Forbidden"),  # which deliveries wait for
    ],
)
def test_buildtrigger_whose_job_would_be_taken_has_no_finding(dry_run):
    """A Job that would be taken is right; so is one that a dry run cannot be told about."""
    assert check_buildtrigger(make_buildtrigger(), Tried(service_account="default", error=dry_run)) is None


@pytest.mark.parametrize(
    ("dry_run", "reason", "heals", "words"),
    [
        (
            refused(422, "spec.template: Required value"),
            "TemplateInvalid",
            False,
            ["spec.build.jobTemplate", "Required"],
        ),
        (refused(400, "cannot unmarshal"), "TemplateInvalid", False, ["spec.build.jobTemplate", "unmarshal"]),
        (refused(403, CANNOT_CREATE), "TemplateForbidden", True, ["ServiceAccount builder may not", "cannot create"]),
        (refused(403, CANNOT_IMPERSONATE), "TemplateForbidden", True, ["not act as", "builder", "see that", "Role"]),
    ],
)
def test_refused_job_is_a_finding(dry_run, reason, heals, words):
    """What the API server says of the Job is said in status: a right may come, a wrong template must be mended."""
    finding = check_buildtrigger(make_buildtrigger(), Tried(service_account="builder", error=dry_run))
    assert (finding.reason, finding.code, finding.heals) == (reason, "InvalidInputException", heals)
    assert [word for word in words if word not in finding.message] == []


LONG = "n" * 50
INDEXED = {"jobTemplate": {"spec": {**JOB_SPEC, "completionMode": "Indexed", "completions": 3}}}


def test_name_too_long_for_an_indexed_job():
    """A BuildTrigger whose Indexed Job Kubernetes would take from nobody with such a name says how long it may be."""
    refusal = Tried(service_account="builder", error=refused(422, "will not able to create pod"))
    finding = check_buildtrigger(make_buildtrigger(metadata={"name": LONG}, build=INDEXED), refusal)
    assert (finding.reason, finding.code, finding.heals) == ("TemplateInvalid", "InvalidInputException", False)
    assert finding.message.startswith("metadata.name: ")
    assert "at most 40 characters" in finding.message
    assert check_buildtrigger(make_buildtrigger(build=INDEXED), None) is None


@pytest.mark.parametrize(
    "target",
    [
        make_buildtrigger(build=INDEXED, status=JUDGED),
        CronJob.model_validate({"metadata": {"name": "hello"}, "spec": INDEXED}),
    ],
    ids=["BuildTrigger", "CronJob"],
)
def test_name_of_a_webhook_too_long_for_the_targets_indexed_job(target):
    """Builds are named for the Webhook that starts them, whatever the target is called."""
    finding = check_webhook(make_webhook(metadata={"name": LONG}, filters=[]), target, FOUND)
    assert (finding.reason, finding.code, finding.heals) == ("TemplateInvalid", "ValidationException", True)
    assert f"Webhook {LONG}" in finding.message
    assert check_webhook(make_webhook(filters=[]), target, FOUND) is None


def test_buildtrigger_of_another_shape_is_a_finding():
    """A BuildTrigger that cannot be read says which field is wrong."""
    finding = check_buildtrigger(INVALID_TARGET, None)
    assert (finding.reason, finding.heals) == ("InvalidSpec", False)
    assert finding.message.startswith("spec.projectName: ")


# ── conditions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def finding(*, heals):
    return Finding(reason="Why", code="Code", message="because", heals=heals)


def types_of(conditions):
    return {condition.type: condition.status for condition in conditions}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, {"Ready": "True"}),
        (finding(heals=True), {"Ready": "False", "Reconciling": "True"}),
        (finding(heals=False), {"Ready": "False", "Stalled": "True"}),
    ],
)
@pytest.mark.parametrize("obj", [make_webhook(), make_buildtrigger(), INVALID_WEBHOOK])
def test_conditions_say_what_kstatus_needs(obj, found, expected):
    """What heals by itself is Reconciling, what must be mended is Stalled, all else is Ready."""
    assert types_of(conditions_of(obj, found, good=GOOD, now=NOON)) == expected


@pytest.mark.parametrize(
    ("outcome", "there"), [("failed", True), ("started", False), ("pending", False), ("refused", False)]
)
def test_failed_delivery_is_a_condition(outcome, there):
    """The newest delivery is a condition only if it failed, beside Ready and with its reason."""
    last = {"id": "d", "time": "2026-05-01T12:00:00Z", "outcome": outcome, "reason": "BuildForbidden", "message": "no"}
    conditions = conditions_of(make_webhook(status={"lastDelivery": last}), None, good=GOOD, now=NOON)
    assert ("LastDeliveryFailed" in types_of(conditions)) is there
    assert types_of(conditions)["Ready"] == "True"


def test_conditions_keep_their_times():
    """A second look at the same world gives the same conditions, whenever it is made; those that went are gone."""
    first = conditions_of(make_webhook(), finding(heals=True), good=GOOD, now=NOON)
    webhook = make_webhook(status={"conditions": [condition.to_raw() for condition in first]})
    assert conditions_of(webhook, finding(heals=True), good=GOOD, now=NOON + HOUR) == first
    (ready,) = conditions_of(webhook, None, good=GOOD, now=NOON + HOUR)
    assert ready.last_transition_time == NOON + HOUR


def test_conditions_of_an_invalid_object_keep_their_times():
    """Also what cannot be read has a status that is stable between looks."""
    first = conditions_of(INVALID_WEBHOOK, finding(heals=False), good=GOOD, now=NOON)
    raw = raw_webhook(filters="all", status={"conditions": [condition.to_raw() for condition in first]})
    again = conditions_of(make_invalid(Webhook, raw), finding(heals=False), good=GOOD, now=NOON + HOUR)
    assert again == first


@pytest.mark.parametrize(
    ("found", "wanted", "patch"),
    [
        ({}, {"a": 1, "b": None}, {"a": 1}),
        ({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": None}, {"b": None}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
        ({"a": 1}, {"a": 1}, {}),
    ],
)
def test_patch_has_what_differs_and_nothing_else(found, wanted, patch):
    """Only members that are wanted otherwise than they are stand in the patch; None takes away what is there."""
    assert status_patch(found, wanted) == patch


@pytest.mark.parametrize(
    ("found", "wanted", "patch"),
    [
        ({"b": {"x": 1, "y": 2}}, {"b": {"x": 1}}, {"b": {"x": 1, "y": None}}),
        ({"b": {"x": 1}}, {"b": {"y": 2}}, {"b": {"x": None, "y": 2}}),
        ({"b": {"x": 1}}, {"b": None}, {"b": None}),
        ({}, {"b": {"x": 1}}, {"b": {"x": 1}}),
        ({}, {"b": []}, {}),
        ({"b": [1]}, {"b": []}, {"b": []}),
    ],
)
def test_patch_makes_what_is_wanted(found, wanted, patch):
    """An object is replaced, not merged with what stood there; a list that is not there is empty already."""
    assert status_patch(found, wanted) == patch
