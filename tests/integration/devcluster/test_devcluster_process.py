"""How devcluster starts and stops: alone, in a thread, in a test's loop, as a command."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hookwright.devcluster import DevCluster
from integration.devcluster.api import CORE, version_of, watching
from support.waiting import HTTP_SECONDS

CONFIG_MAPS = f"{CORE}/namespaces/default/configmaps"


def _config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


async def test_restart(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A cluster that is stopped and started again has its objects and its address; watches end with the stop."""
    cluster.apply(_config_map("c"))
    url = cluster.url
    loop = cluster._loop
    async with watching(dev, CONFIG_MAPS) as events:
        assert await events.take(1) == [("ADDED", "c")]
        asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(HTTP_SECONDS)
        assert await events.rest() == []
    with pytest.raises(httpx.ConnectError):
        await dev.get("/version")
    assert cluster.get("configmaps", "default", "c")
    asyncio.run_coroutine_threadsafe(cluster.start(), loop).result(HTTP_SECONDS)
    assert cluster.url == url
    assert (await dev.get(f"{CONFIG_MAPS}/c")).status_code == 200


async def test_newer_cluster_counts_from_above(cluster: DevCluster, dev: httpx.AsyncClient) -> None:
    """A cluster that takes another's place tells clients of the old one to list again."""
    cluster.apply(_config_map("c"))
    old = await version_of(dev, CONFIG_MAPS)
    with DevCluster.in_thread() as successor:
        async with (
            httpx.AsyncClient(base_url=successor.url, timeout=HTTP_SECONDS) as client,
            watching(client, CONFIG_MAPS, resourceVersion=old) as events,
        ):
            (error,) = await events.rest()
    assert error["object"]["code"] == 410


async def test_in_the_same_loop() -> None:
    """A cluster runs in the test's own event loop too, where it is controlled directly."""
    cluster = DevCluster()
    await cluster.start()
    try:
        cluster.apply(_config_map("c"))
        async with httpx.AsyncClient(base_url=cluster.url, timeout=HTTP_SECONDS) as client:
            assert len((await client.get(CONFIG_MAPS)).json()["items"]) == 1
    finally:
        await cluster.stop()
        await cluster.stop()


async def test_taken_port(cluster: DevCluster) -> None:
    """A port that is taken is an OSError, and nothing is left running."""
    second = DevCluster(port=int(cluster.url.rsplit(":", 1)[1]))
    with pytest.raises(OSError, match="address"):
        await second.start()
    await second.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", ""])
def test_other_hosts_are_refused(host: str) -> None:
    """The server listens on loopback addresses only."""
    with pytest.raises(ValueError, match="loopback"):
        DevCluster(host=host)


def test_kubeconfig(cluster: DevCluster) -> None:
    """The kubeconfig leads to the server, into the namespace that was asked for."""
    config = yaml.safe_load(cluster.kubeconfig(namespace="team-a"))
    assert config["clusters"][0]["cluster"]["server"] == cluster.url
    assert config["contexts"][0]["context"]["namespace"] == "team-a"
    assert config["current-context"] == config["contexts"][0]["name"]


def test_command(tmp_path: Path) -> None:
    """The command says where it serves and what for, writes a kubeconfig for its user only, and ends with SIGTERM."""
    file = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "hookwright.devcluster", "--kubeconfig", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment())
    try:
        line = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        assert "development" in line
        assert url in file.read_text(encoding="utf-8")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert httpx.get(f"{url}/readyz", timeout=60).text == "ok"
    finally:
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, output, errors) == (0, "", "")


def test_command_with_a_wrong_host() -> None:
    """The command refuses other hosts in one line, with exit code 2."""
    command = [sys.executable, "-m", "hookwright.devcluster", "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(), timeout=120, check=False)
    assert done.returncode == 2
    assert "loopback" in done.stderr
    assert "Traceback" not in done.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
