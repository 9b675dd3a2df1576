"""The objects, the resourceVersion that counts their changes, and the history that watches read.

Every change gets a number greater than all before it; that number is the object's resourceVersion. Objects in the store
are never changed, only replaced: they can be handed out, and their JSON kept, without copying. Everything is indexed
(by kind and namespace, by UID, by owner), so that the thousandth object costs what the first one did.

The store is not thread-safe: it belongs to the event loop that serves it.
"""

from __future__ import annotations

import bisect
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from hookwright.devcluster.errors import expired
from hookwright.devcluster.resources import Key
from hookwright.devcluster.values import JsonObject, encode

HISTORY: Final = 10_000
"""How many changes of one kind are remembered at least."""

ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class Stored:
    """One version of one object; nobody changes `obj`."""

    __slots__ = ("_json", "key", "name", "namespace", "obj", "version")

    def __init__(self, key: Key, obj: JsonObject, version: int) -> None:
        metadata = obj["metadata"]
        metadata["resourceVersion"] = str(version)
        self.key = key
        self.obj = obj
        self.version = version
        self.namespace: str = metadata.get("namespace", "")
        self.name: str = metadata["name"]
        self._json: bytes | None = None

    @property
    def json(self) -> bytes:
        """The object as JSON, written once."""
        if self._json is None:
            self._json = encode(self.obj)
        return self._json

    @property
    def uid(self) -> str:
        """The object's UID."""
        return str(self.obj["metadata"]["uid"])

    @property
    def owners(self) -> list[JsonObject]:
        """The object's owner references."""
        return self.obj["metadata"].get("ownerReferences") or []

    @property
    def terminating(self) -> bool:
        """Whether deletion was asked for, and waits for finalizers."""
        return "deletionTimestamp" in self.obj["metadata"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `new` is the object after it (of a deletion: as it was last), `old` the object before it."""

    type: ChangeType
    new: Stored
    old: Stored | None


class _History:
    """The last changes of one kind, oldest first; `forgotten` is the version up to which they are lost."""

    __slots__ = ("changes", "forgotten", "limit")

    def __init__(self, forgotten: int, limit: int) -> None:
        self.changes: list[Change] = []
        self.forgotten = forgotten
        self.limit = limit

    def add(self, change: Change) -> None:
        self.changes.append(change)
        # Cut in large pieces: the cost per change stays constant.
        if len(self.changes) > self.limit + self.limit // 4:
            self.forget(len(self.changes) - self.limit)

    def forget(self, count: int) -> None:
        if count:
            self.forgotten = self.changes[count - 1].new.version
            del self.changes[:count]


class Store:
    """All objects of all kinds.

    `listeners` are called after each change, in order; they may change the store themselves.
    """

    def __init__(self, *, history: int = HISTORY) -> None:
        # Milliseconds: a server that starts anew counts on from above its predecessor's numbers, so a client that
        # knew the predecessor is told to list again instead of missing changes.
        self.version = time.time_ns() // 1_000_000
        self.listeners: list[Callable[[Change], None]] = []
        self._start = self.version
        self._limit = history
        self._objects: dict[Key, dict[str, dict[str, Stored]]] = defaultdict(lambda: defaultdict(dict))
        self._histories: dict[Key, _History] = {}
        self._by_uid: dict[str, Stored] = {}
        self._by_owner: dict[str, dict[str, Stored]] = defaultdict(dict)

    def get(self, key: Key, namespace: str, name: str) -> Stored | None:
        """Return one object; of a cluster-wide kind the namespace is empty."""
        return self._objects[key][namespace].get(name)

    def get_by_uid(self, uid: str) -> Stored | None:
        """Return the object that has this UID."""
        return self._by_uid.get(uid)

    def all(self, key: Key, namespace: str | None = None) -> list[Stored]:
        """Return a kind's objects, of one namespace or of all, sorted by namespace and name."""
        spaces = self._objects[key]
        names = sorted(spaces) if namespace is None else [namespace]
        return [stored for space in names for _, stored in sorted(spaces.get(space, {}).items())]

    def contents(self, namespace: str) -> Iterator[Stored]:
        """Go through everything that lives in a namespace."""
        for spaces in list(self._objects.values()):
            yield from list(spaces.get(namespace, {}).values())

    def dependents(self, uid: str) -> list[Stored]:
        """Return the objects that name this UID as an owner."""
        return list(self._by_owner.get(uid, {}).values())

    def put(self, key: Key, obj: JsonObject) -> Stored:
        """Store a new object, or a new version of one; the store owns `obj` from now on."""
        self.version += 1
        stored = Stored(key, obj, self.version)
        space = self._objects[key][stored.namespace]
        old = space.get(stored.name)
        space[stored.name] = stored
        self._index(stored, old)
        self._announce(Change("MODIFIED" if old else "ADDED", stored, old))
        return stored

    def remove(self, key: Key, obj: JsonObject) -> Stored:
        """Take an object away; `obj` is what it was last, the store owns it from now on."""
        self.version += 1
        last = Stored(key, obj, self.version)
        old = self._objects[key][last.namespace].pop(last.name)
        self._index(None, old)
        self._announce(Change("DELETED", last, old))
        return last

    def _index(self, new: Stored | None, old: Stored | None) -> None:
        for stored in (old,) if old else ():
            self._by_uid.pop(stored.uid, None)
            for owner in stored.owners:
                self._by_owner[owner["uid"]].pop(stored.uid, None)
                if not self._by_owner[owner["uid"]]:
                    del self._by_owner[owner["uid"]]
        for stored in (new,) if new else ():
            self._by_uid[stored.uid] = stored
            for owner in stored.owners:
                self._by_owner[owner["uid"]][stored.uid] = stored

    def _announce(self, change: Change) -> None:
        self._history(change.new.key).add(change)
        for listener in self.listeners:
            listener(change)

    def _history(self, key: Key) -> _History:
        if key not in self._histories:
            self._histories[key] = _History(self._start, self._limit)
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
            raise expired(f"too old resource version: {version} ({forgotten})")

    def forget_history(self) -> None:
        """Forget all changes: every version but the present one is too old from now on."""
        self._start = self.version
        for history in self._histories.values():
            history.changes.clear()
            history.forgotten = self.version
