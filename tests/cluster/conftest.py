"""Fixtures of the tests on a real API server.

They run on a control plane of their own (see `support.binaries`), or, as far as they can, on the cluster whose
kubeconfig HOOKWRIGHT_TEST_KUBECONFIG names; its user has to be allowed everything.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from integration.devcluster.conftest import api, namespace, widget_group, widgets  # noqa: F401 - fixtures, found by their names
from support.access import Access, read_kubeconfig
from support.binaries import Binaries, Missing, find
from support.controlplane import ControlPlane
from support.kubelet import ACCOUNT, Kubelet

NAMED = os.environ.get("HOOKWRIGHT_TEST_KUBECONFIG")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let all tests that lack the same thing be told of in one line."""
    report = yield
    if report.skipped and call.when == "setup" and isinstance(report.longrepr, tuple):
        report.longrepr = (str(Path(__file__).parent), None, report.longrepr[2])
    return report


def find_binaries() -> Binaries:
    """Give what a control plane is made of; skip the test where there is none."""
    if NAMED:
        pytest.skip("needs a control plane of its own, and HOOKWRIGHT_TEST_KUBECONFIG names another")
    try:
        return find()
    except Missing as missing:
        pytest.skip(str(missing))


def skip_beside_an_account() -> None:
    """Skip the test in a pod."""
    if Path(ACCOUNT).exists():
        pytest.skip(f"{ACCOUNT} is there: Hookwright's processes would take this machine's account for their pod's")


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of the tests' own, which may be stopped, started, and asked who did what."""
    with ControlPlane(find_binaries(), tmp_path_factory.mktemp("control-plane")) as started:
        yield started


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[ControlPlane]:
    """A control plane in which nothing has happened yet."""
    binaries = find_binaries()
    skip_beside_an_account()
    folder = tmp_path / "control-plane"
    folder.mkdir()
    with ControlPlane(binaries, folder) as started:
        yield started


@pytest.fixture
def kubelet(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Kubelet]:
    """A node that runs Hookwright's pods; all others are stood in for."""
    skip_beside_an_account()
    with Kubelet(control_plane, tmp_path / "kubelet") as started:
        yield started


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """An administrator's kubeconfig of a real API server: the one that is named, else that of our own."""
    return Path(NAMED) if NAMED else request.getfixturevalue("control_plane").kubeconfig


@pytest.fixture(scope="session")
def server(kubeconfig: Path) -> Access:
    """That API server, in place of devcluster."""
    return read_kubeconfig(kubeconfig)
