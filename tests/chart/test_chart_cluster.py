"""What the chart asks of a cluster before it installs: whether another Hookwright is there, and which kinds are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from helm_python import Config, HelmError

from hookwright.commands import hookwright
from hookwright.devcluster import DevCluster
from support.chart import CHART, LEAST, merge
from support.kubectl import FOUND, MISSING, Kubectl

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


TENANT = {"tenants": [{"namespace": "team-a", "serviceAccount": "builder"}]}
RBAC, GRANTS = "rbac.authorization.k8s.io", ("role", "rolebinding")


def grant_by_hand(helm: Helm, account: str, *options: str) -> None:
    """Apply what `hookwright grant` prints for team-a."""
    helm.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    typed = ["grant", "team-a", "--service-account", account, *options]
    for one in yaml.safe_load_all(CliRunner().invoke(hookwright, typed, catch_exceptions=False).stdout):
        helm.cluster.apply(one)


def find_granted(helm: Helm) -> dict[str, str]:
    """Give the UID of each object that lets Hookwright into team-a, by its kind and name as kubectl has them."""
    found = [(kind, one["metadata"]) for kind in GRANTS for one in helm.cluster.list(f"{kind}s.{RBAC}", "team-a")]
    return {f"{kind}/{metadata['name']}": metadata["uid"] for kind, metadata in found}


@pytest.mark.skipif(FOUND is None, reason=MISSING)
async def test_what_was_granted_by_hand_is_handed_over(first, tmp_path: Path):
    """Helm takes over no grant: the chart says by which commands it does, and no right goes in between."""
    grant_by_hand(first, "builder")
    granted = find_granted(first)
    with pytest.raises(HelmError) as caught:
        first.upgrade(TENANT)
    said = str(caught.value)
    assert "- tenants: in namespace team-a was granted by hand" in said
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(first.cluster.kubeconfig(), encoding="utf-8")
    commands = re.findall(r"(?m)^ +kubectl (.*)$", said)
    assert len(commands) == 2
    for command in commands:
        assert set(granted) <= set(command.split())
        code, answer = await Kubectl(kubeconfig, tmp_path).run(*shlex.split(command))
        assert code == 0, answer
    first.upgrade(TENANT)
    assert find_granted(first) == granted
    first.upgrade({})
    assert find_granted(first) == {}


def test_grant_for_another_account_is_seen_too(first):
    """The right on Secrets is for the namespace, whoever builds there: it is in the way of any tenant, alone."""
    grant_by_hand(first, "other")
    with pytest.raises(HelmError) as caught:
        first.upgrade(TENANT)
    (objects,) = re.findall(r"(?m)^ +kubectl annotate --overwrite --namespace team-a (.*?) meta", str(caught.value))
    assert objects.split() == ["role/hookwright-keeps-secrets", "rolebinding/hookwright-system-keeps-secrets"]


def test_tenant_of_another_release_is_told(helm):
    """What another release makes for a team is no grant to hand over: the message says whose it is."""
    for name in ("team-a", "team-b"):
        helm.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    helm.install(merge(TENANT, {"watchNamespaces": ["team-a"]}))
    message = refusal(helm, merge(NAMESPACED, TENANT))
    whose = "of namespace team-a is of release hookwright in namespace hookwright-system"
    assert f"- tenants: Role hookwright-acts-as-builder {whose}" in message
    assert "kubectl" not in message


KEPT = {role: {"serviceAccount": {"name": f"hookwright-{role}"}} for role in ("receiver", "operator")}
OTHER_NAME = {"fullnameOverride": "ci"}


def find_let_in(helm: Helm) -> dict[str, set[str]]:
    """Give the accounts of Hookwright that each binding of team-a names, by what it is for."""
    return {
        one["metadata"]["name"].removeprefix("hookwright-system-"): {subject["name"] for subject in one["subjects"]}
        for one in helm.cluster.list(f"rolebindings.{RBAC}", "team-a")
        if one["metadata"]["name"].startswith("hookwright-system-")
    }


def test_names_that_nobody_has_let_in_are_refused(first):
    """An upgrade after which a team's grant would be for nobody is refused, until both names are let in."""
    grant_by_hand(first, "builder")
    with pytest.raises(HelmError) as caught:
        first.upgrade(OTHER_NAME)
    (line,) = [line for line in str(caught.value).splitlines() if line.startswith("- serviceAccount.name:")]
    assert "ServiceAccounts hookwright-operator, hookwright-receiver of this release" in line
    assert "in namespace team-a;" in line
    (options,) = re.findall(r"hookwright grant TEAM-NAMESPACE --service-account BUILDER (.*) \|", str(caught.value))
    grant_by_hand(first, "builder", *options.split())
    operators = {"hookwright-operator", "ci-operator", "ci"}
    assert find_let_in(first) == {
        "acts-as-builder": operators | {"hookwright-receiver", "ci-receiver"},
        "keeps-secrets": operators,
    }
    first.upgrade(OTHER_NAME)
    first.upgrade(OTHER_NAME)


@pytest.mark.parametrize("values", [{"mode": "single"}, merge(OTHER_NAME, KEPT), merge(OTHER_NAME, TENANT)])
def test_names_that_are_let_in_are_taken(first, values):
    """Another mode finds its grants, other names may keep the accounts, and tenants go with the release."""
    if "tenants" in values:
        first.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
        first.upgrade(TENANT)
    else:
        grant_by_hand(first, "builder")
    first.upgrade(values)


@pytest.mark.parametrize(
    ("options", "mode"),
    [(("hookwright-receiver", "hookwright-operator"), "single"), (("hookwright",), "split")],
)
def test_grants_of_one_mode_are_told_in_the_other(first_namespaced, options, mode):
    """What was granted to the accounts of one mode alone, as it once was, keeps the release in that mode."""
    namespaced = {"watchNamespaces": ["team-a"]}
    first_namespaced.upgrade(merge(namespaced, {"mode": "single" if mode == "split" else "split"}))
    grant_by_hand(first_namespaced, "builder", *(word for name in options for word in ("--hookwright-account", name)))
    with pytest.raises(HelmError, match=rf"- serviceAccount.name: ServiceAccounts? .*{options[0]}.* team-a;"):
        first_namespaced.upgrade(merge(namespaced, {"mode": mode}))
    grant_by_hand(first_namespaced, "builder")
    first_namespaced.upgrade(merge(namespaced, {"mode": mode}))


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
