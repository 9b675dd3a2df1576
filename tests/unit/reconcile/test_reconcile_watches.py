"""How kopf is set up: the same access as the client's, and nothing that it does on its own account."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from kubernetes.aio.client import Configuration
from structlog.testing import capture_logs

from hookwright.reconcile import watches
from hookwright.reconcile.watches import Watches, _connect, _make_settings
from support.waiting import patience


async def test_kopf_has_the_clients_access():
    """Server, certificates and token are those of the client."""
    configuration = Configuration()
    configuration.host = "https://10.0.0.1:6443"
    configuration.ssl_ca_cert = "/ca.crt"
    configuration.cert_file, configuration.key_file = "/tls.crt", "/tls.key"
    configuration.api_key["BearerToken"] = "Bearer t0ken"
    info = await _connect(configuration)
    assert (info.server, info.ca_path, info.insecure) == ("https://10.0.0.1:6443", "/ca.crt", False)
    assert (info.scheme, info.token) == ("Bearer", "t0ken")
    assert (info.certificate_path, info.private_key_path) == ("/tls.crt", "/tls.key")


async def test_kopf_has_no_token_where_the_client_has_none():
    """Without a token none is sent."""
    configuration = Configuration()
    configuration.verify_ssl = False
    info = await _connect(configuration)
    assert (info.scheme, info.token, info.insecure) == (None, None, True)


async def test_kopf_asks_through_the_clients_proxy():
    """Where the API server is reached through a proxy alone, the watches are too."""
    asked = asyncio.get_running_loop().create_future()

    async def listen(reader, writer):
        line = await reader.readline()
        if not asked.done():
            asked.set_result(line)
        writer.close()

    proxy = await asyncio.start_server(listen, "127.0.0.1", 0)
    configuration = Configuration()
    configuration.host = "http://api.invalid:6443"
    configuration.proxy = f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    made = Watches(configuration, loop=asyncio.get_running_loop(), seen=lambda *_: None)
    made.start()
    try:
        async with patience():
            assert (await asked).startswith(b"GET http://api.invalid:6443/")
    finally:
        await made.stop()
        proxy.close()


def test_kopf_posts_nothing():
    """Kubernetes Events are our own business, and a watch is renewed before it falls silent."""
    settings = _make_settings()
    assert settings.posting.enabled is False
    assert settings.watching.server_timeout <= 300


def play(monkeypatch, *parts):
    """Have kopf consist of these."""

    async def spawn(**given):
        return [asyncio.create_task(part(**given)) for part in parts]

    monkeypatch.setattr(watches.kopf, "spawn_tasks", spawn)


class Refusal(Exception):
    """As kopf raises it: what the API server answers, and its status."""

    def __init__(self, message, status):
        super().__init__(message, {"kind": "Status", "message": message})
        self.status = status


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Refusal("webhooks is forbidden", 403),
            {"log_level": "warning", "error": "webhooks is forbidden", "remedy": watches.REMEDY},
        ),
        (Refusal("etcd is away", 500), {"log_level": "warning", "error": "etcd is away"}),
        (ConnectionRefusedError("nobody listens"), {"log_level": "warning", "error": "nobody listens"}),
        (RuntimeError("a mistake"), {"log_level": "error", "exc_info": True}),
    ],
)
async def test_what_the_api_server_refuses_is_said_without_a_traceback(monkeypatch, error, said):
    """A right that is taken from a running operator is one line with its remedy; a mistake of ours is a traceback."""

    async def operator(**_):
        raise error

    play(monkeypatch, operator)
    made = Watches(Configuration(), loop=asyncio.get_running_loop(), seen=lambda *_: None)
    with capture_logs() as lines:
        made.start()
        try:
            async with patience():
                await made.ended()
        finally:
            await made.stop()
    assert lines == [{"event": "watches", **said}]


@pytest.mark.parametrize("error", [RuntimeError("the watch gave an error"), None])
async def test_watches_that_end_by_themselves_are_known_to_have_ended(monkeypatch, error):
    """Whoever waits for the watches to end hears of it, though kopf leaves a thread that waits for the stop flag."""

    async def operator(*, stop_flag, **_):
        # As kopf does: it waits for a flag of threads in a thread of the event loop's, which it does not end.
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, stop_flag.wait)
        await asyncio.sleep(0)
        if error is not None:
            raise error

    play(monkeypatch, operator)
    made = Watches(Configuration(), loop=asyncio.get_running_loop(), seen=lambda *_: None)
    made.start()
    try:
        async with patience():
            await made.ended()
    finally:
        await made.stop()


async def test_watches_of_which_one_does_not_end_are_known_to_have_ended(monkeypatch):
    """A part of kopf that cannot be cancelled keeps nobody from hearing that the others have ended."""

    async def fail(**_):
        raise Refusal("too old", 410)

    async def hang(**_):
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    monkeypatch.setattr(watches, "END_SECONDS", 0.05)
    monkeypatch.setattr(watches, "STOP_SECONDS", 0.05)
    play(monkeypatch, fail, hang)
    made = Watches(Configuration(), loop=asyncio.get_running_loop(), seen=lambda *_: None)
    made.start()
    async with patience():
        await made.ended()
    await made.stop()


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (Refusal("too old", 410), []),
        (
            AssertionError("a part of kopf"),
            [{"event": "watches", "log_level": "warning", "error": "kopf leaves an error behind: AssertionError"}],
        ),
    ],
)
async def test_what_kopf_leaves_behind_is_no_traceback(monkeypatch, error, lines):
    """An error that nobody in kopf waits for is one line, and none if it is the API server's, as another has told."""

    async def leave(**_):
        def break_() -> None:
            raise error

        asyncio.get_running_loop().call_soon(break_)
        await asyncio.sleep(0.01)

    play(monkeypatch, leave)
    made = Watches(Configuration(), loop=asyncio.get_running_loop(), seen=lambda *_: None)
    with capture_logs() as said:
        made.start()
        async with patience():
            await made.ended()
        await made.stop()
    assert said == lines
