"""Strangers and their bytes: requests that could be read in two ways, floods, slow senders, forged addresses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from test_process import run_process

from hookwright.app import intake
from hookwright.intake import bodies, server
from hookwright.intake.limits import ObjectLimit
from support.rawhttp import RawConnection, tell
from support.running import (
    Running,
    make_buildtrigger,
    make_headers,
    make_push,
    make_secret,
    make_webhook,
    run_hookwright,
)
from support.waiting import patience

# Whoever knows the URL starts a build with any JSON: a hidden request that is taken for one cannot hide.
OPEN = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}, "filters": []}


@dataclass(kw_only=True)
class Target:
    """A Webhook that takes everything, and the builds that it may have started."""

    running: Running
    url: str
    accepted: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        """The path of its URL."""
        return "/" + self.url.split("/", 3)[3]

    def fill(self, text: str) -> bytes:
        """Put the URL's path, and the head and the whole of a good request, into `text`."""
        head = f"POST {self.path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        hidden = f"{head}content-length: 2\r\n\r\n{{}}"
        return text.replace("HIDDEN", hidden).replace("HEAD", head).replace("PATH", self.path).encode("latin-1")

    async def check_builds(self) -> None:
        """There is a build for each delivery that was accepted, and no other."""
        await self.running.until(lambda: self.accepted <= self.built(), "what was accepted is built")
        assert self.built() == self.accepted

    async def until_served(self) -> None:
        """Deliver until that is answered: a sender whose own head comes late is ended too, and comes again."""
        async with patience():
            while True:
                began = time.monotonic()
                try:
                    answer = await self.running.push(self.url, secret=None)
                except httpx.TransportError:
                    assert time.monotonic() - began >= server.HEADER_MILLISECONDS / 1000
                else:
                    assert answer.status_code == 202
                    return

    def built(self) -> set[str]:
        """Give the names of all builds."""
        return {job["metadata"]["name"] for job in self.running.jobs()}


