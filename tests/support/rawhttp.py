"""HTTP by hand: bytes that no honest client would send, and all that is answered to them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from support.waiting import patience

PATIENCE = 60.0
# A request that is answered 404, which ends the connection: after it there is nothing more to be read.
SENTINEL = b"GET /sentinel HTTP/1.1\r\nhost: sentinel\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The document in the body."""
        return json.loads(self.body) if self.body else {}

    @property
    def reason(self) -> str:
        """The reason that Hookwright gives; empty where the answer is the server's own."""
        return str(self.json.get("reason", ""))


@dataclass(kw_only=True)
class RawConnection:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    received: bytearray = field(default_factory=bytearray)

    @classmethod
    async def open(cls, url: str) -> RawConnection:
        """Connect to the host of `url`."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(reader=reader, writer=writer, path=parts.path)

    async def send(self, data: bytes) -> None:
        """Send bytes; that the other end has hung up is seen when reading."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            pass

    async def answer(self) -> RawAnswer:
        """Give the next answer."""
        async with patience(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status, headers = _read_head(head)
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return RawAnswer(status=status, headers=headers, body=body)

    async def rest(self) -> bytes:
        """Give all that comes until the other end hangs up."""
        async with patience(PATIENCE):
            try:
                while piece := await self.reader.read(65536):
                    self.received += piece
            except OSError:
                pass
        return bytes(self.received)

    def close(self) -> None:
        """Hang up."""
        self.writer.close()


async def tell(url: str, data: bytes) -> list[RawAnswer]:
    """Send bytes on a connection of their own, and give every answer to them that is not an interim one."""
    connection = await RawConnection.open(url)
    try:
        await connection.send(data + SENTINEL)
        answers = read_answers(await connection.rest())
    finally:
        connection.close()
    if answers and answers[-1].reason == "URLUnknown":
        answers.pop()
    return [answer for answer in answers if answer.status >= 200]


def read_answers(data: bytes) -> list[RawAnswer]:
    """Read the answers that stand one after the other."""
    answers = []
    while data:
        head, found, rest = data.partition(b"\r\n\r\n")
        assert found, data
        status, headers = _read_head(head)
        length = int(headers.get("content-length", "0"))
        answers.append(RawAnswer(status=status, headers=headers, body=rest[:length]))
        data = rest[length:]
    return answers


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines[1:])
    return int(lines[0].split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}
