"""Builds that are followed: how they end, what goes while nobody looks, and what history limits leave of them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.clock import Clock
from support.processes import run_fleet, until
from support.running import Running, make_buildtrigger, make_push, make_secret, make_webhook, run_hookwright

JOBS = "/apis/batch/v1/namespaces/default/jobs"
STATUS = "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers/hello/status"
MERGE = {"content-type": "application/merge-patch+json"}
LONG = 600.0


def make_trigger(*, seconds: float = 0.2, fails: bool = False, **spec: Any) -> dict[str, Any]:
    """Give BuildTrigger hello, whose builds take so long, and end well or not, whoever plays them."""
    devcluster = {"devcluster.hookwright.dev/seconds": str(seconds)}
    stand_in = {"stand-in/seconds": str(seconds)}
    if fails:
        devcluster["devcluster.hookwright.dev/outcome"] = "failed"
        stand_in["stand-in/exit-code"] = "1"
    pod = {"restartPolicy": "Never", "containers": [{"name": "build", "image": "busybox:1.37"}]}
    template = {
        "metadata": {"annotations": devcluster},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"annotations": stand_in}, "spec": pod}},
    }
    return make_buildtrigger(build={"jobTemplate": template}, **spec)


async def set_up(running: Running, trigger: dict[str, Any]) -> str:
    """Apply Webhook hello and its BuildTrigger; give the URL."""
    running.apply(make_secret(), trigger, make_webhook())
    return await running.until_ready()


async def change(running: Running, trigger: dict[str, Any]) -> None:
    """Apply a BuildTrigger anew, and wait until the operator has looked at it."""
    running.apply(trigger)
    await running.until(lambda: _is_looked_at(running), "the new spec is looked at")


def _is_looked_at(running: Running) -> bool:
    found = running.cluster.get("buildtriggers.hookwright.dev", "default", "hello") or {}
    return bool(found["status"]["observedGeneration"] == found["metadata"]["generation"])


async def start(running: Running, url: str, delivery: str) -> str:
    """Start a build by a delivery; give its name once it is there."""
    answer = await running.push(url, delivery=delivery)
    assert answer.status_code == 202
    name = answer.json()["builds"][0]["name"]
    await running.until(lambda: name in names_of_jobs(running), f"{name} is there")
    return str(name)


def names_of_jobs(running: Running) -> set[str]:
    """Give the names of all Jobs."""
    return {job["metadata"]["name"] for job in running.jobs()}


def last(running: Running) -> tuple[str, str]:
    """Give name and phase of the newest build, as status has it."""
    state = running.trigger_status().get("lastBuild", {})
    return state.get("name", ""), state.get("phase", "")


def active(running: Running) -> dict[str, str]:
    """Give the phases of the active builds, as status has them."""
    return {state["name"]: state["phase"] for state in running.trigger_status().get("active", [])}


async def let_end(running: Running, name: str) -> None:
    """Have a build that runs end now, whoever plays it: one of so many seconds may have ended unseen."""
    job = await running.until(lambda: _find_active(running, name), f"{name} has its pod, where there are any")
    pods = [pod["metadata"] for pod in running.cluster.list("pods", "default")]
    ours = [pod["name"] for pod in pods if any(one["uid"] == job["uid"] for one in pod.get("ownerReferences", ()))]
    # The end is a later second than the beginning: whole ones are compared.
    await asyncio.sleep(1)
    for path, annotation in (
        (f"{JOBS}/{name}", "devcluster.hookwright.dev/seconds"),
        *((f"/api/v1/namespaces/default/pods/{pod}", "stand-in/seconds") for pod in ours),
    ):
        patch = {"metadata": {"annotations": {annotation: "0"}}}
        assert (await running.client.patch(running.cluster.url + path, json=patch, headers=MERGE)).is_success


def _find_active(running: Running, name: str) -> dict[str, Any] | None:
    found = running.cluster.get("jobs.batch", "default", name) or {}
    return found["metadata"] if found.get("status", {}).get("active") else None


async def remove_job(running: Running, name: str) -> None:
    """Delete a Job as kubectl does."""
    options = {"propagationPolicy": "Background"}
    answer = await running.client.request("DELETE", f"{running.cluster.url}{JOBS}/{name}", json=options)
    assert answer.is_success, answer.text


# ── how builds end ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_build_is_followed_to_its_end(bare: Running, phase: str):
    """A build that was started for a Webhook is active while it runs, and then the last one, with its end."""
    url = await set_up(bare, make_trigger(seconds=LONG, fails=phase == "Failed"))
    name = await start(bare, url, "one")
    await bare.until(lambda: active(bare) == {name: "Running"})
    assert last(bare) == (name, "Running")
    await let_end(bare, name)
    await bare.until(lambda: last(bare) == (name, phase))
    state = bare.trigger_status()["lastBuild"]
    assert state["startTime"] < state["completionTime"]
    assert active(bare) == {}


async def test_builds_by_hand_count_too(bare: Running):
    """A build by hand is one of the BuildTrigger's, and its status names the ref that was asked for."""
    url = await set_up(bare, make_trigger(seconds=LONG))
    first = await start(bare, url, "one")
    path = STATUS.removesuffix("/status")
    annotations = {"hookwright.dev/start-requested-at": "now", "hookwright.dev/start-ref": "release/1"}
    asked = {"metadata": {"annotations": annotations}}
    assert (await bare.client.patch(bare.cluster.url + path, json=asked, headers=MERGE)).is_success
    await bare.until(lambda: len(active(bare)) == 2)
    (second,) = active(bare).keys() - {first}
    states = {state["name"]: state for state in bare.trigger_status()["active"]}
    assert states[second]["sourceVersion"] == "refs/heads/release/1"


