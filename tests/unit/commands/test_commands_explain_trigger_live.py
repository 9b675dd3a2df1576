"""`hookwright explain bt/NAME`: what a BuildTrigger's status, and what is around it, mean for whoever asks."""

from __future__ import annotations

import base64
import json

import pytest
from explain_scene import (
    BUILD,
    HOOKWRIGHT,
    make_condition,
    make_delivery,
    make_job,
    make_lease,
)

from hookwright.cluster import BUILDTRIGGERS, JOBS, LEASES, SECRETS, WEBHOOKS
from hookwright.cluster.secret_values import MADE_FOR
from hookwright.commands.explaining.report import is_well, render_report
from hookwright.commands.explaining.sample import Sample
from hookwright.commands.explaining.sentences import CONDITIONS, OF_TRIGGERS
from hookwright.commands.explaining.started import mark_duplicate
from hookwright.commands.explaining.trigger_deliveries import explain_trigger_delivery
from hookwright.commands.explaining.trigger_report import report_trigger
from hookwright.commands.explaining.trigger_scene import find_kind, look_around_trigger
from hookwright.commands.naming import read_name
from hookwright.errors import ClusterError, HookwrightError, UsageError
from hookwright.kinds import BuildTrigger, Webhook
from hookwright.providers.sample import Happening
from hookwright.providers.samples import SAMPLES
from hookwright.reconcile import checks
from hookwright.scm import EventType, Provider
from support.fakecluster import FakeCluster
from support.objects import DELIVERY_ID, NOON, SECRET, TRIGGER_UID, raw_buildtrigger, raw_webhook

URL = "https://hooks.example.com/hooks/a-credential"
TOP = [
    *("namespace", "name", "provider", "ready", "reason", "code", "message", "remedy", "source", "statusIsCurrent"),
    *("remarks", "secrets", "lastDelivery", "lastBuild", "active", "operator", "events", "hidden", "explanation"),
]


def make_status(*conditions, **members):
    shown = list(conditions) or [make_condition("Startable", message="builds can be started")]
    return {"payloadUrl": URL, "observedGeneration": 1, "conditions": shown, **members}


def make_cluster(status=None, **spec):
    """Give a cluster in which Hookwright is at work, with a BuildTrigger of GitLab that has `status`."""
    cluster = FakeCluster()
    metadata = {"name": "hello-hookwright", "namespace": "default", "annotations": {MADE_FOR: "hello"}}
    data = {"secret": base64.b64encode(SECRET).decode()}
    cluster.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data})
    source = {"source": {"provider": "GitLab", "repository": "team/app"}}
    cluster.put(BUILDTRIGGERS, raw_buildtrigger(status=make_status() if status is None else status, **source | spec))
    cluster.put(LEASES, make_lease())
    return cluster


async def look(cluster, name="hello"):
    return await look_around_trigger(cluster, "default", name, hookwright_namespace=HOOKWRIGHT, now=NOON)


async def explain(cluster):
    return report_trigger(await look(cluster), hookwright_namespace=HOOKWRIGHT, now=NOON)


async def test_trigger_that_works():
    """A BuildTrigger that is ready: members as documented, good news, neither secret nor URL in it."""
    active = [{"kind": "Job", "name": "hello-1", "phase": "Running"}]
    last_build = {"kind": "Job", "name": "hello-1", "phase": "Running", "sourceVersion": "abc"}
    told = await explain(make_cluster(make_status(lastBuild=last_build, active=active)))
    assert list(told) == TOP
    assert (told["provider"], told["ready"], told["reason"], told["source"]) == (
        "GitLab",
        "True",
        "Startable",
        "status",
    )
    assert (told["lastBuild"]["phase"], told["active"]) == ("Running", active)
    assert told["secrets"] == [{"name": "hello-hookwright", "key": "secret", "state": "usable"}]
    assert is_well(told)
    first, second = render_report(told).splitlines()
    assert first.startswith("BuildTrigger default/hello is ready (Startable)")
    assert "status.payloadUrl is entered at the sender (kubectl get buildtrigger -o wide" in second
    for secret in (URL, SECRET.decode()):
        assert secret not in json.dumps(told)


async def test_why_not_is_told_of_the_newest_delivery():
    """That no group passed is told with the command that shows each filter."""
    last = make_delivery("ignored", "NoGroupPassed", message="spec.filterGroups[0]: EVENT does not let PUSH pass.")
    told = await explain(make_cluster(make_status(lastDelivery=last)))
    assert "spec.filterGroups[0]: EVENT does not let PUSH pass" in told["explanation"]
    assert "hookwright explain bt/hello --payload FILE --headers FILE." in told["explanation"]
    assert is_well(told)


