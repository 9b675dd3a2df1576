"""A build by hand: annotations on a BuildTrigger become one Job, and status says what became of the request."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from support.processes import LONG_PATIENCE
from support.running import Running, make_buildtrigger
from support.waiting import within

TRIGGER = "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers/hello"
MERGE = {"content-type": "application/merge-patch+json"}


async def ask(running: Running, value: str, ref: str | None = None) -> None:
    """Annotate BuildTrigger hello as kubectl does."""
    annotations = {"hookwright.dev/start-requested-at": value, "hookwright.dev/start-ref": ref}
    response = await running.client.patch(
        running.cluster.url + TRIGGER, json={"metadata": {"annotations": annotations}}, headers=MERGE
    )
    assert response.status_code == 200, response.text


async def until_handled(running: Running, value: str) -> dict[str, str]:
    """Wait until a request was dealt with; give the reasons of the conditions."""
    await running.until(lambda: running.trigger_status().get("lastHandledStart") == value)
    return {condition["type"]: condition["reason"] for condition in running.trigger_status()["conditions"]}


def environment(job: dict[str, Any]) -> dict[str, str]:
    """Give the environment of a Job's container."""
    return {one["name"]: one["value"] for one in job["spec"]["template"]["spec"]["containers"][0]["env"]}


async def start(running: Running, *arguments: str) -> tuple[int | None, str, str]:
    """Type `hookwright start` with `arguments`; give exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright", "start", "--kubeconfig", str(running.kubeconfig), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await within(LONG_PATIENCE, process.communicate())
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def trigger(bare: Running) -> Running:
    """Hookwright with BuildTrigger hello, which may start."""
    bare.apply(make_buildtrigger(suspend=True))
    await bare.until(lambda: "conditions" in bare.trigger_status())
    return bare


async def test_annotation_starts_one_build(trigger: Running):
    """One value starts one Job of the ref that it names, suspended or not; another value starts another one."""
    await ask(trigger, "first", "release/1")
    assert await until_handled(trigger, "first") == {"Ready": "Startable"}
    (job,) = trigger.jobs()
    told = environment(job)
    assert told["HOOKWRIGHT_SOURCE_VERSION"] == told["HOOKWRIGHT_SOURCE_REF"] == "refs/heads/release/1"
    assert trigger.trigger_status()["lastTriggered"]
    await ask(trigger, "second")
    await until_handled(trigger, "second")
    assert {environment(each)["HOOKWRIGHT_SOURCE_REF"] for each in trigger.jobs()} == {
        "refs/heads/release/1",
        "refs/heads/main",
    }

    def announced() -> list[str]:
        return [e["message"] for e in trigger.cluster.list("events", "default") if e["reason"] == "Started"]

    await trigger.until(lambda: len(announced()) == 2)


async def test_restart_starts_nothing_anew(trigger: Running):
    """Another operator knows what was dealt with; one that is not told of it recognises the build."""
    await ask(trigger, "once")
    await until_handled(trigger, "once")
    await trigger.stop()
    response = await trigger.client.patch(
        trigger.cluster.url + TRIGGER + "/status", json={"status": {"lastHandledStart": None}}, headers=MERGE
    )
    assert response.status_code == 200
    await trigger.start()
    await until_handled(trigger, "once")
    assert len(trigger.jobs()) == 1


async def test_refused_start_is_said_and_waits_for_a_new_value(trigger: Running):
    """What is no ref is said in a condition; the next value is judged anew, and clears it."""
    await ask(trigger, "wrong", "a..b")
    assert await until_handled(trigger, "wrong") == {"Ready": "Startable", "LastStartFailed": "StartRefInvalid"}
    assert trigger.jobs() == []
    await ask(trigger, "right", "main")
    assert await until_handled(trigger, "right") == {"Ready": "Startable"}
    assert len(trigger.jobs()) == 1


async def test_value_that_was_used_starts_nothing_else(trigger: Running):
    """A value comes again: of the same, its Job is found; of something else, the request is refused. Nothing starts."""
    await ask(trigger, "first", "release/1")
    await until_handled(trigger, "first")
    await ask(trigger, "second")
    await until_handled(trigger, "second")
    triggered = trigger.trigger_status()["lastTriggered"]
    await ask(trigger, "first", "release/1")
    assert await until_handled(trigger, "first") == {"Ready": "Startable"}
    await ask(trigger, "second", "release/1")
    assert await until_handled(trigger, "second") == {"Ready": "Startable", "LastStartFailed": "StartValueUsed"}
    assert (len(trigger.jobs()), trigger.trigger_status()["lastTriggered"]) == (2, triggered)


async def test_command_starts_a_build_and_names_it(trigger: Running):
    """`hookwright start` asks, waits, and names the Job; two at once start two."""
    both = await asyncio.gather(
        start(trigger, "hello", "--ref", "main", "-o", "json"), start(trigger, "hello", "--ref", "other", "-o", "json")
    )
    assert [(code, err) for code, _, err in both] == [(0, ""), (0, "")]
    names = {json.loads(out)["build"]["name"] for _, out, _ in both}
    assert names == {job["metadata"]["name"] for job in trigger.jobs()}
    assert len(names) == 2


async def test_command_says_why_nothing_was_started(trigger: Running):
    """What the operator refuses is the command's answer, on standard error, exit code 1."""
    pod = {"containers": [{"name": "build", "image": "busybox:1.37"}]}
    trigger.apply(make_buildtrigger(build={"jobTemplate": {"spec": {"template": {"spec": pod}}}}))
    code, out, err = await start(trigger, "hello")
    assert (code, out) == (1, "")
    assert "BuildInvalid" in err
    assert "restartPolicy" in err
    assert (await start(trigger, "other"))[0] == 2


async def test_command_waits_for_the_end(trigger: Running):
    """With --wait the exit code is that of the build."""
    code, out, err = await start(trigger, "hello", "--wait")
    assert (code, err) == (0, "")
    started, ended = out.splitlines()
    (job,) = trigger.jobs()
    assert started.endswith("was started")
    assert ended == f"Job default/{job['metadata']['name']}: Succeeded"
    assert job["status"]["succeeded"] == 1
