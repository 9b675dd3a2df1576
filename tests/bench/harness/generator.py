"""The load generator: `python -m harness.generator`, a process of its own.

It reads a plan on standard input and writes what came of it to standard output, both as JSON. Each connection sends its
next request when the last one is answered. Bounded in connections, requests and time; it speaks to loopback only.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import sys
import time
from array import array
from collections import Counter
from itertools import cycle
from typing import Any, cast

import uvloop

MOST_CONNECTIONS = 256
MOST_SECONDS = 120.0
LAST_ANSWERS_SECONDS = 10.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Load:
    """What all connections share: the requests, the time, and what was measured."""

    def __init__(self, plan: dict[str, Any]) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in plan["headers"].items())
        body = plan["body"].encode()
        lines = f"HTTP/1.1\r\nHost: {plan['host']}\r\n{head}Content-Length: {len(body)}\r\n{plan['idHeader']}: "
        self._starts = cycle([f"POST {path} {lines}".encode() for path in plan["paths"]])
        self._end = b"\r\n\r\n" + body
        self._run = f"{time.time_ns():x}"
        self._left = int(plan["most"])
        self._count = 0
        self.counts_from = time.perf_counter() + plan["warmUp"]
        self.stops_at = self.counts_from + plan["seconds"]
        self.seconds = array("d")
        self.statuses: Counter[str] = Counter()
        self.samples: dict[str, str] = {}
        self.answered = 0
        self.broken = 0

    def next_request(self) -> bytes | None:
        """Give a request with a delivery id that no other one has; None when it is enough."""
        if self._count >= self._left or time.perf_counter() >= self.stops_at:
            return None
        self._count += 1
        return b"%b%b-%d%b" % (next(self._starts), self._run.encode(), self._count, self._end)

    def note(self, sent: float, status: bytes, body: bytes) -> None:
        """Take an answer; what came while the server was warming up, or after the end, is not part of the figures."""
        now = time.perf_counter()
        self.answered += 1
        if not self.counts_from <= now < self.stops_at:
            return
        self.seconds.append(now - sent)
        key = status.decode()
        self.statuses[key] += 1
        if key not in self.samples:
            self.samples[key] = body.decode(errors="replace")


class Connection(asyncio.Protocol):
    """One connection that is kept: send, wait for the whole answer, send."""

    def __init__(self, load: Load, over: asyncio.Future[None]) -> None:
        self._load = load
        self._over = over
        self._sent = 0.0
        self._received = b""
        self._waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is not one by name
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        found = _LENGTH.search(received, 0, end) if end >= 0 else None
        if found is None or len(received) < end + 4 + int(found[1]):
            self._received = received
            return
        self._received = b""
        self._waits = False
        self._load.note(self._sent, received[9:12], received[end + 4 :])
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; a connection that was lost with a request on it is counted."""
        if self._waits or exc is not None:
            self._load.broken += 1
        if not self._over.done():
            self._over.set_result(None)

    def _send(self) -> None:
        request = self._load.next_request()
        if request is None:
            self._transport.close()
            return
        self._waits = True
        self._sent = time.perf_counter()
        self._transport.write(request)


async def generate(plan: dict[str, Any]) -> dict[str, Any]:
    """Do what the plan says; give what was measured."""
    host, port = plan["host"], int(plan["port"])
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is no loopback address: nobody else's server is put under load")
    if plan["connections"] > MOST_CONNECTIONS or plan["seconds"] + plan["warmUp"] > MOST_SECONDS:
        raise ValueError(f"at most {MOST_CONNECTIONS} connections and {MOST_SECONDS:.0f} seconds")
    loop, load = asyncio.get_running_loop(), Load(plan)
    ends: list[asyncio.Future[None]] = []
    for _ in range(plan["connections"]):
        over = loop.create_future()
        ends.append(over)
        # mypy cannot tell the type of a lambda with a default.
        await loop.create_connection(lambda over=over: Connection(load, over), host, port)  # type: ignore[misc]
    await asyncio.sleep(load.counts_from - time.perf_counter())
    cpu = time.process_time()
    await asyncio.wait(ends, timeout=load.stops_at - time.perf_counter() + LAST_ANSWERS_SECONDS)
    load.broken += sum(not end.done() for end in ends)
    load.seconds = array("d", sorted(load.seconds))
    return {
        "seconds": plan["seconds"],
        "cpu": time.process_time() - cpu,
        "statuses": load.statuses,
        "samples": load.samples,
        "answered": load.answered,
        "broken": load.broken,
        "p50": _at(load.seconds, 0.50),
        "p99": _at(load.seconds, 0.99),
    }


def _at(ordered: array[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def main() -> None:
    """Read the plan, do it, and write what came of it."""
    plan = json.load(sys.stdin)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(runner.run(generate(plan)), sys.stdout)


if __name__ == "__main__":
    main()