async def test_build_of_the_newest_delivery_is_followed():
    """What became of the Job is told in its own words."""
    cluster = make_cluster(make_status(lastDelivery=make_delivery(build=BUILD)))
    job = make_job({"conditions": [{"type": "Complete", "status": "True"}]})
    annotations = job["metadata"]["annotations"]
    annotations["hookwright.dev/delivery"] = f"{TRIGGER_UID}/0/{DELIVERY_ID}"
    cluster.put(JOBS, job)
    told = await explain(cluster)
    assert told["lastDelivery"]["build"]["state"] == "succeeded"


async def test_builds_that_no_delivery_started_are_told():
    """The newest build is told if it is another than the newest delivery's, as are those that have not ended."""
    build = {"kind": "Job", "name": "hello-9", "phase": "Failed"}
    active = [{"kind": "Job", "name": f"hello-{n}", "phase": "Running"} for n in range(3)]
    told = await explain(make_cluster(make_status(lastBuild=build, active=active)))
    assert "Its newest build is Job hello-9: Failed. 3 of its builds have not ended." in told["explanation"]
    own = build | {"name": BUILD["name"]}
    told = await explain(make_cluster(make_status(lastBuild=own, lastDelivery=make_delivery(build=BUILD))))
    assert "newest build" not in told["explanation"]


async def test_warnings_in_status_are_remarks():
    """A condition beside Ready, such as that of a start by hand that failed, is told with its message."""
    warning = make_condition("StartRefMissing", type_="LastStartFailed", message="write hookwright.dev/start-ref")
    told = await explain(make_cluster(make_status(make_condition("Startable"), warning)))
    assert told["remarks"] == ["LastStartFailed (StartRefMissing): write hookwright.dev/start-ref"]
    assert "LastStartFailed (StartRefMissing): write hookwright.dev/start-ref." in told["explanation"]
    over = make_condition("StartRefMissing", type_="LastStartFailed", status="False")
    assert (await explain(make_cluster(make_status(make_condition("Startable"), over))))["remarks"] == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"filterGroups": [[{"type": "EVENT", "pattern": "PUHS"}]]}, ["InvalidInputException", "write PUSH"]),
        ({"projectName": "x!"}, ["InvalidInputException", "spec.projectName"]),
        ({"source": {"repository": "a/b"}, "branchFilter": "x"}, ["InvalidInputException", "spec.source.provider"]),
    ],
)
async def test_invalid_spec_is_seen(spec, words):
    """What the operator refuses is seen here too, before status knows."""
    told = await explain(make_cluster(**spec))
    assert (told["ready"], told["reason"], told["source"]) == ("False", "InvalidSpec", "now")
    assert [word for word in words if word not in told["explanation"]] == []
    assert not is_well(told)


async def test_older_sibling_has_the_project():
    """Of two with one projectName the older has it."""
    cluster = make_cluster()
    metadata = {"name": "older", "uid": "0", "creationTimestamp": "2020-01-01T00:00:00Z"}
    cluster.put(BUILDTRIGGERS, raw_buildtrigger(metadata=metadata, source={"provider": "GitLab", "repository": "a/b"}))
    told = await explain(cluster)
    assert (told["ready"], told["code"]) == ("False", "ResourceAlreadyExistsException")
    assert "BuildTrigger older" in told["message"]


async def test_secret_that_is_missing_is_seen():
    """Without its Secret nobody is recognised; Hookwright makes it, so that nothing is to be created."""
    cluster = make_cluster()
    cluster.drop(SECRETS, "hello-hookwright")
    told = await explain(cluster)
    assert (told["ready"], told["reason"]) == ("False", "SecretNotFound")
    assert "Hookwright makes it" in told["remedy"]
    status = make_status(make_condition("SecretNotFound", message="Secret x", status="False"), errorCode="X")
    told = await explain(make_cluster(status))
    assert "nothing stands in the way any more" in told["explanation"]


async def test_old_secret_is_told_until_its_end():
    """An old secret is told as long as receivers take it."""
    for until, keys in (("2026-05-01T12:00:00Z", ["secret", "previous"]), ("2026-05-01T11:00:00Z", ["secret"])):
        cluster = make_cluster()
        secret = cluster.find(SECRETS, "hello-hookwright")
        secret["data"]["previous"] = secret["data"]["secret"]
        secret["metadata"]["annotations"]["hookwright.dev/previous-good-until"] = until
        assert [one["key"] for one in (await explain(cluster))["secrets"]] == keys


async def test_secret_of_somebody_else_is_seen():
    """A Secret of the right name that does not say that it is meant is no secret of the BuildTrigger."""
    cluster = make_cluster()
    secret = cluster.find(SECRETS, "hello-hookwright")
    secret["metadata"] = {**secret["metadata"], "annotations": {}}
    told = await explain(cluster)
    assert (told["ready"], told["reason"], told["code"]) == ("False", "SecretNotOwned", "InvalidInputException")
    assert told["secrets"] == [{"name": "hello-hookwright", "key": "secret", "state": "somebody else's"}]


