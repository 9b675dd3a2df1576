"""A route: what the URL of one object leads to, made ready once per change of the object and not once per delivery.

Each kind that has URLs has a route of its own, which says what it decides of an authentic delivery; all else is common.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from hookwright.builds.wanted import DEFAULT_KEEP_SECONDS, TargetRef, WantedBuild
from hookwright.errors import InvalidSpec
from hookwright.filters import JsonValue
from hookwright.intake.request import Request
from hookwright.intake.schemes import Scheme
from hookwright.intake.schemes.unauthenticated import Unauthenticated
from hookwright.kinds import DEFAULT_MAX_BODY_BYTES, AuthenticationConfiguration, RateLimit
from hookwright.reasons import Reason

# Of an object that cannot work nobody is recognised.
NO_SCHEME = Unauthenticated(AuthenticationConfiguration())
MAX_EVENT = 128


class SecretRef(NamedTuple):
    """Where a secret is: a key of a Secret; with `owners`, of one that says that it is for one of them."""

    namespace: str
    name: str
    key: str
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a route's object makes of an authentic delivery; without a message the reason's own sentence is said."""

    reason: Reason
    message: str = ""
    wanted: tuple[WantedBuild, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Route(ABC):
    """One object, ready to judge.

    `problem` is set when the spec is invalid: nothing can be judged then.
    """

    KIND: ClassVar[str]

    namespace: str
    name: str
    uid: str
    suspend: bool = False
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    scheme: Scheme
    secret_refs: tuple[SecretRef, ...] = ()
    inline_secret: bytes | None = field(default=None, repr=False)
    target: TargetRef
    service_account: str | None = None
    rate_limit: RateLimit | None = None
    keep_seconds: int = DEFAULT_KEEP_SECONDS
    problem: InvalidSpec | None = None

    def delivery_id(self, request: Request) -> str | None:
        """Give the sender's id of a delivery; None if it has none, so that the request is a delivery of its own."""
        return self.scheme.delivery_id(request)

    def event(self, request: Request) -> str | None:
        """Give the sender's name for what happened."""
        return self.scheme.event(request)

    @abstractmethod
    def decide(self, request: Request, document: JsonValue, delivery_id: str) -> Decision:
        """Decide what an authentic delivery starts, whose payload is `document`. Pure."""
        ...
