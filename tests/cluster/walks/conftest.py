"""The scenarios of tests/integration/walks on a real API server: the same functions, on another stage.

Not among them: test_dev, which is about devcluster itself; test_hostile, test_drain, test_metrics, test_readiness,
test_clock and test_volume, which are about a process and hardly ask the API server; test_leaks, which needs an API
server that fails when it is told to; nor what other tests here play with the chart itself: test_namespaces,
test_orphans and test_waiting.

The scenarios' users are the administrator. Hookwright itself, in this process and in others, has the ServiceAccount
that the chart gives its role, with the chart's rights and the grants of `TENANTS`. Where a scenario is about a right
that is missing, the proxy before the API server refuses. What was asked for is looked through at the end, when all were
played.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import httpx
import pytest

from support.accounts import ACCOUNTS, render_all_rights, until_allowed
from support.controlplane import ControlPlane
from support.kubelet import Kubelet
from support.realapi import RealApi, make
from support.realcluster import RealClusters, Server
from support.rights import OURS, Rights, read_rules
from support.stage import Walk, play_on

# Before they are imported: the reason of the E402 below.
pytest.register_assert_rewrite("integration.walks")

from integration.walks.conftest import bare, calm, running  # noqa: E402, F401 - fixtures; see above

# The accounts as which scenarios have builds created.
TENANTS = [{"namespace": "default", "serviceAccount": account} for account in ("default", "builder", "deployer")]
VALUES = {"rights": {"watchSecrets": True}, "tenants": TENANTS}
TAIL = 3_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with what failed how the cluster stood."""
    report = yield
    stage = getattr(item, "funcargs", {}).get("_stage")
    if report.failed and stage is not None:
        report.sections.append(("The cluster", stage()))
    return report


@pytest.fixture(scope="package")
def rights(control_plane: ControlPlane) -> Iterator[Rights]:
    """What Hookwright's accounts, and the builds', may do while scenarios are played."""
    api = RealApi(control_plane.access)
    api.install_crds()
    # Scenarios leave this namespace behind.
    api.apply(make("Namespace", OURS))
    objects = render_all_rights(VALUES, namespace=OURS)
    with api.holding(*objects):
        given = read_rules(one for one in objects if one["kind"] != "ServiceAccount")
        until_allowed(api, given)
        yield given


@pytest.fixture(scope="package")
def walks() -> list[Walk]:
    """The scenarios that were played so far."""
    return []


@pytest.fixture(autouse=True)
def _note_walk(request: pytest.FixtureRequest, control_plane: ControlPlane, walks: list[Walk]) -> None:
    walks.append(Walk(request.path.name, request.node.name, len(control_plane.audit())))


@pytest.fixture(scope="package", autouse=True)
def _stage(
    control_plane: ControlPlane, rights: Rights, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str]]:
    """Play on the real API server."""
    roles = {role: control_plane.token_for(OURS, account) for role, account in ACCOUNTS.items()}
    server = Server.of(control_plane, roles)
    with (
        server.client() as admin,
        Kubelet(control_plane, tmp_path_factory.mktemp("kubelet")) as kubelet,
        play_on(RealClusters(server)),
    ):
        yield lambda: _describe(admin, kubelet, control_plane)


def _describe(admin: httpx.Client, kubelet: Kubelet, control_plane: ControlPlane) -> str:
    """Say how Jobs and pods stand, and what was said last by those who move them."""
    lines = []
    for path in ("/apis/batch/v1/namespaces/default/jobs", "/api/v1/namespaces/default/pods"):
        try:
            found = admin.get(path).raise_for_status().json()["items"]
        except httpx.HTTPError as error:
            lines.append(f"{path}: {error!r}")
            continue
        for one in found:
            node = one["spec"].get("nodeName", "")
            lines.append(f"{path}: {one['metadata']} {node} {one.get('status')}")
    return "\n".join((*lines, "kubelet:", kubelet.said()[-TAIL:], control_plane.tails()))
