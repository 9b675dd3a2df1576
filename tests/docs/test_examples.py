"""examples/: each is applied, and does what it is for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.commands.deliver import prepare, send
from hookwright.commands.files import read_manifests
from support.running import Running, run_hookwright

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(
    folder for folder in EXAMPLES.iterdir() if folder.is_dir() and folder.name not in ("payloads", "rights")
)


async def apply(running: Running, folder: Path) -> str:
    """Apply an example in namespace default; give its Webhook's name."""
    manifests = read_manifests([folder])
    for manifest in manifests:
        running.apply({**manifest, "metadata": {"namespace": "default", **manifest["metadata"]}})
    (name,) = [m["metadata"]["name"] for m in manifests if m["kind"] == "Webhook"]
    return name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
async def test_example_starts_a_build(tmp_path: Path, folder: Path):
    """The example becomes ready, and the delivery that `hookwright deliver` makes for it starts a Job."""
    async with run_hookwright(tmp_path) as running:
        name = await apply(running, folder)
        await running.until_ready(name)
        access = await load_access(running.kubeconfig)
        async with KubernetesCluster(access.configuration) as cluster:
            delivery = await prepare(cluster, "default", name, event="push", body=None, delivery_id=None, url=None)
        status, answer = await send(delivery)
        assert (status, answer["outcome"]) == (202, "started")
        await running.until(running.jobs)


async def test_rights_are_objects_that_an_api_server_takes(tmp_path: Path):
    """examples/rights is applied as it stands; what the rights allow is proved on a real API server."""
    async with run_hookwright(tmp_path, started=False) as running:
        for manifest in read_manifests([EXAMPLES / "rights"]):
            namespace = (
                {}
                if manifest["kind"] in ("Namespace", "ClusterRole", "ClusterRoleBinding")
                else {"namespace": "default"}
            )
            running.cluster.apply({**manifest, "metadata": namespace | manifest["metadata"]})
        assert running.cluster.get("clusterroles.rbac.authorization.k8s.io", None, "hookwright")


async def test_example_payload_is_signed_for_hello(tmp_path: Path):
    """The payload and headers in examples/payloads are a true delivery to examples/hello."""
    body = (EXAMPLES / "payloads" / "push.json").read_bytes()
    headers = json.loads((EXAMPLES / "payloads" / "headers.json").read_text())
    async with run_hookwright(tmp_path) as running:
        await apply(running, EXAMPLES / "hello")
        response = await running.client.post(await running.until_ready(), content=body, headers=headers)
        assert response.status_code == 202
