"""kopf's lists, read object by object.

kopf reads a list at once, keeps it until each object has been told, and hands raw objects on to another thread, in
which they wait: a few objects of many small parts would take the memory that all share. Its answers are made by the
session that it is given, and the session by us: so a list comes to kopf as typed objects, with of each what kopf asks
for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from hookwright.cluster.lists import ITEMS, ListReader
from hookwright.errors import ClusterError
from hookwright.kinds import KINDS, InvalidObject, ObjectKind, Raw, recognise

# The member of an object in kopf's lists that has the typed object.
FOUND: Final = "hookwright.dev/found"
_LISTED: Mapping[str, type[ObjectKind]] = {kind.PLURAL: kind for kind in KINDS}
_IDENTITY = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_OK = 200


class ListedResponse(aiohttp.ClientResponse):
    """An answer to kopf: a list of our kinds with typed objects in it, and all else as it is."""

    async def json(self, **options: Any) -> Any:  # Any: as aiohttp has it
        """Read the answer.

        Raises:
            aiohttp.ClientPayloadError: a list breaks off, or is none, upon which kopf lists again.
        """
        kind = _LISTED.get(self.url.path.rpartition("/")[2])
        if kind is None or self.status != _OK:
            return await super().json(**options)
        reader = ListReader()
        items: list[dict[str, object]] = []
        try:
            async for data in self.content.iter_any():
                for some in reader.feed(data):
                    items += [_reduce(kind, raw) for raw in some]
            items += [_reduce(kind, raw) for raw in reader.end()]
        except ClusterError as error:
            raise aiohttp.ClientPayloadError(error.message) from None
        return {**reader.members, ITEMS: items}


def _reduce(kind: type[ObjectKind], raw: Raw) -> dict[str, object]:
    """Give who an object is, and what it is."""
    metadata = {name: raw["metadata"][name] for name in _IDENTITY if name in raw["metadata"]}
    return {"metadata": metadata, FOUND: recognise(kind, raw)}


def find_typed(kind: type[ObjectKind], raw: Raw) -> ObjectKind | InvalidObject:
    """Give the typed object of one of kopf's events: of a list, or of a watch."""
    found = raw.get(FOUND)
    return found if isinstance(found, ObjectKind | InvalidObject) else recognise(kind, raw)
