"""examples/buildtriggers on a real API server: their fields are known to it, and `restricted` lets their pods in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from hookwright.commands.files import read_manifests
from hookwright.kinds import API_VERSION, BuildTrigger, crd
from hookwright.scm import Provider
from support.access import PATIENCE, Access
from support.clones import EXAMPLES, FILES, read_example
from support.waiting import Patience

STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
GROUP = f"/apis/{API_VERSION}"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(kw_only=True)
class Place:
    """A namespace that lets restricted pods alone in, and a client of its API server."""

    client: httpx.Client
    namespace: str

    def create(self, group: str, plural: str, one: object) -> httpx.Response:
        """Create an object, in a dry run that takes no unknown field."""
        path = f"{group}/namespaces/{self.namespace}/{plural}"
        return self.client.post(path, json=one, params=STRICT, timeout=180)


@pytest.fixture(scope="module")
def place(server: Access) -> Iterator[Place]:
    with server.sync_client() as client:
        name = f"examples-{uuid.uuid4().hex[:8]}"
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        client.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}}).raise_for_status()
        account = {"metadata": {"name": "builds"}}
        client.post(f"/api/v1/namespaces/{name}/serviceaccounts", json=account).raise_for_status()
        assert client.post(CRDS, json=crd(BuildTrigger)).status_code in {201, 409}
        yield Place(client=client, namespace=name)
        client.delete(f"/api/v1/namespaces/{name}")


@pytest.mark.parametrize("provider", Provider)
def test_api_server_takes_the_example(place: Place, provider):
    """The CRD, with its rules, knows each field of the example."""
    (manifest,) = read_manifests([EXAMPLES / f"{FILES[provider]}.yaml"])
    left = Patience(PATIENCE)
    # The kind is served a moment after its CRD was taken.
    while (answer := place.create(GROUP, "buildtriggers", manifest)).status_code == 404 and left.lasts():
        time.sleep(0.1)
    assert answer.status_code == 201, answer.text
    assert "warning" not in answer.headers


@pytest.mark.parametrize("provider", Provider)
def test_restricted_namespace_takes_the_job(place: Place, provider):
    """The Job is taken as it is, and its pod is let into a namespace that enforces "restricted"."""
    spec = read_example(provider).spec.build.job_template.spec
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "build"}, "spec": spec}
    answer = place.create("/apis/batch/v1", "jobs", job)
    assert answer.status_code == 201, answer.text
    assert "warning" not in answer.headers
    pod = {**spec["template"]["spec"], "serviceAccountName": "builds"}
    answer = place.create("/api/v1", "pods", {"metadata": {"name": "build"}, "spec": pod})
    assert answer.status_code == 201, answer.text
