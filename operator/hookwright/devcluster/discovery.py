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

_STATUS_VERBS: Final = ["get", "patch", "update"]


def aggregated(groups: Groups, *, core: bool) -> JsonObject:
    """Return all kinds of the core group, or of all others, in one document."""
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {"version": version, "freshness": "Current", "resources": [_aggregated_entry(one) for one in resources]}
                for version, resources in versions.items()
            ],
        }
        for group, versions in groups.items()
        if (group == "") == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_entry(resource: Resource) -> JsonObject:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: JsonObject = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular or resource.kind.lower(),
        "verbs": list(VERBS),
        "shortNames": list(resource.short_names),
        "categories": list(resource.categories),
    }
    if resource.has_status:
        entry["subresources"] = [{"subresource": "status", "responseKind": kind, "verbs": _STATUS_VERBS}]
    return entry


def core_versions() -> JsonObject:
    """Return the versions of the core group."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list(groups: Groups) -> JsonObject:
    """Return all groups but the core one."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(groups, name) for name in groups if name]}


def group(groups: Groups, name: str) -> JsonObject:
    """Return one group; raise ApiError 404 if there is none."""
    if name not in groups:
        raise not_served()
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(groups, name)}


def _group(groups: Groups, name: str) -> JsonObject:
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in groups[name]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(groups: Groups, name: str, version: str) -> JsonObject:
    """Return the kinds of one group and version; raise ApiError 404 if there are none."""
    resources = groups.get(name, {}).get(version)
    if not resources:
        raise not_served()
    entries = [entry for resource in resources for entry in _entries(resource)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": resources[0].api_version,
        "resources": entries,
    }


def _entries(resource: Resource) -> list[JsonObject]:
    common = {"namespaced": resource.namespaced, "kind": resource.kind}
    names = {"name": resource.plural, "singularName": resource.singular or resource.kind.lower()}
    words = {"shortNames": list(resource.short_names), "categories": list(resource.categories)}
    entries: list[JsonObject] = [names | common | {"verbs": list(VERBS)} | words]
    if resource.has_status:
        names = {"name": f"{resource.plural}/status", "singularName": ""}
        entries.append(names | common | {"verbs": _STATUS_VERBS})
    return entries
