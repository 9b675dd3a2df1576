"""Watches: the changes of one kind as a stream, from a resourceVersion on.

A watch holds no queue of its own: it remembers how far it has read in the store's history, which is bounded. One that
falls behind the history is told so (410) and has to list again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
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
    `initial_end` asks for a bookmark after what is there now. `seconds` is when to stop. `table` writes rows,
    `show` objects in the form that is asked for.
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
    show: Callable[[bytes], bytes]

    def matches(self, stored: Stored) -> bool:
        """Say whether an object is one that is watched."""
        if self.namespace is not None and stored.namespace != self.namespace:
            return False
        if self.name and stored.name != self.name:
            return False
        return self.selector is None or self.selector(stored)


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

    def keep_up(self) -> None:
        """Spare those watches a loss of history that have read all of it."""
        for watches in self._open.values():
            for watch in watches:
                if not watch.wake.is_set():
                    watch.position = self._store.version

    async def follow(self, request: WatchRequest) -> AsyncGenerator[bytes]:
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
        self.position = store.version if request.version is None else request.version
        self._store = store
        self._request = request

    async def events(self) -> AsyncIterator[bytes]:
        request, loop = self._request, asyncio.get_running_loop()
        end = loop.time() + request.seconds
        if request.version is None:
            for batch in self._initial_events():
                yield batch
        while True:
            self.wake.clear()
            try:
                changes = self._store.since(request.resource.key, self.position)
            except ApiError as error:
                yield _line("ERROR", encode(error.body()))
                return
            self.position = self._store.version
            for start in range(0, len(changes), _BATCH):
                if batch := b"".join(map(self._event, changes[start : start + _BATCH])):
                    yield batch
            # What led to the end of a watch (a definition that went with its objects) is told before it.
            if self.closed or loop.time() >= end:
                return
            if not await _is_set(self.wake, min(end - loop.time(), BOOKMARK_SECONDS)):
                # Nothing happened to this kind, so everything up to now was seen.
                self.position = self._store.version
                if request.bookmarks:
                    yield self._bookmark(self.position)

    def _initial_events(self) -> list[bytes]:
        request = self._request
        present = [one for one in self._store.all(request.resource.key, request.namespace) if request.matches(one)]
        lines = [_line("ADDED", self._json(stored)) for stored in present]
        batches = [b"".join(lines[start : start + _BATCH]) for start in range(0, len(lines), _BATCH)]
        if request.initial_end:
            batches.append(self._bookmark(self._store.version, {"k8s.io/initial-events-end": "true"}))
        return batches

    def _event(self, change: Change) -> bytes:
        """Write a change as this watch sees it: an object may enter and leave the selection."""
        is_in = self._request.matches(change.new)
        was_in = change.old is not None and self._request.matches(change.old)
        if change.type == "DELETED":
            return _line("DELETED", self._json(change.new)) if is_in or was_in else b""
        if is_in:
            return _line("MODIFIED" if was_in else "ADDED", self._json(change.new))
        if was_in and change.old:
            # The object as it was when it was last in, under the number of the change that took it out.
            return _line("DELETED", self._json(Stored(change.old.key, change.old.read(), change.new.version)))
        return b""

    def _json(self, stored: Stored) -> bytes:
        if table := self._request.table:
            obj = stored.read()
            return encode(table.rows([obj], obj["metadata"]))
        return self._request.show(stored.json)

    def _bookmark(self, version: int, annotations: JsonObject | None = None) -> bytes:
        resource = self._request.resource
        metadata: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        bookmark = encode({"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata})
        return _line("BOOKMARK", self._request.show(bookmark))


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _line(kind: str, obj: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), obj)
