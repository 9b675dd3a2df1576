"""Emptying a real cluster between scenarios, which each want one of their own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx

from support.waiting import Patience

PATIENCE = 180.0
OURS = "/apis/hookwright.dev/v1alpha1"
# What scenarios make and look up, by plural and group; in the order in which it is removed: owners first.
PATHS = {
    "webhooks": (OURS, "webhooks.hookwright.dev"),
    "buildtriggers": (OURS, "buildtriggers.hookwright.dev"),
    "cronjobs": ("/apis/batch/v1", "cronjobs.batch"),
    "jobs": ("/apis/batch/v1", "jobs.batch"),
    "pods": ("/api/v1", "pods"),
    "secrets": ("/api/v1", "secrets"),
    "leases": ("/apis/coordination.k8s.io/v1", "leases.coordination.k8s.io"),
    "events": ("/api/v1", "events"),
    "resourcequotas": ("/api/v1", "resourcequotas"),
    "serviceaccounts": ("/api/v1", "serviceaccounts"),
}
CLUSTER_WIDE = {
    "namespaces": ("/api/v1", "namespaces"),
    "customresourcedefinitions": (
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions.apiextensions.k8s.io",
    ),
}
KINDS = {
    "Webhook": "webhooks",
    "BuildTrigger": "buildtriggers",
    "CronJob": "cronjobs",
    "Job": "jobs",
    "Pod": "pods",
    "Secret": "secrets",
    "Lease": "leases",
    "Event": "events",
    "ResourceQuota": "resourcequotas",
    "ServiceAccount": "serviceaccounts",
    "Namespace": "namespaces",
    "CustomResourceDefinition": "customresourcedefinitions",
}
USED = ("default", "hookwright-system")
BUILT_IN = {"default", "kube-system", "kube-public", "kube-node-lease", "hookwright-system"}
KEPT_SECRET = "kubernetes.io/service-account-token"
NOT_KEPT = f"type!={KEPT_SECRET}"
MERGE_PATCH = "application/merge-patch+json"


def locate(kind: str, namespace: str | None, name: str | None = None) -> str:
    """Give the path of an object, or of all; `kind` is `jobs.batch` and the like. Raises LookupError for others."""
    plural = kind.partition(".")[0]
    for places in (PATHS, CLUSTER_WIDE):
        if plural in places and places[plural][1] == kind:
            prefix = places[plural][0]
            inside = f"/namespaces/{namespace}" if namespace and places is PATHS else ""
            return f"{prefix}{inside}/{plural}" + (f"/{name}" if name else "")
    raise LookupError(f"scenarios look up no {kind!r}")


def path_of(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Give the paths of the collection of an object, and of itself."""
    plural = KINDS[obj["kind"]]
    places = PATHS if plural in PATHS else CLUSTER_WIDE
    collection = locate(places[plural][1], obj["metadata"].get("namespace"))
    return collection, f"{collection}/{obj['metadata']['name']}"


def wait_until_served(admin: httpx.Client, spec: Mapping[str, Any]) -> None:
    """Wait until objects of a CRD that was made can be made too: it is there before they are served."""
    left = Patience(PATIENCE)
    path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
    while not admin.get(path).is_success:
        assert left.lasts(), f"{path} is not served"
        time.sleep(0.02)


def clean(admin: httpx.Client) -> None:
    """Remove all that scenarios leave behind, and wait until it is gone; CRDs stay, and so do rights."""
    for namespace in USED:
        for plural, (_, kind) in PATHS.items():
            if plural != "serviceaccounts":
                _empty(admin, locate(kind, namespace), plural)
    for namespace in admin.get("/api/v1/namespaces").raise_for_status().json()["items"]:
        if namespace["metadata"]["name"] not in BUILT_IN:
            admin.delete(f"/api/v1/namespaces/{namespace['metadata']['name']}")


def _empty(admin: httpx.Client, path: str, plural: str) -> None:
    left = Patience(PATIENCE)
    options = {"propagationPolicy": "Background", "gracePeriodSeconds": 0}
    while found := [one["metadata"] for one in _list(admin, path)]:
        assert left.lasts(), f"{path} does not become empty"
        admin.request("DELETE", path, params={"fieldSelector": NOT_KEPT} if plural == "secrets" else {}, json=options)
        for metadata in found:
            # Whatever is there to free them has nothing to do for objects of tests.
            if metadata.get("finalizers") and plural != "pods":
                patch = {"metadata": {"finalizers": None}}
                admin.patch(f"{path}/{metadata['name']}", json=patch, headers={"content-type": MERGE_PATCH})
        if any(metadata.get("finalizers") for metadata in found):
            time.sleep(0.02)


def _list(admin: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = admin.get(path)
    if answer.status_code == httpx.codes.NOT_FOUND:
        return []
    return [one for one in answer.raise_for_status().json()["items"] if one.get("type") != KEPT_SECRET]
