"""The chart's rights, by the audit log of a real API server: each role uses them all, and is refused nothing."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from hookwright.commands.files import read_manifests
from hookwright.scm import Provider
from support.controlplane import ControlPlane
from support.deployed import Deployed, deploy
from support.processes import until
from support.rights import compare
from support.triggers import make_delivery, make_trigger, make_trigger_secret

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "example-secret-change-me"
MODES = {
    "split": ("split", False),
    "split, chosen namespaces": ("split", True),
    "single": ("single", False),
    "single, chosen namespaces": ("single", True),
}


async def start_by_hand(deployed: Deployed) -> None:
    """Ask for a build by hand, and have the operator forget that it has started it."""
    operator = deployed.processes.get("operator", deployed.receiver)
    asked = {"metadata": {"annotations": {"hookwright.dev/start-requested-at": "once"}}}
    for patch, sub in ((asked, ""), ({"status": {"lastHandledStart": None}}, "status")):
        answer = deployed.api.change("BuildTrigger", "hello", patch, sub=sub)
        assert answer.is_success, answer.text
        await until(
            lambda: deployed.status("hello", "BuildTrigger").get("lastHandledStart") == "once", "it is started by hand"
        )
        # By then it knows that it is written: what is taken away before would not be missed.
        await until(lambda: operator.last_said("build").get("delivery") == "manual:once", "the operator says so")


async def deliver_to_trigger(deployed: Deployed) -> None:
    """Start a build by a delivery to a BuildTrigger itself."""
    for manifest in (make_trigger_secret("team"), make_trigger("team")):
        deployed.api.apply({**manifest, "metadata": {**manifest["metadata"], "namespace": deployed.team}})
    await until(lambda: deployed.status("team", "BuildTrigger").get("payloadUrl"), "it has a URL")
    url = deployed.status("team", "BuildTrigger")["payloadUrl"]
    body, headers = make_delivery(Provider.GITHUB)
    address = deployed.receiver.address + "/hooks/" + url.rpartition("/")[2]
    answer = await deployed.client.post(address, content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    await until(lambda: "lastTriggered" in deployed.status("team", "BuildTrigger"), "its status says so")


async def keep_a_secret(deployed: Deployed) -> None:
    """Have the secret of a BuildTrigger made, and replaced."""
    trigger = make_trigger("watched")
    trigger["metadata"] = {"name": "watched", "namespace": deployed.team}
    deployed.api.apply(trigger)
    await deployed.until_secrets("watched", 1)
    trigger["metadata"]["annotations"] = {"hookwright.dev/rotate-secret": "1"}
    deployed.api.apply(trigger)
    await deployed.until_secrets("watched", 2)


async def outlive(deployed: Deployed) -> None:
    """Have the builds of BuildTrigger hello, whose time is over, be beyond its history limit, until they are gone."""
    ours = [job["metadata"] for job in deployed.jobs() if job["metadata"]["ownerReferences"][0]["name"] == "hello"]
    assert ours
    over = {
        "metadata": {"annotations": {"hookwright.dev/kept-until": "2020-01-01T00:00:00Z"}},
        # There is nobody here to run pods.
        "spec": {"activeDeadlineSeconds": 1},
    }
    limit = {"spec": {"failedBuildsHistoryLimit": 0}}
    changes = [*(("Job", metadata["name"], over) for metadata in ours), ("BuildTrigger", "hello", limit)]
    for kind, name, patch in changes:
        answer = deployed.api.change(kind, name, patch)
        assert answer.is_success, answer.text
    names = {metadata["name"] for metadata in ours}
    await until(lambda: not names & {job["metadata"]["name"] for job in deployed.jobs()}, "old builds are deleted")


async def live(deployed: Deployed) -> None:
    """Do all that needs a right: start builds of both kinds, meet a build that is there, and hand on."""
    for manifest in read_manifests([EXAMPLES / "hello", EXAMPLES / "cronjob"]):
        # Without the label that has a Secret watched, which is another right.
        metadata = {"namespace": deployed.team, **manifest["metadata"], "labels": {}}
        if manifest["kind"] == "CronJob":
            # Else a test that is run at its time finds a Job more.
            manifest["spec"]["suspend"] = True
        deployed.api.apply({**manifest, "metadata": metadata})
    for name in ("hello", "nightly"):
        await deployed.until_judged(name)
        assert (await deployed.until_answered(name, 202, secret=SECRET, delivery="once")).json()["builds"]
        await until(lambda name=name: deployed.last(name) == ("started", "BuildCreated"), f"{name} has started one")
    await start_by_hand(deployed)
    await deliver_to_trigger(deployed)
    await keep_a_secret(deployed)
    # A receiver that knows nothing of the delivery gets it again.
    receiver = deployed.receiver
    assert await receiver.signal(signal.SIGTERM) == 0
    shutil.rmtree(receiver.environment["HOOKWRIGHT_JOURNAL"])
    await deployed.start(receiver.role)
    assert (await deployed.until_answered("hello", 202, secret=SECRET, delivery="once")).json()["builds"]
    await until(
        lambda: any((one.verb, one.resource) == ("get", "jobs") for one in deployed.requests()),
        "the build that is there is looked at",
    )
    assert len(deployed.jobs()) == 4
    await outlive(deployed)
    for process in deployed.processes.values():
        assert await process.signal(signal.SIGTERM) == 0


@pytest.mark.parametrize(("mode", "chosen"), MODES.values(), ids=MODES)
async def test_rights_are_what_is_used(control_plane: ControlPlane, tmp_path: Path, mode, chosen):
    """With the chart's accounts nothing is refused and no right is left over; chosen namespaces need none for all."""
    values = {"rights": {"watchSecrets": True}}
    async with deploy(control_plane, tmp_path, mode=mode, chosen=chosen, values=values) as deployed:
        kinds = {one["kind"] for one in deployed.rights}
        assert chosen == ("ClusterRole" not in kinds) == ("ClusterRoleBinding" not in kinds)
        await live(deployed)
        # The log is a moment behind: what came last is there once the Lease was handed on.
        refused = deployed.refused()
        unforeseen, unused = compare(deployed.asking(), deployed.given())
        namespaces = {event.namespace for event in deployed.requests() if event.resource}
    assert refused == set()
    assert unforeseen == set()
    assert unused == set()
    if chosen:
        assert namespaces == {deployed.own, deployed.team}


