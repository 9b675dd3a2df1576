"""kubectl against devcluster: server-side apply, and the way to it from client-side apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hookwright.devcluster import DevCluster
from integration.devcluster.api import widget_definition
from integration.devcluster.test_devcluster_kubectl import GROUP, Kubectl, kubectl_for, needs_kubectl

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

pytestmark = needs_kubectl


@pytest.fixture
def kubectl(cluster: DevCluster, tmp_path: Path) -> Kubectl:
    """kubectl, set up for a cluster of the test's own."""
    return kubectl_for(cluster, tmp_path)


def _config_map(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def _owners(cluster: DevCluster) -> set[tuple[str, str]]:
    entries = cluster.get("configmaps", "default", "c")["metadata"]["managedFields"]
    return {(one["manager"], one["operation"]) for one in entries}


def test_server_side_apply(cluster: DevCluster, kubectl: Kubectl) -> None:
    """A custom object is applied, changed, shown as a difference, and loses what is not applied any more."""
    cluster.apply(widget_definition(GROUP))
    head = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": "w"}}
    first = kubectl.file(head | {"spec": {"url": "https://a.example", "mode": "Fast"}}, "first.yaml")
    second = kubectl.file(head | {"spec": {"url": "https://b.example"}}, "second.yaml")
    assert "serverside-applied" in kubectl.run("apply", "--server-side", "-f", first)
    assert "-  mode: Fast" in kubectl.run("diff", "--server-side", "-f", second, code=1)
    assert "(server dry run)" in kubectl.run("apply", "--server-side", "--dry-run=server", "-f", second)
    assert "serverside-applied" in kubectl.run("apply", "--server-side", "-f", second)
    assert cluster.get(f"widgets.{GROUP}", "default", "w")["spec"] == {"url": "https://b.example", "retries": 5}
    wrong = kubectl.file(head | {"spec": {"url": "https://b.example", "bogus": 1}}, "wrong.yaml")
    shown = kubectl.run("apply", "--server-side", "-f", wrong, code=1)
    assert ".spec.bogus: field not declared in schema" in shown


def test_conflict(cluster: DevCluster, kubectl: Kubectl) -> None:
    """Kubectl shows a conflict with its field and owner, and what to do; with --force-conflicts it takes the field."""
    kubectl.run("create", "configmap", "c", "--from-literal=a=1")
    file = kubectl.file(_config_map(a="2"))
    shown = kubectl.run("apply", "--server-side", "-f", file, code=1)
    assert 'Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.a' in shown
    assert "--force-conflicts" in shown
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", file)
    assert cluster.get("configmaps", "default", "c")["data"] == {"a": "2"}
    other = kubectl.file(_config_map(a="3"))
    shown = kubectl.run("apply", "--server-side", "--field-manager=ci", "-f", other, code=1)
    assert 'conflict with "kubectl": .data.a' in shown


def test_from_client_side_apply(cluster: DevCluster, kubectl: Kubectl) -> None:
    """What was applied from the client's side moves to server-side apply without a conflict, another value too."""
    kubectl.run("apply", "-f", kubectl.file(_config_map(a="1", b="1", c="1")))
    assert _owners(cluster) == {("kubectl-client-side-apply", "Update")}
    kubectl.run("apply", "--server-side", "-f", kubectl.file(_config_map(a="2", b="1")))
    assert _owners(cluster) == {("kubectl", "Apply"), ("kubectl-last-applied", "Apply")}
    found = cluster.get("configmaps", "default", "c")
    assert found["data"] == {"a": "2", "b": "1"}
    assert json.loads(found["metadata"]["annotations"][LAST_APPLIED])["data"] == {"a": "2", "b": "1"}
    kubectl.run("apply", "--server-side", "-f", kubectl.file(_config_map(a="2")))
    assert cluster.get("configmaps", "default", "c")["data"] == {"a": "2"}
    assert "configured" in kubectl.run("apply", "-f", kubectl.file(_config_map(a="3", d="1")))
    assert cluster.get("configmaps", "default", "c")["data"] == {"a": "3", "d": "1"}


def test_owners_are_not_shown(kubectl: Kubectl) -> None:
    """Kubectl shows no managedFields unless it is asked to, and edits and replaces objects that have some."""
    kubectl.run("apply", "--server-side", "-f", kubectl.file(_config_map(a="1")))
    shown = kubectl.run("get", "cm", "c", "-o", "yaml")
    assert "managedFields" not in shown
    assert "f:data" in kubectl.run("get", "cm", "c", "-o", "yaml", "--show-managed-fields")
    assert "replaced" in kubectl.run("replace", "-f", "-", text=shown.replace('a: "1"', 'a: "2"'))
    assert "edited" in kubectl.run("edit", "cm", "c", EDITOR="sed -i s#'\"2\"'#'\"3\"'#")
    assert kubectl.run("get", "cm", "c", "-o", "jsonpath={.data.a}") == "3"


def test_writes_from_within(cluster: DevCluster, kubectl: Kubectl) -> None:
    """What a test puts into the cluster belongs to devcluster; what it applies again replaces all, whoever owned it."""
    cluster.apply(_config_map(a="1"))
    assert _owners(cluster) == {("devcluster", "Update")}
    file = kubectl.file(_config_map(a="2"))
    shown = kubectl.run("apply", "--server-side", "-f", file, code=1)
    assert 'conflict with "devcluster" using v1: .data.a' in shown
    kubectl.run("apply", "--server-side", "--force-conflicts", "-f", file)
    assert cluster.apply(_config_map(b="3"))["data"] == {"b": "3"}
    assert _owners(cluster) == {("devcluster", "Update")}
