"""The API resources that Hookwright reads and writes, and their paths."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from hookwright.kinds import GROUP, VERSION, BuildTrigger, ObjectKind, Webhook


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of the Kubernetes API; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The apiVersion of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, *, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Give the path of one object, or of the collection where `name` is None; every part is escaped."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None and self.namespaced:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part is not None]
        return "/" + "/".join(quote(part, safe="") for part in parts)


def _ours(kind: type[ObjectKind]) -> Resource:
    return Resource(group=GROUP, version=VERSION, plural=kind.PLURAL, kind=kind.KIND)


WEBHOOKS = _ours(Webhook)
BUILDTRIGGERS = _ours(BuildTrigger)
SECRETS = Resource(group="", version="v1", plural="secrets", kind="Secret")
SERVICE_ACCOUNTS = Resource(group="", version="v1", plural="serviceaccounts", kind="ServiceAccount")
EVENTS = Resource(group="", version="v1", plural="events", kind="Event")
NAMESPACES = Resource(group="", version="v1", plural="namespaces", kind="Namespace", namespaced=False)
JOBS = Resource(group="batch", version="v1", plural="jobs", kind="Job")
CRONJOBS = Resource(group="batch", version="v1", plural="cronjobs", kind="CronJob")
LEASES = Resource(group="coordination.k8s.io", version="v1", plural="leases", kind="Lease")
