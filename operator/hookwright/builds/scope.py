"""What a BuildTrigger's spec.source covers: one repository, or all of an organisation or group. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hookwright.kinds import BuildSource
from hookwright.scm import Repository


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which repositories count; capitals don't: no Git host has two names that differ in them only.

    Exactly one is set where anything counts; `group` also covers its subgroups.
    """

    repository: str | None = None
    owner: str | None = None
    group: str | None = None

    def covers(self, repository: Repository) -> bool:
        """Say whether what happened in `repository` counts."""
        if self.repository is not None:
            return repository.full_name.lower() == self.repository.lower()
        owner = repository.owner.lower()
        if self.group is not None:
            return f"{owner}/".startswith(f"{self.group.lower()}/")
        return self.owner is not None and owner == self.owner.lower()

    def __str__(self) -> str:
        """Name it in spec.source's words."""
        named = {"repository": self.repository, "organization": self.owner, "group": self.group}
        return next((f"{kind} {name}" for kind, name in named.items() if name is not None), "no repository")


def find_scope(source: BuildSource) -> Scope:
    """Give what `source` covers."""
    return Scope(repository=source.repository, owner=source.organization, group=source.group)
