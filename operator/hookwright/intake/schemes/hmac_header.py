"""HMAC: signed in a header of the sender's choosing, in the way that the object's owner describes.

For Gitea and Bitbucket (`X-Gitea-Signature`, `X-Hub-Signature`), Slack (`v0:{timestamp}:{body}`) and whoever else signs
with HMAC.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes.scheme import (
    AnySender,
    is_one_of,
    read_header,
    read_timestamp,
    refuse_giteas_form,
    refuse_member,
)
from hookwright.kinds import DEFAULT_TOLERANCE_SECONDS, AuthenticationConfiguration, HmacAlgorithm, SignatureEncoding
from hookwright.reasons import SIGNATURE_MISMATCH, SIGNATURE_MISSING

BODY, TIMESTAMP = "{body}", "{timestamp}"


class HmacHeader(AnySender):
    """HMAC with everything named: header, algorithm, encoding, prefix, time, and what is signed."""

    def __init__(self, configuration: AuthenticationConfiguration) -> None:
        """Take `header` and what describes the signature.

        Raises:
            InvalidSpec: signedContent and timestampHeader do not fit together, or two headers are one.
        """
        self._header = (configuration.header or "").lower()
        self._algorithm = (configuration.algorithm or HmacAlgorithm.SHA256).lower()
        self._size = hashlib.new(self._algorithm).digest_size
        self._hex = (configuration.encoding or SignatureEncoding.HEX) is SignatureEncoding.HEX
        self._prefix = (configuration.prefix or "").encode()
        self._timestamp_header = (configuration.timestamp_header or "").lower() or None
        if self._timestamp_header == self._header:
            message = f"{configuration.timestamp_header}: carries the signature; name the header that carries the time"
            raise refuse_member("timestampHeader", message)
        self._tolerance = configuration.tolerance_seconds or DEFAULT_TOLERANCE_SECONDS
        default = TIMESTAMP + "." + BODY if self._timestamp_header else BODY
        self._content = _read_content(configuration.signed_content or default, timed=self._timestamp_header is not None)

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Compare the signature with that of each secret, as `Scheme.verify`."""
        refuse_giteas_form(request)
        given = self._read_signature(read_header(request, self._header))
        timestamp = ""
        if self._timestamp_header is not None:
            timestamp = read_timestamp(
                request.header(self._timestamp_header),
                now=request.received_at,
                tolerance_seconds=self._tolerance,
                header=self._timestamp_header,
            )
        signed = self._join(request.body, timestamp)
        if not is_one_of(given, [hmac.digest(secret, signed, self._algorithm) for secret in self.usable(secrets)]):
            raise NotAuthentic(f"{self._header} does not fit secret and body", reason=SIGNATURE_MISMATCH.name)

    def prove(
        self,
        body: bytes,
        secret: bytes,
        *,
        delivery_id: str,  # noqa: ARG002 - as Scheme has it
        now: datetime,
    ) -> dict[str, str]:
        """Sign as the object says that its sender does."""
        timestamp = str(int(now.timestamp()))
        digest = hmac.digest(secret, self._join(body, timestamp), self._algorithm)
        encoded = digest.hex() if self._hex else base64.b64encode(digest).decode()
        times = {self._timestamp_header: timestamp} if self._timestamp_header is not None else {}
        return {self._header: self._prefix.decode() + encoded, **times}

    def _join(self, body: bytes, timestamp: str) -> bytes:
        """Give what is signed."""
        values = {BODY: body, TIMESTAMP: timestamp.encode()}
        return b"".join(values.get(piece, piece.encode()) for piece in self._content)

    def _read_signature(self, given: bytes | None) -> bytes:
        """Give the bytes of a signature: hexadecimals may be capitals, base64 has one form for each signature."""
        if given is not None and given.startswith(self._prefix):
            encoded = given.removeprefix(self._prefix)
            try:
                digest = binascii.unhexlify(encoded) if self._hex else base64.b64decode(encoded, validate=True)
            except binascii.Error:
                digest = b""
            if len(digest) == self._size and (self._hex or base64.b64encode(digest) == encoded):
                return digest
        raise NotAuthentic(f"{self._header} is missing, doubled or malformed", reason=SIGNATURE_MISSING.name)


def _read_content(text: str, *, timed: bool) -> tuple[str, ...]:
    """Give what is signed, in pieces; the placeholders are pieces of their own."""
    pieces = tuple(piece for piece in re.split(r"(\{[^{}]*\})", text) if piece)
    unknown = [p for p in pieces if p.startswith("{") and p not in (BODY, TIMESTAMP)]
    if unknown:
        raise refuse_member("signedContent", f"{unknown[0]} is unknown; there are {BODY} and {TIMESTAMP}")
    if pieces.count(BODY) != 1:
        raise refuse_member("signedContent", f"{text}: {BODY} must stand in it, once")
    if timed and pieces.count(TIMESTAMP) != 1:
        message = f"{text}: {TIMESTAMP} must stand in it, once: a time that is not signed proves nothing"
        raise refuse_member("signedContent", message)
    if not timed and TIMESTAMP in pieces:
        raise refuse_member("signedContent", f"{text}: {TIMESTAMP} needs a timestampHeader; name it")
    return pieces
