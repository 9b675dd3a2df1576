"""`hookwright explain NAME`: what a status, and what is around a Webhook, mean for whoever asks why nothing starts."""

from __future__ import annotations

import re

import pytest
from command_line import run
from explain_scene import (
    BUILD,
    HOOKWRIGHT,
    URL,
    explain,
    make_cluster,
    make_condition,
    make_delivery,
    make_job,
    make_lease,
    make_status,
    not_ready,
)

from hookwright.builds.names import name_wanted
from hookwright.cluster import BUILDTRIGGERS, CRONJOBS, EVENTS, JOBS, LEASES, SECRETS, WEBHOOKS
from hookwright.commands.explaining.deliveries import explain_delivery
from hookwright.commands.explaining.gathering import look_around
from hookwright.commands.explaining.sample import Sample
from hookwright.commands.explaining.sentences import CONDITIONS, OUTCOMES
from hookwright.commands.explaining.started import mark_duplicate
from hookwright.errors import ClusterError, HookwrightError, UsageError
from hookwright.reasons import CATALOGUE, FILTERED_OUT, NO_GROUP_PASSED, Outcome
from hookwright.reconcile import checks
from support.objects import (
    DELIVERY_ID,
    JOB_SPEC,
    SECRET,
    WEBHOOK_UID,
    make_request,
    make_wanted,
    raw_buildtrigger,
    raw_secret,
    raw_webhook,
)

TOP = {
    "namespace",
    "name",
    "ready",
    "reason",
    "code",
    "message",
    "remedy",
    "source",
    "statusIsCurrent",
    "remarks",
    "target",
    "secrets",
    "lastDelivery",
    "operator",
    "events",
    "hidden",
    "explanation",
}
# Every reason of Ready: what is in capitals in the checks, CamelCase, and no error's name.
CONDITION_REASONS = sorted(
    value
    for name, value in vars(checks).items()
    if name.isupper() and re.fullmatch(r"([A-Z][a-z]+)+", str(value)) and not value.endswith("Exception")
)
GOOD = (checks.LISTENING, checks.STARTABLE, checks.SUSPENDED)
RFC_3339 = "2026-05-01T11:00:00Z"


# ── every reason ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _remedy_of(reason):
    """Give what to do about a delivery to a Webhook in a cluster, where filters need no files."""
    judge = "hookwright explain hello --payload FILE"
    live = {
        FILTERED_OUT: f"Compare each filter with the payload: {judge}.",
        NO_GROUP_PASSED: f"Compare the groups with what happened: {judge} --headers FILE.",
    }
    return live.get(reason, reason.remedy)


@pytest.mark.parametrize("reason", CATALOGUE.values(), ids=str)
async def test_every_reason_of_a_delivery_is_explained(reason):
    """Whatever the newest delivery's reason, the paragraph says what it means and what to do."""
    delivery = make_delivery(str(reason.outcome), reason.name, message="Some detail")
    told = await explain(make_cluster(make_status(lastDelivery=delivery)))
    assert reason.sentence in told.text
    assert _remedy_of(reason) in told.text
    assert "Some detail" in told.text
    assert OUTCOMES[reason.outcome] in told.text
    assert told["lastDelivery"]["sentence"] == reason.sentence
    assert told["lastDelivery"]["remedy"] == (_remedy_of(reason) or None)
    assert told.well == (reason.outcome is not Outcome.FAILED)


@pytest.mark.parametrize("reason", CATALOGUE.values(), ids=str)
async def test_no_sentence_is_said_twice(reason):
    """What the receiver wrote into the message already is not repeated."""
    message = f"{reason.sentence} {reason.remedy}".strip()
    told = await explain(
        make_cluster(make_status(lastDelivery=make_delivery(str(reason.outcome), reason.name, message=message)))
    )
    assert told.text.count(reason.sentence) == 1
    assert not reason.remedy or told.text.count(_remedy_of(reason)) == 1
    assert "explain -f" not in told.text


async def test_detail_that_says_the_sentence_stands_alone():
    """A message that begins as the catalogue's sentence, and goes on with more, takes its place."""
    message = "the body is not JSON: EOF while parsing a value at line 1 column 0. Send JSON."
    delivery = make_delivery("refused", "BodyUnreadable", message=message)
    told = await explain(make_cluster(make_status(lastDelivery=delivery)))
    assert told.text.lower().count("the body is not json") == 1
    assert "EOF while parsing" in told.text
    assert told.text.count("Send JSON") == 1


