"""What all schemes have in common: their face, and the words of senders that have none of their own."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from hookwright.errors import InvalidSpec, NotAuthentic, Unreadable
from hookwright.intake.payload import FORM, read_media_type
from hookwright.intake.request import Request
from hookwright.intake.rules import INVALID_AUTHENTICATION
from hookwright.providers.github import dialect as github
from hookwright.reasons import CONTENT_TYPE_UNSUPPORTED, TIMESTAMP_MISSING, TIMESTAMP_OUT_OF_WINDOW

# Senders' ids are mostly UUIDs; one printable word of this length is taken for one.
_DELIVERY_ID = re.compile(r"[!-~]{1,128}")
# Seconds since 1970, written in the one right way, so that what is signed can be read in one way only; with a digit
# more the time would be in another millennium.
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,10}")
# HMAC fills short keys up with NUL: a key of nothing else is the empty one, with which anybody can sign.
_NOTHING = b" \t\r\n\v\f\0"
# RFC 9110, 5.5. Values that are not ASCII are not shown by the server.
_SENDABLE = re.compile(rb"[!-~](?:[ -~]*[!-~])?")
_GITEA_HEADER = "x-gitea-event"
# Where senders say what happened. Gitea sends GitHub's header as well: whichever is first says the same.
_EVENT_HEADERS = ("x-github-event", "x-gitlab-event", "x-gitea-event", "x-event-key")
BITBUCKET_PING = "diagnostics:ping"


class Scheme(Protocol):
    """One authentication type, made for one object."""

    @property
    def needs_secret(self) -> bool:
        """Whether it verifies against secrets."""
        ...

    @property
    def reads_forms(self) -> bool:
        """Whether GitHub's form bodies (`payload=…`) are read."""
        ...

    def check_secret(self, secret: bytes) -> str | None:
        """Say what is wrong with the form of a secret, without repeating it; None if it can be used."""
        ...

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Return if the request was made by who knows one of `secrets`, or is otherwise who the object names.

        Looks at raw bytes only, in constant time, and tries every secret. A secret of the wrong form fits nothing.

        Raises:
            NotAuthentic: it was not.
            Unreadable: the sender signs something else than it sends, so that nobody can verify it.
        """
        ...

    def prove(self, body: bytes, secret: bytes, *, delivery_id: str, now: datetime) -> dict[str, str]:
        """Give the headers by which a sender that knows `secret` proves itself, so that `verify` accepts them."""
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


class AnySender:
    """The words of a sender that may be anyone; schemes with a sender of their own replace what it says differently."""

    needs_secret = True
    reads_forms = False

    def check_secret(self, secret: bytes) -> str | None:
        """Want anything but blanks and NUL."""
        return None if secret.strip(_NOTHING) else "it is blank; put the secret there"

    def usable(self, secrets: Iterable[bytes]) -> list[bytes]:
        """Give the secrets that can be used: whatever is signed with another, or is another, fits nothing."""
        return [secret for secret in secrets if self.check_secret(secret) is None]

    def prove(
        self,
        body: bytes,  # noqa: ARG002 - as Scheme has it
        secret: bytes,  # noqa: ARG002 - as Scheme has it
        *,
        delivery_id: str,  # noqa: ARG002 - as Scheme has it
        now: datetime,  # noqa: ARG002 - as Scheme has it
    ) -> dict[str, str]:
        """Give nothing: no header proves anything here."""
        return {}

    def delivery_id(self, request: Request) -> str | None:  # noqa: ARG002 - as Scheme has it
        """Give None: which header is an id here, only the object's owner knows (spec.deliveryIdHeader)."""
        return None

    def event(self, request: Request) -> str | None:
        """Give the event header of whichever Git host sent one."""
        for name in _EVENT_HEADERS:
            if name in request.headers:
                return request.header(name)
        return None

    def is_ping(self, request: Request) -> bool:
        """Say whether GitHub or Bitbucket only tries the URL; a lie keeps the liar's own delivery from starting."""
        return self.event(request) in (github.PING, BITBUCKET_PING)


class TokenSender(AnySender):
    """The words of a sender that sends the secret itself in a header."""

    def check_secret(self, secret: bytes) -> str | None:
        """Want what a header can carry, which a file that ends in a newline is not."""
        if _SENDABLE.fullmatch(secret):
            return None
        return super().check_secret(secret) or (
            "no header can carry a newline, a blank at its ends, or what is not ASCII; put the secret there without "
            "(printf, not echo)"
        )


def read_header(request: Request, name: str) -> bytes | None:
    """Give a header (lower case) that came exactly once; None if not, and if it is not ASCII: the server shows none."""
    text = request.header(name)
    return text.encode() if text is not None and text.isascii() else None


def read_credentials(request: Request, word: bytes) -> bytes | None:
    """Give what stands behind `word` (lower case) in Authorization; None if that is another, or there is nothing.

    Source: RFC 9110, 11.4: capitals do not count in the word.
    """
    given, _, credentials = (read_header(request, "authorization") or b"").partition(b" ")
    return credentials.strip(b" ") or None if given.lower() == word else None


def refuse_giteas_form(request: Request) -> None:
    """Refuse what Gitea sends as a form: it signs the JSON in it, and not the bytes that it sends.

    Raises:
        Unreadable: it is one.
    """
    if _GITEA_HEADER in request.headers and read_media_type(request) == FORM:
        message = "Gitea does not sign the form that it sends; choose application/json there"
        raise Unreadable(message, reason=CONTENT_TYPE_UNSUPPORTED.name)


def read_delivery_id(request: Request, header: str) -> str | None:
    """Give the id in `header` (lower case), if it is one."""
    return check_delivery_id(request.header(header))


def check_delivery_id(given: str | None) -> str | None:
    """Give an id if it is one printable word of at most 128 characters."""
    return given if given is not None and _DELIVERY_ID.fullmatch(given) else None


def is_one_of(given: bytes, candidates: Iterable[bytes]) -> bool:
    """Compare with every candidate in constant time, without an early end: time must not tell which one is right.

    Nothing is not found, whatever the candidates are.
    """
    found = False
    for candidate in candidates:
        # In this order: where the lengths differ, the time depends on that of the second one, which the caller knows.
        found |= hmac.compare_digest(candidate, given)
    return found and given != b""


def read_timestamp(text: str | None, *, now: datetime, tolerance_seconds: int, header: str) -> str:
    """Give the time of sending as it was signed, if it is near enough to `now`.

    Raises:
        NotAuthentic: it is missing, no number of seconds, or too far away.
    """
    if text is None or not _TIMESTAMP.fullmatch(text):
        raise NotAuthentic(f"{header} is missing, doubled or not a number of seconds", reason=TIMESTAMP_MISSING.name)
    if abs(now.timestamp() - int(text)) > tolerance_seconds:
        raise NotAuthentic(f"{header} is more than {tolerance_seconds} s away", reason=TIMESTAMP_OUT_OF_WINDOW.name)
    return text


def refuse_member(name: str, message: str) -> InvalidSpec:
    """Make the error for a member of authenticationConfiguration that cannot be."""
    field = f"spec.authenticationConfiguration.{name}"
    return InvalidSpec(f"{field}: {message}", code=INVALID_AUTHENTICATION, field=field)
