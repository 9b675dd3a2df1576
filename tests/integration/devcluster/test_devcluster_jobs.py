"""Jobs play themselves on devcluster: they run, end, fail and wait as the Job controller would have it."""

from __future__ import annotations

from typing import Any

import httpx

from hookwright.devcluster import DevCluster
from integration.devcluster.api import BATCH, MERGE_PATCH, eventually, watching
from integration.devcluster.test_conformance_builtin import make_job

JOBS = f"{BATCH}/namespaces/default/jobs"


async def _ended_job(dev: httpx.AsyncClient, name: str = "job") -> dict[str, Any]:
    """Wait until a Job has ended; return it."""

    async def ended() -> dict[str, Any] | None:
        job = (await dev.get(f"{JOBS}/{name}")).json()
        conditions = {one["type"] for one in job.get("status", {}).get("conditions", ())}
        return job if conditions & {"Complete", "Failed"} else None

    return await eventually(ended, "the Job has ended")


async def test_job_plays_itself(dev: httpx.AsyncClient) -> None:
    """A Job runs and completes, with a status and conditions as the Job controller writes them."""
    await dev.post(JOBS, json=make_job(suspend=False) | {"metadata": {"name": "job"}})
    version = "0"
    phases = []
    async with watching(dev, JOBS, resourceVersion=version) as events:
        while "succeeded" not in (status := (await events.next())["object"].get("status", {})):
            phases.append(status)
    assert [one.get("active") for one in phases][-1] == 1
    assert (status["succeeded"], status["ready"], "active" in status) == (1, 0, False)
    assert status["startTime"] <= status["completionTime"]
    conditions = [(one["type"], one["status"], one["reason"]) for one in status["conditions"]]
    assert conditions == [
        ("SuccessCriteriaMet", "True", "CompletionsReached"),
        ("Complete", "True", "CompletionsReached"),
    ]


async def test_job_fails_by_annotation(dev: httpx.AsyncClient) -> None:
    """The annotation outcome=failed makes a Job fail."""
    body = make_job(suspend=False)
    body["metadata"]["annotations"] = {"devcluster.hookwright.dev/outcome": "failed"}
    await dev.post(JOBS, json=body)
    status = (await _ended_job(dev))["status"]
    assert (status["failed"], "completionTime" in status) == (1, False)
    conditions = [(one["type"], one["reason"]) for one in status["conditions"]]
    assert conditions == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]


async def test_job_runs_as_long_as_it_says(dev: httpx.AsyncClient) -> None:
    """The annotation seconds outweighs the cluster's own figure."""
    body = make_job(suspend=False)
    body["metadata"]["annotations"] = {"devcluster.hookwright.dev/seconds": "3600"}
    await dev.post(JOBS, json=body)
    await dev.post(JOBS, json=make_job("other", suspend=False))
    await _ended_job(dev, "other")
    assert (await dev.get(f"{JOBS}/job")).json()["status"]["active"] == 1


async def test_suspended_job_waits(dev: httpx.AsyncClient) -> None:
    """A suspended Job does not start before it is released; it can be suspended while it runs."""
    body = make_job()
    body["metadata"]["annotations"] = {"devcluster.hookwright.dev/seconds": "3600"}
    await dev.post(JOBS, json=body)

    async def has(active: object, suspended: str) -> bool:
        status = (await dev.get(f"{JOBS}/job")).json().get("status", {})
        conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
        return (status.get("active"), conditions.get("Suspended")) == (active, suspended)

    for is_suspended, active, condition in ((True, None, "True"), (False, 1, "False"), (True, None, "True")):
        await dev.patch(f"{JOBS}/job", json={"spec": {"suspend": is_suspended}}, headers=MERGE_PATCH)
        await eventually(lambda a=active, c=condition: has(a, c), f"suspended: {is_suspended}")
    await dev.patch(f"{JOBS}/job", json={"metadata": {"annotations": None}}, headers=MERGE_PATCH)
    await dev.patch(f"{JOBS}/job", json={"spec": {"suspend": False}}, headers=MERGE_PATCH)
    assert (await _ended_job(dev))["status"]["succeeded"] == 1


async def test_deleted_job_does_not_end(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A Job that is deleted while it runs is gone, and a new one of its name runs by itself."""
    await dev.post(JOBS, json=make_job(suspend=False))
    await dev.delete(f"{JOBS}/job")
    await dev.post(JOBS, json=make_job(suspend=False))
    await _ended_job(dev)
    assert len(cluster.list("jobs.batch")) == 1
