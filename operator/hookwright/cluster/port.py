"""What Hookwright asks of a Kubernetes API server, as a Protocol: tests put a fake here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from hookwright.cluster.resources import Resource
from hookwright.kinds import Raw


class Cluster(Protocol):
    """Reads and writes of single objects; every call has a timeout.

    Every method raises ClusterError: the API server's refusal, or its absence (status 0).
    """

    async def get(self, resource: Resource, *, namespace: str | None = None, name: str) -> Raw | None:
        """Give an object; None if it does not exist."""
        ...

    def list(self, resource: Resource, *, namespace: str | None = None) -> AsyncIterator[Raw]:
        """Give all objects, page by page."""
        ...

    async def create(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],
        *,
        namespace: str | None = None,
        service_account: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """Create an object; with `service_account`, as that account of `namespace`."""
        ...

    async def patch(
        self,
        resource: Resource,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
    ) -> Raw:
        """Merge `patch` into an object."""
        ...
