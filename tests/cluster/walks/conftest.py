"""The scenarios of tests/integration/walks on a real API server: the same functions, on another stage.

Not among them: test_dev, which is about devcluster itself; test_hostile, test_drain, test_metrics, test_readiness,
test_clock and test_volume, which are about a process and hardly ask the API server; test_leaks, which needs an API
server that fails when it is told to; nor what other tests here play with the chart itself: test_namespaces,
test_orphans and test_waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import httpx
import pytest

from hookwright.kinds import KINDS, crd
from support.controlplane import ControlPlane
from support.kubelet import Kubelet

# Before they are imported: the reason of each E402 below.
pytest.register_assert_rewrite("integration.walks")

from integration.walks.conftest import bare, running  # noqa: E402, F401 - fixtures of the scenarios
from support.realcluster import RealClusters, Server  # noqa: E402
from support.stage import play_on  # noqa: E402
from support.waiting import Patience  # noqa: E402

RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
RIGHT = "scenarios-create-jobs"
PATIENCE = 60.0
TAIL = 3_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with what failed how the cluster stood."""
    report = yield
    stage = getattr(item, "funcargs", {}).get("_stage")
    if report.failed and stage is not None:
        report.sections.append(("The cluster", stage()))
    return report


@pytest.fixture(scope="package", autouse=True)
def _stage(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Play on the real API server; each ServiceAccount of namespace default may create Jobs, as scenarios take it."""
    server = Server.of(control_plane)
    with server.client() as admin, Kubelet(control_plane, tmp_path_factory.mktemp("kubelet")) as kubelet:
        _let_accounts_create_jobs(admin)
        _define_kinds(admin)
        with play_on(RealClusters(server)):
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


def _define_kinds(admin: httpx.Client) -> None:
    """Apply the CRDs, and wait until our kinds are served."""
    for kind in KINDS:
        answer = admin.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=crd(kind))
        assert answer.status_code in (httpx.codes.CREATED, httpx.codes.CONFLICT), answer.text
        left = Patience(PATIENCE)
        while admin.get(f"/apis/hookwright.dev/v1alpha1/{kind.PLURAL}").status_code != httpx.codes.OK:
            assert left.lasts(), f"{kind.PLURAL} are not served"
            time.sleep(0.1)


def _let_accounts_create_jobs(admin: httpx.Client) -> None:
    role = {
        "metadata": {"name": RIGHT},
        "rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "delete"]}],
    }
    binding = {
        "metadata": {"name": RIGHT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": RIGHT},
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:default"}
        ],
    }
    for path, obj in ((f"{RBAC}/roles", role), (f"{RBAC}/rolebindings", binding)):
        answer = admin.post(path, json=obj)
        assert answer.status_code in (httpx.codes.CREATED, httpx.codes.CONFLICT), answer.text