def peak_memory(pid: int) -> int:
    """Give the most bytes of memory that a process has had."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@asynccontextmanager
async def run_open(folder: Path, **settings) -> AsyncIterator[Target]:
    """Run Hookwright with a Webhook that takes everything."""
    async with run_hookwright(folder, **settings) as running:
        running.apply(make_buildtrigger(), make_webhook("open", **OPEN))
        yield Target(running=running, url=await running.until_ready("open"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target(tmp_path_factory) -> AsyncIterator[Target]:
    """One Hookwright for all requests that are told to it."""
    async with run_open(tmp_path_factory.mktemp("hostile"), address_limit=0) as found:
        yield found


# Each case: what is sent, and the statuses of the answers. HEAD is the start of a good request, without the end of its
# headers; HIDDEN is a whole one, which must be answered only where the bytes before it can be read in one way alone.
REQUESTS = {
    "good": ("HIDDEN", [202]),
    "pipelined": ("HIDDENHIDDENHIDDEN", [202, 202, 202]),
    "length twice, the same": ("HEADcontent-length: 2\r\ncontent-length: 2\r\n\r\n{}", [202]),
    "lengths that differ": ("HEADcontent-length: 2\r\ncontent-length: 70\r\n\r\n{}HIDDEN", [400]),
    "lengths that differ, larger first": ("HEADcontent-length: 70\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "length as a list": ("HEADcontent-length: 2, 2\r\n\r\n{}HIDDEN", [400]),
    "length with a plus": ("HEADcontent-length: +2\r\n\r\n{}HIDDEN", [400]),
    "length below nothing": ("HEADcontent-length: -2\r\n\r\n{}HIDDEN", [400]),
    "length in hexadecimals": ("HEADcontent-length: 0x2\r\n\r\n{}HIDDEN", [400]),
    "length beyond 64 bits": ("HEADcontent-length: 18446744073709551618\r\n\r\n{}HIDDEN", [400]),
    "length of nothing": ("HEADcontent-length:\r\n\r\n{}HIDDEN", [400]),
    "blank before the colon": ("HEADcontent-length : 2\r\n\r\n{}HIDDEN", [400]),
    # The chunks count, the length does not, and the connection ends: RFC 9112, 6.3.
    "length and chunks": ("HEADcontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHIDDEN", [400]),
    "chunks and length": (
        "HEADtransfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [202],
    ),
    "coding of another name": ("HEADtransfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunks that are not last": ("HEADtransfer-encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunks after identity": ("HEADtransfer-encoding: identity, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunks after gzip": ("HEADtransfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunks twice": ("HEADtransfer-encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunks in two lines": (
        "HEADtransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [400],
    ),
    "identity after chunks": (
        "HEADtransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [400],
    ),
    "identity before chunks": (
        "HEADtransfer-encoding: identity\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [400],
    ),
    "identity and length": ("HEADtransfer-encoding: identity\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    # The server counts the last line, and shows none that is not ASCII: a proxy in front must not let it pass.
    "coding that is not shown": (
        "HEADtransfer-encoding: \xff\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [202, 202],
    ),
    "coding that is not shown, last": (
        "HEADtransfer-encoding: chunked\r\ntransfer-encoding: \xff\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [400],
    ),
    "length that is not shown": ("HEADcontent-length: 2\r\ncontent-length: \xff\r\n\r\n{}HIDDEN", [400]),
    "empty coding": ("HEADtransfer-encoding:\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "quoted coding": ('HEADtransfer-encoding: "chunked"\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN', [400]),
    "vertical tab before the coding": ("HEADtransfer-encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "blank before the name": ("HEAD transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "tab before the name": ("HEAD\ttransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "blank behind the name": ("HEADtransfer-encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "tab before the coding": ("HEADtransfer-encoding:\tchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [202, 202]),
    "capitals": ("HEADTRANSFER-ENCODING: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [202, 202]),
    "folded coding": ("HEADtransfer-encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "folded line": ("HEADx-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "NUL in a value": ("HEADx-a: b\0c\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "NUL in a name": ("HEADx\0a: b\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "CR in a value": ("HEADx-a: b\rtransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "line without a colon": ("HEADx-a\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "header without a name": ("HEAD: a\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    # A bare LF ends a line for this server, as RFC 9112, 2.2 allows.
    "LF alone": (
        "POST PATH HTTP/1.1\nhost: x\ncontent-type: application/json\ncontent-length: 2\n\n{}HIDDEN",
        [202, 202],
    ),
    "LF hides a length": ("HEADx-a: b\ncontent-length: 2\r\n\r\n{}HIDDEN", [202, 202]),
    "chunk below nothing": ("HEADtransfer-encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunk beyond 64 bits": ("HEADtransfer-encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunk of all 64 bits": ("HEADtransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunk with 0x": ("HEADtransfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunk of no size": ("HEADtransfer-encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunk after a blank": ("HEADtransfer-encoding: chunked\r\n\r\n 2\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "chunk longer than it says": ("HEADtransfer-encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\nHIDDEN", [400]),
    "chunk that ends in LF": ("HEADtransfer-encoding: chunked\r\n\r\n2\n{}\n0\n\nHIDDEN", [400]),
    "broken chunk after a whole document": ("HEADtransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\nHIDDEN", [400]),
    "chunk with an extension": ("HEADtransfer-encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\nHIDDEN", [202, 202]),
    "extension with LF": ("HEADtransfer-encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\nHIDDEN", [400]),
    "extension without end": (
        "HEADtransfer-encoding: chunked\r\n\r\n2;" + "a" * 40_000 + "\r\n{}\r\n0\r\n\r\nHIDDEN",
        [400],
    ),
    # The server does not say whether a body broke off or had trailers: neither is taken.
    "trailers": (
        "HEADtransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\ncontent-length: 70\r\n\r\nHIDDEN",
        [400],
    ),
    "trailers without end": (
        "HEADtransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + "x-a: b\r\n" * 5000 + "\r\nHIDDEN",
        [400],
    ),
    "HTTP/0.9": ("POST PATH\r\n\r\nHIDDEN", [400]),
    "HTTP/1.0": ("POST PATH HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [202]),
    "HTTP/1.0 with chunks": (
        "POST PATH HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [400],
    ),
    "HTTP/1.2": ("POST PATH HTTP/1.2\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "HTTP/2.0": ("POST PATH HTTP/2.0\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [400]),
    "HTTP/2 at once": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHIDDEN", []),
    "upgrade to HTTP/2": (
        "HEADconnection: Upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\ncontent-length: 2\r\n\r\n{}HIDDEN",
        [202, 202],
    ),
    "TLS": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03HIDDEN", [400]),
    "body on GET": ("GET PATH HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [405]),
    "request in the body of GET": ("GET PATH HTTP/1.1\r\nhost: x\r\ncontent-length: 400\r\n\r\nHIDDEN", [405]),
    "chunks on GET": (
        "GET PATH HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHIDDEN",
        [405],
    ),
    "method in small letters": ("post PATH HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [405]),
    "expectation": ("HEADexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}HIDDEN", [202, 202]),
    "no length": ("HEAD\r\nHIDDEN", [400, 202]),
}
# More is announced than ever comes.
ENDLESS = {"chunk of all 64 bits"}
TARGETS = {
    "PATH": 202,
    "PATH?ref=main": 202,
    "PATH#fragment": 202,
    "http://elsewhere.example.comPATH": 202,
    "http://user:password@elsewhere.example.com:99PATH": 202,
    "ENCODED": 202,
    "PATH/": 404,
    "PATH%00": 404,
    "PATH%2f": 404,
    "/PATH": 404,
    "/.PATH": 404,
    "/x/..PATH": 404,
    "/%2e%2ePATH": 404,
    "/hooks//TOKEN": 404,
    "/HOOKS/TOKEN": 404,
    "hooks/TOKEN": 400,
    "/hooks/%ff%zz": 404,
    "*": 404,
    "http://elsewhere.example.com": 404,
    "elsewhere.example.com:80": 404,
    "/" + "a" * 12_000: 404,
    "/" + "a" * 100_000: 431,
    "PATH PATH": 400,
    "PATH\xff": 400,
    "": 400,
}
# Whoever sends on while it is refused may not hear the answer: the connection breaks.
HEADERS = {
    "98 headers": ("x-a: b\r\n" * 96, 202),
    "101 headers": ("x-a: b\r\n" * 99, 431),
    "100,000 headers": ("x-a: b\r\n" * 100_000, 431),
    "12 KB": ("x-a: " + "b" * 12_000 + "\r\n", 202),
    "100 KB": ("x-a: " + "b" * 100_000 + "\r\n", 431),
    "1 MB": ("x-a: " + "b" * 1_000_000 + "\r\n", 431),
    "1 MB in a name": ("x" * 1_000_000 + ": b\r\n", 431),
}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", REQUESTS)
async def test_no_request_hides_in_another(target: Target, monkeypatch, case):
    """Bytes that could be read in two ways get one answer and the connection ends: no second request comes of them."""
    text, statuses = REQUESTS[case]
    if case in ENDLESS:
        monkeypatch.setattr(server, "BODY_SECONDS", 0.5)
    answers = await tell(target.url, target.fill(text))
    assert [answer.status for answer in answers] == statuses
    target.accepted |= {answer.json["builds"][0]["name"] for answer in answers if answer.status == 202}
    await target.check_builds()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("form", TARGETS, ids=lambda form: form[:40])
async def test_url_has_one_form(target: Target, form):
    """A URL is its path, byte for byte once escapes are read: no slashes, dots or capitals are evened out."""
    token = target.path.rpartition("/")[2]
    encoded = "/hooks/" + "".join(f"%{ord(character):02X}" for character in token)
    wanted = form.replace("PATH", target.path).replace("TOKEN", token).replace("ENCODED", encoded)
    head = f"POST {wanted} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    connection = await RawConnection.open(target.url)
    await connection.send(head.encode("latin-1"))
    answer = await connection.answer()
    connection.close()
    assert answer.status == TARGETS[form]
    if answer.status == 202:
        target.accepted.add(answer.json["builds"][0]["name"])
    await target.check_builds()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", HEADERS)
async def test_headers_are_bounded(target: Target, case):
    """Too many headers, or too large ones, are refused, and the connection ends; the next sender is served."""
    text, status = HEADERS[case]
    answers = await tell(target.url, target.fill(f"HEAD{text}content-length: 2\r\n\r\n{{}}HIDDEN"))
    heard = [answer.status for answer in answers]
    assert heard == [202, 202] if status == 202 else heard in ([status], [])
    answers += await tell(target.url, target.fill("HIDDEN"))
    assert answers[-1].status == 202
    target.accepted |= {answer.json["builds"][0]["name"] for answer in answers if answer.status == 202}
    await target.check_builds()


@pytest.mark.asyncio(loop_scope="module")
async def test_sender_that_asks_first_is_told_to_go_on(target: Target):
    """A sender that waits for 100 Continue gets it, and then its answer."""
    connection = await RawConnection.open(target.url)
    await connection.send(target.fill("HEADexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"))
    assert (await connection.answer()).status == 100
    await connection.send(b"{}")
    answer = await connection.answer()
    connection.close()
    assert answer.status == 202
    target.accepted.add(answer.json["builds"][0]["name"])


@pytest.mark.asyncio(loop_scope="module")
async def test_refusal_ends_the_connection(target: Target):
    """A stranger gets one answer for each connection; whoever is served may go on."""
    for request, status in (("GET /", 404), ("GET PATH", 405), ("DELETE PATH", 405)):
        connection = await RawConnection.open(target.url)
        await connection.send(target.fill(f"{request} HTTP/1.1\r\nhost: x\r\n\r\n"))
        answer = await connection.answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert await connection.rest() == b""
        connection.close()
    connection = await RawConnection.open(target.url)
    for _ in range(3):
        await connection.send(target.fill("HIDDEN"))
        answer = await connection.answer()
        assert answer.status == 202
        target.accepted.add(answer.json["builds"][0]["name"])
    connection.close()
    await target.check_builds()


async def test_slow_headers_keep_nobody_out(tmp_path: Path, monkeypatch):
    """Connections that send nothing, or a header now and then, are ended after a bounded time; others are served."""
    monkeypatch.setattr(server, "HEADER_MILLISECONDS", 1_000)
    async with run_open(tmp_path) as target, AsyncExitStack() as stack:
        slow = []
        for number in range(300):
            connection = await RawConnection.open(target.url)
            stack.callback(connection.close)
            await connection.send(target.fill(["", "P", "HEAD", "HEADx-a: b\r\nx-"][number % 4]))
            slow.append(connection)
        await target.until_served()

        async def trickle(connection: RawConnection) -> None:
            while not connection.reader.at_eof():
                await connection.send(b"a")
                await asyncio.sleep(0.05)

        trickling = [asyncio.create_task(trickle(connection)) for connection in slow[3::4]]
        try:
            ended = await asyncio.gather(*(connection.rest() for connection in slow))
        finally:
            for task in trickling:
                task.cancel()
        assert not any(b"202" in answer for answer in ended)
        await target.until_served()


async def test_connections_without_number_wait_for_the_idle_ones(tmp_path: Path, monkeypatch):
    """Idle connections keep others out once there are as many as may be, but only until their time is over."""
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 20)
    monkeypatch.setattr(server, "HEADER_MILLISECONDS", 1_000)
    async with run_open(tmp_path) as target, AsyncExitStack() as stack:
        idle = [await RawConnection.open(target.url) for _ in range(20)]
        for connection in idle:
            stack.callback(connection.close)
        late = asyncio.create_task(target.until_served())
        await asyncio.wait({late, asyncio.create_task(idle[0].rest())}, return_when=asyncio.FIRST_COMPLETED)
        assert not late.done()
        await late


async def test_slow_bodies_keep_nobody_out(tmp_path: Path, monkeypatch):
    """More slow bodies than are read at once give up their places while others wait; those are served."""
    monkeypatch.setattr(bodies, "GRACE_SECONDS", 0.5)
    async with run_open(tmp_path) as target, AsyncExitStack() as stack:
        slow = []
        for number in range(bodies.MAX_READ_AT_ONCE + 50):
            connection = await RawConnection.open(target.url)
            stack.callback(connection.close)
            rest = ["content-length: 100\r\n\r\n{", "transfer-encoding: chunked\r\n\r\n1\r\n{\r\n"][number % 2]
            await connection.send(target.fill(f"HEAD{rest}"))
            slow.append(connection)
        for number in range(5):
            assert (await target.running.push(target.url, secret=None, delivery=f"d-{number}")).status_code == 202
        first = await slow[0].answer()
        assert (first.status, first.reason) == (503, "Busy")
        assert int(first.headers["retry-after"]) > 0
        still = sum(not connection.reader.at_eof() for connection in slow)
        assert still > 100


async def test_many_large_bodies_take_bounded_memory(tmp_path: Path):
    """Bodies that would fill the memory wait for each other, and all are answered; those in chunks may be sent away."""
    async with run_process(tmp_path, HOOKWRIGHT_BODY_MEMORY="25") as process:
        url = await process.running.until_ready()
        body = make_push("refs/heads/other", pad="x" * (5_000_000))

        async def chunks():
            for start in range(0, len(body), 50_000):
                yield body[start : start + 50_000]

        async def send(content) -> int:
            response = await process.running.client.post(url, content=content, headers=make_headers(body))
            return response.status_code

        assert await send(body) == 200
        before = peak_memory(process.process.pid)
        statuses = await asyncio.gather(*(send(body) for _ in range(40)))
        assert statuses == [200] * 40
        statuses = await asyncio.gather(*(send(chunks()) for _ in range(40)))
        assert set(statuses) <= {200, 503}
        # Beside the 25 MiB: the one that is judged, and the copies that the server makes of one while handing it over.
        assert peak_memory(process.process.pid) - before < 100 << 20


async def test_flood_of_one_address_is_limited(tmp_path: Path):
    """An address that proves nothing is refused 429 after its burst, whatever it asks for, and hears when to return."""
    async with run_hookwright(tmp_path, address_limit=2) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook(maxBodyBytes=1000))
        url = await running.until_ready()
        base = running.settings.public_url
        told = []
        for number in range(1000):
            match number % 4:
                case 0:
                    told.append(await running.push(url, secret="wrong"))
                case 1:
                    told.append(await running.client.post(base + "/hooks/unknown"))
                case 2:
                    told.append(await running.client.get(url))
                case _:
                    told.append(await running.push(url, b" " * 1001))
            if told[-1].status_code == 429:
                break
        assert [response.status_code for response in told[:10]] == ([401, 404, 405, 413] * 3)[:10]
        last = told[-1]
        assert (last.status_code, last.json()["reason"], last.json()["outcome"]) == (429, "AddressLimited", "refused")
        assert last.headers["retry-after"] == "1"
        assert last.headers["connection"] == "close"
        assert running.jobs() == []


async def test_flood_keeps_nobody_out_of_other_urls(tmp_path: Path):
    """Behind one address, a proxy's, floods of one URL, or of none, keep nobody out of another; status tells of it."""
    async with run_hookwright(tmp_path, address_limit=1) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook(), make_webhook("flooded"))
        flooded, free = await running.until_ready("flooded"), await running.until_ready()

        async def flood(url: str) -> None:
            async with patience():
                while (told := await running.push(url, secret="wrong", delivery="forged")).status_code != 429:
                    pass
            delivery = "forged" if url == flooded else None
            assert (told.json()["reason"], told.json()["deliveryId"]) == ("AddressLimited", delivery)
            assert (told.headers["retry-after"], told.headers["connection"]) == ("1", "close")

        await flood(running.settings.public_url + "/hooks/unknown")
        await flood(flooded)
        assert (await running.push(free)).status_code == 202
        await running.until(lambda: running.last("flooded") == ("refused", "AddressLimited"), "the owner can read it")


