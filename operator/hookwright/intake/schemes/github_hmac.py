"""GITHUB_HMAC: the body is signed with HMAC-SHA256, in `X-Hub-Signature-256`.

Source: GitHub, "Validating webhook deliveries". The older SHA-1 signature is not looked at: who can send only that
can use the scheme HMAC, by name. GitHub signs the raw body, forms too; Gitea, which speaks in GitHub's headers as well,
signs the JSON and not the form that it sends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hookwright.errors import NotAuthentic, Unreadable
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import AnySender, is_one_of, read_delivery_id
from hookwright.kinds import AuthenticationConfiguration
from hookwright.providers.github import dialect
from hookwright.reasons import CONTENT_TYPE_UNSUPPORTED, SIGNATURE_MISMATCH, SIGNATURE_MISSING

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
_GITEA_HEADER = "x-gitea-event"
_FORM = "application/x-www-form-urlencoded"


class GithubHmac(AnySender):
    """GitHub's way of signing, and its headers."""

    reads_forms = True

    def __init__(self, _: AuthenticationConfiguration) -> None:
        """Need nothing but the secret."""

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare the signature with that of each secret, as `Scheme.verify`."""
        if _GITEA_HEADER in request.headers and (request.header("content-type") or "").lower().startswith(_FORM):
            message = "Gitea does not sign the form that it sends; choose application/json there"
            raise Unreadable(message, reason=CONTENT_TYPE_UNSUPPORTED.name)
        given = request.header(dialect.SIGNATURE_HEADER)
        if given is None or not _SIGNATURE.fullmatch(given):
            raise NotAuthentic("X-Hub-Signature-256 is missing, doubled or malformed", reason=SIGNATURE_MISSING.name)
        if not is_one_of(given.encode(), (dialect.sign(request.body, secret).encode() for secret in secrets)):
            raise NotAuthentic("X-Hub-Signature-256 does not fit secret and body", reason=SIGNATURE_MISMATCH.name)

    def delivery_id(self, request: Request) -> str | None:
        """Give `X-GitHub-Delivery`."""
        return read_delivery_id(request, dialect.DELIVERY_HEADER)

    def event(self, request: Request) -> str | None:
        """Give `X-GitHub-Event`."""
        return request.header(dialect.EVENT_HEADER)