async def test_build_that_is_deleted_is_canceled(bare: Running):
    """A Job that somebody deletes while it runs was canceled, and a later build is followed again."""
    url = await set_up(bare, make_trigger(seconds=LONG))
    name = await start(bare, url, "one")
    await bare.until(lambda: active(bare) == {name: "Running"})
    await remove_job(bare, name)
    await bare.until(lambda: last(bare) == (name, "Canceled"))
    assert active(bare) == {}
    other = await start(bare, url, "two")
    await bare.until(lambda: last(bare) == (other, "Running"))


async def relabel(running: Running, name: str, labels: dict[str, str | None]) -> None:
    """Write labels on a Job, or take them off, as anybody may who may patch Jobs."""
    path = f"{running.cluster.url}{JOBS}/{name}"
    answer = await running.client.patch(path, json={"metadata": {"labels": labels}}, headers=MERGE)
    assert answer.is_success, answer.text


@pytest.mark.parametrize(
    "labels",
    [
        {"app.kubernetes.io/managed-by": "other"},
        {"hookwright.dev/build": None},
        {"hookwright.dev/build": None, "app.kubernetes.io/managed-by": None},
    ],
    ids=["common", "own", "both"],
)
async def test_changed_labels_cancel_no_build(bare: Running, labels: dict[str, str | None]):
    """A build whose labels somebody changes runs on in status, also after a restart, and is canceled when it goes."""
    url = await set_up(bare, make_trigger(seconds=LONG))
    name = await start(bare, url, "one")
    await bare.until(lambda: active(bare) == {name: "Running"})
    await relabel(bare, name, labels)
    other = await start(bare, url, "two")
    await bare.until(lambda: active(bare).get(other) == "Running")
    assert active(bare) == {name: "Running", other: "Running"}
    await bare.stop()
    await bare.start()
    await remove_job(bare, other)
    await bare.until(lambda: other not in active(bare))
    assert active(bare) == {name: "Running"}
    await remove_job(bare, name)
    await bare.until(lambda: active(bare) == {})


