"""Discovery: how clients find out which kinds there are, in the old form and in the aggregated one."""

from __future__ import annotations

from typing import Final

from hookwright.devcluster.errors import not_served
from hookwright.devcluster.registry import Groups
from hookwright.devcluster.resources import VERBS, Resource
from hookwright.devcluster.values import JsonObject

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERSION: Final[JsonObject] = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.0+devcluster",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "",
}

CORE_VERSIONS: Final[JsonObject] = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}

_STATUS_VERBS: Final = ["get", "patch", "update"]


def aggregated(groups: Groups, *, core: bool) -> JsonObject:
    """Return all kinds of the core group, or of all others, in one document."""
    items = []
    for name, versions in groups.items():
        if (name == "") == core:
            listed = [
                {"version": version, "freshness": "Current", "resources": [_aggregated_entry(one) for one in resources]}
                for version, resources in versions.items()
            ]
            items.append({"metadata": {"name": name} if name else {}, "versions": listed})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_entry(resource: Resource) -> JsonObject:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    status = {"subresource": "status", "responseKind": kind, "verbs": _STATUS_VERBS}
    return {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular or resource.kind.lower(),
        "subresources": [status] if resource.has_status else [],
        **_words(resource),
    }


def _words(resource: Resource) -> JsonObject:
    words = {"shortNames": list(resource.short_names), "categories": list(resource.categories)}
    return {"verbs": list(VERBS), **words}


def group_list(groups: Groups) -> JsonObject:
    """Return all groups but the core one."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group(groups, name) for name in groups if name]}


def group(groups: Groups, name: str) -> JsonObject:
    """Return one group; raise ApiError 404 if there is none."""
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in groups.get(name, ())]
    if not name or not versions:
        raise not_served()
    members = {"name": name, "versions": versions, "preferredVersion": versions[0]}
    return {"kind": "APIGroup", "apiVersion": "v1", **members}


def resource_list(groups: Groups, name: str, version: str) -> JsonObject:
    """Return the kinds of one group and version; raise ApiError 404 if there are none."""
    resources = groups.get(name, {}).get(version)
    if not resources:
        raise not_served()
    entries = [entry for resource in resources for entry in _entries(resource)]
    head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": resources[0].api_version}
    return {**head, "resources": entries}


def _entries(resource: Resource) -> list[JsonObject]:
    common = {"namespaced": resource.namespaced, "kind": resource.kind}
    names = {"name": resource.plural, "singularName": resource.singular or resource.kind.lower()}
    status = {"name": f"{resource.plural}/status", "singularName": "", **common, "verbs": _STATUS_VERBS}
    return [{**names, **common, **_words(resource)}, *([status] if resource.has_status else [])]
