"""The kinds that are served: what a kind is, and the table of those that are built in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from hookwright.devcluster.values import Json, JsonObject

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
RBAC: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind in one version.

    `selectable` are the fields that a field selector may name beside name and namespace. `renamed` maps the members of
    the stored object to this version's names, where they differ; `stored_as` and `stored_key` say where the object
    is stored, if that is not this very group and version.
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
    renamed: Mapping[str, str] = field(default_factory=dict)
    stored_as: str = ""
    stored_key: Key | None = None

    @cached_property
    def api_version(self) -> str:
        """`group/version`, or the version alone in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def key(self) -> Key:
        """The place of this kind's objects in the store."""
        return self.stored_key or (self.group, self.plural)

    @cached_property
    def full_name(self) -> str:
        """`plural.group`, as error messages write it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def is_stored_form(self) -> bool:
        """Whether stored objects can be shown in this version as they are."""
        return self.stored_as in ("", self.api_version)

    def outward(self, obj: JsonObject) -> JsonObject:
        """Show a stored object in this version; the stored one is not changed."""
        if self.is_stored_form:
            return obj
        return {self.renamed.get(name, name): member for name, member in obj.items()} | {"apiVersion": self.api_version}

    def inward(self, obj: JsonObject) -> JsonObject:
        """Bring an object of this version into the stored form."""
        if self.is_stored_form:
            return obj
        names: dict[str, str] = {shown: stored for stored, shown in self.renamed.items()}
        members: dict[str, Json] = {names.get(name, name): member for name, member in obj.items()}
        return members | {"apiVersion": self.stored_as}


_EVENT_FIELDS: Final = (
    *(f"involvedObject.{name}" for name in ("apiVersion", "fieldPath", "kind", "name", "namespace", "uid")),
    *("involvedObject.resourceVersion", "reason", "reportingComponent", "source", "type"),
)
# The newer Event group tells the same under other names (k8s.io/kubernetes pkg/apis/events/v1/conversion.go).
_EVENT_NAMES: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_ALL: Final = ("all",)

BUILT_IN: Final[tuple[Resource, ...]] = (
    Resource(
        plural="namespaces",
        kind="Namespace",
        namespaced=False,
        short_names=("ns",),
        has_status=True,
        selectable=("status.phase",),
    ),
    Resource(plural="configmaps", kind="ConfigMap", short_names=("cm",)),
    Resource(plural="secrets", kind="Secret", selectable=("type",)),
    Resource(plural="events", kind="Event", short_names=("ev",), selectable=_EVENT_FIELDS),
    Resource(plural="serviceaccounts", kind="ServiceAccount", short_names=("sa",)),
    Resource(plural="services", kind="Service", short_names=("svc",), categories=_ALL, has_status=True),
    Resource(
        plural="pods",
        kind="Pod",
        short_names=("po",),
        categories=_ALL,
        has_status=True,
        has_generation=True,
        selectable=("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"),
    ),
    Resource(
        group="events.k8s.io",
        plural="events",
        kind="Event",
        short_names=("ev",),
        selectable=("reason", "type"),
        renamed=_EVENT_NAMES,
        stored_as="v1",
        stored_key=EVENTS,
    ),
    Resource(
        group="apps",
        plural="deployments",
        kind="Deployment",
        short_names=("deploy",),
        categories=_ALL,
        has_status=True,
        has_generation=True,
    ),
    Resource(
        group="apps",
        plural="statefulsets",
        kind="StatefulSet",
        short_names=("sts",),
        categories=_ALL,
        has_status=True,
        has_generation=True,
    ),
    Resource(
        group="batch",
        plural="jobs",
        kind="Job",
        categories=_ALL,
        has_status=True,
        has_generation=True,
    ),
    Resource(
        group="batch",
        plural="cronjobs",
        kind="CronJob",
        short_names=("cj",),
        categories=_ALL,
        has_status=True,
        has_generation=True,
    ),
    Resource(group="coordination.k8s.io", plural="leases", kind="Lease"),
    Resource(group=RBAC, plural="roles", kind="Role"),
    Resource(group=RBAC, plural="rolebindings", kind="RoleBinding"),
    Resource(group=RBAC, plural="clusterroles", kind="ClusterRole", namespaced=False),
    Resource(group=RBAC, plural="clusterrolebindings", kind="ClusterRoleBinding", namespaced=False),
    Resource(
        group="apiextensions.k8s.io",
        plural="customresourcedefinitions",
        kind="CustomResourceDefinition",
        namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        has_status=True,
        has_generation=True,
    ),
)