@pytest.mark.parametrize("reason", CONDITION_REASONS)
async def test_every_reason_of_ready_is_explained(reason):
    """Whatever the reason of Ready, the paragraph says what it means, in which detail, and what to do."""
    status = make_status(make_condition(reason)) if reason in GOOD else not_ready(reason)
    told = await explain(make_cluster(status))
    said = CONDITIONS[reason]
    assert (told["reason"], said.sentence in told.text, said.remedy in told.text) == (reason, True, True)
    assert told.well == (reason in GOOD)
    if reason not in GOOD:
        assert said.remedy
        assert "spec.x: some detail." in told.text
        assert (told["code"], told["remedy"]) == ("SomeException", said.remedy)


def test_no_reason_of_ready_is_explained_that_is_not_given():
    """The explanations are about the operator's own reasons, and no others."""
    assert sorted(CONDITIONS) == CONDITION_REASONS


def test_every_outcome_has_a_verb():
    """Each outcome of a delivery is said in words."""
    assert set(OUTCOMES) == set(Outcome)


async def test_unknown_reasons_are_repeated():
    """Reasons that a newer Hookwright wrote are repeated with their messages, and taken seriously."""
    delivery = make_delivery("postponed", "TooWindy", message="It blows")
    told = await explain(make_cluster(not_ready("MoonFull", message="spec.moon: full", lastDelivery=delivery)))
    for word in ("MoonFull", "spec.moon: full", "TooWindy", "postponed", "It blows", "newer"):
        assert word in told.text
    assert (told["ready"], told.well) == ("False", False)


# ── the Webhook ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_webhook_that_is_well():
    """A Webhook that listens, and had no delivery yet, is ready; nothing is said of an operator that works."""
    told = await explain(make_cluster())
    assert (told["ready"], told["reason"], told["statusIsCurrent"], told.well) == ("True", "Listening", True, True)
    assert (told["lastDelivery"], told["operator"]["state"], told["hidden"]) == (None, "working", [])
    assert "No delivery has reached it yet" in told.text
    assert "operator" not in told.text.lower()


async def test_members_are_fixed():
    """Whatever is found, the JSON object has the same members, and neither the URL nor a secret is in it."""
    delivery = make_delivery(build=BUILD)
    inline = {"authenticationConfiguration": {"secretToken": SECRET.decode()}}
    for cluster in (
        make_cluster(),
        make_cluster({}),
        make_cluster(make_status(lastDelivery=delivery)),
        make_cluster(filters="all"),
        make_cluster(**inline),
    ):
        told = await explain(cluster)
        assert set(told.data) == TOP
        for secret in (URL, SECRET.decode()):
            assert secret not in str(told.data)
            assert secret not in told.whole


def remove(resource, name):
    return lambda cluster: cluster.drop(resource, name)


CHANGES = {
    "no Secret": (remove(SECRETS, "hello-webhook"), "SecretNotFound", "there is no Secret hello-webhook"),
    "no key": (lambda c: c.put(SECRETS, raw_secret(key="other")), "SecretKeyMissing", "no key token"),
    "an empty key": (lambda c: c.put(SECRETS, raw_secret(value=b" ")), "SecretEmpty", "is empty"),
    "no target": (remove(BUILDTRIGGERS, "hello"), "TargetNotFound", "there is no BuildTrigger hello"),
    "a sick target": (
        lambda c: c.put(BUILDTRIGGERS, raw_buildtrigger(status={"observedGeneration": 1, "errorMessage": "no image"})),
        "TargetNotReady",
        "no image",
    ),
    "an older sibling": (
        lambda c: c.put(
            WEBHOOKS,
            raw_webhook(name="hello", metadata={"name": "a", "uid": "a", "creationTimestamp": "2026-05-01T10:00:00Z"}),
        ),
        "InvalidSpec",
        "Webhook a is older and has this name",
    ),
}


