"""What is wished to be delivered, and a delivery that is ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a sample is to tell of in place of what it would; None leaves it as it is."""

    repository: str | None = None
    branch: str | None = None
    base: str | None = None
    tag: str | None = None
    sha: str | None = None
    message: str | None = None
    changed: tuple[str, ...] | None = None
    pull_request: int | None = None
    fork: bool | None = None

    @property
    def given(self) -> list[str]:
        """The options that were given, as they are typed."""
        return [f"--{one.name.replace('_', '-')}" for one in fields(self) if getattr(self, one.name) is not None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be delivered: a sample of `event`, or `body` as one; under a new id, to the object's own URL."""

    event: str = "push"
    body: bytes | None = field(default=None, repr=False)
    delivery_id: str | None = None
    url: str | None = None
    changes: Changes = field(default_factory=Changes)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A delivery that is ready to be sent.

    `hint` says what its body is a sample of, and what to do if that starts nothing; None if the body is the user's own.
    """

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    hint: str | None = None
