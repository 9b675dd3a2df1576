"""UNAUTHENTICATED: whoever knows the URL may call."""

from __future__ import annotations

from collections.abc import Sequence

from hookwright.intake.request import Request
from hookwright.providers.github import dialect


class Unauthenticated:
    """No proof; the URL is the credential."""

    needs_secret = False

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Accept everybody."""

    def delivery_id(self, request: Request) -> str | None:  # noqa: ARG002 - as Scheme has it
        """Give None: a header that anybody can set must not make a stranger's delivery a duplicate."""
        return None

    def event(self, request: Request) -> str | None:
        """Give `X-GitHub-Event`, for GitHub hooks without a secret."""
        return request.header(dialect.EVENT_HEADER)

    def is_ping(self, request: Request) -> bool:
        """Say whether GitHub only tries the URL: a lie here would only keep the liar's own delivery from starting."""
        return self.event(request) == dialect.PING
