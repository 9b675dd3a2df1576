"""Reaching a cluster from a command: one client for the length of a call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hookwright.cluster.client import KubernetesCluster, load_access


@asynccontextmanager
async def reach_cluster(kubeconfig: Path | None) -> AsyncIterator[tuple[KubernetesCluster, str]]:
    """Give a client, and the namespace that the kubeconfig chose.

    Raises:
        UsageError: there is no usable kubeconfig.
    """
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        yield cluster, access.namespace