async def test_secret_that_the_provider_cannot_send_is_seen():
    """A secret that ends in a newline is none for GitLab, which sends it in a header; it is not repeated."""
    cluster = make_cluster()
    cluster.find(SECRETS, "hello-hookwright")["data"] = {"secret": base64.b64encode(b"mine\n").decode()}
    told = await explain(cluster)
    assert (told["ready"], told["reason"], told["code"]) == ("False", "SecretMalformed", "InvalidInputException")
    assert "mine" not in told["explanation"]
    status = make_status(make_condition("SecretMalformed", message="Secret x", status="False"), errorCode="X")
    told = await explain(make_cluster(status))
    assert "nothing stands in the way any more" in told["explanation"]


async def test_trigger_without_a_provider_says_so():
    """A BuildTrigger that only Webhooks start has no URL to enter anywhere."""
    status = make_status(payloadUrl=None)
    told = await explain(make_cluster(status, source={"repository": "team/app"}))
    assert (told["provider"], told["ready"], told["secrets"]) == (None, "True", [])
    assert "It takes no deliveries itself" in told["explanation"]


async def test_what_may_not_be_seen_is_left_open():
    """Without rights on Secrets, Leases, siblings and Kubernetes Events there is an answer that names them."""
    cluster = make_cluster()
    cluster.fail("get", SECRETS, status=403)
    cluster.fail("get", LEASES, status=403)
    cluster.fail("list", BUILDTRIGGERS, status=403)
    told = await explain(cluster)
    assert told["ready"] == "True"
    assert told["hidden"] == ["the other BuildTriggers", "Secret hello-hookwright", "Lease hookwright-operator"]


async def test_absent_trigger_is_said():
    """A name that no BuildTrigger has is a usage error with those that there are; without the CRD it is another."""
    with pytest.raises(UsageError, match="no BuildTrigger nobody in namespace default; there is: hello"):
        await look(make_cluster(), "nobody")
    cluster = make_cluster()
    cluster.fail("list", BUILDTRIGGERS, status=404)
    with pytest.raises(HookwrightError, match="the cluster has no BuildTriggers"):
        await look(cluster)


async def test_kind_is_found_by_name():
    """A name alone is the Webhook's if there is one, else the BuildTrigger's; whoever may not see it is told later."""
    cluster = make_cluster()
    assert await find_kind(cluster, "default", read_name("hello")) is BuildTrigger
    assert await find_kind(cluster, "default", read_name("nobody")) is Webhook
    cluster.put(WEBHOOKS, raw_webhook())
    assert await find_kind(cluster, "default", read_name("hello")) is Webhook
    assert await find_kind(cluster, "default", read_name("bt/hello")) is BuildTrigger
    cluster.fail("get", WEBHOOKS, status=403)
    assert await find_kind(cluster, "default", read_name("hello")) is Webhook
    cluster.fail("get", WEBHOOKS, status=503)
    with pytest.raises(ClusterError):
        await find_kind(cluster, "default", read_name("hello"))


async def test_live_delivery_is_known_again_by_its_builds():
    """A payload is judged with the live BuildTrigger; once its build is there, it is a duplicate."""
    cluster = make_cluster()
    samples = SAMPLES[Provider.GITLAB]
    sent = samples.make(EventType.PUSH, Happening(repository="team/app"))
    body = json.dumps(sent.payload).encode()
    made = samples.make_headers(name=sent.name, delivery_id="d-1", body=body, secret=SECRET)
    sample = Sample(body=body, headers={name.lower(): [value] for name, value in made.items()})
    answer = explain_trigger_delivery((await look(cluster)).subject, sample)
    assert (answer["reason"], answer["authenticityChecked"]) == ("Accepted", True)
    assert await mark_duplicate(cluster, answer) == answer
    (build,) = answer["builds"]
    cluster.put(JOBS, {"metadata": {"name": build["name"], "namespace": "default"}})
    again = await mark_duplicate(cluster, answer)
    assert (again["outcome"], again["reason"]) == ("duplicate", "AlreadyDelivered")
    # Of several builds one that is missing would still start.
    two = answer | {"builds": [build, build | {"name": "other"}]}
    assert (await mark_duplicate(cluster, two))["outcome"] == "started"


@pytest.mark.parametrize("reason", sorted(CONDITIONS))
async def test_every_reason_of_ready_is_explained(reason):
    """Whatever the status of a BuildTrigger says, its reason has a sentence and, where something is wrong, a remedy."""
    fine = reason in (checks.LISTENING, checks.STARTABLE)
    status = make_status(make_condition(reason, message="some detail", status="True" if fine else "False"))
    told = await explain(make_cluster(status))
    said = OF_TRIGGERS.get(reason, CONDITIONS[reason])
    assert said.sentence in told["explanation"]
    assert said.remedy in told["explanation"]
