"""From a bare control plane to a build, as the README tells it: Helm, a grant, an example, a push, a Job, a scrape.

Every step is what a person types, or what Helm, the Git host and Prometheus do.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.clients import make_client
from support.controlplane import ControlPlane
from support.kubectl import FOUND, MISSING, Kubectl
from support.kubelet import Kubelet
from support.processes import LONG_PATIENCE, make_environment
from support.release import NAMESPACE, Release
from support.waiting import patience, within

pytestmark = pytest.mark.skipif(FOUND is None, reason=MISSING)

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RECEIVERS = ("hookwright-receiver-0", "hookwright-receiver-1")
OPERATORS = ("hookwright-operator-0", "hookwright-operator-1")
HTTP, ADMIN = 8080, 9090


@pytest.fixture
def node(bare: ControlPlane, tmp_path: Path) -> Iterator[Kubelet]:
    """Its only node."""
    with Kubelet(bare, tmp_path / "kubelet") as started:
        yield started


async def hookwright(plane: ControlPlane, *arguments: str) -> str:
    """Type a command of Hookwright's; give what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hookwright", *arguments),
        env=make_environment(KUBECONFIG=str(plane.kubeconfig)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await within(LONG_PATIENCE, process.communicate())
    assert process.returncode == 0, err.decode()
    return out.decode()


async def scrape(node: Kubelet, pod: str) -> dict[tuple[str, ...], float]:
    """Give the samples that a pod shows, by name and label values."""
    async with make_client() as client:
        answer = await client.get(f"http://{node.address_of(NAMESPACE, pod)}:{ADMIN}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_from_a_bare_cluster_to_a_build_and_a_scrape(bare: ControlPlane, node: Kubelet, tmp_path: Path):
    """Installed by Helm, granted by a team, an example Webhook starts a Job for a signed push, and metrics say so."""
    kubectl = Kubectl(bare.kubeconfig, tmp_path)

    async def type_kubectl(*arguments: str, given: str | None = None) -> str:
        code, said = await kubectl.run(*arguments, given=given)
        assert code == 0, said
        return said

    async def look(*arguments: str) -> dict[str, Any]:
        return json.loads(await type_kubectl("get", *arguments, "-o", "json"))

    release = Release(control_plane=bare)
    await asyncio.to_thread(release.install)
    await asyncio.to_thread(release.test)
    granted = await hookwright(bare, "grant", "default", "--service-account", "default")
    await type_kubectl("apply", "-f", "-", given=granted)
    await type_kubectl("apply", "-f", str(EXAMPLES / "hello"))
    await type_kubectl("wait", "--for=condition=Ready", "webhook/hello", "--timeout=180s")
    url = (await look("webhook", "hello"))["status"]["url"]
    assert url.startswith("http://hooks.test/hooks/")
    # Nobody resolves hooks.test here: a Service would take the delivery to one of the receivers.
    there = f"http://{node.address_of(NAMESPACE, RECEIVERS[0])}:{HTTP}" + url.removeprefix("http://hooks.test")
    await until_known(there)
    said = json.loads(await hookwright(bare, "deliver", "hello", "--event", "push", "--url", there, "-o", "json"))
    assert said["outcome"] == "started"
    job = said["builds"][0]["name"]
    await type_kubectl("wait", "--for=create", f"job/{job}", "--timeout=180s")
    await type_kubectl("wait", "--for=condition=Complete", f"job/{job}", "--timeout=180s")
    assert (await look("job", job))["status"]["succeeded"] == 1
    outcome = "jsonpath={.status.lastDelivery.reason}=BuildCreated"
    await type_kubectl("wait", f"--for={outcome}", "webhook/hello", "--timeout=180s")
    assert (await look("webhook", "hello"))["status"]["lastTriggered"]
    samples = await scrape(node, RECEIVERS[0])
    assert samples["hookwright_deliveries_total", "Webhook", "started", "Accepted"] == 1
    await until_one_leads(node)
    # What is not among the default rights is asked for all the same, and done without.
    assert find_refused(bare) <= {("list", "secrets")}
    await uninstall(release, type_kubectl)


async def until_known(url: str) -> None:
    """Wait until a receiver knows a Webhook's URL, whose GET is refused then: it may hear of it after the operator."""
    async with make_client() as client, patience(LONG_PATIENCE):
        while (await client.get(url)).status_code != 405:  # noqa: ASYNC110 - each try is a request
            await asyncio.sleep(0.2)


async def until_one_leads(node: Kubelet) -> None:
    """Wait until one operator says that it leads, and the other one does not: a Lease may be lost, and taken again."""
    async with patience(LONG_PATIENCE):
        while True:
            leaders = [await scrape(node, pod) for pod in OPERATORS]
            if sorted(found["hookwright_leader",] for found in leaders) == [0, 1]:
                return
            await asyncio.sleep(0.2)


def find_refused(plane: ControlPlane) -> set[tuple[str, str]]:
    """Give verb and resource of what Hookwright's pods were refused each time that they asked for it."""
    asked = [event for event in plane.audit() if event.user.startswith(f"system:serviceaccount:{NAMESPACE}:")]
    assert {event.pod for event in asked} >= {*RECEIVERS, *OPERATORS}
    refused, allowed = (
        {(event.verb, event.resource) for event in asked if (event.code == 403) is forbidden}
        for forbidden in (True, False)
    )
    # A server that has just got the roles may not know them yet.
    return refused - allowed


async def uninstall(release: Release, type_kubectl: Any) -> None:
    """Leave: nothing of ours holds anything back, and what a team has made stays until it removes it."""
    await asyncio.to_thread(release.uninstall)
    assert "hello" in await type_kubectl("get", "webhooks")
    for kind in ("webhook", "buildtrigger"):
        await type_kubectl("delete", kind, "hello", "--timeout=180s")
    await type_kubectl("delete", "crd", "webhooks.hookwright.dev", "buildtriggers.hookwright.dev", "--timeout=180s")
    left = await type_kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    assert [line for line in left.splitlines() if "hookwright" in line] == []


async def ask(node: Kubelet, pod: str) -> tuple[int, str]:
    """Give what a pod's /readyz answers; 0 while nobody answers."""
    try:
        async with make_client() as client:
            answer = await client.get(f"http://{node.address_of(NAMESPACE, pod)}:{ADMIN}/readyz")
    except (AssertionError, httpx.TransportError):
        return 0, ""
    return answer.status_code, answer.text


async def until_answers(node: Kubelet, pod: str, status: int, told: str = "") -> None:
    """Wait until a pod's /readyz answers with a status, and says something in one line."""
    found = (0, "")
    try:
        async with patience(LONG_PATIENCE):
            # Each try is a request.
            while found[0] != status or told not in found[1]:
                await asyncio.sleep(0.2)
                found = await ask(node, pod)
    except TimeoutError:
        raise AssertionError(f"{pod} does not answer {status} {told}; at last: {found}") from None
    assert found[1].count("\n") == 1


async def test_crds_that_come_after_the_pods(bare: ControlPlane, node: Kubelet, tmp_path: Path):
    """Without the CRDs each pod runs, is not ready and says why; once they are there it works, by the same process."""
    kubectl = Kubectl(bare.kubeconfig, tmp_path)
    release = Release(control_plane=bare, values={"crds": {"install": False}})
    await asyncio.to_thread(release.install, wait=False)
    pods = (*RECEIVERS, *OPERATORS)
    for pod in pods:
        await until_answers(node, pod, 503, "kubectl apply -f crds/")
    before = [node.process_of(NAMESPACE, pod) for pod in pods]
    assert (await kubectl.run("apply", "-f", str(ROOT / "crds")))[0] == 0
    for pod in pods:
        await until_answers(node, pod, 200)
    assert [node.process_of(NAMESPACE, pod) for pod in pods] == before
