"""What happens to an object when another one goes: owner references, namespaces, definitions.

On a real cluster the garbage collector and the namespace controller do this a moment later; here it is done at once.
Foreground deletion is done as background deletion.
"""

from __future__ import annotations

from hookwright.devcluster.lifecycle import DeleteOptions, Lifecycle, WriteOptions
from hookwright.devcluster.registry import Registry
from hookwright.devcluster.resources import DEFINITIONS, NAMESPACES, SERVICE_ACCOUNTS, Key
from hookwright.devcluster.store import Change, Store, Stored
from hookwright.devcluster.values import JsonObject


class Collector:
    """Follows the store, and deletes what has lost its owner, its namespace or its definition."""

    def __init__(self, store: Store, registry: Registry, lifecycle: Lifecycle) -> None:
        self._store = store
        self._registry = registry
        self._lifecycle = lifecycle

    def observe(self, change: Change) -> None:
        """Follow a change in the store."""
        stored = change.new
        if change.type == "DELETED":
            for dependent in self._store.dependents(stored.uid):
                self._collect(dependent)
            self._release_surroundings(stored)
        elif stored.terminating and stored.key in (NAMESPACES, DEFINITIONS):
            self._empty(stored)
        elif change.type == "ADDED" and stored.key == NAMESPACES:
            self._furnish(stored.name)
        if change.type == "ADDED" and stored.owners:
            self._collect(stored)

    def _collect(self, dependent: Stored) -> None:
        """Take lost owners from an object, and delete it if none remains."""
        lost = [owner["uid"] for owner in dependent.owners if not self._lives(owner, dependent)]
        if len(lost) == len(dependent.owners):
            self._delete(dependent)
        elif lost:
            self._lifecycle.disown(dependent, lost)

    def _lives(self, owner: JsonObject, dependent: Stored) -> bool:
        # An owner is cluster-wide or in the same namespace; any other counts as absent.
        found = self._store.get_by_uid(owner["uid"])
        return found is not None and found.namespace in ("", dependent.namespace)

    def _delete(self, stored: Stored) -> None:
        resource = self._registry.by_key(stored.key)
        # Deleting one object may have taken others along already.
        present = self._store.get(stored.key, stored.namespace, stored.name)
        if resource and present and present.uid == stored.uid:
            self._lifecycle.delete(resource, stored.namespace, stored.name, DeleteOptions())

    def _empty(self, stored: Stored) -> None:
        for content in self._contents(stored):
            self._delete(content)
        self._release(stored.key, stored.name)

    def _contents(self, stored: Stored) -> list[Stored]:
        if stored.key == NAMESPACES:
            return list(self._store.contents(stored.name))
        return self._store.all((stored.obj["spec"]["group"], stored.obj["spec"]["names"]["plural"]))

    def _release_surroundings(self, stored: Stored) -> None:
        if stored.namespace:
            self._release(NAMESPACES, stored.namespace)
        group, plural = stored.key
        self._release(DEFINITIONS, f"{plural}.{group}")

    def _release(self, key: Key, name: str) -> None:
        """Let a namespace or a definition go if it waits for nothing but to be empty, and is."""
        stored = self._store.get(key, "", name)
        if stored and stored.terminating and not self._contents(stored):
            self._lifecycle.release(stored)

    def _furnish(self, namespace: str) -> None:
        """Make what the ServiceAccount controller makes in a new namespace."""
        resource = self._registry.by_key(SERVICE_ACCOUNTS)
        if resource:
            self._lifecycle.create(resource, namespace, {"metadata": {"name": "default"}}, WriteOptions())
