"""The CRDs on a real API server: it takes them, and their CEL rules refuse what they are to refuse.

Opt in with HOOKWRIGHT_TEST_KUBECONFIG=FILE; it installs the CRDs into that cluster, and writes nothing else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookwright.cluster import WEBHOOKS, Resource
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.errors import ClusterError
from hookwright.kinds import KINDS, crd
from support.running import make_webhook

KUBECONFIG = os.environ.get("HOOKWRIGHT_TEST_KUBECONFIG")
pytestmark = pytest.mark.skipif(KUBECONFIG is None, reason="no real API server: HOOKWRIGHT_TEST_KUBECONFIG is not set")

CRDS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    plural="customresourcedefinitions",
    kind="CustomResourceDefinition",
    namespaced=False,
)
AUTHENTICATION = "InvalidWebhookAuthenticationParametersException"


@pytest.fixture
async def cluster() -> AsyncIterator[KubernetesCluster]:
    """A cluster that has our CRDs, as they are now."""
    access = await load_access(Path(KUBECONFIG or ""))
    async with KubernetesCluster(access.configuration) as reached:
        for kind in KINDS:
            definition = crd(kind)
            name = definition["metadata"]["name"]
            if await reached.get(CRDS, name=name) is None:
                await reached.create(CRDS, definition)
            else:
                await reached.patch(CRDS, definition, name=name)
        yield reached


async def try_webhook(cluster: KubernetesCluster, **spec: object) -> str:
    """Give what the API server says against a Webhook; empty if nothing."""
    try:
        await cluster.create(WEBHOOKS, make_webhook("cel", **spec), namespace="default", dry_run=True)
    except ClusterError as error:
        return f"{error.status} {error.message}"
    return ""


async def eventually(cluster: KubernetesCluster, told: str, **spec: object) -> None:
    """Try until the API server says `told`: a changed schema is in force a moment after it was taken."""
    async with asyncio.timeout(20):
        while told not in (said := await try_webhook(cluster, **spec)) or bool(told) != bool(said):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert said == "" or said.startswith("422 ")


async def test_good_webhook_is_taken(cluster):
    """A Webhook that is right is right to the rules too."""
    await eventually(cluster, "")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"authentication": "UNAUTHENTICATED"}, AUTHENTICATION),
        ({"authenticationConfiguration": {}}, AUTHENTICATION),
        (
            {"authenticationConfiguration": {"secretToken": "x", "secretTokenRef": {"name": "x", "key": "y"}}},
            AUTHENTICATION,
        ),
        ({"parameters": [{"name": "A"}]}, "ValidationException: a parameter needs exactly one"),
        ({"parameters": [{"name": "A", "value": "1", "jsonPath": "$.a"}]}, "ValidationException: a parameter needs"),
        ({"parameters": [{"name": "HOOKWRIGHT_A", "value": "1"}]}, "ValidationException: names that begin with"),
        ({"filters": [{"jsonPath": "$.a"}] * 6}, "spec.filters"),
        ({"authenticationConfiguration": {"secretTokenRef": {"name": "No_Name", "key": "y"}}}, "secretTokenRef.name"),
    ],
)
async def test_wrong_webhook_is_refused_at_apply(cluster, spec, told):
    """What a rule can tell is refused when it is applied, with AWS's code where the rule is ours."""
    await eventually(cluster, told, **spec)