async def test_burst_costs_few_patches_and_no_dry_run(bare: Running):
    """Builds that come all at once cost a patch a second at most, and the template is not tried again for them."""
    url = await set_up(bare, make_trigger(seconds=0.2))
    before, began = len(bare.cluster.requests), datetime.now(UTC)
    answers = [await bare.push(url, delivery=f"d-{number}") for number in range(30)]
    names = {answer.json()["builds"][0]["name"] for answer in answers}
    await bare.until(lambda: names == names_of_jobs(bare))
    await bare.until(lambda: not active(bare) and last(bare)[1] == "Succeeded")
    seconds = (datetime.now(UTC) - began).total_seconds()
    made = bare.cluster.requests[before:]
    patches = [one for one in made if one.method == "PATCH" and one.path == STATUS]
    assert len(patches) <= seconds + 1
    assert [one for one in made if one.method == "POST" and "dryRun" in one.query] == []


# ── what happens while nobody looks ───────────────────────────────────────────────────────────────────────────────────


async def test_builds_end_while_the_operator_is_away(bare: Running):
    """After a restart status is right: of a build that ended meanwhile, and of one that was deleted."""
    url = await set_up(bare, make_trigger(seconds=LONG))
    gone = await start(bare, url, "gone")
    await bare.until(lambda: active(bare) == {gone: "Running"})
    await bare.stop()
    await remove_job(bare, gone)
    await bare.until(lambda: gone not in names_of_jobs(bare))
    await bare.start()
    await bare.until(lambda: last(bare) == (gone, "Canceled"))
    assert active(bare) == {}
    ends = await start(bare, url, "ends")
    await bare.until(lambda: last(bare) == (ends, "Running"))
    await bare.stop()
    await let_end(bare, ends)
    await bare.until(
        lambda: any(job["metadata"]["name"] == ends and job["status"].get("completionTime") for job in bare.jobs())
    )
    await bare.start()
    await bare.until(lambda: last(bare) == (ends, "Succeeded"))


async def test_watch_breaks(bare: Running):
    """What ends, and what is deleted, while the watch is broken and its version forgotten, is found by a list."""
    url = await set_up(bare, make_trigger(seconds=LONG))
    names = [await start(bare, url, delivery) for delivery in ("one", "two")]
    await bare.until(lambda: active(bare) == dict.fromkeys(names, "Running"))
    fault = bare.cluster.answer(method="GET", path="/apis/batch/v1/jobs", status=503, times=None)
    bare.cluster.close_watches()
    await remove_job(bare, names[0])
    await bare.until(lambda: names[0] not in names_of_jobs(bare))
    bare.cluster.expire_history()
    fault.remove()
    await bare.until(lambda: active(bare) == {names[1]: "Running"})
    bare.cluster.close_watches()
    await remove_job(bare, names[1])
    await bare.until(lambda: last(bare)[1] == "Canceled")


async def test_right_to_see_jobs_is_missing(tmp_path: Path):
    """Without the right to list Jobs all else works: builds are started, and status says nothing of their end."""
    async with run_hookwright(tmp_path, started=False) as running:
        running.cluster.answer(method="GET", path="/apis/batch/v1/jobs", status=403, reason="Forbidden", times=None)
        await running.start()
        url = await set_up(running, make_trigger(successfulBuildsHistoryLimit=0))
        await start(running, url, "one")
        await running.until(lambda: running.last() == ("started", "BuildCreated"))
        assert "lastBuild" not in running.trigger_status()
        conditions = {one["type"]: one["status"] for one in running.trigger_status()["conditions"]}
        assert conditions == {"Ready": "True"}


async def test_other_operator_goes_on(tmp_path: Path):
    """When the operator that works is killed, the other one says how builds have ended since."""
    roles = {"receiver-0": "receiver", "operator-0": "operator", "operator-1": "operator"}
    async with run_fleet(tmp_path, roles) as fleet:
        running = fleet.running
        running.apply(make_secret(), make_trigger(seconds=LONG), make_webhook())
        await running.until_ready()
        await fleet.until_known("receiver-0", "hello")
        answer = await fleet.push("receiver-0", "hello", make_push(), delivery="one")
        name = answer.json()["builds"][0]["name"]
        await running.until(lambda: active(running) == {name: "Running"})
        holder = await until(fleet.holder, "an operator holds the Lease")
        await fleet.processes[holder].signal(signal.SIGKILL)
        await remove_job(running, name)
        await until(lambda: last(running) == (name, "Canceled"), "the other one has seen it")
        assert fleet.holder() != holder


