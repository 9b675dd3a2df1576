"""The HTTP server: granian's, in our own process and event loop, speaking RSGI.

It hands complete requests to the receiver, and bounds what a stranger can make us hold:

- Requests: `AddressLimit` counts those that prove nothing, of each address to each URL. Whom the server refuses gets
  one answer, and no connection.
- Bodies: `BodyMemory`, the object's own limit, and BODY_SECONDS for each.
- Heads: 100 headers and MAX_HEADER_BYTES (else 431, or 414 for the target). With as many connections as may be, that is
  200 MiB beside the room for bodies.
- Connections: MAX_CONNECTIONS, idle ones too; others wait in the kernel's queue. Each has HEADER_MILLISECONDS for a
  head, from its beginning or from the last answer on, and is then ended without an answer. Who opens so many, again and
  again, keeps everybody out: that must be met before it comes here. A trusted proxy's connection ends with its answer:
  it would keep it for another sender, whose delivery may come just as it ends, and no proxy sends a POST again.
- Answers: the server waits for ever until they are read. Only who is authentic, or knows the URL of a Webhook without
  authentication, could get enough of them on one connection to hold it by that.

Once it is stopped, the server takes no connections, ends the idle ones at once, and finishes what is in flight.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from hookwright.errors import UsageError
from hookwright.intake.addresses import Network, find_client, is_proxy
from hookwright.intake.bodies import BodyMemory, Busy, NeverFits, Share
from hookwright.intake.deadlines import Deadlines
from hookwright.intake.headers import Headers
from hookwright.intake.judge import describe_limit
from hookwright.intake.limits import NOBODY, AddressLimit
from hookwright.intake.receiver import Answer, Receiver, answer, refuse, refuse_unknown
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.intake.routes import Routes
from hookwright.intake.wire import (
    BodyIncomplete,
    BodyTooLarge,
    Exchange,
    Scope,
    drain,
    is_ambiguous,
    read_body,
    read_forwarded,
    read_length,
)
from hookwright.logs import name_object
from hookwright.reasons import (
    ADDRESS_LIMITED,
    BODY_INCOMPLETE,
    BODY_TOO_LARGE,
    BUSY,
    LENGTH_AMBIGUOUS,
    METHOD_NOT_ALLOWED,
    UNEXPECTED,
    Reason,
)

log = structlog.get_logger()

BODY_SECONDS = 10  # GitHub gives up after ten
HEADER_MILLISECONDS = 5_000
MAX_HEADER_BYTES = 16 * 1024
BACKLOG = 1024
LISTENING_POLL_SECONDS = 0.01
# To reach a server that listens on all addresses, ask one of them.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
# The server's own bound counts connections, idle ones too: it must be far above what is worked on.
MAX_CONNECTIONS = 8192
BODY_MEMORY_BYTES = 128 << 20
CLOSE = ("connection", "close")


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
                f"cannot listen on {host}:{port}: {error.strerror}; choose another (HOOKWRIGHT_LISTEN, or --port of "
                "hookwright dev)"
            ) from None


class IntakeServer:
    """Serves deliveries until it is stopped. `in_flight` is how many requests have no answer yet.

    `addresses` counts the requests of each address to each URL (None: nobody does), `bodies` is the room for bodies,
    `trusted` are the proxies whose X-Forwarded-For is believed. `answered` is told of each answer, and after how many
    seconds it was given.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        routes: Routes,
        receiver: Receiver,
        clock: Callable[[], datetime],
        addresses: AddressLimit | None = None,
        bodies: BodyMemory | None = None,
        trusted: tuple[Network, ...] = (),
        answered: Callable[[Answer, float], None] = lambda _answer, _seconds: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.in_flight = 0
        self._answered = answered
        self._sleep = sleep
        self._routes = routes
        self._receiver = receiver
        self._clock = clock
        self._addresses = addresses
        self._bodies = bodies or BodyMemory(BODY_MEMORY_BYTES)
        self._trusted = trusted
        self._draining = False
        self._deadlines = Deadlines()
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

    async def drain(self, seconds: float) -> None:
        """Serve on for `seconds` and ask every sender to connect anew, elsewhere; then take no more.

        `run` ends when what is in flight has been answered.
        """
        self._draining = True
        await self._sleep(seconds)
        self.stop()

    def stop(self) -> None:
        """Take no more requests; `run` ends when those in flight have been answered."""
        self._server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped

    async def _serve(self, scope: Scope, exchange: Exchange) -> None:
        began = time.perf_counter()
        self.in_flight += 1
        try:
            given = await self._answer(scope, exchange)
        except Exception as error:
            # The last line of defence: no traceback leaves the process, and the sender learns to try again.
            log.exception("receiver", **self._name(scope), error=type(error).__name__)
            given = refuse(UNEXPECTED)
        finally:
            self.in_flight -= 1
        if self._draining or is_proxy(scope.client, self._trusted):
            given = hang_up(given)
        exchange.response_bytes(given.status, given.headers, given.body)
        self._answered(given, time.perf_counter() - began)

    def _name(self, scope: Scope) -> dict[str, str]:
        """Name the object and the delivery of a request in a log line, as far as that goes."""
        with suppress(Exception):
            route = self._routes.find(scope.path)
            if route is not None:
                headers, now = Headers(scope.headers), self._clock()
                request = Request(method=scope.method, path=scope.path, headers=headers, body=b"", received_at=now)
                delivery = {"delivery": route.delivery_id(request) or ""}
                return name_object(route.KIND, route.namespace, route.name) | delivery
        return {}

    async def _answer(self, scope: Scope, exchange: Exchange) -> Answer:
        client = find_client(scope.client, read_forwarded(scope) if self._trusted else (), self._trusted)
        route = self._routes.find(scope.path)
        uid = route.uid if route is not None else NOBODY
        wait = self._addresses.take(client, uid) if self._addresses is not None else None
        if route is None:
            await drain(exchange)
            return hang_up(refuse_unknown() if wait is None else refuse(ADDRESS_LIMITED, retry_after=wait))
        headers = Headers(scope.headers)
        # Put together once it is known whether there is a body.
        request = partial(
            Request, method=scope.method, path=scope.path, headers=headers, received_at=self._clock(), client=client
        )
        if wait is not None:
            await drain(exchange)
            # Whose senders are kept out must be able to read it: it may be for what others sent from their address.
            return self._refuse(route, request, ADDRESS_LIMITED, ADDRESS_LIMITED.sentence, retry_after=wait)
        if scope.method != "POST":
            await drain(exchange)
            return self._refuse(route, request, METHOD_NOT_ALLOWED, f"{scope.method[:20]} is not allowed here")
        if is_ambiguous(headers):
            await drain(exchange)
            return self._refuse(route, request, LENGTH_AMBIGUOUS, LENGTH_AMBIGUOUS.sentence)
        announced = read_length(headers.get("content-length"))
        return await self._receive(exchange, route, request, announced)

    async def _receive(
        self, exchange: Exchange, route: Route, request: partial[Request], announced: int | None
    ) -> Answer:
        """Read the body and hand everything to the receiver; the body takes its room until that has answered."""
        with self._bodies.open((route.namespace, route.uid)) as share:
            try:
                body = await self._read(exchange, announced, route.max_body_bytes, share)
            except BodyTooLarge:
                return self._refuse(route, request, BODY_TOO_LARGE, describe_limit(route))
            except NeverFits:
                await drain(exchange)
                message = f"the receiver takes no body of more than {self._bodies.limit_bytes} bytes"
                return self._refuse(route, request, BODY_TOO_LARGE, message)
            except Busy:
                await drain(exchange)
                return self._refuse(route, request, BUSY, BUSY.sentence)
            except (BodyIncomplete, TimeoutError, OSError, RuntimeError):
                return self._refuse(route, request, BODY_INCOMPLETE, BODY_INCOMPLETE.sentence)
            return await self._receiver.receive(route, request(body=body))

    async def _read(self, exchange: Exchange, announced: int | None, limit: int, share: Share) -> bytes:
        """Give the body, with room for it in `share`; see `read_body`."""
        try:
            async with self._deadlines.timeout(BODY_SECONDS) as deadline:
                # What is too large is read too, but not held.
                await share.reserve(announced if announced is not None and announced <= limit else 0, deadline)
                try:
                    return await read_body(exchange, announced, limit, share)
                finally:
                    share.settle()
        except TimeoutError:
            if share.given_up or not share.let_in:
                raise Busy from None
            raise

    def _refuse(
        self,
        route: Route,
        request: partial[Request],
        reason: Reason,
        message: str,
        *,
        retry_after: float | None = None,
    ) -> Answer:
        """Refuse a request whose body is not there to be judged."""
        empty = request(body=b"")
        delivery_id = route.delivery_id(empty) or self._receiver.new_id()
        verdict = Verdict(reason=reason, message=message, delivery_id=delivery_id, retry_after=retry_after)
        self._receiver.report(route, empty, verdict)
        return hang_up(answer(verdict, route.KIND))


def hang_up(given: Answer) -> Answer:
    """Have the connection end with an answer.

    A stranger gets one answer for each connection: whoever reads none of them would else hold it for ever.
    """
    return given if CLOSE in given.headers else replace(given, headers=[*given.headers, CLOSE])
