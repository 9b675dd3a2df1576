"""The admin server: `/healthz`, `/readyz` and `/metrics`, for the kubelet and Prometheus; nothing about deliveries.

It is in the process's own event loop, so that `/healthz` says whether that still turns. It is there before anything
else, so that `/readyz` can say what is waited for, and goes last.

Whoever reaches the port can make us hold little: so many connections, the oldest of which makes room for a new one, so
that nobody keeps the kubelet out; one answer for each; heads of MAX_HEAD_BYTES a line; no body is read; who is silent
is left.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from hookwright.errors import UsageError

log = structlog.get_logger()

HEAD_SECONDS = 5.0
MAX_HEAD_BYTES = 4096
MAX_HEADERS = 50
MAX_CONNECTIONS = 64
ANSWER_SECONDS = 5.0
SHUTDOWN_SECONDS = 1.0
METHODS = ("GET", "HEAD")
EVERYWHERE = "::"
TEXT: Final = "text/plain; charset=utf-8"

Page = Callable[[], Awaitable[tuple[int, str, bytes]]]
"""Gives HTTP status, content type and body."""


class _Connection(web.RequestHandler):
    """A connection on which what is no HTTP is answered by a line that repeats nothing of it, and is not logged."""

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - the base class's
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Answer what aiohttp itself refuses."""
        return _answer(*line("this is no request that is answered here", status=status))


class Pages(web.Server):
    """Serves one page for each path."""

    def __init__(self, pages: dict[str, Page]) -> None:
        super().__init__(self._serve)
        self._pages = pages

    def __call__(self) -> web.RequestHandler:
        """Make the handler of a connection."""
        return _Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # that is how aiohttp is told to write none
            keepalive_timeout=HEAD_SECONDS,
            lingering_time=0,
            max_line_size=MAX_HEAD_BYTES,
            max_field_size=MAX_HEAD_BYTES,
            max_headers=MAX_HEADERS,
        )

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection, and make room for it."""
        super().connection_made(handler, transport)
        # aiohttp keeps them in the order in which they came.
        for oldest in self.connections[:-MAX_CONNECTIONS]:
            oldest.force_close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method not in METHODS:
            return _answer(*line("only GET is allowed here", status=405), allow=", ".join(METHODS))
        page = self._pages.get(request.path)
        if page is None:
            return _answer(*line("there is no such page", status=404))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return _answer(*await page())
        except Exception as error:
            # The last line of defence: no traceback leaves the process.
            log.exception("admin", error=type(error).__name__)
            return _answer(*line("Hookwright failed: see its log", status=500))


def _answer(status: int, kind: str, body: bytes, **headers: str) -> web.Response:
    given = {"Content-Type": kind, "Cache-Control": "no-store", "Server": "hookwright"}
    answer = web.Response(status=status, headers=given | headers, body=body)
    answer.force_close()
    return answer


def line(text: str, *, status: int = 200) -> tuple[int, str, bytes]:
    """Give a page of one line."""
    return status, TEXT, f"{text}\n".encode()


def health_pages(trouble: Callable[[], str]) -> dict[str, Page]:
    """Give the pages that probes ask for; `trouble` says why the process is not ready, or nothing."""

    async def healthz() -> tuple[int, str, bytes]:
        return line("ok")

    async def readyz() -> tuple[int, str, bytes]:
        found = trouble()
        return line(found, status=503) if found else line("ok")

    return {"/healthz": healthz, "/readyz": readyz}


def _make_site(runner: web.ServerRunner, host: str, port: int) -> web.BaseSite:
    """Make what listens at an address; at ::, for IPv4 too, as the receiver does: the kubelet comes by either."""
    if host == EVERYWHERE and socket.has_dualstack_ipv6():
        both = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
        return web.SockSite(runner, both)
    return web.TCPSite(runner, host, port)


@asynccontextmanager
async def serve_pages(address: tuple[str, int], pages: dict[str, Page]) -> AsyncIterator[None]:
    """Serve `pages` for the length of a `with` block.

    Raises:
        UsageError: the address cannot be listened on.
    """
    host, port = address
    runner = web.ServerRunner(Pages(pages), shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await _make_site(runner, host, port).start()
        except (OSError, UnicodeError) as error:
            # A name that cannot be one is not even asked for.
            why = (error.strerror if isinstance(error, OSError) else None) or error
            raise UsageError(f"cannot listen on {host}:{port}: {why}; choose another (HOOKWRIGHT_ADMIN)") from None
        yield
    finally:
        await runner.cleanup()
