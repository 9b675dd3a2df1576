"""What comes over the wire: a request as granian shows it, and its body, read within bounds.

What granian's server (hyper) does with requests that could be read in two ways, each proved in `test_hostile.py`:

- It answers 400 and ends the connection for: lengths that differ, are no digits or beyond 64 bits; a Transfer-Encoding
  that does not end in `chunked`, or comes with HTTP/1.0; blanks around names; folded lines; NUL, CR and control
  characters; versions other than 1.0 and 1.1. Without an answer it ends what begins as HTTP/2.
- Content-Length beside Transfer-Encoding: the chunks count, and the connection ends after the answer. We are not shown
  the length. Equal lengths are shown as one.
- It takes `chunked` after other codings, and twice: refused here, see `is_ambiguous`.
- It takes a bare LF as the end of a line of the head, as RFC 9112, 2.2 allows; not among chunks.
- Chunks that break off, or break the rules, or are followed by trailers, end with one empty piece more: see
  `_read_pieces`. Extensions of chunks are skipped, up to 16 KiB of them.
- A line of Transfer-Encoding that is not ASCII is not shown. Before one that says `chunked` it changes nothing for the
  server, and we do not hear of it; a proxy in front must not let it pass, or read it in the same way. Else it is 400.
- Values of headers that are not ASCII are not shown, though their names are: a second signature header of that kind
  goes unseen. If the last of several lines of X-Forwarded-For is such, the others look as if they were all. So the
  proxy in front must join the lines, replace them, or add one of its own at the end.
- Paths are shown with their escapes read, of a whole URL as target only the path. Nothing in them is evened out.
- What follows a request on its connection is served after it, one at a time, unless the answer ends the connection.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from hookwright.intake.addresses import FORWARDED_HEADER
from hookwright.intake.bodies import Busy, NeverFits, Share
from hookwright.intake.headers import HeaderMap

# Of a refused body so much is read and thrown away: GitHub's largest, and for so long.
MAX_DRAINED_BYTES = 32 << 20
DRAIN_SECONDS = 1
MAX_DRAINED_UNREAD_BYTES = 1 << 20
_LENGTH = re.compile(r"[0-9]{1,18}")


class Scope(Protocol):
    """The part of an RSGI scope that is used here."""

    proto: str
    method: str
    path: str
    client: str
    headers: HeaderMap


class Exchange(Protocol):
    """The part of an RSGI HTTP protocol that is used here."""

    async def __call__(self) -> bytes:
        """Give the whole body."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the body in pieces."""
        ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Answer."""
        ...


class BodyTooLarge(Exception):
    """The body is larger than the route allows."""


class BodyIncomplete(Exception):
    """The body ended before the length that was announced."""


def read_forwarded(scope: Scope) -> list[str]:
    """Give the lines of X-Forwarded-For.

    A line with a byte that is not ASCII is not shown by the server. What it said is not known: that is one empty entry.
    """
    lines = scope.headers.get_all(FORWARDED_HEADER)
    return lines if lines or FORWARDED_HEADER not in scope.headers else [""]


def is_ambiguous(headers: Mapping[str, Sequence[str]]) -> bool:
    """Say whether somebody else may see another end of the body than the server, which takes what ends in `chunked`."""
    codings = headers.get("transfer-encoding")
    return codings is not None and (len(codings) != 1 or codings[0].lower() != "chunked")


def read_length(lines: Sequence[str] | None) -> int | None:
    """Give the length that the lines of Content-Length announce, None if they announce none."""
    # No body has a length of more digits, and Python refuses to read numbers of thousands.
    matched = _LENGTH.fullmatch(lines[0]) if lines is not None and len(lines) == 1 else None
    return int(matched[0]) if matched else None


async def read_body(exchange: Exchange, announced: int | None, limit: int, share: Share) -> bytes:
    """Give the body; never holds more than `limit` bytes and one piece.

    `share` has room for what is `announced`, and is asked for room for all else. A body that is too large is read on,
    within bounds: a sender that is still sending hears no answer.

    Raises:
        BodyTooLarge: it is larger than `limit`.
        BodyIncomplete: the sender hung up before the end, or broke the rules of chunks.
        Busy, NeverFits: there is no room.
    """
    if announced is None or announced > limit:
        return await _read_pieces(exchange, limit, share, hopeless=announced is not None)
    body = await exchange()
    if len(body) != announced:
        raise BodyIncomplete
    return body


async def _read_pieces(exchange: Exchange, limit: int, share: Share, *, hopeless: bool) -> bytes:
    """Read a body whose length is not known, or is known to be too much (`hopeless`)."""
    pieces: list[bytes] = []
    size, ends = 0, 0
    full: Busy | NeverFits | None = None
    async for piece in exchange:
        size += len(piece)
        ends += not piece
        if size > MAX_DRAINED_BYTES:
            break
        if hopeless or full is not None or size > limit:
            continue
        try:
            share.grow(len(piece))
            pieces.append(piece)
        except (Busy, NeverFits) as error:
            full = error
    if hopeless or size > limit:
        raise BodyTooLarge
    if full is not None:
        raise full
    if ends > 1:
        raise BodyIncomplete
    return b"".join(pieces)


async def drain(exchange: Exchange) -> None:
    """Read the body of a request that is refused anyway, within bounds, as `read_body` does."""
    left = MAX_DRAINED_UNREAD_BYTES
    with suppress(TimeoutError, OSError, RuntimeError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for piece in exchange:
                left -= len(piece)
                if left < 0:
                    return
