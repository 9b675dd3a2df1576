"""`hookwright explain NAME`, as it is typed: against a cluster in which Hookwright works, or does not."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.running import (
    SECRET,
    Running,
    make_buildtrigger,
    make_headers,
    make_push,
    make_secret,
    make_webhook,
    run_hookwright,
)
from support.waiting import patience, within

PATIENCE = 60.0
SECRETS = r"/api/v1/namespaces/default/secrets/.*"
WEBHOOKS = "/apis/hookwright.dev/v1alpha1/webhooks"
JOBS = "/apis/batch/v1/namespaces/default/jobs"


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What the command left."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def explain(running: Running, *arguments: str | Path) -> Ran:
    """Type `hookwright explain` with `arguments`, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright", "explain", "--kubeconfig", running.kubeconfig, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await within(PATIENCE, process.communicate())
    return Ran(code=process.returncode, out=out.decode(), err=err.decode())


async def until_job_is(running: Running, condition: str) -> None:
    """Wait until the only Job has a condition: that its pod has ended is counted before."""

    def find() -> list[str]:
        return [one["type"] for job in running.jobs() for one in job["status"].get("conditions", ())]

    await running.until(lambda: condition in find(), f"the Job is {condition}")


async def test_webhook_that_works(running: Running):
    """A Webhook that listens and has started a Job which is through: exit code 0; neither secret nor URL is told."""
    response = await running.push(running.status()["url"], delivery="first")
    assert response.status_code == 202
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    await until_job_is(running, "Complete")
    ran = await explain(running, "hello", "-o", "json")
    told = ran.json
    assert (ran.code, ran.err, told["ready"], told["reason"], told["source"]) == (0, "", "True", "Listening", "status")
    assert (told["operator"]["state"], told["hidden"], told["remarks"]) == ("working", [], [])
    last = told["lastDelivery"]
    assert (last["id"], last["outcome"], last["build"]["state"]) == ("first", "started", "succeeded")
    assert [event["reason"] for event in told["events"]]
    ran = await explain(running, "hello")
    assert (ran.code, "\n".join(ran.out.splitlines()[:2])) == (0, told["explanation"])
    for secret in (SECRET, running.status()["url"]):
        assert secret not in ran.out + json.dumps(told)


async def test_job_that_failed_is_told_in_its_own_words(running: Running):
    """A Job that failed is said to have failed, with the Job's own reason; the delivery itself has not."""
    template = make_buildtrigger()["spec"]["build"]["jobTemplate"]
    # The development cluster looks at the Job, the stand-in for a kubelet at the pod.
    metadata = {"annotations": {"devcluster.hookwright.dev/outcome": "failed", "stand-in/exit-code": "1"}}
    pod = {**template["spec"]["template"], "metadata": metadata}
    job = {"metadata": metadata, "spec": {**template["spec"], "backoffLimit": 0, "template": pod}}
    running.apply(make_buildtrigger(build={"jobTemplate": job}))
    await running.until_ready()
    await running.push(running.status()["url"])
    await until_job_is(running, "Failed")
    await running.until(lambda: running.last() == ("started", "BuildCreated"))
    ran = await explain(running, "hello", "-o", "json")
    build = ran.json["lastDelivery"]["build"]
    assert (ran.code, build["state"], build["reason"]) == (0, "failed", "BackoffLimitExceeded")


async def test_delivery_that_failed_is_bad_news(running: Running):
    """A delivery whose build was refused is told with what to do; exit code 1 although the Webhook is ready."""
    fault = running.cluster.answer(status=403, method="POST", path=JOBS, reason="Forbidden", message="no jobs for you")
    await running.push(running.status()["url"])
    await running.until(lambda: running.last() == ("failed", "BuildForbidden"))
    fault.remove()
    ran = await explain(running, "hello", "-o", "json")
    assert (ran.code, ran.json["lastDelivery"]["reason"]) == (1, "BuildForbidden")
    assert "no jobs for you" in ran.json["explanation"]
    assert "verb create" in ran.json["explanation"]


