"""GITHUB_HMAC: the body is signed with HMAC-SHA256, in `X-Hub-Signature-256`.

Source: GitHub, "Validating webhook deliveries". The older SHA-1 signature is not looked at: who can send only that
could be anyone with a collision.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.providers.github import dialect
from hookwright.reasons import SIGNATURE_MISMATCH, SIGNATURE_MISSING

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
# GitHub's ids are UUIDs; others that sign in GitHub's way have ids of their own making.
_DELIVERY_ID = re.compile(r"[!-~]{1,128}")


class GithubHmac:
    """GitHub's way of signing, and its headers."""

    needs_secret = True

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare the signature with that of each secret, as `Scheme.verify`."""
        given = request.header(dialect.SIGNATURE_HEADER)
        if given is None or not _SIGNATURE.fullmatch(given):
            raise NotAuthentic("X-Hub-Signature-256 is missing, doubled or malformed", reason=SIGNATURE_MISSING.name)
        found = False
        for secret in secrets:
            # No early end: how long it takes must not tell which secret is right.
            found |= hmac.compare_digest(dialect.sign(request.body, secret), given)
        if not found:
            raise NotAuthentic("X-Hub-Signature-256 does not fit secret and body", reason=SIGNATURE_MISMATCH.name)

    def delivery_id(self, request: Request) -> str | None:
        """Give `X-GitHub-Delivery`, if it is one printable word of at most 128 characters."""
        given = request.header(dialect.DELIVERY_HEADER)
        return given if given is not None and _DELIVERY_ID.fullmatch(given) else None

    def event(self, request: Request) -> str | None:
        """Give `X-GitHub-Event`."""
        return request.header(dialect.EVENT_HEADER)

    def is_ping(self, request: Request) -> bool:
        """Say whether GitHub only tries the URL, as it does when a hook is made."""
        return self.event(request) == dialect.PING
