"""Hookwright in chosen namespaces: nothing of others is asked for, and none of them keeps another from working."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hookwright.app import Role
from hookwright.cluster import informers
from hookwright.commands.dev import make_namespace
from hookwright.settings import MOST_NAMESPACES
from support.processes import run_fleet, until
from support.running import Running, make_buildtrigger, make_secret, make_webhook, run_hookwright

ALLOWED = re.compile(r"/(api|apis/[^/]+)/v[^/]+/namespaces/(default|team|gone|hookwright-system)/.*")
DISCOVERY = re.compile(r"/(?:api(?:/[^/]+)?|apis(?:/[^/]+){0,2}|version)")
WATCHED = ("webhooks", "buildtriggers", "cronjobs", "secrets")
TEAM = r"/apis/(hookwright\.dev|batch)/[^/]+/namespaces/team/.*"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Hookwright ask again after moments, where users wait for seconds."""
    monkeypatch.setattr(informers, "SHORTEST_REFUSED_SECONDS", 0.05)
    monkeypatch.setattr(informers, "REFUSALS_PER_SECOND", 1000.0)


def put(running: Running, namespace: str) -> None:
    """Put a Webhook, its BuildTrigger and its Secret into a namespace."""
    running.cluster.apply(make_namespace(namespace))
    for obj in (make_secret(), make_buildtrigger(), make_webhook()):
        running.apply({**obj, "metadata": {**obj["metadata"], "namespace": namespace}})


def webhook(running: Running, namespace: str) -> dict[str, Any]:
    """Give Webhook hello of a namespace."""
    return running.cluster.get("webhooks.hookwright.dev", namespace, "hello") or {}


def is_ready(running: Running, namespace: str) -> bool:
    """Say whether Webhook hello of a namespace is Ready."""
    conditions = webhook(running, namespace).get("status", {}).get("conditions", [])
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)


async def until_built(running: Running, namespace: str) -> None:
    """Deliver to a namespace's Webhook once it is Ready, and wait for the Job."""
    await running.until(lambda: is_ready(running, namespace), f"Webhook hello of {namespace} is Ready")
    before = len(running.cluster.list("jobs.batch", namespace))
    await running.until_answered(webhook(running, namespace)["status"]["url"], 202)
    await running.until(lambda: len(running.cluster.list("jobs.batch", namespace)) > before)


async def test_only_chosen_namespaces_are_asked_for(tmp_path: Path):
    """In chosen namespaces all works as it does in all; whatever is asked of the API server is asked within them."""
    async with run_hookwright(tmp_path, started=False, namespaces="default,team,gone") as running:
        for namespace in ("default", "team", "other"):
            put(running, namespace)
        await running.start()
        for namespace in ("default", "team"):
            await until_built(running, namespace)
        # One that is made later, and one that is made again under its name.
        put(running, "gone")
        await until_built(running, "gone")
        assert webhook(running, "other").get("status", {}) == {}
        asked = {one.path for one in running.cluster.requests if not DISCOVERY.fullmatch(one.path)}
        assert [path for path in sorted(asked) if not ALLOWED.fullmatch(path)] == []
        assert len(asked) > 10


async def test_namespace_without_rights_keeps_no_other_from_working(tmp_path: Path):
    """Where rights are missing nothing is taken; elsewhere all goes on, also after they went; given, they are found."""
    async with run_hookwright(tmp_path, started=False, namespaces="team,default") as running:
        for namespace in ("default", "team"):
            put(running, namespace)
        refusal = {"status": 403, "reason": "Forbidden", "message": "no right here", "times": None}
        fault = running.cluster.answer(path=TEAM, **refusal)
        await running.start()
        await until_built(running, "default")
        assert webhook(running, "team").get("status", {}) == {}
        fault.remove()
        await until_built(running, "team")
        fault = running.cluster.answer(path=TEAM, **refusal)
        running.cluster.close_watches()
        running.apply(make_webhook(suspend=True))
        await running.until(lambda: running.ready()[1] == "Suspended", "the change is seen")
        await running.until(lambda: fault.hits > 8)
        running.apply(make_webhook())
        await running.until(lambda: running.ready()[1] == "Listening", "the change is seen")
        fault.remove()
        await until_built(running, "team")


async def test_accepted_delivery_waits_for_the_right_to_see_its_target(tmp_path: Path):
    """What was accepted before a namespace's rights went is started once they are back, also after a restart."""
    async with run_hookwright(tmp_path, started=False, namespaces="team,default", target_patience=0) as running:
        put(running, "team")
        await running.start()
        await running.until(lambda: is_ready(running, "team"), "Webhook hello of team is Ready")
        away = running.cluster.drop(method="POST", path=r".*/namespaces/team/jobs", times=None)
        assert (await running.push(webhook(running, "team")["status"]["url"])).status_code == 202
        await running.stop()
        away.remove()
        fault = running.cluster.answer(
            path=r".*/namespaces/team/(webhooks|buildtriggers)", status=403, reason="Forbidden", times=None
        )
        with capture_logs() as lines:
            await running.start()
            await running.until(lambda: [line for line in lines if line["event"] == "build"], "it is tried")
        fault.remove()
        await running.until(lambda: running.cluster.list("jobs.batch", "team"), "it is started")


async def test_roles_share_chosen_namespaces(tmp_path: Path):
    """A receiver and an operator in chosen namespaces make of a delivery one Job; the receiver writes no Secret."""
    roles = {"receiver-0": str(Role.RECEIVER), "operator-0": str(Role.OPERATOR)}
    async with run_fleet(tmp_path, roles, HOOKWRIGHT_NAMESPACES="team") as fleet:
        running = fleet.running
        for namespace in ("team", "other"):
            put(running, namespace)
        await until(lambda: is_ready(running, "team"), "the operator has judged it")
        path = "/hooks/" + webhook(running, "team")["status"]["url"].rpartition("/")[2]
        await running.until_answered(fleet.processes["receiver-0"].address + path, 202)
        await until(lambda: running.cluster.list("jobs.batch", "team"), "the receiver has started it")
        assert webhook(running, "other").get("status", {}) == {}
        assert [write.path for write in fleet.wires["receiver-0"].writes if "/secrets" in write.path] == []


async def test_as_many_namespaces_as_can_be_are_served(tmp_path: Path):
    """In the most namespaces that can be named each is watched, and there is room left for all else."""
    names = [f"n{number}" for number in range(MOST_NAMESPACES)]
    async with run_hookwright(tmp_path, started=False, namespaces=",".join(names)) as running:
        for name in names:
            running.cluster.apply(make_namespace(name))
        await running.start()

        def watched() -> set[str]:
            asked = [one.path for one in running.cluster.requests if "watch=true" in one.query]
            return {path for path in asked if path.rpartition("/")[2] in WATCHED}

        await running.until(lambda: len(watched()) == len(WATCHED) * len(names), "all are watched")
        put(running, names[-1])
        await until_built(running, names[-1])
