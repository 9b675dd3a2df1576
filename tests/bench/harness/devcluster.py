"""The development API server as the other side of a benchmark, in a process of its own, and what is put into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import deliveries
from harness.children import Child, running
from harness.pace import work_off

from hookwright.cluster import BUILDTRIGGERS, NAMESPACES, SECRETS, WEBHOOKS
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.cluster.resources import Resource
from hookwright.kinds import KINDS, crd

CRDS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    plural="customresourcedefinitions",
    kind="CustomResourceDefinition",
    namespaced=False,
)

OWN_NAMESPACE = "hookwright-system"
# Jobs that end would keep the API server busy with something else than what is measured.
JOB_SECONDS = 3600
CREATES_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class ApiServer:
    """A running development API server."""

    url: str
    kubeconfig: Path
    child: Child


@contextmanager
def serving(folder: Path) -> Iterator[ApiServer]:
    """Run an empty API server for the time of a `with` block; its kubeconfig is written into `folder`."""
    kubeconfig = folder / "kubeconfig"
    options = ("--port", "0", "--kubeconfig", str(kubeconfig), "--job-seconds", str(JOB_SECONDS))
    with running("-m", "hookwright.devcluster", *options) as child:
        # It says where it is once it is there: `devcluster at URL: …`.
        url = child.read_line().split()[2].rstrip(":")
        yield ApiServer(url=url, kubeconfig=kubeconfig, child=child)


async def furnish(kubeconfig: Path, *, webhooks: int) -> None:
    """Put in what Hookwright needs, and so many Webhooks."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        for kind in KINDS:
            await cluster.create(CRDS, crd(kind))
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN_NAMESPACE}}
        await cluster.create(NAMESPACES, namespace)
        await cluster.create(SECRETS, deliveries.make_secret(), namespace=deliveries.NAMESPACE)
        await cluster.create(BUILDTRIGGERS, deliveries.make_buildtrigger(), namespace=deliveries.NAMESPACE)

        async def create(number: int) -> None:
            await cluster.create(WEBHOOKS, deliveries.make_webhook(number), namespace=deliveries.NAMESPACE)

        await work_off(create, range(webhooks), at_once=CREATES_AT_ONCE)
