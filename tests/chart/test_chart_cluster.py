"""What the chart asks of a cluster before it installs: whether another Hookwright is there, and which kinds are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from helm_python import Config, HelmError

from hookwright.devcluster import DevCluster
from support.chart import CHART, LEAST, merge

# The development cluster has no PodDisruptionBudgets.
PLAIN: dict[str, Any] = merge(
    LEAST, {name: {"podDisruptionBudget": {"enabled": False}} for name in ("receiver", "operator")}
)


class Helm:
    """Helm, at work in a development cluster."""

    def __init__(self, cluster: DevCluster) -> None:
        self.cluster = cluster

    def upgrade(self, values: Mapping[str, Any]) -> None:
        """Upgrade release hookwright, or raise HelmError."""
        with Config(kubeconfig_content=self.cluster.kubeconfig(), namespace="hookwright-system") as config:
            config.upgrade(CHART, "hookwright", merge(PLAIN, values), namespace="hookwright-system")

    def install(
        self, values: Mapping[str, Any] | None = None, *, name: str = "hookwright", namespace: str = "hookwright-system"
    ) -> None:
        """Install, or raise HelmError."""
        with Config(kubeconfig_content=self.cluster.kubeconfig(), namespace=namespace) as config:
            config.install(CHART, name, merge(PLAIN, values or {}), namespace=namespace, create_namespace=True)


@pytest.fixture
def helm() -> Iterator[Helm]:
    with DevCluster.in_thread() as cluster:
        yield Helm(cluster)


NAMESPACED = {"crds": {"install": False}, "watchNamespaces": ["team-a"]}


@pytest.fixture
def first(helm: Helm) -> Helm:
    """Helm, where a release for all namespaces is installed."""
    helm.install()
    return helm


@pytest.fixture
def first_namespaced(helm: Helm) -> Helm:
    """Helm, where a release for team-a alone is installed."""
    for name in ("team-a", "team-b"):
        helm.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    helm.install({"watchNamespaces": ["team-a"]})
    return helm


def refusal(helm: Helm, values: Mapping[str, Any], *, name: str = "other", namespace: str = "elsewhere") -> str:
    """Give the chart's own line about why another release is refused."""
    with pytest.raises(HelmError) as caught:
        helm.install(values, name=name, namespace=namespace)
    message = str(caught.value)
    assert "these values cannot be" in message
    return message


def test_second_release_for_all_is_refused(first):
    """Two that serve all namespaces would both answer for every Webhook."""
    message = refusal(first, {"crds": {"install": False}})
    assert "release hookwright in namespace hookwright-system, which serves all namespaces" in message


def test_release_for_one_beside_one_for_all_is_refused(first):
    """A namespace that is served already is served by nobody else."""
    message = refusal(first, NAMESPACED)
    assert "release hookwright in namespace hookwright-system, which serves all namespaces" in message


def test_release_for_all_beside_one_for_some_is_refused(first_namespaced):
    """All namespaces have those in them that are served already."""
    message = refusal(first_namespaced, {"crds": {"install": False}})
    assert "release hookwright in namespace hookwright-system serves some of them" in message


def test_releases_with_a_namespace_in_common_are_refused(first_namespaced):
    """The message names the namespace that both would serve."""
    message = refusal(first_namespaced, merge(NAMESPACED, {"watchNamespaces": ["team-b", "team-a"]}))
    assert "of namespace team-a is of release hookwright in namespace hookwright-system, which serves team-a" in message
    assert "of namespace team-b" not in message


def test_two_releases_in_one_namespace_are_refused(first_namespaced):
    """They would share the root key and the Lease: only one of them would work."""
    message = refusal(
        first_namespaced, merge(NAMESPACED, {"watchNamespaces": ["team-b"]}), namespace="hookwright-system"
    )
    assert "install into another namespace" in message


def test_releases_apart_are_installed(first_namespaced):
    """Releases that have neither namespaces nor their own in common are no matter to each other."""
    values = merge(NAMESPACED, {"watchNamespaces": ["team-b"]})
    first_namespaced.install(values, name="other", namespace="elsewhere")
    names = {one["metadata"]["name"] for one in first_namespaced.cluster.list("statefulsets.apps", "elsewhere")}
    assert names == {"other-hookwright-receiver", "other-hookwright-operator"}


def test_rights_made_by_hand_are_seen(helm):
    """Who has applied rights of the same names hears of it before anything is installed."""
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": []}
    helm.cluster.apply({**role, "metadata": {"name": "hookwright-operator"}})
    assert "ClusterRole hookwright-operator is of somebody who made it without Helm" in refusal(helm, {})


def test_overlap_need_not_be_looked_for(first):
    """With rights.checkOverlap: false nothing is looked up; what is there already is refused by Helm itself."""
    with pytest.raises(HelmError) as caught:
        first.install(
            {"crds": {"install": False}, "rights": {"checkOverlap": False}}, name="other", namespace="elsewhere"
        )
    assert "these values cannot be" not in str(caught.value)
    assert 'ClusterRole "hookwright-' in str(caught.value)


def test_release_does_not_refuse_itself(first):
    """An upgrade finds its own rights, and goes on; also to fewer namespaces."""
    first.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    for values in ({"clusterName": "renamed"}, {"watchNamespaces": ["team-a"]}, {"mode": "single"}):
        first.upgrade(values)
    assert [one["metadata"]["name"] for one in first.cluster.list("statefulsets.apps")] == ["hookwright"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"metrics": {"serviceMonitor": {"enabled": True}}}, "monitoring.coreos.com/v1/ServiceMonitor"),
        ({"metrics": {"prometheusRule": {"enabled": True}}}, "monitoring.coreos.com/v1/PrometheusRule"),
        ({"httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}]}}, "gateway.networking.k8s.io/v1/HTTPRoute"),
    ],
)
def test_kinds_that_are_not_there_are_told(helm, values, kind):
    """What needs the CRDs of others is refused, by its value's name, where they are not installed."""
    assert f"this cluster has no {kind}; install its CRDs first" in refusal(helm, values)
