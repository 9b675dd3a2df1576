"""Watches: the changes of one kind as a stream, from a resourceVersion on.

A watch holds no queue of its own: it remembers how far it has read in the store's history, which is bounded. One that
falls behind the history is told so (410) and has to list again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from hookwright.devcluster.errors import ApiError
from hookwright.devcluster.resources import Key, Resource
from hookwright.devcluster.selectors import Selector
from hookwright.devcluster.store import Change, Store, Stored
from hookwright.devcluster.tables import TableWriter
from hookwright.devcluster.values import JsonObject, encode

BOOKMARK_SECONDS: Final = 30.0
_BATCH: Final = 200
"""How many events are written at once, so that a long list does not stop the server."""


@dataclass(frozen=True, kw_only=True)
class WatchRequest:
    """What to watch.

    `version` is None for everything that is there now and then the changes, else the version to go on from.
    `initial_end` asks for a bookmark after what is there now. `seconds` is when to stop. `table` writes rows.
    """

    resource: Resource
    namespace: str | None
    name: str
    selector: Selector | None
    version: int | None
    initial_end: bool
    bookmarks: bool
    seconds: float
    table: TableWriter | None

    def matches(self, stored: Stored) -> bool:
        """Say whether an object is one that is watched."""
        if self.namespace is not None and stored.namespace != self.namespace:
            return False
        if self.name and stored.name != self.name:
            return False
        return self.selector is None or self.selector(stored.obj)


class Watches:
    """The open watches; wakes those that a change is for, and ends them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[Key, set[_Watch]] = defaultdict(set)

    def observe(self, change: Change) -> None:
        """Follow a change in the store."""
        for watch in self._open.get(change.new.key, ()):
            watch.wake.set()

    def close(self, key: Key | None = None) -> None:
        """End the watches of a kind, or all of them, as a server does that goes away."""
        for watched, watches in self._open.items():
            if key in (None, watched):
                for watch in watches:
                    watch.closed = True
                    watch.wake.set()

    async def follow(self, request: WatchRequest) -> AsyncIterator[bytes]:
        """Yield batches of events, one JSON object per line, until the watch ends."""
        watch = _Watch(self._store, request)
        key = request.resource.key
        self._open[key].add(watch)
        try:
            async for batch in watch.events():
                yield batch
        finally:
            self._open[key].discard(watch)


class _Watch:
    """One open watch: where it stands, and how its events are written."""

    def __init__(self, store: Store, request: WatchRequest) -> None:
        self.wake = asyncio.Event()
        self.closed = False
        self._store = store
        self._request = request

    async def events(self) -> AsyncIterator[bytes]:
        request, loop = self._request, asyncio.get_running_loop()
        end = loop.time() + request.seconds
        position = self._store.version
        if request.version is None:
            for batch in self._initial_events(position):
                yield batch
        else:
            position = request.version
        while not self.closed:
            self.wake.clear()
            try:
                changes = self._store.since(request.resource.key, position)
            except ApiError as error:
                yield _line("ERROR", encode(error.body()))
                return
            for start in range(0, len(changes), _BATCH):
                some = changes[start : start + _BATCH]
                position = some[-1].new.version
                if batch := b"".join(map(self._event, some)):
                    yield batch
            left = end - loop.time()
            if left <= 0:
                return
            if changes:
                continue
            try:
                await asyncio.wait_for(self.wake.wait(), min(left, BOOKMARK_SECONDS))
            except TimeoutError:
                # Nothing happened to this kind, so everything up to now was seen.
                position = self._store.version
                if request.bookmarks:
                    yield self._bookmark(position)

    def _initial_events(self, position: int) -> list[bytes]:
        request = self._request
        present = [
            stored for stored in self._store.all(request.resource.key, request.namespace) if request.matches(stored)
        ]
        batches = [
            b"".join(_line("ADDED", self._json(stored.obj, stored)) for stored in present[start : start + _BATCH])
            for start in range(0, len(present), _BATCH)
        ]
        if request.initial_end:
            batches.append(self._bookmark(position, {"k8s.io/initial-events-end": "true"}))
        return batches

    def _event(self, change: Change) -> bytes:
        """Write a change as this watch sees it: an object may enter and leave the selection."""
        is_in = self._request.matches(change.new)
        was_in = change.old is not None and self._request.matches(change.old)
        if change.type == "DELETED":
            return _line("DELETED", self._json(change.new.obj, change.new)) if is_in or was_in else b""
        if is_in:
            return _line("MODIFIED" if was_in else "ADDED", self._json(change.new.obj, change.new))
        if was_in and change.old:
            version = {"resourceVersion": str(change.new.version)}
            obj = {**change.old.obj, "metadata": change.old.obj["metadata"] | version}
            return _line("DELETED", self._json(obj, None))
        return b""

    def _json(self, obj: JsonObject, stored: Stored | None) -> bytes:
        resource = self._request.resource
        if self._request.table:
            return encode(self._request.table.rows([obj], obj["metadata"]))
        return stored.json if stored and resource.is_stored_form else encode(resource.outward(obj))

    def _bookmark(self, version: int, annotations: JsonObject | None = None) -> bytes:
        resource = self._request.resource
        metadata: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        return _line(
            "BOOKMARK", encode({"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata})
        )


def _line(kind: str, obj: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), obj)
