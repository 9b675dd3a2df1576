"""The kinds that are served: what a kind is, and the table of those that are built in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from hookwright.devcluster.values import JsonObject, decode, encode

Key = tuple[str, str]
"""Group and plural: names a kind whatever its version."""

VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

NAMESPACES: Final[Key] = ("", "namespaces")
SECRETS: Final[Key] = ("", "secrets")
CONFIG_MAPS: Final[Key] = ("", "configmaps")
SERVICE_ACCOUNTS: Final[Key] = ("", "serviceaccounts")
PODS: Final[Key] = ("", "pods")
EVENTS: Final[Key] = ("", "events")
JOBS: Final[Key] = ("batch", "jobs")
CRON_JOBS: Final[Key] = ("batch", "cronjobs")
LEASES: Final[Key] = ("coordination.k8s.io", "leases")
DEFINITIONS: Final[Key] = ("apiextensions.k8s.io", "customresourcedefinitions")
META_VERSION: Final = "meta.k8s.io/v1"
RBAC: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind in one version.

    `selectable` are the fields that a field selector may name beside name and namespace. `stored_as` is the apiVersion
    in which objects are stored and `renamed` maps the stored members to this version's names, where they differ.
    """

    plural: str
    kind: str
    group: str = ""
    version: str = "v1"
    singular: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    custom: bool = False
    schema: JsonObject = field(default_factory=dict)
    columns: tuple[JsonObject, ...] = ()
    selectable: tuple[str, ...] = ()
    stored_as: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def api_version(self) -> str:
        """`group/version`, or the version alone in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def key(self) -> Key:
        """The place of this kind's objects in the store; both groups of Events share one."""
        return EVENTS if self.renamed else (self.group, self.plural)

    @cached_property
    def full_name(self) -> str:
        """`plural.group`, as error messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def is_stored_form(self) -> bool:
        """Whether stored objects can be shown in this version as they are."""
        return self.stored_as in ("", self.api_version)

    def outward(self, obj: JsonObject) -> JsonObject:
        """Show an object in this version."""
        if self.is_stored_form:
            return obj
        return {self.renamed.get(name, name): member for name, member in obj.items()} | {"apiVersion": self.api_version}

    def show(self, json: bytes) -> bytes:
        """Return the JSON of a stored object as it is in this version."""
        return json if self.is_stored_form else encode(self.outward(decode(json)))

    def inward(self, obj: JsonObject) -> JsonObject:
        """Bring an object of this version into the stored form."""
        if self.is_stored_form:
            return obj
        stored = {shown: name for name, shown in self.renamed.items()}
        return {stored.get(name, name): member for name, member in obj.items()} | {"apiVersion": self.stored_as}


def show_metadata(json: bytes) -> bytes:
    """Return the JSON of a stored object's metadata alone."""
    return encode({"kind": "PartialObjectMetadata", "apiVersion": META_VERSION, "metadata": decode(json)["metadata"]})


# Group, plural, kind, short names, and what the kind has.
_TABLE: Final = (
    ("", "namespaces", "Namespace", "ns", "cluster status"),
    ("", "configmaps", "ConfigMap", "cm", ""),
    ("", "secrets", "Secret", "", ""),
    ("", "events", "Event", "ev", ""),
    ("", "serviceaccounts", "ServiceAccount", "sa", ""),
    ("", "services", "Service", "svc", "status all"),
    ("", "pods", "Pod", "po", "status generation all"),
    ("events.k8s.io", "events", "Event", "ev", ""),
    ("apps", "deployments", "Deployment", "deploy", "status generation all"),
    ("apps", "statefulsets", "StatefulSet", "sts", "status generation all"),
    ("batch", "jobs", "Job", "", "status generation all"),
    ("batch", "cronjobs", "CronJob", "cj", "status generation all"),
    ("coordination.k8s.io", "leases", "Lease", "", ""),
    (RBAC, "roles", "Role", "", ""),
    (RBAC, "rolebindings", "RoleBinding", "", ""),
    (RBAC, "clusterroles", "ClusterRole", "", "cluster"),
    (RBAC, "clusterrolebindings", "ClusterRoleBinding", "", "cluster"),
    (
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "crd crds",
        "cluster status generation",
    ),
)
_INVOLVED: Final = ("apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid")
_SELECTABLE: Final = {
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "events": ("reason", "type", "reportingComponent", *(f"involvedObject.{name}" for name in _INVOLVED)),
    "pods": ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"),
}
# The newer group of Events tells the same under other names (k8s.io/kubernetes pkg/apis/events/v1/conversion.go).
_EVENT_NAMES: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}


def _built_in(group: str, plural: str, kind: str, short_names: str, properties: str) -> Resource:
    is_new_event = group == "events.k8s.io"
    return Resource(
        group=group,
        plural=plural,
        kind=kind,
        short_names=tuple(short_names.split()),
        namespaced="cluster" not in properties,
        has_status="status" in properties,
        has_generation="generation" in properties,
        categories=("all",) if "all" in properties else (),
        selectable=_SELECTABLE.get(plural, ()),
        stored_as="v1" if is_new_event else "",
        renamed=_EVENT_NAMES if is_new_event else {},
    )


BUILT_IN: Final = tuple(_built_in(*row) for row in _TABLE)


def built_in(key: Key) -> Resource:
    """Return a kind that is built in."""
    return next(resource for resource in BUILT_IN if resource.key == key)
