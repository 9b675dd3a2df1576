"""BASIC: user and password come in `Authorization: Basic …`; the secret is the password. Source: RFC 7617."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import AnySender, is_one_of, read_credentials
from hookwright.kinds import AuthenticationConfiguration
from hookwright.reasons import TOKEN_MISMATCH, TOKEN_MISSING


class Basic(AnySender):
    """One user; several passwords may be live."""

    def __init__(self, configuration: AuthenticationConfiguration) -> None:
        """Take `username`."""
        self._user = (configuration.username or "").encode()

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare user and password with each secret, as `Scheme.verify`."""
        encoded = read_credentials(request, b"basic")
        if encoded is None:
            raise NotAuthentic("Authorization: Basic is missing or doubled", reason=TOKEN_MISSING.name)
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise NotAuthentic("Authorization: Basic is not base64", reason=TOKEN_MISSING.name) from None
        # Together, since a user has no colon: which of the two is wrong is not to be learned.
        if not is_one_of(given, [self._user + b":" + secret for secret in self.usable(secrets)]):
            raise NotAuthentic("user or password is wrong", reason=TOKEN_MISMATCH.name)

    def prove(
        self,
        body: bytes,  # noqa: ARG002 - as Scheme has it
        secret: bytes,
        *,
        delivery_id: str,  # noqa: ARG002 - as Scheme has it
        now: datetime,  # noqa: ARG002 - as Scheme has it
    ) -> dict[str, str]:
        """Send user and password."""
        return {"Authorization": f"Basic {base64.b64encode(self._user + b':' + secret).decode()}"}
