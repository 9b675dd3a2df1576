"""STANDARD_WEBHOOKS: id, time and body are signed with HMAC-SHA256, in `webhook-signature`.

Source: Standard Webhooks 1.0.0, symmetric signatures (`v1`). GitLab's signing tokens are the same. Signatures of other
versions in the list are passed over, as the specification has it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import AnySender, is_one_of, read_delivery_id, read_timestamp
from hookwright.kinds import DEFAULT_TOLERANCE_SECONDS, AuthenticationConfiguration
from hookwright.reasons import SIGNATURE_MISMATCH, SIGNATURE_MISSING

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
PREFIX = b"whsec_"
# While a secret is replaced a sender signs with both; nobody signs with more than a few.
MAX_SIGNATURES = 16
_SIGNATURE = re.compile(r"v1,([A-Za-z0-9+/]{43}=)")


class StandardWebhooks(AnySender):
    """The symmetric half of the specification."""

    def __init__(self, configuration: AuthenticationConfiguration) -> None:
        """Take `toleranceSeconds`."""
        self._tolerance = configuration.tolerance_seconds or DEFAULT_TOLERANCE_SECONDS

    def check_secret(self, secret: bytes) -> str | None:
        """Want `whsec_` and base64; the prefix may be missing, as in the specification's own libraries."""
        return None if _decode(secret) is not None else "it must be whsec_ and then base64"

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare each signature with that of each secret, as `Scheme.verify`."""
        delivery_id = self.delivery_id(request)
        words = (request.header(SIGNATURE_HEADER) or "").split(" ", MAX_SIGNATURES)[:MAX_SIGNATURES]
        matches = [_SIGNATURE.fullmatch(word) for word in words]
        signatures = [match[1].encode() for match in matches if match is not None]
        if delivery_id is None or not signatures:
            message = "webhook-id or webhook-signature is missing, doubled or malformed"
            raise NotAuthentic(message, reason=SIGNATURE_MISSING.name)
        timestamp = read_timestamp(
            request.header(TIMESTAMP_HEADER),
            now=request.received_at,
            tolerance_seconds=self._tolerance,
            header=TIMESTAMP_HEADER,
        )
        signed = f"{delivery_id}.{timestamp}.".encode() + request.body
        wanted = [sign(signed, key) for secret in secrets if (key := _decode(secret)) is not None]
        found = False
        for signature in signatures:
            found |= is_one_of(signature, wanted)
        if not found:
            raise NotAuthentic("webhook-signature does not fit", reason=SIGNATURE_MISMATCH.name)

    def prove(
        self,
        body: bytes,
        secret: bytes,
        *,
        delivery_id: str,
        now: datetime,
    ) -> dict[str, str]:
        """Sign as the specification has it; nothing for a secret of the wrong form."""
        key = _decode(secret)
        if key is None:
            return {}
        timestamp = str(int(now.timestamp()))
        signature = sign(f"{delivery_id}.{timestamp}.".encode() + body, key).decode()
        return {ID_HEADER: delivery_id, TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: f"v1,{signature}"}

    def delivery_id(self, request: Request) -> str | None:
        """Give `webhook-id`, which all attempts to send a message share.

        One with a dot is none: what was signed could be cut into id, time and body at another place. Without an id
        nobody is authentic, since a message that was recorded could be sent again.
        """
        given = read_delivery_id(request, ID_HEADER)
        return given if given is not None and "." not in given else None


def sign(signed: bytes, key: bytes) -> bytes:
    """Give the signature of `{id}.{timestamp}.{body}` in base64."""
    return base64.b64encode(hmac.digest(key, signed, "sha256"))


def _decode(secret: bytes) -> bytes | None:
    """Give the key in a secret; None if there is none in it.

    The padding of base64 need not be right, as in the specification's own libraries: it says nothing.
    """
    encoded = secret.strip().removeprefix(PREFIX).rstrip(b"=")
    try:
        key = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        return None
    # HMAC fills short keys up with NUL: a key of nothing else is the empty one, with which anybody can sign.
    return key if key.strip(b"\0") else None
