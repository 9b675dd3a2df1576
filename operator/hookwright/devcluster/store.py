"""The objects, the resourceVersion that counts their changes, and the history that watches read.

Every change gets a number greater than all before it; that number is the object's resourceVersion. Objects are kept as
JSON: lists and watches hand it on as it is, and who wants to look inside gets a copy of his own. Everything is indexed
(by kind and namespace, by UID, by owner), so that the thousandth object costs what the first one did.

The store is not thread-safe: it belongs to the event loop that serves it.
"""

from __future__ import annotations

import bisect
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from hookwright.devcluster.errors import ApiError
from hookwright.devcluster.resources import Key
from hookwright.devcluster.values import JsonObject, decode, encode

HISTORY: Final = 10_000
"""How many changes of one kind are remembered at least."""


class Stored:
    """One version of one object: its JSON, and what is looked at often."""

    __slots__ = ("json", "key", "labels", "name", "namespace", "owners", "terminating", "uid", "version")

    def __init__(self, key: Key, obj: JsonObject, version: int) -> None:
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(version)
        self.key = key
        self.version = version
        self.json = encode(obj)
        self.namespace: str = metadata.get("namespace", "")
        self.name: str = metadata["name"]
        self.uid: str = metadata["uid"]
        self.labels: dict[str, str] = metadata.get("labels", {})
        self.owners = tuple(str(owner["uid"]) for owner in metadata.get("ownerReferences", ()))
        self.terminating = "deletionTimestamp" in metadata

    def read(self) -> JsonObject:
        """Return the object, as a copy that may be changed."""
        obj: JsonObject = decode(self.json)
        return obj


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `new` is the object after it (of a deletion: as it was last), `old` the object before it."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    new: Stored
    old: Stored | None


class _History:
    """The last changes of one kind, oldest first; `forgotten` is the version up to which they are lost."""

    def __init__(self, forgotten: int) -> None:
        self.changes: list[Change] = []
        self.forgotten = forgotten

    def add(self, change: Change) -> None:
        self.changes.append(change)
        # Cut in large pieces: the cost per change stays constant.
        if len(self.changes) > HISTORY * 5 // 4:
            surplus = len(self.changes) - HISTORY
            self.forgotten = self.changes[surplus - 1].new.version
            del self.changes[:surplus]


class Store:
    """All objects of all kinds; `listeners` are called after each change, and may change the store themselves."""

    def __init__(self) -> None:
        # Microseconds, in each of which less than one change is made: a server that starts anew counts on from above
        # its predecessor's numbers, so a client that knew the predecessor is told to list again instead of missing
        # changes.
        self.version = time.time_ns() // 1_000
        self.listeners: list[Callable[[Change], None]] = []
        self._unannounced: deque[Change] = deque()
        self._start = self.version
        self._objects: dict[Key, dict[str, dict[str, Stored]]] = defaultdict(lambda: defaultdict(dict))
        self._histories: dict[Key, _History] = {}
        self._by_uid: dict[str, Stored] = {}
        self._by_owner: dict[str, dict[str, Stored]] = defaultdict(dict)

    def get(self, key: Key, namespace: str, name: str) -> Stored | None:
        """Return one object; of a cluster-wide kind the namespace is empty."""
        return self._objects[key].get(namespace, {}).get(name)

    def get_by_uid(self, uid: str) -> Stored | None:
        """Return the object that has this UID."""
        return self._by_uid.get(uid)

    def all(self, key: Key, namespace: str | None = None) -> list[Stored]:
        """Return a kind's objects, of one namespace or of all, sorted by namespace and name."""
        spaces = self._objects[key]
        names = sorted(spaces) if namespace is None else [namespace]
        return [stored for space in names for _, stored in sorted(spaces.get(space, {}).items())]

    def all_at(self, key: Key, version: int, namespace: str | None = None) -> list[Stored]:
        """Return a kind's objects as they were at a version, sorted; raise ApiError 410 if that is forgotten."""
        changes = self.since(key, version)
        found = {(stored.namespace, stored.name): stored for stored in self.all(key, namespace)}
        for change in reversed(changes):
            place = (change.new.namespace, change.new.name)
            if change.old is None:
                found.pop(place, None)
            elif namespace in (None, change.old.namespace):
                found[place] = change.old
        return [found[place] for place in sorted(found)]

    def contents(self, namespace: str) -> list[Stored]:
        """Return everything that lives in a namespace."""
        return [stored for spaces in self._objects.values() for stored in spaces.get(namespace, {}).values()]

    def dependents(self, uid: str) -> list[Stored]:
        """Return the objects that name this UID as an owner."""
        return list(self._by_owner.get(uid, {}).values())

    def put(self, key: Key, obj: JsonObject) -> Stored:
        """Store a new object, or a new version of one."""
        self.version += 1
        stored = Stored(key, obj, self.version)
        space = self._objects[key][stored.namespace]
        old = space.get(stored.name)
        space[stored.name] = stored
        self._forget_index(old)
        self._by_uid[stored.uid] = stored
        for owner in stored.owners:
            self._by_owner[owner][stored.uid] = stored
        self._announce(Change("MODIFIED" if old else "ADDED", stored, old))
        return stored

    def remove(self, key: Key, obj: JsonObject) -> Stored:
        """Take an object away; `obj` is what it was last."""
        self.version += 1
        last = Stored(key, obj, self.version)
        old = self._objects[key][last.namespace].pop(last.name)
        self._forget_index(old)
        self._announce(Change("DELETED", last, old))
        return last

    def _forget_index(self, old: Stored | None) -> None:
        if old:
            self._by_uid.pop(old.uid, None)
            for owner in old.owners:
                self._by_owner[owner].pop(old.uid, None)
                if not self._by_owner[owner]:
                    del self._by_owner[owner]

    def _announce(self, change: Change) -> None:
        self._history(change.new.key).add(change)
        self._unannounced.append(change)
        # A change that a listener makes waits until all have heard of the one before.
        if len(self._unannounced) > 1:
            return
        try:
            while self._unannounced:
                for listener in self.listeners:
                    listener(self._unannounced[0])
                self._unannounced.popleft()
        finally:
            self._unannounced.clear()

    def _history(self, key: Key) -> _History:
        if key not in self._histories:
            self._histories[key] = _History(self._start)
        return self._histories[key]

    def since(self, key: Key, version: int) -> list[Change]:
        """Return a kind's changes after `version`, oldest first; raise ApiError 410 if some of them are forgotten."""
        self.check_remembered(key, version)
        changes = self._history(key).changes
        return changes[bisect.bisect_right(changes, version, key=lambda change: change.new.version) :]

    def check_remembered(self, key: Key, version: int) -> None:
        """Raise ApiError 410 if changes of this kind after `version` are forgotten."""
        forgotten = self._history(key).forgotten
        if version < forgotten:
            raise ApiError(410, "Expired", f"too old resource version: {version} ({forgotten})")

    def forget_history(self) -> None:
        """Forget all changes: every version that anybody knows is too old from now on."""
        self.version += 1
        self._start = self.version
        self._histories.clear()
