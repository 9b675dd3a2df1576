"""What happens to an object when another one goes: owner references, namespaces, definitions.

On a real cluster the garbage collector and the namespace controller do this a moment later; here it is done at once.
Foreground deletion is done as background deletion.
"""

from __future__ import annotations

from hookwright.devcluster.lifecycle import DeleteOptions, Lifecycle, WriteOptions
from hookwright.devcluster.registry import Registry, defined_key
from hookwright.devcluster.resources import DEFINITIONS, NAMESPACES, SERVICE_ACCOUNTS, Key, built_in
from hookwright.devcluster.store import Change, Store, Stored


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
            group, plural = stored.key
            self._release(DEFINITIONS, f"{plural}.{group}")
            self._release(NAMESPACES, stored.namespace)
        elif stored.terminating and stored.key in (NAMESPACES, DEFINITIONS):
            for content in self._contents(stored):
                self._delete(content)
            self._release(stored.key, stored.name)
        elif change.type == "ADDED":
            if stored.key == NAMESPACES:
                self._furnish(stored.name)
            if stored.owners:
                self._collect(stored)

    def _collect(self, dependent: Stored) -> None:
        """Take lost owners from an object, and delete it if none remains."""
        lost = [owner for owner in dependent.owners if not self._lives(owner, dependent)]
        if len(lost) == len(dependent.owners):
            self._delete(dependent)
        elif lost:
            self._lifecycle.disown(dependent, lost)

    def _lives(self, owner: str, dependent: Stored) -> bool:
        # An owner is cluster-wide or in the same namespace; any other counts as absent.
        found = self._store.get_by_uid(owner)
        return found is not None and found.namespace in ("", dependent.namespace)

    def _delete(self, stored: Stored) -> None:
        resource = self._registry.by_key(stored.key)
        # Deleting one object may have taken others along already.
        if resource and self._store.get_by_uid(stored.uid):
            self._lifecycle.delete(resource, stored.namespace, stored.name, DeleteOptions())

    def _contents(self, stored: Stored) -> list[Stored]:
        if stored.key == NAMESPACES:
            return self._store.contents(stored.name)
        return self._store.all(defined_key(stored))

    def _release(self, key: Key, name: str) -> None:
        """Let a namespace or a definition go if it waits for nothing but to be empty, and is."""
        stored = self._store.get(key, "", name)
        if stored and stored.terminating and not self._contents(stored):
            self._lifecycle.release(stored)

    def _furnish(self, namespace: str) -> None:
        """Make what the ServiceAccount controller makes in a new namespace."""
        account = {"metadata": {"name": "default"}}
        self._lifecycle.create(built_in(SERVICE_ACCOUNTS), namespace, account, WriteOptions())
