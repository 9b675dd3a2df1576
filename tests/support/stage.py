"""Where scenarios are played: on the development cluster, or on a real API server behind a proxy with the same face.

Scenarios ask for a cluster here. `tests/cluster` puts the real one in the place of the other, so that the very same
functions run on both. There users, as who scenarios act, are not who Hookwright is: see `as_role`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hookwright.devcluster import DevCluster
from support.ports import find_port

_make: Any = DevCluster  # or what is called as it is, with its in_thread


class Walk(NamedTuple):
    """A scenario that was played on a real API server: its file and name, and how many requests there were before."""

    file: str
    name: str
    began: int


def make_cluster(*, job_seconds: float = 0.05) -> DevCluster:
    """Give a cluster that is not started yet; nothing of earlier scenarios is in it."""
    # Nobody else takes its port while it is stopped. What stands in for it has the same face.
    cluster: DevCluster = _make(port=find_port(), job_seconds=job_seconds)
    return cluster


@contextmanager
def open_cluster(*, job_seconds: float = 0.05) -> Iterator[DevCluster]:
    """Run a cluster in a thread and event loop of its own, for the time of a `with` block."""
    with _make.in_thread(port=find_port(), job_seconds=job_seconds) as cluster:
        yield cluster


def as_role(cluster: DevCluster, kubeconfig: Path, role: str) -> Path:
    """Write beside a user's kubeconfig one of Hookwright itself in a role; devcluster asks nobody who they are."""
    text = kubeconfig.read_text(encoding="utf-8")
    path = kubeconfig.with_name(f"kubeconfig-{role}")
    path.write_text(text if isinstance(cluster, DevCluster) else cluster.as_role(text, role), encoding="utf-8")
    return path


@contextmanager
def play_on(make: Callable[..., Any]) -> Iterator[None]:
    """Have scenarios play on the clusters that `make` makes, for the time of a `with` block."""
    global _make  # noqa: PLW0603 - a switch for the whole process, which one fixture turns
    before, _make = _make, make
    try:
        yield
    finally:
        _make = before
