"""The CRDs on a real API server: it takes them, and each of their CEL rules refuses what it is to refuse.

They install the CRDs into that cluster, and write nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS, Resource
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.errors import ClusterError
from hookwright.kinds import KINDS, crd
from support.access import PATIENCE
from support.running import make_buildtrigger, make_webhook
from support.waiting import patience

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


def sent(**members: object) -> dict[str, object]:
    """Give a spec whose builds are started by a provider's deliveries."""
    return {"source": {"provider": "GitHub", "repository": "octo/hello"}, **members}


PUSHES = {"type": "EVENT", "pattern": "PUSH"}

# A spec that breaks one rule alone, by kind and a part of that rule's message.
BREAKERS: dict[tuple[str, str], dict[str, object]] = {
    ("Webhook", "secretTokenRef: IP takes"): scheme("UNAUTHENTICATED", secretTokenRef={"name": "a"}),
    ("Webhook", "secretToken: IP takes"): scheme("UNAUTHENTICATED", secretToken="x"),
    ("Webhook", "additionalSecretTokenRefs: IP takes"): scheme(
        "UNAUTHENTICATED", additionalSecretTokenRefs=[{"name": "a"}]
    ),
    ("Webhook", "this scheme needs either"): scheme("GITHUB_HMAC"),
    ("Webhook", "toleranceSeconds: only"): scheme("BEARER_TOKEN", secretToken="x", toleranceSeconds=60),
    ("Webhook", "header: only HMAC"): scheme("BEARER_TOKEN", secretToken="x", header="X-S"),
    ("Webhook", "header: HMAC needs it"): scheme("HMAC", secretToken="x"),
    ("Webhook", "algorithm: only"): scheme("BEARER_TOKEN", secretToken="x", algorithm="SHA256"),
    ("Webhook", "encoding: only"): scheme("BEARER_TOKEN", secretToken="x", encoding="HEX"),
    ("Webhook", "prefix: only"): scheme("GITLAB_TOKEN", secretToken="x", prefix="p"),
    ("Webhook", "timestampHeader: only"): scheme("BEARER_TOKEN", secretToken="x", timestampHeader="X-T"),
    ("Webhook", "signedContent: only"): scheme("BEARER_TOKEN", secretToken="x", signedContent="{body}"),
    ("Webhook", "username: only BASIC"): scheme("BEARER_TOKEN", secretToken="x", username="hook"),
    ("Webhook", "username: BASIC needs it"): scheme("BASIC", secretToken="x"),
    ("Webhook", "allowedIPRange: only IP"): scheme("UNAUTHENTICATED", allowedIPRange="10.0.0.0/8"),
    ("Webhook", "allowedIPRange: IP needs it"): scheme("IP"),
    ("Webhook", "toleranceSeconds: it is about"): scheme("HMAC", secretToken="x", header="X-S", toleranceSeconds=9),
    ("Webhook", "TooManyTags"): {"tags": [{"key": f"k{n}", "value": ""} for n in range(51)]},
    ("Webhook", "actionConfiguration: a key is"): {"actionConfiguration": {"1st": "x"}},
    ("Webhook", "actionConfiguration: a key named"): {"actionConfiguration": {"OAuthToken": "x"}},
    ("Webhook", "deliveryIdHeader: carries"): {"deliveryIdHeader": "Authorization"},
    ("Webhook", "deliveryIdHeader: STANDARD"): scheme("STANDARD_WEBHOOKS", secretToken="x")
    | {"deliveryIdHeader": "X-I"},
    ("Webhook", "duplicateWindow: at least"): {"duplicateWindow": "59m"},
    ("Webhook", "a CronJob has"): {"targetPipeline": {"name": "n", "kind": "CronJob"}},
    ("Webhook", "a BuildTrigger has"): {"targetPipeline": {"name": "n", "apiVersion": "batch/v1"}},
    ("Webhook", "a parameter needs exactly one"): {"parameters": [{"name": "A"}]},
    ("Webhook", "names that begin with"): {"parameters": [{"name": "HOOKWRIGHT_A", "value": "1"}]},
    ("Webhook", "programs take code"): {"parameters": [{"name": "BASH_ENV", "value": "1"}]},
    ("Webhook", "keys that begin with aws:"): {"tags": [{"key": "aws:x", "value": ""}]},
    ("Webhook", "InvalidTagsException: spec.tags: letters"): {"tags": [{"key": "a", "value": "#"}]},
    ("BuildTrigger", "filterGroups are given too"): sent(branchFilter="main", filterGroups=[[PUSHES]]),
    ("BuildTrigger", "are about what a provider"): {"branchFilter": "main"},
    ("BuildTrigger", "each group needs a filter"): sent(filterGroups=[[{"type": "HEAD_REF", "pattern": "main"}]]),
    ("BuildTrigger", "REPOSITORY_NAME and ORGANIZATION_NAME"): sent(
        filterGroups=[[PUSHES, {"type": "REPOSITORY_NAME", "pattern": "hello"}]]
    ),
    ("BuildTrigger", "spec.tags: at most"): {"tags": [{"key": f"k{n}", "value": ""} for n in range(51)]},
    ("BuildTrigger", "duplicateWindow: at least"): {"duplicateWindow": "59m"},
    ("BuildTrigger", "one of repository, organization and group; remove"): {
        "source": {"provider": "GitHub", "repository": "octo/hello", "organization": "octo"}
    },
    ("BuildTrigger", "with a provider, one of"): {"source": {"provider": "GitHub"}},
    ("BuildTrigger", "is one of a provider's"): {"source": {"organization": "octo"}},
    ("BuildTrigger", "only GitLab has groups"): {"source": {"provider": "GitHub", "group": "octo"}},
    ("BuildTrigger", "organization: GitLab has groups"): {"source": {"provider": "GitLab", "organization": "octo"}},
    ("BuildTrigger", "OWNER/NAME, with one slash"): {
        "source": {"provider": "Gitea", "repository": "git.example/octo/x"}
    },
    ("BuildTrigger", "without a slash"): {"source": {"provider": "GitHub", "organization": "octo/hello"}},
    ("BuildTrigger", "names that begin with"): {"parameters": [{"name": "HOOKWRIGHT_A", "value": "1"}]},
    ("BuildTrigger", "keys that begin with aws:"): {"tags": [{"key": "aws:x", "value": ""}]},
    ("BuildTrigger", "spec.tags: letters"): {"tags": [{"key": "a", "value": "#"}]},
    ("BuildTrigger", "secretRotation.every: at least"): sent(secretRotation={"every": "23h", "overlap": "1h"}),
    ("BuildTrigger", "overlap: at most"): sent(secretRotation={"every": "24h", "overlap": "25h"}),
}


