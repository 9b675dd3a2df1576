"""Which kinds are served just now: the built-in ones, and those that CustomResourceDefinitions add."""

from __future__ import annotations

import re
from typing import Final

from hookwright.devcluster.resources import BUILT_IN, DEFINITIONS, Key, Resource
from hookwright.devcluster.store import Change, Stored
from hookwright.devcluster.values import JsonObject

Groups = dict[str, dict[str, list[Resource]]]
"""Group, then version (the preferred one first), then the kinds."""

_STABILITY: Final = {"alpha": 0, "beta": 1, None: 2}


class Registry:
    """The kinds that are served; follows the definitions in the store.

    `revision` changes with every change of what is served.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._served: dict[tuple[str, str, str], Resource] = {}
        self._by_key: dict[Key, Resource] = {}
        self._groups: Groups = {}
        self._replace(None, list(BUILT_IN))

    def observe(self, change: Change) -> None:
        """Follow a change in the store."""
        if change.new.key == DEFINITIONS:
            added = [] if change.type == "DELETED" else _custom_resources(change.new.read()["spec"])
            self._replace(defined_key(change.new), added)

    def _replace(self, key: Key | None, added: list[Resource]) -> None:
        """Serve these kinds in the place of those that are stored under a key."""
        kept = {place: resource for place, resource in self._served.items() if resource.key != key}
        new = {(resource.group, resource.version, resource.plural): resource for resource in added}
        if kept | new == self._served:
            return
        self._served = kept | new
        # The stored form comes last, so that it wins.
        resources = sorted(self._served.values(), key=lambda resource: resource.is_stored_form)
        self._by_key = {resource.key: resource for resource in resources}
        self._groups = _grouped(list(self._served.values()))
        self.revision += 1

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return a kind by the names that stand in a path."""
        return self._served.get((group, version, plural))

    def by_key(self, key: Key) -> Resource | None:
        """Return a kind in the version in which it is stored."""
        return self._by_key.get(key)

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return a kind by the names that stand in an object."""
        found = (one for one in self._served.values() if (one.api_version, one.kind) == (api_version, kind))
        return next(found, None)

    def groups(self) -> Groups:
        """Return everything that is served, for discovery."""
        return self._groups


def _grouped(resources: list[Resource]) -> Groups:
    groups: Groups = {}
    for resource in sorted(resources, key=lambda resource: _priority(resource.version), reverse=True):
        groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
    return groups


def _priority(version: str) -> tuple[int, int, int]:
    """Rank versions as Kubernetes does: v2 before v1 before v1beta1 before v1alpha1."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    return (_STABILITY[found[2]], int(found[1]), int(found[3] or 0)) if found else (-1, 0, 0)


def defined_key(definition: Stored) -> Key:
    """Return the key of the kind that a definition is about: its name is `plural.group`."""
    plural, _, group = definition.name.partition(".")
    return (group, plural)


def _custom_resources(spec: JsonObject) -> list[Resource]:
    """Return the kinds that a definition's spec adds, one per served version."""
    names = spec["names"]
    stored = next(version["name"] for version in spec["versions"] if version["storage"])
    return [
        Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            singular=names["singular"],
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames", ())),
            categories=tuple(names.get("categories", ())),
            has_status="status" in version.get("subresources", {}),
            has_generation=True,
            custom=True,
            schema=version["schema"]["openAPIV3Schema"],
            columns=tuple(version.get("additionalPrinterColumns", ())),
            selectable=tuple(field["jsonPath"].lstrip(".") for field in version.get("selectableFields", ())),
            stored_as=f"{spec['group']}/{stored}",
        )
        for version in spec["versions"]
        if version["served"]
    ]
