"""Reaching a cluster from a command: one client for the length of a call."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hookwright.cluster.client import Access, KubernetesCluster, load_access
from hookwright.errors import UsageError

DEFAULT_KUBECONFIG = "~/.kube/config"


@asynccontextmanager
async def reach_cluster(kubeconfig: Path | None) -> AsyncIterator[tuple[KubernetesCluster, str]]:
    """Give a client, and the namespace that the kubeconfig chose.

    Raises:
        UsageError: there is no usable kubeconfig.
    """
    access = await find_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        yield cluster, access.namespace


async def find_access(kubeconfig: Path | None) -> Access:
    """Find the API server, as `load_access` does; a kubeconfig that is not there is named.

    Raises:
        UsageError: there is no usable kubeconfig.
    """
    # The library logs a line about a missing file, and then complains of what an empty kubeconfig lacks.
    if kubeconfig is None:
        _check_default()
    return await load_access(kubeconfig)


def _check_default() -> None:
    """Refuse that there is no default kubeconfig, unless this is a pod, which has an account of its own."""
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return
    named = os.environ.get("KUBECONFIG")
    files = (named if named is not None else DEFAULT_KUBECONFIG).split(os.pathsep)
    if not any(Path(file).expanduser().exists() for file in files if file):
        where = f"KUBECONFIG={named}" if named is not None else DEFAULT_KUBECONFIG
        raise UsageError(
            f"{where}: no such file; name one with --kubeconfig or $KUBECONFIG, or, for a cluster of your own, run "
            "hookwright dev"
        )