def rules_of(schema: dict[str, Any]) -> Iterator[str]:
    """Give the messages of the CEL rules of a schema and of all that is in it."""
    yield from (rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from rules_of(schema[name])
    for inner in schema.get("properties", {}).values():
        yield from rules_of(inner)


def read_rules() -> list[tuple[str, str]]:
    """Give kind and message of every CEL rule of the CRDs that are applied."""
    found = []
    for file in sorted((Path(__file__).parents[2] / "crds").glob("*.yaml")):
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))["spec"]
        for version in spec["versions"]:
            found += [(spec["names"]["kind"], said) for said in rules_of(version["schema"]["openAPIV3Schema"])]
    return found


RULES = read_rules()


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[KubernetesCluster]:
    """A cluster that has our CRDs, as they are now."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as reached:
        for kind in KINDS:
            definition = crd(kind)
            name = definition["metadata"]["name"]
            if await reached.get(CRDS, name=name) is None:
                await reached.create(CRDS, definition)
            else:
                await reached.patch(CRDS, definition, name=name)
        yield reached


async def attempt(cluster: KubernetesCluster, kind: str, **spec: object) -> str:
    """Give what the API server says against an object; empty if nothing."""
    resource, make = {"Webhook": (WEBHOOKS, make_webhook), "BuildTrigger": (BUILDTRIGGERS, make_buildtrigger)}[kind]
    try:
        await cluster.create(resource, make("cel", **spec), namespace="default", dry_run=True)
    except ClusterError as error:
        return f"{error.status} {error.message}"
    return ""


async def eventually(cluster: KubernetesCluster, told: str, kind: str = "Webhook", **spec: object) -> str:
    """Try until the API server says `told`: a changed schema is in force a moment after it was taken."""
    async with patience(PATIENCE):
        while told not in (said := await attempt(cluster, kind, **spec)) or bool(told) != bool(said):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert said == "" or said.startswith("422 ")
    return said


def test_every_rule_has_a_breaker():
    """Each CEL rule of the CRDs is broken by exactly one case, and each case is about one rule."""
    assert RULES
    cases = [[rule for rule in RULES if rule[0] == kind and part in rule[1]] for kind, part in BREAKERS]
    assert [len(rules) for rules in cases] == [1] * len(cases), "a case that is about no rule, or several"
    assert sorted(rule for rules in cases for rule in rules) == sorted(RULES), "a rule without a case, or with several"


@pytest.mark.parametrize(("kind", "part"), BREAKERS)
async def test_rule_refuses(cluster, kind, part):
    """A spec that breaks one rule is refused with that rule's message, and no other's."""
    [message] = [said for of, said in RULES if of == kind and part in said]
    said = await eventually(cluster, message, kind, **BREAKERS[kind, part])
    assert [rule for rule in RULES if rule[1] in said] == [(kind, message)]


async def test_good_buildtrigger_is_taken(cluster):
    """A BuildTrigger that is right is right to the rules too."""
    await eventually(cluster, "", "BuildTrigger")


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
