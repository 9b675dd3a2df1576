"""What the chart makes, on a real API server: every object is taken as it stands, every pod in a restricted namespace.

All is a dry run, but for a namespace of its own and the ServiceAccounts in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from support.access import Access
from support.chart import find_pods, render
from support.chart_modes import MODES

# Kinds of others: their CRDs are where test_chart_installed.py installs them.
OTHERS = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}
PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "CustomResourceDefinition": "customresourcedefinitions",
    "Ingress": "ingresses",
    "Job": "jobs",
    "NetworkPolicy": "networkpolicies",
    "Pod": "pods",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Role": "roles",
    "RoleBinding": "rolebindings",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "StatefulSet": "statefulsets",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}


@dataclass(kw_only=True)
class Place:
    """A namespace that lets restricted pods alone in, and a client of its API server."""

    client: httpx.Client
    namespace: str

    def create(self, one: dict[str, Any], **query: str) -> httpx.Response:
        """Create an object here, wherever it wants to be, under a name that nothing has yet."""
        group = one["apiVersion"] if "/" in one["apiVersion"] else ""
        path = f"/apis/{group}" if group else f"/api/{one['apiVersion']}"
        metadata = {**one["metadata"], "name": f"{one['metadata']['name']}-{uuid.uuid4().hex[:6]}"}
        if "namespace" in metadata:
            metadata["namespace"] = self.namespace
            path += f"/namespaces/{self.namespace}"
        if one["kind"] in ("CustomResourceDefinition", "ServiceAccount"):
            metadata["name"] = one["metadata"]["name"]
        return self.client.post(
            f"{path}/{PLURALS[one['kind']]}", json={**one, "metadata": metadata}, params=query, timeout=180
        )


@pytest.fixture(scope="module")
def place(server: Access) -> Iterator[Place]:
    with server.sync_client() as client:
        name = f"chart-{uuid.uuid4().hex[:8]}"
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        client.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
        yield Place(client=client, namespace=name)
        client.delete(f"/api/v1/namespaces/{name}")


@pytest.mark.parametrize("values", MODES.values(), ids=list(MODES))
def test_api_server_takes_every_object(place: Place, values):
    """Each object of each mode is created in a dry run, without an unknown field; CRDs may be there already."""
    for one in render(values, namespace=place.namespace):
        if one["kind"] in OTHERS or (one["kind"] == "Pod"):
            continue
        answer = place.create(one, **STRICT)
        assert answer.status_code in ((201, 409) if one["kind"] == "CustomResourceDefinition" else (201,)), answer.text
        assert "warning" not in answer.headers, f"{one['kind']}: {answer.headers['warning']}"


@pytest.mark.parametrize("values", MODES.values(), ids=list(MODES))
def test_restricted_namespace_takes_every_pod(place: Place, values):
    """Each pod of each mode, those of Jobs and hooks too, is let into a namespace that enforces "restricted"."""
    for name, pod in find_pods(render(values, namespace=place.namespace)):
        spec = dict(pod["spec"])
        spec.pop("priorityClassName", None)  # it would have to be there
        account = spec.setdefault("serviceAccountName", "tests")
        place.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": "here"}})
        if name.startswith("StatefulSet"):
            spec["volumes"] = [*spec["volumes"], {"name": "journal", "persistentVolumeClaim": {"claimName": "a"}}]
        metadata = {"name": "pod", "namespace": "here", "labels": pod["metadata"]["labels"]}
        one = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        answer = place.create(one, **STRICT)
        assert answer.status_code == 201, f"{name}: {answer.text}"


def test_restricted_namespace_refuses_other_pods(place: Place):
    """The same pod with its capabilities is refused there: the rule is in force."""
    _, pod = next(iter(find_pods([one for one in render() if one["kind"] == "Pod"])))
    (container,) = pod["spec"]["containers"]
    spec = {**pod["spec"], "containers": [{**container, "securityContext": {}}], "serviceAccountName": "tests"}
    answer = place.create({**pod, "kind": "Pod", "spec": spec}, **STRICT)
    assert answer.status_code == 403
    assert "violates PodSecurity" in answer.text
