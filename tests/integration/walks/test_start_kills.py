"""Starts by hand and kill -9: whenever the operator dies, a request becomes one build, and status says so."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.processes import Request, run_fleet, until
from support.running import make_buildtrigger

TRIGGER = "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers/hello"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
OPERATORS = {"a": "operator", "b": "operator"}


def creates(request: Request) -> bool:
    """The build is being made: the API server makes it, and nobody is there to hear so."""
    return request.method == "POST" and request.touches(JOBS) and "dryRun" not in request.query


def announces(request: Request) -> bool:
    """Status is being written: the build was made, and was heard of."""
    return (
        request.method == "PATCH" and request.touches(TRIGGER + "/status") and "lastHandledStart" in str(request.body)
    )


@pytest.mark.parametrize("moment", [creates, announces])
async def test_operator_that_is_killed_leaves_one_build(tmp_path: Path, moment: Callable[[Request], bool]):
    """Its successor finds the build that was made, makes no second one, and says in status that it was started."""
    async with run_fleet(tmp_path, OPERATORS) as fleet:
        running = fleet.running
        running.apply(make_buildtrigger())
        await until(lambda: "conditions" in running.trigger_status(), "the BuildTrigger is looked at")
        holder = fleet.holder()
        wire = fleet.wires[holder]
        wire.hold_at(moment)
        annotations = {"hookwright.dev/start-requested-at": "once"}
        answer = await running.client.patch(
            running.cluster.url + TRIGGER,
            json={"metadata": {"annotations": annotations}},
            headers={"content-type": "application/merge-patch+json"},
        )
        assert answer.is_success, answer.text
        await until(lambda: not wire.flows.is_set() and running.jobs(), "the operator is in the middle of it")
        await fleet.processes[holder].signal(signal.SIGKILL)
        await until(lambda: fleet.holder() not in ("", holder), "the other takes over")
        await until(lambda: running.trigger_status().get("lastHandledStart") == "once", "status says so")
        (job,) = running.jobs()
        assert job["metadata"]["annotations"]["hookwright.dev/delivery"].endswith("/0/manual:once")
        assert running.trigger_status()["lastTriggered"]
