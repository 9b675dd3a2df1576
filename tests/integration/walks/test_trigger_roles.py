"""BuildTriggers, and who does what for them: a receiver and an operator, each a process of its own."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx

from hookwright.scm import Provider
from support.processes import Fleet, Request, run_fleet, until
from support.running import make_account, make_secret, make_webhook
from support.triggers import begin, count_secrets, deliver, make_trigger, outlive
from support.waiting import patience

ANY = {"jsonPath": "$.ref", "matchEquals": "refs/heads/main"}
ROLES = {"receiver": "receiver", "operator": "operator"}
EVENTS = r"/api/v1/namespaces/default/events"
BUILDER, DEPLOYER = "system:serviceaccount:default:builder", "system:serviceaccount:default:deployer"


async def until_taken(fleet: Fleet, url: str) -> httpx.Response:
    """Deliver to BuildTrigger hello until the receiver knows it."""
    address = fleet.processes["receiver"].address + "/hooks/" + url.rpartition("/")[2]
    async with patience():
        # Each try is a request: there is no event to wait for.
        while (answer := await deliver(fleet.running, address)).status_code == 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return answer


def tell(request: Request) -> tuple[str, str, str]:
    """Say what a request does, and as whom: names of objects are left out."""
    kind = re.sub(r"/(jobs|secrets|webhooks|buildtriggers)/[^/]+", r"/\1/NAME", request.path).partition("default/")[2]
    tries = "?dryRun" if "dryRun" in request.query else ""
    return request.method, kind + tries, request.impersonated


async def test_each_role_does_its_part_for_a_build_trigger(tmp_path: Path):
    """The operator keeps the secret, tries Jobs, deletes old ones; the receiver makes Jobs and tells what has come."""
    async with run_fleet(tmp_path, ROLES) as fleet:
        running = fleet.running
        running.apply(make_account("builder"), make_account("deployer"), make_secret())
        url = await begin(running, serviceAccountName="builder")
        running.apply(make_webhook(serviceAccountName="deployer", filters=[ANY]))
        await running.until_ready()
        assert (await until_taken(fleet, url)).status_code == 202
        await until(lambda: "lastTriggered" in running.trigger_status(), "the BuildTrigger has started a build")
        assert (await fleet.push("receiver", "hello")).status_code == 202
        await until(lambda: running.last() == ("started", "BuildCreated"), "so has the Webhook")
        assert len(running.jobs()) == 2

        rotated = make_trigger("hello", Provider.GITHUB, serviceAccountName="builder")
        rotated["metadata"]["annotations"] = {"hookwright.dev/rotate-secret": "1"}
        running.apply(rotated)
        await until(lambda: count_secrets(running, "hello") == 2, "its secret is replaced")
        await outlive(running, "hello")

        said = {
            member for one in fleet.wires["receiver"].writes if one.method == "PATCH" for member in one.body["status"]
        }
        assert said == {"lastDelivery", "lastTriggered"}
        assert {tell(one) for one in fleet.wires["receiver"].writes} == {
            ("POST", "jobs", BUILDER),
            ("POST", "jobs", DEPLOYER),
            ("PATCH", "buildtriggers/NAME/status", ""),
            ("PATCH", "webhooks/NAME/status", ""),
        }
        writes = [one for one in fleet.wires["operator"].writes if "/namespaces/default/" in one.path]
        assert {tell(one) for one in writes if not one.touches(EVENTS)} == {
            ("POST", "secrets", ""),
            ("PATCH", "secrets/NAME", ""),
            ("POST", "jobs?dryRun", BUILDER),
            ("POST", "jobs?dryRun", DEPLOYER),
            ("DELETE", "jobs/NAME", BUILDER),
            ("PATCH", "buildtriggers/NAME/status", ""),
            ("PATCH", "webhooks/NAME/status", ""),
        }
