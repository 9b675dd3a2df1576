"""Which kinds are served just now: the built-in ones, and those that CustomResourceDefinitions add."""

from __future__ import annotations

import re
from typing import Final

from hookwright.devcluster.resources import BUILT_IN, DEFINITIONS, Key, Resource
from hookwright.devcluster.store import Change
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
        self._groups: Groups | None = None
        for resource in BUILT_IN:
            self._serve(resource)

    def observe(self, change: Change) -> None:
        """Follow a change in the store."""
        if change.new.key != DEFINITIONS:
            return
        spec = change.new.obj["spec"]
        if change.old and change.old.obj["spec"] == spec and change.type == "MODIFIED":
            return
        self._withdraw(spec["group"], spec["names"]["plural"])
        if change.type != "DELETED":
            for resource in custom_resources(spec):
                self._serve(resource)

    def _serve(self, resource: Resource) -> None:
        self._served[resource.group, resource.version, resource.plural] = resource
        if resource.is_stored_form or resource.key not in self._by_key:
            self._by_key[resource.key] = resource
        self._changed()

    def _withdraw(self, group: str, plural: str) -> None:
        for place in [place for place in self._served if (place[0], place[2]) == (group, plural)]:
            del self._served[place]
        self._by_key.pop((group, plural), None)
        self._changed()

    def _changed(self) -> None:
        self.revision += 1
        self._groups = None

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
        if self._groups is None:
            groups: Groups = {}
            for resource in self._served.values():
                groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
            self._groups = {
                group: dict(sorted(versions.items(), key=lambda item: _priority(item[0]), reverse=True))
                for group, versions in groups.items()
            }
        return self._groups


def _priority(version: str) -> tuple[int, int, int]:
    """Rank versions as Kubernetes does: v2 before v1 before v1beta1 before v1alpha1."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if not found:
        return (-1, 0, 0)
    return (_STABILITY[found[2]], int(found[1]), int(found[3] or 0))


def custom_resources(spec: JsonObject) -> list[Resource]:
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