@pytest.mark.parametrize(("change", "reason", "words"), CHANGES.values(), ids=CHANGES)
async def test_what_is_wrong_now_is_said_before_status_knows(change, reason, words):
    """What stands in the way by now is seen by the operator's own checks, although status says that all is well."""
    cluster = make_cluster()
    change(cluster)
    told = await explain(cluster)
    assert (told["ready"], told["reason"], told["source"], told.well) == ("False", reason, "now", False)
    assert words in told.text
    assert "does not know that yet, and says Listening" in told.text


@pytest.mark.parametrize(("change", "reason", "words"), CHANGES.values(), ids=CHANGES)
async def test_what_status_knows_is_said_in_its_words(change, reason, words):
    """Where status says the same as what can be seen, it is repeated, and nothing is said twice."""
    cluster = make_cluster(not_ready(reason, message="spec.x: as the operator says it"))
    change(cluster)
    told = await explain(cluster)
    assert (told["reason"], told["source"], told["remarks"]) == (reason, "status", [])
    assert "as the operator says it" in told.text
    assert words in told.text or reason != "TargetNotReady"


@pytest.mark.parametrize("reason", ["SecretNotFound", "SecretMalformed", "TargetNotFound", "InvalidSpec"])
async def test_what_was_mended_is_said(reason):
    """Where status names an obstacle that is gone, it is said that status will follow; until then it is not ready."""
    told = await explain(make_cluster(not_ready(reason)))
    assert (told["ready"], told["reason"], told.well) == ("False", reason, False)
    assert "nothing stands in the way any more" in told.text


@pytest.mark.parametrize("reason", ["SecretForbidden", "TargetForbidden", "TemplateForbidden", "TemplateUntried"])
async def test_what_only_the_operator_can_know_is_believed(reason):
    """What cannot be judged from here is not said to be mended."""
    told = await explain(make_cluster(not_ready(reason)))
    assert (told["reason"], told["remarks"]) == (reason, [])


async def test_quota_is_for_the_operator_to_say():
    """Whether there are too many Webhooks only the operator knows, whose setting that is."""
    told = await explain(make_cluster(not_ready("InvalidSpec", code="LimitExceededException")))
    assert (told["code"], told["remarks"]) == ("LimitExceededException", [])


async def test_second_obstacle_is_said_too():
    """Behind what only the operator can know, what can be seen is not kept back."""
    cluster = make_cluster(not_ready("TemplateForbidden"))
    cluster.drop(SECRETS, "hello-webhook")
    told = await explain(cluster)
    assert told["reason"] == "TemplateForbidden"
    assert "there is no Secret hello-webhook" in told.text


async def test_trouble_of_the_target_is_said_beside_that_of_the_webhook():
    """A target that is not ready is said also where the Webhook's own trouble is another."""
    cluster = make_cluster(not_ready("SecretNotFound"))
    cluster.drop(SECRETS, "hello-webhook")
    cluster.put(BUILDTRIGGERS, raw_buildtrigger(status={"observedGeneration": 1, "errorMessage": "no image"}))
    told = await explain(cluster)
    assert "BuildTrigger hello, its target, is not ready: no image" in told.text
    assert told["target"]["problem"] == "no image"


async def test_cronjob_is_a_target():
    """A CronJob is looked for where CronJobs are."""
    pipeline = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "hello"}
    cluster = make_cluster(targetPipeline=pipeline, filters=[])
    assert (await explain(cluster))["reason"] == "TargetNotFound"
    spec = {"schedule": "@daily", "jobTemplate": {"spec": JOB_SPEC}}
    cluster.put(CRONJOBS, {"metadata": {"name": "hello", "namespace": "default"}, "spec": spec})
    told = await explain(cluster)
    assert (told["reason"], told["target"]["exists"]) == ("Listening", True)


async def test_webhook_of_another_shape_is_explained():
    """A Webhook that no schema has checked is explained by what is wrong with its fields."""
    told = await explain(make_cluster({}, filters="all"))
    assert (told["ready"], told["reason"], told["target"]) == ("False", "InvalidSpec", None)
    assert "spec.filters" in told.text


async def test_webhook_that_is_being_deleted_is_said():
    """A Webhook that is going is said to go."""
    cluster = make_cluster()
    cluster.put(WEBHOOKS, raw_webhook(status=make_status(), metadata={"deletionTimestamp": RFC_3339}))
    assert "It is being deleted" in (await explain(cluster)).text


