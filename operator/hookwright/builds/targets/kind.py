"""What every kind of target has to say for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from hookwright.builds.wanted import WantedBuild
from hookwright.cluster.resources import Resource
from hookwright.kinds import ObjectKind

T_contra = TypeVar("T_contra", bound=ObjectKind, contravariant=True)


@dataclass(frozen=True, kw_only=True)
class BuildKind:
    """What a target makes."""

    api_version: str
    kind: str
    resource: Resource


class TargetKind(Protocol[T_contra]):
    """How targets of one kind make builds. Pure."""

    @property
    def api_version(self) -> str:
        """The API version of the targets."""
        ...

    @property
    def build(self) -> BuildKind:
        """What they make."""
        ...

    def values(self, target: T_contra) -> dict[str, str]:
        """Give the values for `{Key}` placeholders that `target` holds by its nature."""
        ...

    def service_account(self, target: T_contra) -> str | None:
        """Give the ServiceAccount as which builds of `target` are created, if it names one."""
        ...

    def render(self, wanted: WantedBuild, target: T_contra) -> dict[str, Any]:
        """Give the build for `wanted`, as a JSON object for the API server."""
        ...
