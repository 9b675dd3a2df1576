"""Where scenarios are played."""

from __future__ import annotations

from hookwright.devcluster import DevCluster
from support.stage import make_cluster, open_cluster, play_on


class Elsewhere(DevCluster):
    """Another stage."""


def test_real_api_server_is_left_behind():
    """Whatever has played on a real API server before in this run, other tests play on the development cluster."""
    assert type(make_cluster()) is DevCluster
    with play_on(Elsewhere):
        assert type(make_cluster()) is Elsewhere
        with open_cluster() as cluster:
            assert type(cluster) is Elsewhere
    assert type(make_cluster()) is DevCluster