async def test_obstacles_are_told_as_status_has_them(bare: Running):
    """A Secret that is missing stands in the way, by status and by what can be seen."""
    bare.apply(make_buildtrigger(), make_webhook())
    await bare.until(lambda: bare.ready() == ("False", "SecretNotFound"))
    ran = await explain(bare, "hello")
    assert ran.code == 1
    assert "is not ready (SecretNotFound, InvalidWebhookAuthenticationParametersException)" in ran.out
    assert "To do: create the Secret" in ran.out


async def test_hidden_secrets_are_left_open(running: Running):
    """Who may not read Secrets gets an answer all the same, which says so."""
    fault = running.cluster.answer(status=403, method="GET", path=SECRETS, reason="Forbidden", message="no")
    ran = await explain(running, "hello", "-o", "json")
    fault.remove()
    assert (ran.code, ran.json["hidden"]) == (0, ["Secret hello-webhook"])
    assert ran.json["secrets"] == [{"name": "hello-webhook", "key": "token", "state": "unknown"}]


async def test_delivery_is_judged_with_the_live_webhook(running: Running, tmp_path: Path):
    """A payload is judged with what is in the cluster: filters, secret, UID; and known again once it has started."""
    payload, headers = tmp_path / "payload.json", tmp_path / "headers.json"
    given = ("--payload", payload, "--headers", headers, "-o", "json")

    def prepare(body: bytes, **more: Any) -> None:
        payload.write_bytes(body)
        headers.write_text(json.dumps(make_headers(body, delivery="one", **more)))

    prepare(make_push("refs/heads/other"))
    ran = await explain(running, "hello", *given)
    assert (ran.code, ran.json["reason"], ran.json["filters"][0]["expected"]) == (1, "FilteredOut", "refs/heads/main")
    prepare(make_push(), secret="forged")
    assert (await explain(running, "hello", *given)).json["reason"] == "SignatureMismatch"
    prepare(make_push())
    ran = await explain(running, "hello", *given)
    assert (ran.code, ran.json["reason"], ran.json["authenticityChecked"]) == (0, "Accepted", True)
    response = await running.push(running.status()["url"], delivery="one")
    assert response.json()["builds"][0]["name"] == ran.json["builds"][0]["name"]
    await running.until(running.jobs)
    ran = await explain(running, "hello", *given)
    assert (ran.code, ran.json["outcome"], ran.json["reason"]) == (1, "duplicate", "AlreadyDelivered")


async def test_nobody_at_work_is_told(tmp_path: Path):
    """With no Hookwright the Webhook has no status, and that is said; once it has run and ended, that too."""
    async with run_hookwright(tmp_path, started=False) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        ran = await explain(running, "hello", "-o", "json")
        assert (ran.code, ran.json["ready"], ran.json["operator"]["state"]) == (1, "Unknown", "absent")
        await running.start()
        await running.until_ready()
        await running.stop()
        ran = await explain(running, "hello", "-o", "json")
        assert (ran.code, ran.json["ready"], ran.json["operator"]["state"]) == (0, "True", "released")
        assert "no operator is at work" in ran.json["explanation"].lower()


async def test_unknown_name_and_unknown_kind(tmp_path: Path):
    """A name that no Webhook has is exit code 2 with those that there are; without the CRDs it is 1 with what to do."""
    async with run_hookwright(tmp_path, started=False) as running:
        running.apply(make_webhook())
        ran = await explain(running, "nobody")
        assert (ran.code, ran.out, "there is: hello; nor is a BuildTrigger" in ran.err) == (2, "", True)
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/webhooks.hookwright.dev"
        await running.client.delete(running.cluster.url + path)
        async with patience():
            # It goes when its objects have gone.
            url = running.cluster.url + WEBHOOKS
            while (await running.client.get(url)).status_code != 404:  # noqa: ASYNC110 - each try is a request
                await asyncio.sleep(0.05)
        ran = await explain(running, "hello")
        assert (ran.code, ran.out, "hookwright crds" in ran.err) == (1, "", True)
