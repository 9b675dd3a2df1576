"""Fixtures of the development API server's tests.

The conformance tests run against any API server: the environment variable HOOKWRIGHT_TEST_KUBECONFIG names the
kubeconfig of another one (its user has to be allowed everything). Without it, they run against devcluster.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from hookwright.devcluster import DevCluster
from integration.devcluster.api import CORE, DEFINITIONS, Kind, widget_definition
from support.access import PATIENCE, Access, read_kubeconfig
from support.trust import TRUST_NOBODY
from support.waiting import HTTP_SECONDS, Patience


@pytest.fixture(scope="session")
def server() -> Iterator[Access]:
    """Any API server: devcluster, or the one that the environment names."""
    if kubeconfig := os.environ.get("HOOKWRIGHT_TEST_KUBECONFIG"):
        yield read_kubeconfig(Path(kubeconfig))
        return
    with DevCluster.in_thread() as cluster:
        yield Access(url=cluster.url)


@pytest.fixture
async def api(server: Access) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that API server."""
    async with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def widget_group(server: Access) -> Iterator[str]:
    """The group of a custom kind that is served; its name is used by nobody else."""
    group = f"g{uuid.uuid4().hex[:8]}.example.com"
    with server.sync_client() as client:
        client.post(DEFINITIONS, json=widget_definition(group)).raise_for_status()
        _poll(lambda: client.get(f"/apis/{group}/v1/widgets").status_code == 200)
        # Another part of a real server tells of it.
        _poll(lambda: client.get(f"/apis/{group}").status_code == 200)
        yield group
        client.delete(f"{DEFINITIONS}/widgets.{group}")


@pytest.fixture
def namespace(server: Access) -> Iterator[str]:
    """A namespace of the test's own, with the ServiceAccount that pods need."""
    with server.sync_client() as client:
        created = client.post(f"{CORE}/namespaces", json={"metadata": {"generateName": "conformance-"}})
        name = created.raise_for_status().json()["metadata"]["name"]
        path = f"{CORE}/namespaces/{name}"
        _poll(lambda: client.get(f"{path}/serviceaccounts/default").status_code == 200)
        yield name
        client.delete(path)


@pytest.fixture
def widgets(widget_group: str, namespace: str) -> Kind:
    """The custom kind, in the test's namespace."""
    return Kind(group=widget_group, namespace=namespace)


@pytest.fixture
def cluster() -> Iterator[DevCluster]:
    """A development cluster of the test's own."""
    with DevCluster.in_thread(job_seconds=0.05) as cluster:
        yield cluster


@pytest.fixture
async def dev(cluster: DevCluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the test's own development cluster."""
    async with httpx.AsyncClient(base_url=cluster.url, timeout=HTTP_SECONDS, verify=TRUST_NOBODY) as client:
        yield client


def _poll(happens: object) -> None:
    """Wait for what a real server does a moment later."""
    assert callable(happens)
    left = Patience(PATIENCE)
    while not happens():
        assert left.lasts(), "the API server did not become ready"
        time.sleep(0.05)