async def test_authentic_deliveries_do_not_count(tmp_path: Path):
    """An address may deliver as much as it likes as long as its deliveries are authentic, filtered out or not."""
    async with run_hookwright(tmp_path, address_limit=1) as running:
        running.apply(make_secret(), make_buildtrigger(), make_webhook())
        url = await running.until_ready()
        for number in range(20):
            body = make_push() if number % 2 else make_push("refs/heads/other")
            response = await running.push(url, body, delivery=f"d-{number}")
            assert response.status_code == (202 if number % 2 else 200)
        await running.until(lambda: len(running.jobs()) == 10)


async def test_object_has_a_rate_limit(tmp_path: Path, monkeypatch):
    """A Webhook with a rate limit refuses what is beyond it with 429; another Webhook is not concerned."""
    # However long the deliveries take, none is admitted because a minute is over.
    monkeypatch.setattr(intake, "ObjectLimit", lambda _clock: ObjectLimit(lambda: 0.0))
    async with run_hookwright(tmp_path, address_limit=1) as running:
        limit = {"perMinute": 1, "burst": 2}
        running.apply(make_secret(), make_buildtrigger(), make_webhook(), make_webhook("limited", rateLimit=limit))
        url, free = await running.until_ready("limited"), await running.until_ready()
        told = [await running.push(url, delivery=f"d-{number}") for number in range(8)]
        assert [response.status_code for response in told] == [202, 202] + [429] * 6
        assert told[2].json()["reason"] == "RateLimited"
        assert 1 <= int(told[2].headers["retry-after"]) <= 60
        assert (await running.push(url, delivery="d-0")).status_code == 429
        assert (await running.push(free)).status_code == 202


