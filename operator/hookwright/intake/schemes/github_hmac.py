"""GITHUB_HMAC: the body is signed with HMAC-SHA256, in `X-Hub-Signature-256`.

Source: GitHub, "Validating webhook deliveries". The older SHA-1 signature is not looked at: who can send only that
can use the scheme HMAC, by name. GitHub signs the raw body, forms too; Gitea, which speaks in GitHub's headers as well,
signs the JSON and not the form that it sends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import AnySender, is_one_of, read_delivery_id, refuse_giteas_form
from hookwright.kinds import AuthenticationConfiguration
from hookwright.providers.github import dialect
from hookwright.reasons import SIGNATURE_MISMATCH, SIGNATURE_MISSING

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


class GithubHmac(AnySender):
    """GitHub's way of signing, and its headers."""

    reads_forms = True

    def __init__(self, _: AuthenticationConfiguration) -> None:
        """Need nothing but the secret."""

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare the signature with that of each secret, as `Scheme.verify`."""
        refuse_giteas_form(request)
        given = request.header(dialect.SIGNATURE_HEADER)
        if given is None or not _SIGNATURE.fullmatch(given):
            raise NotAuthentic("X-Hub-Signature-256 is missing, doubled or malformed", reason=SIGNATURE_MISSING.name)
        wanted = [dialect.sign(request.body, secret).encode() for secret in self.usable(secrets)]
        if not is_one_of(given.encode(), wanted):
            raise NotAuthentic("X-Hub-Signature-256 does not fit secret and body", reason=SIGNATURE_MISMATCH.name)

    def prove(
        self,
        body: bytes,
        secret: bytes,
        *,
        delivery_id: str,  # noqa: ARG002 - as Scheme has it
        now: datetime,  # noqa: ARG002 - as Scheme has it
    ) -> dict[str, str]:
        """Sign as GitHub does."""
        return {"X-Hub-Signature-256": dialect.sign(body, secret)}

    def delivery_id(self, request: Request) -> str | None:
        """Give `X-GitHub-Delivery`."""
        return read_delivery_id(request, dialect.DELIVERY_HEADER)

    def event(self, request: Request) -> str | None:
        """Give `X-GitHub-Event`."""
        return request.header(dialect.EVENT_HEADER)
