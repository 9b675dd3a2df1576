"""BEARER_TOKEN: the secret itself comes in `Authorization: Bearer …`. Source: RFC 6750, section 2.1."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import TokenSender, is_one_of, read_credentials
from hookwright.kinds import AuthenticationConfiguration
from hookwright.reasons import TOKEN_MISMATCH, TOKEN_MISSING


class BearerToken(TokenSender):
    """A token that whoever has it may use."""

    def __init__(self, _: AuthenticationConfiguration) -> None:
        """Need nothing but the secret."""

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare the token with each secret, as `Scheme.verify`."""
        token = read_credentials(request, b"bearer")
        if token is None:
            raise NotAuthentic("Authorization: Bearer is missing or doubled", reason=TOKEN_MISSING.name)
        if not is_one_of(token, self.usable(secrets)):
            raise NotAuthentic("the bearer token is not the secret", reason=TOKEN_MISMATCH.name)

    def prove(
        self,
        body: bytes,  # noqa: ARG002 - as Scheme has it
        secret: bytes,
        *,
        delivery_id: str,  # noqa: ARG002 - as Scheme has it
        now: datetime,  # noqa: ARG002 - as Scheme has it
    ) -> dict[str, str]:
        """Send the secret itself."""
        return {"Authorization": f"Bearer {secret.decode('latin-1')}"}