async def test_webhooks_that_there_are_are_named():
    """A name that no Webhook has is a usage error that names those of the namespace."""
    with pytest.raises(UsageError, match="no Webhook nobody in namespace default; there is: hello"):
        await explain(make_cluster(), "nobody")


async def test_namespace_without_webhooks_is_said():
    """In a namespace without any Webhook another one is suggested."""
    with pytest.raises(UsageError, match=r"namespace other; there is none at all.*-n"):
        await explain(make_cluster(), namespace="other")


async def test_many_names_are_cut():
    """Of very many Webhooks not all are named."""
    cluster = make_cluster()
    for number in range(50):
        cluster.put(WEBHOOKS, raw_webhook(metadata={"name": f"w{number:02}", "uid": str(number)}))
    with pytest.raises(UsageError) as refused:
        await explain(cluster, "nobody")
    assert len(refused.value.message) < 300
    assert "…" in refused.value.message


# ── the operator ──────────────────────────────────────────────────────────────────────────────────────────────────────

LEASES_FOUND = {
    "it works": (make_lease(), "working"),
    "clocks differ a little": (make_lease(age=40), "working"),
    "a clock is ahead": (make_lease(age=-3600), "working"),
    "it does not renew": (make_lease(age=60), "silent"),
    "it is over": (make_lease(holder=""), "released"),
    "another form": ({"metadata": make_lease()["metadata"], "spec": {"holderIdentity": "x", "renewTime": 5}}, "silent"),
    "no zone": ({"metadata": make_lease()["metadata"], "spec": {"holderIdentity": "x", "renewTime": "2026"}}, "silent"),
    "no spec": ({"metadata": make_lease()["metadata"]}, "released"),
}


@pytest.mark.parametrize(("lease", "state"), LEASES_FOUND.values(), ids=LEASES_FOUND)
@pytest.mark.parametrize("stale", [False, True])
async def test_lease_tells_whether_an_operator_works(lease, state, stale):
    """That no operator seems to be at work is always said; that one is, where status is not up to date."""
    cluster = make_cluster({} if stale else None)
    cluster.put(LEASES, lease)
    told = await explain(cluster)
    assert told["operator"]["state"] == state
    assert (told["operator"]["message"][1:] in told.text) == (stale or state != "working")
    if state != "working":
        assert re.search("[Nn]o operator (seems to be|is) at work", told.text)
    assert told.well == (not stale)


async def test_absent_lease_is_said():
    """Without a Lease no operator has ever worked there, or its namespace is another."""
    cluster = make_cluster({})
    cluster.drop(LEASES, "hookwright-operator", namespace=HOOKWRIGHT)
    told = await explain(cluster)
    assert (told["operator"]["state"], told["ready"], told["reason"]) == ("absent", "Unknown", None)
    assert "--hookwright-namespace" in told.text
    assert "No operator has said anything in its status yet" in told.text


async def test_status_of_an_older_spec_is_not_believed():
    """A status that is about an older spec is said to be, and does not make the Webhook ready."""
    cluster = make_cluster()
    cluster.put(WEBHOOKS, raw_webhook(status=make_status(), filters=[]))
    told = await explain(cluster)
    assert (told["ready"], told["statusIsCurrent"], told.well) == ("Unknown", False, False)
    assert "about an older spec than that of generation 2" in told.text
    assert "operator pod-0 is at work" in told.text


async def test_what_is_wrong_is_seen_without_any_status():
    """With no operator at all the paragraph still says what would stand in the way."""
    cluster = make_cluster({})
    cluster.drop(SECRETS, "hello-webhook")
    told = await explain(cluster)
    assert (told["ready"], told["reason"], told["source"]) == ("False", "SecretNotFound", "now")


async def test_target_that_is_not_judged_yet_is_said():
    """The operator says nothing of a Webhook before it has looked at its target."""
    cluster = make_cluster({})
    cluster.put(BUILDTRIGGERS, raw_buildtrigger(status={"observedGeneration": 0}))
    assert "BuildTrigger hello waits for the operator" in (await explain(cluster)).text


