"""What a load generator is to send, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.children import HOST, BenchmarkError, cpu_seconds, running

CONNECTIONS = 32
WARM_UP_SECONDS = 0.3
MOST_REQUESTS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """One kind of request, and the answer that it must get; `reason` is empty where an answer has none."""

    name: str
    paths: Sequence[str]
    headers: Mapping[str, str]
    body: bytes
    status: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What came back: answers per second, times in milliseconds, CPU time per answer in microseconds."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    generator_busy: float
    count: int


def put_load(traffic: Traffic, *, port: int, server: int, seconds: float) -> Answers:
    """Send `traffic` to a port of this machine for so long; `server` is the process that answers.

    Raises:
        BenchmarkError: not every answer was the expected one.
    """
    plan = {
        "host": HOST,
        "port": port,
        "connections": CONNECTIONS,
        "paths": list(traffic.paths),
        "headers": dict(traffic.headers),
        "idHeader": "X-GitHub-Delivery",
        "body": traffic.body.decode(),
        "warmUp": WARM_UP_SECONDS,
        "seconds": seconds,
        "most": MOST_REQUESTS,
    }
    cpu = cpu_seconds(server)
    with running("-m", "harness.generator") as generator:
        found = json.loads(generator.ask(json.dumps(plan).encode(), seconds=seconds + 60))
    cpu = cpu_seconds(server) - cpu
    _check(traffic, found)
    count = sum(found["statuses"].values())
    return Answers(
        rate=count / seconds,
        p50=found["p50"] * 1e3,
        p99=found["p99"] * 1e3,
        server_cpu=cpu / found["answered"] * 1e6,
        generator_busy=found["cpu"] / seconds,
        count=count,
    )


def _check(traffic: Traffic, found: dict[str, dict[str, str]]) -> None:
    """Make sure that what was measured is what was to be measured."""
    statuses, broken = found["statuses"], found["broken"]
    wanted = str(traffic.status)
    if broken or set(statuses) != {wanted}:
        raise BenchmarkError(
            f"{traffic.name}: all answers were to be {wanted}; there were {statuses}, and {broken} broken connections: "
            f"{found['samples']}"
        )
    sample = found["samples"][wanted]
    if traffic.reason and json.loads(sample).get("reason") != traffic.reason:
        raise BenchmarkError(f"{traffic.name}: the reason was to be {traffic.reason}: {sample}")
