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


def scheme(name: str, **members: object) -> dict[str, object]:
    """Give a spec with another scheme, and exactly these members for it."""
    return {"authentication": name, "authenticationConfiguration": members}


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
    "spec",
    [
        scheme("IP", allowedIPRange="2001:db8::/32"),
        scheme("STANDARD_WEBHOOKS", secretToken="whsec_MfKQ", toleranceSeconds=60),
        scheme("HMAC", secretToken="x", header="X-S", timestampHeader="X-T", toleranceSeconds=60, encoding="BASE64"),
        scheme("BASIC", secretTokenRef={"name": "a"}, username="hook"),
        scheme("GITLAB_TOKEN", secretTokenRef={"name": "a"}, additionalSecretTokenRefs=[{"name": "b", "key": "old"}]),
        scheme("BEARER_TOKEN", secretToken="x"),
        {"targetPipeline": {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly"}},
        {"tags": [{"key": "Straße 1", "value": ""}, {"key": "b", "value": "a@b"}], "duplicateWindow": "1h30m"},
        {"actionConfiguration": {"Branch": "main"}, "rateLimit": {"perMinute": 60}},
    ],
)
async def test_right_webhook_is_taken(cluster, spec):
    """Each scheme with exactly its members is taken, and so is the rest of what a Webhook may say."""
    await eventually(cluster, "", **spec)


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
        (scheme("IP"), f"{AUTHENTICATION}: spec.authenticationConfiguration.allowedIPRange: IP needs it"),
        (scheme("IP", allowedIPRange="10.0.0.0/8", secretToken="x"), AUTHENTICATION),
        (scheme("HMAC", secretToken="x"), f"{AUTHENTICATION}: spec.authenticationConfiguration.header"),
        (scheme("BASIC", secretToken="x"), f"{AUTHENTICATION}: spec.authenticationConfiguration.username"),
        (scheme("GITLAB_TOKEN", secretToken="x", prefix="p"), "only HMAC takes it"),
        (scheme("STANDARD_WEBHOOKS", secretToken="x", toleranceSeconds=0), "toleranceSeconds"),
        (scheme("HMAC", secretToken="x", header="X-S", toleranceSeconds=9), "timestampHeader"),
        (scheme("UNAUTHENTICATED", additionalSecretTokenRefs=[{"name": "a"}]), AUTHENTICATION),
        ({"targetPipeline": {"name": "n", "kind": "CronJob"}}, "ValidationException: spec.targetPipeline.apiVersion"),
        ({"targetPipeline": {"name": "n", "apiVersion": "batch/v1"}}, "ValidationException: spec.targetPipeline"),
        ({"tags": [{"key": f"k{n}", "value": ""} for n in range(51)]}, "TooManyTagsException"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidTagsException"),
        ({"tags": [{"key": "a", "value": "#"}]}, "InvalidTagsException"),
        ({"tags": [{"key": "a", "value": ""}, {"key": "a", "value": "b"}]}, "Duplicate value"),
        ({"actionConfiguration": {"OAuthToken": "x"}}, "ValidationException: spec.actionConfiguration"),
        ({"actionConfiguration": {"1st": "x"}}, "ValidationException: spec.actionConfiguration"),
        ({"duplicateWindow": "59m"}, "ValidationException: spec.duplicateWindow"),
        ({"duplicateWindow": "73h"}, "ValidationException: spec.duplicateWindow"),
        ({"duplicateWindow": "soon"}, "spec.duplicateWindow"),
        ({"rateLimit": {"perMinute": 0}}, "spec.rateLimit.perMinute"),
        (
            scheme("STANDARD_WEBHOOKS", secretToken="x") | {"deliveryIdHeader": "X-Id"},
            "ValidationException: spec.deliveryIdHeader",
        ),
        ({"deliveryIdHeader": "not a header"}, "spec.deliveryIdHeader"),
        ({"authenticationConfiguration": {"secretTokenRef": {"name": "No_Name", "key": "y"}}}, "secretTokenRef.name"),
    ],
)
async def test_wrong_webhook_is_refused_at_apply(cluster, spec, told):
    """What a rule can tell is refused when it is applied, with AWS's code where the rule is ours."""
    await eventually(cluster, told, **spec)
