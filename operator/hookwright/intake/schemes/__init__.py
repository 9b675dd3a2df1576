"""The schemes: how a caller proves itself. One module per scheme.

A scheme says where its secrets are, verifies a request's raw bytes against them, and knows the sender's words for the
delivery and for what happened. To add one: a module here with a `Scheme`, its name in `kinds.Authentication`, and a
line in `SCHEMES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hookwright.intake.request import Request
from hookwright.intake.schemes.github_hmac import GithubHmac
from hookwright.intake.schemes.unauthenticated import Unauthenticated
from hookwright.kinds import Authentication


class Scheme(Protocol):
    """One authentication type."""

    @property
    def needs_secret(self) -> bool:
        """Whether it verifies against a secret."""
        ...

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Return if the request was made by who knows one of `secrets`.

        Looks at raw bytes only, in constant time, and tries every secret.

        Raises:
            NotAuthentic: it was not.
        """
        ...

    def delivery_id(self, request: Request) -> str | None:
        """Give the sender's id of the delivery; None if it has none, so that the request is a delivery of its own."""
        ...

    def event(self, request: Request) -> str | None:
        """Give the sender's name for what happened."""
        ...

    def is_ping(self, request: Request) -> bool:
        """Say whether the sender only tries the URL."""
        ...


SCHEMES: Mapping[Authentication, Scheme] = {
    Authentication.GITHUB_HMAC: GithubHmac(),
    Authentication.UNAUTHENTICATED: Unauthenticated(),
}