async def test_optional_rights_may_be_left_out(control_plane: ControlPlane, tmp_path: Path):
    """Without the rights to watch Secrets and CronJobs all else works; only these lists are refused, and it is said."""
    values = {"rights": {"watchSecrets": False, "cronJobs": False}}
    async with deploy(control_plane, tmp_path, values=values) as deployed:
        for manifest in read_manifests([EXAMPLES / "hello", EXAMPLES / "cronjob"]):
            deployed.api.apply({**manifest, "metadata": {"namespace": deployed.team, **manifest["metadata"]}})
        await deployed.until_judged("hello")
        assert (await deployed.until_answered("hello", 202, secret=SECRET)).json()["builds"]
        await until(deployed.jobs, "a build is started")
        await deployed.until_judged("nightly", "False", "TargetForbidden")
        refused = {(event.verb, event.resource) for event in deployed.refused()}
        assert refused == {("list", "secrets"), ("list", "cronjobs")}
        for process in deployed.processes.values():
            for resource in ("secrets", "cronjobs"):
                remedy = f"if they are to be watched, allow list and watch on {resource}"
                await until(lambda process=process, remedy=remedy: remedy in process.said(), f"it says: {remedy}")


async def test_drain_needs_a_receivers_rights(control_plane: ControlPlane, tmp_path: Path):
    """What waits in the journal of a receiver that is gone is started with a receiver's rights, and no others."""
    values = {"rights": {"watchSecrets": True}}
    async with deploy(control_plane, tmp_path, values=values) as deployed:
        hello = [
            {**manifest, "metadata": {"namespace": deployed.team, **manifest["metadata"]}}
            for manifest in read_manifests([EXAMPLES / "hello"])
        ]
        target = [manifest for manifest in hello if manifest["kind"] == "BuildTrigger"]
        # It was never there: that it has gone, the receiver could hear later than the operator.
        deployed.api.apply(*(manifest for manifest in hello if manifest not in target))
        await deployed.until_judged("hello", "False", "TargetNotFound")
        await deployed.until_answered("hello", 202, secret=SECRET, delivery="waits")
        await until(lambda: deployed.last("hello") == ("pending", "TargetMissing"), "the delivery waits")
        receiver = deployed.receiver
        assert await receiver.signal(signal.SIGTERM) == 0
        deployed.api.apply(*target)
        receiver.role = "drain"
        await receiver.start()
        assert receiver.process is not None
        assert await receiver.process.wait() == 0, receiver.said()[-2000:]
        (job,) = deployed.jobs()
        assert job["metadata"]["annotations"]["hookwright.dev/delivery"].endswith("/waits")
        assert deployed.refused() == set()
