"""GITLAB_TOKEN: the secret itself comes in `X-Gitlab-Token`.

Source: GitLab, "Webhooks", secret token. Nothing protects the body: where GitLab offers signing tokens, use
STANDARD_WEBHOOKS.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import TokenSender, is_one_of, read_delivery_id, read_header
from hookwright.kinds import AuthenticationConfiguration
from hookwright.reasons import TOKEN_MISMATCH, TOKEN_MISSING

TOKEN_HEADER = "x-gitlab-token"  # noqa: S105 - a header's name
# Since GitLab 17.4. X-Gitlab-Event-UUID is no id of a delivery: what a build of ours pushes back carries it again.
DELIVERY_HEADER = "idempotency-key"


class GitlabToken(TokenSender):
    """GitLab's older way, and its headers."""

    def __init__(self, _: AuthenticationConfiguration) -> None:
        """Need nothing but the secret."""

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare the token with each secret, as `Scheme.verify`."""
        given = read_header(request, TOKEN_HEADER)
        if not given:
            raise NotAuthentic("X-Gitlab-Token is missing or doubled", reason=TOKEN_MISSING.name)
        if not is_one_of(given, self.usable(secrets)):
            raise NotAuthentic("X-Gitlab-Token is not the secret", reason=TOKEN_MISMATCH.name)

    def prove(
        self,
        body: bytes,  # noqa: ARG002 - as Scheme has it
        secret: bytes,
        *,
        delivery_id: str,
        now: datetime,  # noqa: ARG002 - as Scheme has it
    ) -> dict[str, str]:
        """Send the secret itself."""
        return {"X-Gitlab-Token": secret.decode("latin-1"), "Idempotency-Key": delivery_id}

    def delivery_id(self, request: Request) -> str | None:
        """Give `Idempotency-Key`."""
        return read_delivery_id(request, DELIVERY_HEADER)