# ── the newest delivery ───────────────────────────────────────────────────────────────────────────────────────────────

RUNNING = {"active": 1, "startTime": RFC_3339}


def job_condition(kind, reason, message):
    return {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": message}]}


JOBS_FOUND = {
    "succeeded": (make_job(job_condition("Complete", "CompletionsReached", "done")), "has succeeded"),
    "failed": (
        make_job(job_condition("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")),
        "has failed (BackoffLimitExceeded: Job has reached the specified backoff limit); see kubectl logs job/hello-",
    ),
    "running": (make_job(RUNNING), f"is running since {RFC_3339}"),
    "created": (make_job(), "has no pod yet"),
    "held": (make_job(spec={"suspend": True}), "is held back"),
    "foreign": (make_job(metadata={"name": "hello-0123", "namespace": "default"}), "is not of this delivery"),
    "gone": (None, "is gone"),
}


@pytest.mark.parametrize(
    ("state", "job", "words"), [(state, *rest) for state, rest in JOBS_FOUND.items()], ids=JOBS_FOUND
)
async def test_what_became_of_the_job_is_said(state, job, words):
    """The newest delivery's Job is followed: running, succeeded, failed in its own words, gone."""
    cluster = make_cluster(make_status(lastDelivery=make_delivery(build=BUILD)))
    if job is not None:
        cluster.put(JOBS, job)
    told = await explain(cluster)
    build = told["lastDelivery"]["build"]
    assert (build["name"], build["state"], told.well) == ("hello-0123", state, True)
    assert f"Job hello-0123 {words}" in told.text or words in told.text
    assert (build["reason"], build["message"]) == (
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        if state == "failed"
        else ("CompletionsReached", "done")
        if state == "succeeded"
        else (None, None)
    )


async def test_job_of_another_delivery_is_not_this_ones():
    """A Job that carries another delivery's annotation is not taken for this one's."""
    cluster = make_cluster(make_status(lastDelivery=make_delivery(build=BUILD)))
    for other in (f"{WEBHOOK_UID}/0/other", f"other/0/{DELIVERY_ID}"):
        metadata = {"name": "hello-0123", "namespace": "default", "annotations": {"hookwright.dev/delivery": other}}
        cluster.put(JOBS, make_job(metadata=metadata))
        assert (await explain(cluster))["lastDelivery"]["build"]["state"] == "foreign"


async def test_build_that_is_yet_to_come_is_awaited():
    """While a delivery waits for its target, its Job is not gone but yet to be created."""
    pending = make_delivery("pending", "TargetMissing", message="x", build=BUILD)
    told = await explain(make_cluster(make_status(lastDelivery=pending)))
    assert told["lastDelivery"]["build"]["state"] == "awaited"


async def test_build_of_an_unknown_kind_is_left_alone():
    """A build of a kind that a newer Hookwright makes is named, and not looked for."""
    other = {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "x"}
    told = await explain(make_cluster(make_status(lastDelivery=make_delivery(build=other))))
    assert told["lastDelivery"]["build"]["state"] == "unknown"
    assert "PipelineRun x" in told.text


async def test_newest_delivery_stands_on_its_own_line():
    """The Webhook is one line and its newest delivery the other; a build that was created is named once."""
    cluster = make_cluster(make_status(lastDelivery=make_delivery(build=BUILD)))
    cluster.put(JOBS, make_job(job_condition("Complete", "CompletionsReached", "done")))
    told = await explain(cluster)
    webhook, delivery = told.whole.splitlines()
    assert webhook == "Webhook default/hello is ready (Listening): deliveries to status.url are accepted."
    assert delivery == (
        f"The newest delivery, {DELIVERY_ID} at 2026-05-01T11:59:00Z, started a build (BuildCreated): "
        "Job hello-0123 has succeeded."
    )


def test_help_says_that_only_the_newest_is_known(capsys):
    """Whoever looks for an older delivery learns from the help where it is."""
    assert "receiver's log" in " ".join(run(capsys, "explain", "--help").out.split())


async def test_filtered_delivery_names_the_command_that_shows_why():
    """For a delivery that was passed over the command that shows each filter is named."""
    delivery = make_delivery("ignored", "FilteredOut", message="x")
    told = await explain(make_cluster(make_status(lastDelivery=delivery)))
    assert told.text.count("hookwright explain") == 1
    assert "hookwright explain hello --payload" in told.text


# ── one delivery ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def judge(cluster, **changes):
    """Judge a signed push with what is in `cluster`."""
    request = make_request()
    sample = Sample(**({"body": request.body, "headers": request.headers} | changes))
    scene = await look_around(cluster, "default", "hello", hookwright_namespace=HOOKWRIGHT)
    return await mark_duplicate(cluster, explain_delivery(scene.subject, sample))


async def test_delivery_is_judged_with_what_is_there():
    """A payload is judged with the live Webhook, target and Secret; its build has the name that it would have."""
    answer = await judge(make_cluster())
    assert (answer["reason"], answer["authenticityChecked"]) == ("Accepted", True)
    assert answer["builds"][0]["name"] == name_wanted(make_wanted())
    assert (await judge(make_cluster(), secret=b"forged"))["reason"] == "SignatureMismatch"


async def test_delivery_whose_build_is_there_is_a_duplicate():
    """A delivery whose build exists would start nothing more; while its target is missing it has no build."""
    cluster = make_cluster()
    name = name_wanted(make_wanted())
    cluster.put(JOBS, {"metadata": {"name": name, "namespace": "default"}})
    answer = await judge(cluster)
    assert (answer["outcome"], answer["reason"], name in answer["message"]) == ("duplicate", "AlreadyDelivered", True)
    cluster.drop(BUILDTRIGGERS, "hello")
    assert (await judge(cluster))["reason"] == "TargetMissing"


async def test_secret_that_may_not_be_seen_is_not_checked():
    """Without a right to read the Secret the delivery is judged otherwise, and the answer says what was not checked."""
    cluster = make_cluster()
    cluster.fail("get", SECRETS, status=403, times=2)
    answer = await judge(cluster)
    assert (answer["reason"], answer["authenticityChecked"]) == ("Accepted", False)
    assert "Secret hello-webhook" in answer["message"]
    assert (await judge(cluster, secret=SECRET))["authenticityChecked"] is True


# ── Kubernetes Events, and rights ─────────────────────────────────────────────────────────────────────────────────────


def make_event(number, *, uid=WEBHOOK_UID, kind="Webhook", message="m"):
    return {
        "metadata": {"name": f"hello.{number}", "namespace": "default"},
        "involvedObject": {"kind": kind, "name": "hello", "uid": uid},
        "type": "Normal",
        "reason": f"R{number}",
        "message": message,
        "lastTimestamp": f"2026-05-01T11:0{number}:00Z",
        "count": number,
    }


async def test_newest_events_of_the_object_are_shown():
    """Of the Kubernetes Events about this very Webhook the five newest are shown, newest first."""
    cluster = make_cluster()
    for number in (3, 1, 2, 6, 5, 4):
        cluster.put(EVENTS, make_event(number))
    cluster.put(EVENTS, make_event(7, uid="other"))
    cluster.put(EVENTS, make_event(8, kind="BuildTrigger"))
    told = await explain(cluster)
    assert [event["reason"] for event in told["events"]] == ["R6", "R5", "R4", "R3", "R2"]
    assert "  2026-05-01T11:06:00Z R6 (6 times): m" in told.whole.splitlines()


async def test_endless_events_are_not_read_to_the_end(monkeypatch):
    """Only the first of a namespace's Kubernetes Events are looked through."""
    monkeypatch.setattr("hookwright.commands.explaining.gathering.MAX_EVENTS", 500)
    cluster = make_cluster()
    for number in range(600):
        cluster.put(
            EVENTS, make_event(1, uid="other") | {"metadata": {"name": f"e{number:03}", "namespace": "default"}}
        )
    cluster.put(EVENTS, make_event(2))
    assert (await explain(cluster))["events"] == []
    assert cluster.count("list", EVENTS) == 1


RIGHTS = {
    "Secrets": ("get", SECRETS, "Secret hello-webhook"),
    "targets": ("get", BUILDTRIGGERS, "BuildTrigger hello"),
    "Jobs": ("get", JOBS, "Job hello-0123"),
    "the Lease": ("get", LEASES, "Lease hookwright-operator"),
    "Kubernetes Events": ("list", EVENTS, "Kubernetes Events"),
    "other Webhooks": ("list", WEBHOOKS, "the other Webhooks"),
}


@pytest.mark.parametrize(("verb", "resource", "name"), RIGHTS.values(), ids=RIGHTS)
async def test_what_may_not_be_seen_is_left_open(verb, resource, name):
    """Each right that whoever asks lacks is named, and nothing is made of what could not be seen."""
    cluster = make_cluster(make_status(lastDelivery=make_delivery(build=BUILD)))
    cluster.put(JOBS, make_job(RUNNING))
    cluster.fail(verb, resource, status=403, message="no right")
    told = await explain(cluster)
    assert (told["hidden"], told["ready"], told["reason"], told["remarks"]) == ([name], "True", "Listening", [])
    assert f"Hidden from you, for want of rights: {name}." in told.text
    assert told.well


@pytest.mark.parametrize(
    ("reason", "verb", "resource"),
    [("SecretNotFound", "get", SECRETS), ("TargetNotFound", "get", BUILDTRIGGERS), ("InvalidSpec", "list", WEBHOOKS)],
)
async def test_what_may_not_be_seen_is_not_said_to_be_mended(reason, verb, resource):
    """What status says of something that is hidden is believed."""
    cluster = make_cluster(not_ready(reason))
    cluster.fail(verb, resource, status=403)
    told = await explain(cluster)
    assert (told["reason"], told["remarks"]) == (reason, [])


async def test_lease_that_may_not_be_seen_is_no_sign():
    """Without a right to see the Lease nothing is said of the operator, unless status is silent."""
    cluster = make_cluster({})
    cluster.fail("get", LEASES, status=403)
    told = await explain(cluster)
    assert told["operator"]["state"] == "unknown"
    assert "see whether Hookwright runs" in told.text


async def test_webhook_that_may_not_be_seen_is_refused():
    """Who may not see the Webhook itself is told what the API server says."""
    cluster = make_cluster()
    cluster.fail("list", WEBHOOKS, status=403, times=2)
    cluster.fail("get", WEBHOOKS, status=403, message="you may not", times=2)
    with pytest.raises(ClusterError, match="you may not"):
        await explain(cluster)
    with pytest.raises(ClusterError):
        await explain(cluster, "nobody")


async def test_missing_webhook_is_said_without_a_right_to_list():
    """Who may only get Webhooks learns that there is none of a name, without the names of others."""
    cluster = make_cluster()
    cluster.fail("list", WEBHOOKS, status=403)
    with pytest.raises(UsageError, match="no Webhook nobody") as refused:
        await explain(cluster, "nobody")
    assert "hello" not in refused.value.message


async def test_missing_crds_are_said():
    """A cluster that does not know Webhooks is told so, with what to install."""
    cluster = make_cluster()
    cluster.fail("list", WEBHOOKS, status=404, message="404 page not found")
    with pytest.raises(HookwrightError, match=r"CRDs.*hookwright crds"):
        await explain(cluster)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("list", WEBHOOKS), ("get", SECRETS), ("get", BUILDTRIGGERS), ("get", LEASES), ("list", EVENTS)],
)
async def test_absent_api_server_is_an_error(verb, resource):
    """An API server that does not answer is no news about a Webhook."""
    cluster = make_cluster()
    cluster.fail(verb, resource)
    with pytest.raises(ClusterError):
        await explain(cluster)


async def test_nothing_is_written():
    """Explaining only reads."""
    cluster = make_cluster(make_status(lastDelivery=make_delivery(build=BUILD)))
    await explain(cluster)
    assert {call.verb for call in cluster.calls} <= {"get", "list"}


async def test_text_speaks_to_no_terminal():
    """What strangers put into a status or a Kubernetes Event cannot move a terminal's cursor."""
    cluster = make_cluster(not_ready("InvalidSpec", message="a\x1b[2J\nb", lastDelivery=make_delivery(id="\x9b\u202e")))
    cluster.put(EVENTS, make_event(1, message="\x1b]0;x\x07"))
    told = await explain(cluster)
    assert [one for line in told.whole.splitlines() for one in line if not one.isprintable()] == []
    assert len(told.whole.splitlines()) == 4