# ── history limits ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def later(tmp_path: Path) -> AsyncIterator[tuple[Running, Clock]]:
    """Hookwright, and its clock."""
    async with run_hookwright(tmp_path, started=False) as running:
        running.clock = clock = Clock()
        await running.start()
        yield running, clock


async def test_old_builds_are_deleted_after_their_window(later: tuple[Running, Clock]):
    """None beyond the limit goes before its window is over; then the newest stay, and status keeps the last."""
    running, clock = later
    url = await set_up(running, make_trigger(successfulBuildsHistoryLimit=1, failedBuildsHistoryLimit=0))
    old = [await start(running, url, f"old-{number}") for number in range(3)]
    await running.until(lambda: not active(running) and last(running)[1] == "Succeeded")
    clock.wrong_by = timedelta(minutes=50)
    await change(running, make_trigger(fails=True, successfulBuildsHistoryLimit=1, failedBuildsHistoryLimit=0))
    failed = await start(running, url, "failed")
    await running.until(lambda: last(running) == (failed, "Failed"))
    assert names_of_jobs(running) == {*old, failed}
    clock.wrong_by = timedelta(minutes=61)
    await change(running, make_trigger(successfulBuildsHistoryLimit=1, failedBuildsHistoryLimit=0))
    await running.until(lambda: len(names_of_jobs(running)) == 2)
    assert failed in names_of_jobs(running)
    deletions = [one for one in running.cluster.requests if one.method == "DELETE" and "/jobs/" in one.path]
    assert {one.impersonate_user for one in deletions} == {"system:serviceaccount:default:default"}
    clock.wrong_by = timedelta(hours=3)
    newest = await start(running, url, "newest")
    await running.until(lambda: names_of_jobs(running) == {newest})
    await running.until(lambda: last(running) == (newest, "Succeeded"))
    await remove_job(running, newest)
    await running.until(lambda: names_of_jobs(running) == set())
    assert last(running) == (newest, "Succeeded")


def refusals(running: Running) -> list[str]:
    """Give the types of the Kubernetes Events that tell of builds that cannot be deleted."""
    events = running.cluster.list("events", "default")
    return [one["type"] for one in events if one["reason"] == "DeletionRefused"]


async def test_right_to_delete_is_missing(later: tuple[Running, Clock]):
    """Where the account may not delete Jobs a condition and a Kubernetes Event say so; builds start all the same."""
    running, clock = later
    url = await set_up(running, make_trigger(successfulBuildsHistoryLimit=0))
    fault = running.cluster.answer(
        method="DELETE", path=JOBS + "/.*", status=403, reason="Forbidden", message="may not", times=None
    )
    old = await start(running, url, "old")
    await running.until(lambda: last(running) == (old, "Succeeded"))
    clock.wrong_by = timedelta(hours=2)
    new = await start(running, url, "new")
    await running.until(
        lambda: "BuildsNotDeleted" in [one["type"] for one in running.trigger_status().get("conditions", [])]
    )
    await running.until(lambda: last(running) == (new, "Succeeded"))
    assert old in names_of_jobs(running)
    await running.until(lambda: refusals(running) == ["Warning"])
    fault.remove()
    await change(running, make_trigger(successfulBuildsHistoryLimit=0, suspend=True))
    await running.until(lambda: old not in names_of_jobs(running))
    await running.until(
        lambda: "BuildsNotDeleted" not in [one["type"] for one in running.trigger_status()["conditions"]]
    )
    assert refusals(running) == ["Warning"]
