"""The HTTP server: granian's, in our own process and event loop, speaking RSGI.

It bounds what a stranger can make us hold (headers by the server's own limits, bodies by the route's) and hands
complete requests to the receiver.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from hookwright.errors import UsageError
from hookwright.intake.judge import describe_limit
from hookwright.intake.receiver import Answer, Receiver, answer, refuse, refuse_unknown
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.intake.routes import Routes
from hookwright.reasons import BODY_INCOMPLETE, BODY_TOO_LARGE, METHOD_NOT_ALLOWED, UNEXPECTED, Reason

log = structlog.get_logger()

BODY_SECONDS = 10  # GitHub gives up after ten
# Of a refused body so much is read and thrown away: GitHub's largest, and for so long.
MAX_DRAINED_BYTES = 32 << 20
DRAIN_SECONDS = 1
MAX_DRAINED_UNREAD_BYTES = 1 << 20
HEADER_MILLISECONDS = 5_000
MAX_HEADER_BYTES = 64 * 1024
BACKLOG = 1024
LISTENING_POLL_SECONDS = 0.01
# To reach a server that listens on all addresses, ask one of them.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
# The server's own bound counts connections, idle ones too: it must be far above what is worked on.
MAX_CONNECTIONS = 8192
MAX_CONCURRENT_BODIES = 256


class Scope(Protocol):
    """The part of an RSGI scope that is used here."""

    proto: str
    method: str
    path: str
    headers: Any  # granian's own multi-map: `items()` gives a pair for each header line


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


def check_port(host: str, port: int) -> None:
    """Make sure that nobody listens there: the server itself would share the port in silence (SO_REUSEPORT).

    Raises:
        UsageError: somebody does, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}:{port}: {error.strerror}; choose another (HOOKWRIGHT_LISTEN)"
            ) from None


class BodyTooLarge(Exception):
    """The body is larger than the route allows."""


class BodyIncomplete(Exception):
    """The body ended before the length that was announced."""


class IntakeServer:
    """Serves deliveries until it is stopped."""

    def __init__(
        self, *, host: str, port: int, routes: Routes, receiver: Receiver, clock: Callable[[], datetime]
    ) -> None:
        self._routes = routes
        self._receiver = receiver
        self._clock = clock
        self._gate = asyncio.Semaphore(MAX_CONCURRENT_BODIES)
        self._host = LOOPBACK.get(host, host)
        self._port = port
        check_port(host, port)
        self._server = Server(
            self._serve,
            address=host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=MAX_CONNECTIONS,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS, max_buffer_size=MAX_HEADER_BYTES),
            log_enabled=False,
        )

    async def run(self) -> None:
        """Serve until `stop`; what is being answered is finished first."""
        await self._server.serve()

    async def listening(self) -> None:
        """Wait until connections are taken."""
        while True:
            try:
                _, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(LISTENING_POLL_SECONDS)
            else:
                writer.close()
                return

    def stop(self) -> None:
        """End `run`."""
        self._server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped

    async def _serve(self, scope: Scope, exchange: Exchange) -> None:
        try:
            given = await self._answer(scope, exchange)
        except Exception as error:
            # The last line of defence: no traceback leaves the process, and the sender learns to try again.
            log.exception("receiver", error=type(error).__name__)
            given = refuse(UNEXPECTED)
        exchange.response_bytes(given.status, given.headers, given.body)

    async def _answer(self, scope: Scope, exchange: Exchange) -> Answer:
        route = self._routes.find(scope.path)
        if route is None:
            await drain(exchange)
            return refuse_unknown()
        headers = read_headers(scope.headers.items())
        request = Request(method=scope.method, path=scope.path, headers=headers, body=b"", received_at=self._clock())
        if scope.method != "POST":
            await drain(exchange)
            return self._refuse(route, request, METHOD_NOT_ALLOWED, f"{scope.method[:20]} is not allowed here")
        try:
            async with self._gate, asyncio.timeout(BODY_SECONDS):
                body = await read_body(exchange, request.header("content-length"), route.max_body_bytes)
        except BodyTooLarge:
            return self._refuse(route, request, BODY_TOO_LARGE, describe_limit(route))
        except (BodyIncomplete, TimeoutError, OSError, RuntimeError):
            return self._refuse(route, request, BODY_INCOMPLETE, BODY_INCOMPLETE.sentence)
        request = Request(
            method=scope.method, path=scope.path, headers=headers, body=body, received_at=request.received_at
        )
        return await self._receiver.receive(route, request)

    def _refuse(self, route: Route, request: Request, reason: Reason, message: str) -> Answer:
        """Refuse a request whose body is not there to be judged."""
        delivery_id = route.scheme.delivery_id(request) or self._receiver.new_id()
        verdict = Verdict(reason=reason, message=message, delivery_id=delivery_id)
        self._receiver.report(route, request, verdict)
        return answer(verdict)


def read_headers(lines: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Gather header lines by lower-case name."""
    headers: dict[str, list[str]] = {}
    for name, value in lines:
        headers.setdefault(name.lower(), []).append(value)
    return headers


async def read_body(exchange: Exchange, content_length: str | None, limit: int) -> bytes:
    """Give the body; never holds more than `limit` bytes and one piece.

    A body that is too large is read on, within bounds: a sender that is still sending hears no answer.

    Raises:
        BodyTooLarge: it is larger than `limit`.
        BodyIncomplete: the sender hung up before the end.
    """
    # No body has a length of more digits, and Python refuses to read numbers of thousands.
    announced = int(length[0]) if (length := re.fullmatch(r"[0-9]{1,18}", content_length or "")) else None
    if announced is not None and announced <= limit:
        body = await exchange()
        if len(body) != announced:
            raise BodyIncomplete
        return body
    pieces, size = [], 0
    # The server does not tell a chunked body that was broken off from one that ended. It need not: a JSON document that
    # is whole is whole, and one that is not is refused as unreadable.
    async for piece in exchange:
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
        elif size > MAX_DRAINED_BYTES:
            break
    if size > limit or announced is not None:
        raise BodyTooLarge
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