async def test_forged_address_before_a_trusted_proxy(tmp_path: Path):
    """What a client puts into X-Forwarded-For itself neither opens an IP range nor counts for somebody else."""
    settings = {"trusted_proxies": "127.0.0.0/8", "address_limit": 2}

    def make_ranged(name: str, allowed: str) -> dict:
        configuration = {"allowedIPRange": allowed}
        return make_webhook(name, authentication="IP", authenticationConfiguration=configuration, filters=[])

    async with run_hookwright(tmp_path, **settings) as running:
        running.apply(make_buildtrigger(), make_ranged("far", "198.51.100.0/24"), make_ranged("near", "127.0.0.0/8"))
        far, near = await running.until_ready("far"), await running.until_ready("near")

        async def send(*lines: str, url: str = far) -> int:
            forwarded = [("x-forwarded-for", line.encode("latin-1")) for line in lines]
            headers = [("content-type", "application/json"), *forwarded]
            return (await running.client.post(url, content=b"{}", headers=headers)).status_code

        assert await send("198.51.100.1") == 202
        assert await send("203.0.113.1, 198.51.100.1:4711") == 202
        assert await send("198.51.100.1, 203.0.113.2") == 403
        assert await send("198.51.100.1", "203.0.113.3") == 403
        assert await send("198.51.100.1, unknown") == 403
        assert await send("\xff, 198.51.100.1") == 403
        assert await send("") == 403
        assert await send() == 403
        # The proxy may speak for itself, but nobody can make it look so by a header that cannot be read.
        assert await send(url=near) == 202
        assert await send("\xff, 203.0.113.4", url=near) == 403
        assert await send("127.0.0.1, 203.0.113.4", url=near) == 403
        flood = []
        while 429 not in flood and len(flood) < 1000:
            flood.append(await send(f"198.51.100.{len(flood) % 256}, 203.0.113.9"))
        assert flood[:10] == [403] * 10
        assert flood[-1] == 429
        assert await send("198.51.100.1") == 202
        assert await send("203.0.113.10") == 403
        await running.until(lambda: len(running.jobs()) == 4)
