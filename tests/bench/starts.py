# ruff: noqa: T201 - a script that prints
"""How many builds per second the worker starts, and how long it takes from a delivery to its Job.

Run it as `python tests/bench/starts.py`. The yardstick, taken in the same round against the same API server, is plain
aiohttp that creates the same Jobs, as many at a time. The API server is the development one, in a process of its own:
it is in Python too, so the table says how busy it was, and what each way costs the client in CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import uvloop
from harness import builds, latency
from harness.builds import CONCURRENCY, Order, Place, make_orders, visit
from harness.children import BenchmarkError, cpu_seconds
from harness.devcluster import ApiServer, furnish, serving
from harness.figures import compare, percentile, spread, tell, write_table
from harness.product import running_product

from hookwright.logs import set_up_logs
from hookwright.settings import Settings

BUILDS_PER_SECOND = 500
"""So many builds stand in the journal for each second that a measurement is to take, roughly."""
WARM_UP_BUILDS = 100
BUSY = 0.85
"""A process that used so much of one core was what limited the rate: the development server has one thread."""

T = TypeVar("T")

RAW = "raw creates over aiohttp"
WORKER = "the worker, from a journal"
PRODUCT = "a delivery to hookwright run"
WAYS: Final[dict[str, Callable[[Place, Sequence[Order], Path], Awaitable[float]]]] = {
    RAW: builds.create_raw,
    WORKER: builds.create_by_worker,
    "KubernetesCluster.create": builds.create_by_port,
    "BatchV1Api.create_namespaced_job": builds.create_typed,
}


@dataclass(frozen=True, kw_only=True)
class Starts:
    """What one way gave in one round: Jobs per second, CPU microseconds per Job, shares of a core that were used."""

    rate: float
    client_cpu: float
    client_busy: float
    server_busy: float


@dataclass(frozen=True, kw_only=True)
class Delays:
    """What one way gave in one round at a set pace: milliseconds until the Job was there."""

    p50: float
    p99: float


def measure_starts(folder: Path, *, seconds: float, rounds: int) -> dict[str, list[Starts]]:
    """Take every way once in each round; each round has an API server of its own."""
    found: dict[str, list[Starts]] = {name: [] for name in WAYS}
    for number in range(rounds):
        here = folder / f"starts-{number}"
        here.mkdir()
        with serving(here) as server:
            tell(f"starts, round {number + 1} of {rounds}")
            for name, starts in _run(_start_in_all_ways(server, here, int(seconds * BUILDS_PER_SECOND))).items():
                found[name].append(starts)
    return found


async def _start_in_all_ways(server: ApiServer, folder: Path, count: int) -> dict[str, Starts]:
    await furnish(server.kubeconfig, webhooks=1)
    place, found = await visit(server), {}
    for name, create in WAYS.items():
        own = folder / name.replace(" ", "-")
        await create(place, make_orders(place, WARM_UP_BUILDS), own / "warm-up")
        orders = make_orders(place, count)
        client_cpu, server_cpu = time.process_time(), cpu_seconds(server.child.pid)
        elapsed = await create(place, orders, own / "measured")
        client_cpu, server_cpu = time.process_time() - client_cpu, cpu_seconds(server.child.pid) - server_cpu
        found[name] = Starts(
            rate=count / elapsed,
            client_cpu=client_cpu / count * 1e6,
            client_busy=client_cpu / elapsed,
            server_busy=server_cpu / elapsed,
        )
    return found


def measure_delays(folder: Path, *, seconds: float, rounds: int) -> dict[str, list[Delays]]:
    """Take both ways once in each round, against one API server and one `hookwright run`."""
    with serving(folder) as server:
        _run(furnish(server.kubeconfig, webhooks=1))
        with running_product(server.kubeconfig, folder):
            return _run(_time_both_ways(server, count=int(seconds * latency.PER_SECOND), rounds=rounds))


async def _time_both_ways(server: ApiServer, *, count: int, rounds: int) -> dict[str, list[Delays]]:
    place = await visit(server)
    url = await latency.find_url(place)
    found: dict[str, list[Delays]] = {RAW: [], PRODUCT: []}
    for number in range(rounds + 1):
        tell(f"delays, round {number} of {rounds}")
        for name, times in (
            (RAW, await latency.time_creates(place, count=count)),
            (PRODUCT, await latency.time_deliveries(place, url, count=count)),
        ):
            if number > 0:  # the first round warms up
                found[name].append(Delays(p50=percentile(times, 0.5) * 1e3, p99=percentile(times, 0.99) * 1e3))
    return found


def _run(work: Coroutine[Any, Any, T]) -> T:  # any: as Coroutine has it
    """Run `work` in the event loop that the product uses."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def report_starts(found: Mapping[str, Sequence[Starts]]) -> None:
    """Print the rates as a table."""
    raw = found[RAW]
    rows = [
        (
            name,
            spread([one.rate for one in rounds]).show(),
            compare([one.rate for one in rounds], [one.rate for one in raw]).show(2),
            spread([one.client_cpu for one in rounds]).show(),
            compare([one.client_cpu for one in rounds], [one.client_cpu for one in raw]).show(2),
            spread([one.client_busy for one in rounds]).show(2),
            spread([one.server_busy for one in rounds]).show(2),
        )
        for name, rounds in found.items()
    ]
    print(f"{CONCURRENCY} creates at a time; median (least-most) of {len(raw)} rounds")
    headings = ("", "Jobs/s", "of raw", "client's CPU us", "of raw", "client's cores", "API server's cores")
    print(write_table(headings, rows))
    busy = spread([one.server_busy for one in raw]).median
    if busy >= BUSY:
        print(
            f"The development API server used {busy:.2f} of its one core for raw creates: it is what limits them, and "
            "with a faster one the others would fall behind as the client's CPU time says."
        )


def report_delays(found: Mapping[str, Sequence[Delays]]) -> None:
    """Print the delays as a table."""
    raw = found[RAW]
    rows = [
        (
            name,
            spread([one.p50 for one in rounds]).show(1),
            spread([one.p99 for one in rounds]).show(1),
            compare([one.p50 for one in rounds], [one.p50 for one in raw]).show(2),
            compare([one.p99 for one in rounds], [one.p99 for one in raw]).show(2),
        )
        for name, rounds in found.items()
    ]
    print(f"From the request until a watch shows the Job, at {latency.PER_SECOND:.0f} per second")
    print(write_table(("", "p50 ms", "p99 ms", "p50 of raw", "p99 of raw"), rows))


def main() -> int:
    """Print both tables, and write the figures as JSON if asked to; exit code 1 if something else was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each takes, roughly (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is taken (default 5)")
    parser.add_argument("--folder", help="where the journals are: the disk matters (default: the temporary folder)")
    arguments = parser.parse_args()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, TemporaryDirectory(dir=arguments.folder) as folder:
        # The worker's log lines are part of its work.
        set_up_logs(Settings(), stream=nowhere)
        try:
            starts = measure_starts(Path(folder), seconds=arguments.seconds, rounds=arguments.rounds)
            delays = measure_delays(Path(folder), seconds=arguments.seconds, rounds=arguments.rounds)
        except BenchmarkError as error:
            print(f"nothing was measured: {error}", file=sys.stderr)
            return 1
    tell("")
    report_starts(starts)
    print()
    report_delays(delays)
    if arguments.json:
        figures = {
            "starts": {name: [asdict(one) for one in rounds] for name, rounds in starts.items()},
            "delays": {name: [asdict(one) for one in rounds] for name, rounds in delays.items()},
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
