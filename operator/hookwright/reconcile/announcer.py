"""Kubernetes Events: what changed for an object, for who looks with `kubectl describe` or `kubectl events`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from hookwright.builds.wanted import format_time
from hookwright.cluster import EVENTS, Cluster
from hookwright.errors import ClusterError
from hookwright.kinds import API_VERSION, ObjectMeta
from hookwright.logs import name_object

log = structlog.get_logger()

MAX_MESSAGE = 1024  # of events.k8s.io/v1
SOURCE = "hookwright"


class Announcer:
    """Writes Kubernetes Events; one that cannot be written is forgotten, and logged unless its namespace ends."""

    def __init__(self, cluster: Cluster, clock: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._clock = clock

    async def announce(self, kind: str, obj: ObjectMeta, *, reason: str, message: str, warning: bool) -> None:
        """Write one Kubernetes Event about an object."""
        now = format_time(self._clock())
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{obj.name[:200]}.", "namespace": obj.namespace},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": kind,
                "name": obj.name,
                "namespace": obj.namespace,
                "uid": obj.uid,
                "resourceVersion": obj.resource_version,
            },
            "type": "Warning" if warning else "Normal",
            "reason": reason,
            "message": message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": SOURCE},
            "reportingComponent": SOURCE,
            "reportingInstance": SOURCE,
        }
        try:
            await self._cluster.create(EVENTS, event, namespace=obj.namespace)
        except ClusterError as error:
            if error.namespace_ends:
                return
            log.warning("event", **name_object(kind, obj.namespace, obj.name), error=error.message)
