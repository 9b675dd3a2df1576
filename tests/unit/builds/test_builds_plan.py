"""What to do for a wanted build, what a refusal means, and how long to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright import reasons
from hookwright.builds.plan import End, Start, Wait, judge_refusal, plan
from hookwright.builds.retry import LONGEST_SECONDS, backoff
from hookwright.builds.wanted import Undecided
from hookwright.errors import ClusterError
from hookwright.kinds import BuildTrigger
from support.objects import NOON, TRIGGER_UID, make_buildtrigger, make_invalid, make_wanted, raw_buildtrigger

PATIENCE = timedelta(seconds=300)
SECOND = timedelta(seconds=1)
MANY = 100


def decide(wanted=None, target=None, *, late=timedelta(0), attempts=MANY):
    return plan(wanted or make_wanted(), target, now=NOON + late, patience=PATIENCE, attempts=attempts)


# ── plan ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_target_that_is_there_is_started():
    """A build whose target is there is created, however late."""
    step = decide(target=make_buildtrigger(), late=PATIENCE * 10)
    assert isinstance(step, Start)
    assert step.manifest["kind"] == "Job"


@pytest.mark.parametrize(
    ("of_webhook", "of_target", "account"),
    [
        (None, None, "default"),
        (None, "target", "target"),
        ("webhook", "target", "webhook"),
        ("webhook", None, "webhook"),
    ],
)
def test_service_account_of_the_webhook_goes_first(of_webhook, of_target, account):
    """The build is created as the Webhook's account, else the target's, else default."""
    target = make_buildtrigger(serviceAccountName=of_target)
    assert decide(make_wanted(service_account=of_webhook), target).service_account == account


@pytest.mark.parametrize(
    ("late", "kind", "reason"),
    [
        (timedelta(0), Wait, reasons.TARGET_MISSING),
        (PATIENCE - SECOND, Wait, reasons.TARGET_MISSING),
        (PATIENCE, End, reasons.TARGET_STAYED_MISSING),
        (PATIENCE * 2, End, reasons.TARGET_STAYED_MISSING),
        (-SECOND, Wait, reasons.TARGET_MISSING),
    ],
)
def test_missing_target_is_waited_for_within_patience(late, kind, reason):
    """A target that is missing is waited for until patience has passed since the delivery was accepted."""
    step = decide(late=late)
    assert (type(step), step.reason) == (kind, reason)
    assert "BuildTrigger hello in namespace default" in step.message


def test_trigger_that_was_made_anew_does_not_build_for_the_one_before():
    """What a BuildTrigger took is none of another's that has its name; a Webhook means whatever has the name."""
    own = {"owner_kind": BuildTrigger.KIND, "owner_uid": "the one before"}
    for target in (make_buildtrigger(), make_invalid(BuildTrigger, raw_buildtrigger(projectName=7))):
        step = decide(make_wanted(**own), target)
        assert (type(step), step.reason) == (End, reasons.TARGET_REPLACED)
        assert "is another" in step.message
    assert isinstance(decide(make_wanted(**own | {"owner_uid": TRIGGER_UID}), make_buildtrigger()), Start)
    assert isinstance(decide(make_wanted(owner_uid="a Webhook's"), make_buildtrigger()), Start)


def test_target_that_may_not_be_seen_is_waited_for_however_long():
    """A target that may be there, where Hookwright may not look, ends no delivery: it is no target that is missing."""
    step = plan(make_wanted(), None, now=NOON + timedelta(days=3), patience=timedelta(0), attempts=99, hidden=True)
    assert isinstance(step, Wait)


def test_without_patience_a_missing_target_ends_at_once():
    """With a patience of 0 nothing is waited for."""
    step = plan(make_wanted(), None, now=NOON, patience=timedelta(0), attempts=0)
    assert (type(step), step.reason) == (End, reasons.TARGET_STAYED_MISSING)


def test_clock_that_is_set_forward_ends_nothing():
    """Patience is over only if the tries that were made have taken so long too."""
    steps = [decide(late=timedelta(hours=6), attempts=attempts) for attempts in range(20)]
    first = next(attempts for attempts, step in enumerate(steps) if isinstance(step, End))
    assert all(isinstance(step, Wait) for step in steps[:first])
    assert all(isinstance(step, End) for step in steps[first:])
    assert sum(backoff(attempt, jitter=0) for attempt in range(1, first)) < PATIENCE.total_seconds()
    assert sum(backoff(attempt, jitter=0) for attempt in range(1, first + 1)) >= PATIENCE.total_seconds()


def test_invalid_target_ends_the_delivery():
    """A target that cannot make a build ends the delivery, and says why."""
    step = decide(target=make_invalid(BuildTrigger, raw_buildtrigger(projectName="")))
    assert (type(step), step.reason) == (End, reasons.TARGET_INVALID)
    assert "spec.projectName" in step.message


@pytest.mark.parametrize(
    ("match_equals", "found", "own", "starts"),
    [
        ("refs/heads/{Branch}", ["refs/heads/main"], {}, True),
        ("refs/heads/{Branch}", ["x", "refs/heads/main"], {}, True),
        ("refs/heads/{Branch}", ["refs/heads/other"], {}, False),
        ("{Branch}", [], {}, False),
        ("{Nobody}", ["{Nobody}"], {}, False),
        ("{Own}-{Branch}", ["o-main"], {"Own": "o"}, True),
        ("{Branch}", ["own"], {"Branch": "own"}, True),
        ("{Branch}", ["main"], {"Branch": "own"}, False),
    ],
)
def test_undecided_filters_are_decided_by_the_target(match_equals, found, own, starts):
    """A filter that waited matches if the expanded text is among what was found; own values hide the target's."""
    wanted = make_wanted(undecided=[Undecided(match_equals=match_equals, found=tuple(found))], values=own)
    step = decide(wanted, make_buildtrigger())
    if starts:
        assert isinstance(step, Start)
    else:
        assert (type(step), step.reason) == (End, reasons.FILTERED_OUT)


