"""`hookwright deliver` and `explain` for BuildTriggers, against a cluster in which Hookwright works."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.commands.deliver import prepare, send
from hookwright.commands.delivering.prepared import Changes, Wish
from hookwright.providers.sample import Happening
from hookwright.providers.samples import SAMPLES
from hookwright.scm import EventType, Provider
from support.running import Running
from support.triggers import environment_of, make_trigger, until_url
from support.waiting import within

PATIENCE = 60.0
GROUPS = [[{"type": "EVENT", "pattern": "PUSH"}, {"type": "HEAD_REF", "pattern": "^refs/heads/release/"}]]
SOURCE = {"repository": "team/app", "branch": "main"}


async def hookwright(running: Running, *arguments: str | Path) -> tuple[int | None, str, str]:
    """Type `hookwright` with `arguments`, in a process of its own; give its exit code and what it printed."""
    command, *more = arguments
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright", command, "--kubeconfig", running.kubeconfig, *more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await within(PATIENCE, process.communicate())
    return process.returncode, out.decode(), err.decode()


async def deliver(running: Running, name: str, event: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Do what `hookwright deliver` does, in this process."""
    access = await load_access(running.kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        prepared = await prepare(cluster, "default", name, Wish(event=event, changes=Changes(**changes)))
    return await send(prepared)


@pytest.mark.parametrize("provider", Provider)
async def test_every_provider_delivers_and_a_job_starts(bare: Running, provider: Provider):
    """With the Secret that the operator made: a push and a pull request start a Job each, which knows what happened."""
    bare.apply(make_trigger("hello", provider, source=SOURCE))
    await until_url(bare)
    for event in (EventType.PUSH, EventType.PULL_REQUEST_CREATED):
        status, answer = await deliver(bare, "bt/hello", event)
        assert (status, answer["outcome"], answer["reason"]) == (202, "started", "Accepted")
        (build,) = answer["builds"]

        def find(name: str = build["name"]) -> dict[str, Any] | None:
            return next((job for job in bare.jobs() if job["metadata"]["name"] == name), None)

        environment = environment_of(await bare.until(find))
        assert environment["HOOKWRIGHT_WEBHOOK_EVENT"] == event
        assert environment["HOOKWRIGHT_SOURCE_REPOSITORY"] == "team/app"


async def test_why_it_did_not_start_is_told(bare: Running, tmp_path: Path):
    """A push that no group lets pass: the answer says so, explain says so later, and of a payload which filter."""
    bare.apply(make_trigger("hello", Provider.GITLAB, source=SOURCE, filterGroups=GROUPS))
    url = await until_url(bare)
    code, out, err = await hookwright(bare, "deliver", "hello", "--event", "push", "--branch", "main")
    assert (code, err) == (0, "")
    assert "200 ignored (NoGroupPassed)" in out
    assert "the sample is GitLab's PUSH in team/app" in out
    await bare.until(lambda: (bare.trigger_status().get("lastDelivery") or {}).get("reason") == "NoGroupPassed")
    code, out, err = await hookwright(bare, "explain", "bt/hello", "-o", "json")
    told = json.loads(out)
    assert (code, err, told["ready"], told["provider"], told["source"]) == (0, "", "True", "GitLab", "status")
    assert (told["hidden"], told["remarks"], told["operator"]["state"]) == ([], [], "working")
    assert told["lastDelivery"]["outcome"] == "ignored"
    assert "spec.filterGroups[0][1]: HEAD_REF does not match ^refs/heads/release/" in told["explanation"]
    assert "hookwright explain bt/hello --payload FILE --headers FILE" in told["explanation"]
    assert url not in out
    sent = SAMPLES[Provider.GITLAB].make(EventType.PUSH, Happening(repository="team/app"))
    payload, headers = tmp_path / "payload.json", tmp_path / "headers.json"
    payload.write_text(json.dumps(sent.payload))
    headers.write_text(json.dumps({"X-Gitlab-Event": sent.name}))
    given = ("--payload", payload, "--headers", headers)
    code, out, _ = await hookwright(bare, "explain", "hello", *given)
    assert (code, "TokenMissing" in out) == (1, True)
    assert "nearest: spec.filterGroups[0], in which only HEAD_REF does not pass" in out


async def test_delivery_is_known_again_once_it_has_started(bare: Running, tmp_path: Path):
    """A payload is judged with the live BuildTrigger and secret; the build that it names is the one that starts."""
    bare.apply(make_trigger("hello", Provider.BITBUCKET_CLOUD, source=SOURCE))
    await until_url(bare)
    access = await load_access(bare.kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        prepared = await prepare(cluster, "default", "bt/hello", Wish(delivery_id="one"))
    payload, headers = tmp_path / "payload.json", tmp_path / "headers.json"
    payload.write_bytes(prepared.body)
    headers.write_text(json.dumps(prepared.headers))
    given = ("--payload", payload, "--headers", headers, "-o", "json")
    code, out, _ = await hookwright(bare, "explain", "bt/hello", *given)
    told = json.loads(out)
    assert (code, told["reason"], told["authenticityChecked"]) == (0, "Accepted", True)
    _, answer = await send(prepared)
    assert answer["builds"][0]["name"] == told["builds"][0]["name"]
    await bare.until(bare.jobs)
    code, out, _ = await hookwright(bare, "explain", "bt/hello", *given)
    assert (code, json.loads(out)["reason"]) == (1, "AlreadyDelivered")
