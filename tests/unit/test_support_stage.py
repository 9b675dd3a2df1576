"""Where scenarios are played."""

from __future__ import annotations

import ssl
from pathlib import Path

from hookwright.devcluster import DevCluster
from support.access import read_kubeconfig
from support.realcluster import RealCluster, Server
from support.stage import as_role, make_cluster, open_cluster, play_on


class Elsewhere(DevCluster):
    """Another stage."""


class Real(RealCluster):
    """A cluster on an API server that is not there."""

    def __init__(self) -> None:
        tls = ssl.create_default_context()
        self._server = Server(url="https://nowhere.test", token="all", tls=tls, roles={"operator": "of the operator"})
        self._port = 1


def test_real_api_server_is_left_behind():
    """Whatever has played on a real API server before in this run, other tests play on the development cluster."""
    assert type(make_cluster()) is DevCluster
    with play_on(Elsewhere):
        assert type(make_cluster()) is Elsewhere
        with open_cluster() as cluster:
            assert type(cluster) is Elsewhere
    assert type(make_cluster()) is DevCluster


def test_hookwright_is_not_its_user(tmp_path: Path):
    """On a real API server a role has a token of its own, and is where its user is; devcluster asks for none."""
    kubeconfig = tmp_path / "kubeconfig"
    for cluster, headers in ((DevCluster(), {}), (Real(), {"authorization": "Bearer of the operator"})):
        kubeconfig.write_text(cluster.kubeconfig())
        ours = read_kubeconfig(as_role(cluster, kubeconfig, "operator"))  # type: ignore[arg-type] - it has the same face
        theirs = read_kubeconfig(kubeconfig)
        assert (ours.url, ours.headers, theirs.headers) == (theirs.url, headers, {})
