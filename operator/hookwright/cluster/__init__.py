"""The Kubernetes port: typed reads and writes, the mirror of what is watched, and the Secrets."""

from hookwright.cluster.port import Cluster
from hookwright.cluster.resources import (
    BUILDTRIGGERS,
    CRONJOBS,
    EVENTS,
    JOBS,
    LEASES,
    NAMESPACES,
    SECRETS,
    SERVICE_ACCOUNTS,
    WEBHOOKS,
    Resource,
)

__all__ = [
    "BUILDTRIGGERS",
    "CRONJOBS",
    "EVENTS",
    "JOBS",
    "LEASES",
    "NAMESPACES",
    "SECRETS",
    "SERVICE_ACCOUNTS",
    "WEBHOOKS",
    "Cluster",
    "Resource",
]
