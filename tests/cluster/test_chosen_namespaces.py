"""Chosen namespaces on a real API server: one comes later, goes, and comes again, beside one that is always there."""

from __future__ import annotations

import uuid
from pathlib import Path

from support.controlplane import ControlPlane
from support.deployed import Deployed, deploy
from support.processes import until
from support.realapi import make
from support.running import make_buildtrigger, make_secret, make_webhook

# Namespaces that are deleted take a while to go, and rights that come are asked for every few seconds.
PATIENCE = 300.0


def put(deployed: Deployed, namespace: str) -> None:
    """Put a Webhook, its BuildTrigger and its Secret into a namespace; builds wait for ever."""
    trigger = make_buildtrigger()
    trigger["spec"]["build"]["jobTemplate"]["spec"]["suspend"] = True
    for obj in (make_secret(), trigger, make_webhook()):
        deployed.api.apply({**obj, "metadata": {**obj["metadata"], "namespace": namespace}})


async def until_built(deployed: Deployed, namespace: str, delivery: str) -> None:
    """Wait until a namespace's Webhook is Ready, deliver, and wait for the build."""
    deployed.api.namespace = namespace
    await until(lambda: deployed.ready("hello")[0] == "True", f"{namespace} is served", patience=PATIENCE)
    await deployed.until_answered("hello", 202, delivery=delivery)
    before = [job["metadata"]["annotations"]["hookwright.dev/delivery"] for job in deployed.jobs()]
    if not any(note.endswith(f"/{delivery}") for note in before):
        await until(lambda: len(deployed.jobs()) > len(before), f"{delivery} is built in {namespace}")


async def test_namespace_that_comes_and_goes(control_plane: ControlPlane, tmp_path: Path):
    """A namespace is served once it and its rights are there, as often as it comes; the other one all the while."""
    later = f"later-{uuid.uuid4().hex[:8]}"
    async with deploy(control_plane, tmp_path, chosen=True, later=later) as deployed:
        api = deployed.api
        assert deployed.postponed
        put(deployed, deployed.team)
        await until_built(deployed, deployed.team, "before")
        for round_number in range(2):
            api.apply(make("Namespace", later))
            try:
                await until(lambda: api.get("ServiceAccount", "default", namespace=later), f"{later} is there")
                put(deployed, later)
                await until_built(deployed, deployed.team, f"without-{round_number}")
                api.apply(*deployed.postponed)
                await until_built(deployed, later, f"with-{round_number}")
            finally:
                api.remove(make("Namespace", later))
            await until(lambda: not api.get("Namespace", later), f"{later} is gone", patience=PATIENCE)
            await until_built(deployed, deployed.team, f"after-{round_number}")
        for process in deployed.processes.values():
            assert "Traceback" not in process.said()