def test_every_undecided_filter_must_match():
    """One filter that waited and does not match is enough."""
    good, bad = (Undecided(match_equals="{Branch}", found=(text,)) for text in ("main", "other"))
    assert isinstance(decide(make_wanted(undecided=[good, good]), make_buildtrigger()), Start)
    assert isinstance(decide(make_wanted(undecided=[good, bad]), make_buildtrigger()), End)


def test_manifest_is_not_printed():
    """A step in a log line does not hold the payload's values."""
    step = decide(make_wanted(parameters={"P": "hush"}), make_buildtrigger())
    assert "hush" not in repr(step)


# ── refusals ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# What kube-apiserver 1.30 to 1.35 answer to the creation of a Job.
IMPERSONATE = (
    'serviceaccounts "builder" is forbidden: User "system:serviceaccount:hookwright-system:hookwright" cannot '
    'impersonate resource "serviceaccounts" in API group "" in the namespace "team"'
)
CREATE = (
    'jobs.batch is forbidden: User "system:serviceaccount:{0}:{0}" cannot create resource "jobs" in API group "batch" '
    'in the namespace "{0}"'
)
QUOTA = (
    'jobs.batch "hello-x" is forbidden: exceeded quota: few, requested: count/jobs.batch=1, used: count/jobs.batch=3, '
    "limited: count/jobs.batch=3"
)
QUOTA_UNCOUNTED = 'jobs.batch "hello-x" is forbidden: status unknown for quota: few, resources: count/jobs.batch'
TERMINATED = (
    'jobs.batch "hello-x" is forbidden: unable to create new content in namespace team because it is being terminated'
)
NO_JOB = (
    'Job in version "v1" cannot be handled as a Job: json: cannot unmarshal string into Go struct field '
    "PodSpec.spec.template.spec.containers of type []v1.Container"
)
INVALID = 'Job.batch "hello-x" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "Never"'
POLICY = 'admission webhook "policy.example.com" denied the request: images must be signed'
CONFLICT = 'Operation cannot be fulfilled on resourcequotas "few": the object has been modified'
WEBHOOK = 'Internal error occurred: failed calling webhook "x": context deadline exceeded'
REFUSALS = [
    (403, "Forbidden", IMPERSONATE, reasons.IMPERSONATION_FORBIDDEN),
    (403, "Forbidden", CREATE.format("team"), reasons.BUILD_FORBIDDEN),
    (403, "Forbidden", CREATE.format("impersonate"), reasons.BUILD_FORBIDDEN),
    (403, "Forbidden", QUOTA, reasons.QUOTA_EXCEEDED),
    (403, "Forbidden", QUOTA_UNCOUNTED, reasons.QUOTA_EXCEEDED),
    (403, "Forbidden", TERMINATED, reasons.NAMESPACE_GONE),
    (403, "Forbidden", POLICY, reasons.BUILD_FORBIDDEN),
    (404, "NotFound", 'namespaces "team" not found', reasons.NAMESPACE_GONE),
    (422, "Invalid", INVALID, reasons.BUILD_INVALID),
    (400, "BadRequest", NO_JOB, reasons.BUILD_INVALID),
    (400, "BadRequest", POLICY, reasons.BUILD_INVALID),
    (413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", reasons.BUILD_INVALID),
    (409, "Conflict", CONFLICT, None),
    (401, "Unauthorized", "Unauthorized", None),
    (408, "Timeout", "Timeout: request did not complete within requested timeout", None),
    (429, "TooManyRequests", "too many requests, please try again later", None),
    (500, "InternalError", WEBHOOK, None),
    (503, "ServiceUnavailable", "the server is currently unable to handle the request", None),
    (504, "Timeout", "Timeout: request did not complete within the allotted timeout", None),
    (0, "", "the API server does not answer: ClientConnectorError", None),
]


@pytest.mark.parametrize(("status", "name", "message", "reason"), REFUSALS)
def test_refusal_means_what_it_says(status, name, message, reason):
    """Each answer of a real API server becomes the reason that its user can act on; None where time may help."""
    assert judge_refusal(ClusterError(message, status=status, reason=name)) is reason


def test_every_refusal_for_good_fails_the_delivery():
    """What ends a delivery without a build is said to have failed; what a quota refuses waits for it."""
    for_good = {refusal[3] for refusal in REFUSALS} - {None, reasons.QUOTA_EXCEEDED}
    assert {reason.outcome for reason in for_good} == {reasons.Outcome.FAILED}
    assert reasons.QUOTA_EXCEEDED.outcome is reasons.Outcome.PENDING


# ── waiting ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(-5, 10**9), st.floats(0, 1))
def test_wait_is_bounded(attempts, jitter):
    """However often it failed, the wait is between half a second and a minute and a quarter of that."""
    assert 0.5 <= backoff(attempts, jitter=jitter) <= LONGEST_SECONDS * 1.25


def test_wait_doubles():
    """Each failure doubles the wait until it is a minute."""
    waits = [backoff(attempts, jitter=0) for attempts in range(1, 10)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


def test_jitter_adds_up_to_a_quarter():
    """What failed together is not tried together."""
    assert backoff(3, jitter=1) == backoff(3, jitter=0) * 1.25
