"""The admin server: what probes are told, and how little a stranger can do there."""

from __future__ import annotations

import socket

import pytest

from hookwright.app import admin
from hookwright.app.admin import MAX_CONNECTIONS, MAX_HEAD_BYTES, health_pages, serve_pages
from hookwright.errors import UsageError
from support.families import BOTH, MISSING
from support.ports import find_port
from support.rawhttp import RawConnection, read_answers

LONG = 300.0


class Server:
    """An admin server whose process says of itself what `trouble` holds."""

    def __init__(self):
        self.trouble = ""
        self.port = find_port()
        self.pages = health_pages(lambda: self.trouble) | {"/broken": self._break}

    async def _break(self):
        raise ValueError("a value that nobody should see")

    async def connect(self):
        return await RawConnection.open(f"http://127.0.0.1:{self.port}/")

    async def tell(self, data):
        connection = await self.connect()
        try:
            await connection.send(data)
            return read_answers(await connection.rest())
        finally:
            connection.close()

    async def get(self, path, method="GET"):
        (answer,) = await self.tell(f"{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        return answer


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """Whoever asks may stand still as long as a machine does, unless a test says otherwise."""
    monkeypatch.setattr(admin, "HEAD_SECONDS", LONG)


@pytest.fixture
async def server():
    made = Server()
    async with serve_pages(("127.0.0.1", made.port), made.pages):
        yield made


async def test_healthz_is_fine_while_the_loop_turns(server):
    """Liveness asks nothing but for an answer: no trouble of the process makes the kubelet restart it."""
    server.trouble = "waiting for the API server"
    answer = await server.get("/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")


async def test_readyz_says_why_not(server):
    """Who is not ready answers 503 with one line that says why, and 200 once it is."""
    server.trouble = "draining"
    answer = await server.get("/readyz")
    assert (answer.status, answer.body) == (503, b"draining\n")
    server.trouble = ""
    assert (await server.get("/readyz")).status == 200


async def test_only_get_and_head_are_answered(server):
    """Nothing can be changed here: other methods are 405, and HEAD has no body."""
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"):
        answer = await server.get("/healthz", method)
        assert answer.status == (405 if method != "BREW" else 400)
        assert b"BREW" not in answer.body
    connection = await server.connect()
    await connection.send(b"HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    said = await connection.rest()
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\n")


async def test_unknown_path_is_not_repeated(server):
    """A page that is not there is 404, and nothing of what was asked for is in the answer."""
    answer = await server.get("/<script>evil</script>?token=s3cret")
    assert answer.status == 404
    assert b"evil" not in answer.body
    assert b"s3cret" not in answer.body
    assert answer.headers["content-type"].startswith("text/plain")


async def test_mistake_of_a_page_is_no_traceback(server):
    """A page that fails is 500, and says nothing of what happened."""
    answer = await server.get("/broken")
    assert answer.status == 500
    assert b"ValueError" not in answer.body
    assert b"nobody" not in answer.body


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * (MAX_HEAD_BYTES + 1) + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 1000 + b"\r\n",
    ],
)
async def test_what_is_too_large_or_no_http_is_refused(server, data, caplog):
    """Heads have a bound; what is beyond it, or no HTTP, gets 400 and no line in the log."""
    connection = await server.connect()
    await connection.send(data)
    assert (await connection.rest()).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert caplog.records == []


async def test_body_is_not_waited_for(server):
    """Who announces a body and does not send it gets an answer all the same, and no connection."""
    answers = await server.tell(b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
    assert [answer.status for answer in answers] == [200]


async def test_each_answer_ends_its_connection(server):
    """A second request on one connection is not answered."""
    answers = await server.tell(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
    assert len(answers) == 1
    assert answers[0].headers["connection"] == "close"


async def test_silent_connections_keep_nobody_out(server):
    """However many connections say nothing, a probe gets in: the oldest of them must go."""
    silent = [await server.connect() for _ in range(2 * MAX_CONNECTIONS)]
    assert (await server.get("/healthz")).status == 200
    assert await silent[0].rest() == b""
    for connection in silent:
        connection.close()


async def test_half_a_head_is_not_waited_for(server, monkeypatch):
    """Who begins a head and does not end it loses the connection."""
    monkeypatch.setattr(admin, "HEAD_SECONDS", 0.05)
    connection = await server.connect()
    await connection.send(b"GET /healthz HTTP/1.1\r\nhost:")
    assert await connection.rest() == b""


@pytest.mark.skipif(not BOTH, reason=MISSING)
async def test_all_addresses_are_those_of_both_families():
    """At :: whoever comes by IPv4 is answered too: a pod's probes may come by the one, its Service by the other."""
    made = Server()
    for _ in range(2):
        async with serve_pages(("::", made.port), made.pages):
            for host in ("127.0.0.1", "[::1]"):
                connection = await RawConnection.open(f"http://{host}:{made.port}/healthz")
                await connection.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
                assert (await connection.answer()).status == 200
                connection.close()
            with pytest.raises(UsageError, match="HOOKWRIGHT_ADMIN"):
                async with serve_pages(("::", made.port), {}):
                    pass


async def test_port_that_is_taken_names_the_setting():
    """An address that somebody else listens on ends the start with a sentence that names the variable."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="HOOKWRIGHT_ADMIN"):
            async with serve_pages(("127.0.0.1", taken.getsockname()[1]), {}):
                pass


async def test_name_that_cannot_be_one_names_the_setting():
    """What is no name of a host ends the start with a sentence too, not with a traceback."""
    with pytest.raises(UsageError, match="HOOKWRIGHT_ADMIN"):
        async with serve_pages(("a..b", 9090), {}):
            pass


async def test_port_is_free_again_afterwards():
    """The server goes with its block, although a connection is still open."""
    made = Server()
    for _ in range(2):
        async with serve_pages(("127.0.0.1", made.port), made.pages):
            await made.connect()
