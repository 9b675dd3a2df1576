"""What Hookwright asks of a Kubernetes API server, as a Protocol: tests put a fake here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hookwright.cluster.resources import Resource
from hookwright.kinds import Raw

# So many objects of a list come in one answer.
PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Page:
    """A part of a list. The last one has the `resource_version` of the whole list, from which a watch goes on."""

    # Some of them are Secrets.
    items: Sequence[Raw] = field(repr=False)
    resource_version: str = ""


class Cluster(Protocol):
    """Reads and writes of single objects, lists and watches; every wait for the API server has a timeout.

    Every method raises ClusterError: the API server's refusal, or its absence (status 0).
    """

    async def get(self, resource: Resource, *, namespace: str | None = None, name: str) -> Raw | None:
        """Give an object; None if it does not exist."""
        ...

    def list(self, resource: Resource, *, namespace: str | None = None) -> AsyncIterator[Raw]:
        """Give all objects, page by page."""
        ...

    def list_pages(
        self, resource: Resource, *, namespace: str | None = None, label_selector: str = "", size: int = PAGE
    ) -> AsyncIterator[Page]:
        """Give the objects that `label_selector` chooses (empty: all), asked for `size` at a time, as they come.

        Each page is little, however large objects are. All show one moment; if it is too long ago to be continued, the
        error's status is 410. Objects in a list need not say their kind.
        """
        ...

    def watch(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        label_selector: str = "",
        resource_version: str,
        seconds: int,
    ) -> AsyncGenerator[tuple[str, Raw]]:
        """Give what happens after `resource_version`: ADDED, MODIFIED or DELETED with the object, or BOOKMARK.

        The first is a BOOKMARK of `resource_version` itself, when the API server has begun to answer. It ends after
        about `seconds`, or earlier; one goes on from the newest resourceVersion that was seen. A watch that breaks or
        falls silent is a ClusterError, so is a version that the API server does not remember (410). It holds a
        connection until it is closed: use it with `contextlib.aclosing`.
        """
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

    async def delete(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        name: str,
        uid: str,
        service_account: str | None = None,
    ) -> None:
        """Delete the object that has `name` if its UID is `uid`, and later what it owns; nothing if it is gone.

        That another has its name now is a ClusterError with status 409. With `service_account`, as that account of
        `namespace`.
        """
        ...
