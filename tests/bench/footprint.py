# ruff: noqa: T201 - a script that prints
"""How much memory and CPU time Hookwright takes when nothing happens, and how long its commands take to be there.

Run it as `python tests/bench/footprint.py`. The yardstick for memory and for the time until it is there, taken in the
same round, is a Python process that has imported the libraries that cannot be done without, and nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import deliveries
from harness.children import (
    REPOSITORY,
    BenchmarkError,
    cpu_seconds,
    find_free_port,
    make_environ,
    resident_megabytes,
    running,
)
from harness.devcluster import furnish, serving
from harness.figures import compare, spread, tell, write_table
from harness.product import UNKNOWN_PATH, running_product

from hookwright.cluster import WEBHOOKS
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.kinds import Raw

PEER_IMPORTS = "import kopf, kubernetes.aio.client"
PEER = f"python -c '{PEER_IMPORTS}'"
DEV = "hookwright dev, until it answers"
DEMO = "hookwright demo, to its end"
EXAMPLE = REPOSITORY / "examples" / "hello"
SLOWEST_IMPORTS = 15
SETTLE_SECONDS = 120.0
POLL_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Idle:
    """What one process took in one round: MB in RAM, per cent of one core, seconds until all Webhooks were ready."""

    memory: float
    cpu: float
    ready: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything: idle processes by name, and seconds by command."""

    idle: Mapping[str, Sequence[Idle]]
    seconds: Mapping[str, Sequence[float]]


def measure(folder: Path, *, webhooks: Sequence[int], seconds: float, rounds: int) -> Figures:
    """Take every figure once in each round."""
    names = [PEER, *(f"hookwright run, {count:,} Webhooks" for count in webhooks)]
    idle: dict[str, list[Idle]] = {name: [] for name in names}
    took: dict[str, list[float]] = {PEER: [], DEV: [], DEMO: []}
    for number in range(rounds):
        here = folder / f"round-{number}"
        tell(f"round {number + 1} of {rounds}: commands")
        took[PEER].append(time_peer())
        took[DEV].append(time_dev())
        took[DEMO].append(time_demo())
        tell(f"round {number + 1} of {rounds}: idle processes")
        for name, one in zip(names, weigh(here, webhooks=webhooks, seconds=seconds), strict=True):
            idle[name].append(one)
    tell("")
    return Figures(idle=idle, seconds=took)


def weigh(folder: Path, *, webhooks: Sequence[int], seconds: float) -> list[Idle]:
    """Start the peer and one `hookwright run` for each number of Webhooks, and watch all of them do nothing."""
    with ExitStack() as stack:
        peer = stack.enter_context(running("-c", f"{PEER_IMPORTS}; print(flush=True); input()"))
        peer.read_line()
        pids, ready = [peer.pid], [0.0]
        for count in webhooks:
            here = folder / str(count)
            here.mkdir(parents=True)
            server = stack.enter_context(serving(here))
            asyncio.run(furnish(server.kubeconfig, webhooks=count))
            start = time.perf_counter()
            product = stack.enter_context(running_product(server.kubeconfig, here))
            asyncio.run(_wait_until_ready(server.kubeconfig, count))
            pids.append(product.child.pid)
            ready.append(time.perf_counter() - start)
        before = [cpu_seconds(pid) for pid in pids]
        time.sleep(seconds)  # this is what is measured: that nothing happens
        return [
            Idle(memory=resident_megabytes(pid), cpu=(cpu_seconds(pid) - cpu) / seconds * 100, ready=settled)
            for pid, cpu, settled in zip(pids, before, ready, strict=True)
        ]


async def _wait_until_ready(kubeconfig: Path, count: int) -> None:
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster, asyncio.timeout(SETTLE_SECONDS):
        while True:
            found = [one async for one in cluster.list(WEBHOOKS, namespace=deliveries.NAMESPACE)]
            if len(found) == count and all(_is_ready(one) for one in found):
                return
            await asyncio.sleep(POLL_SECONDS)


def _is_ready(webhook: Raw) -> bool:
    conditions = webhook.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def time_peer() -> float:
    """Give the seconds that the bare imports take, from the start of the process to its end."""
    start = time.perf_counter()
    with running("-c", PEER_IMPORTS) as child:
        child.ask(b"")
    return time.perf_counter() - start


def time_dev() -> float:
    """Give the seconds from the start of `hookwright dev` until its receiver answers."""
    port, start = find_free_port(), time.perf_counter()
    with running("-m", "hookwright", "dev", "--port", str(port)) as child:
        return child.wait_for_answer(port, UNKNOWN_PATH, status=404) - start


def time_demo() -> float:
    """Give the seconds that `hookwright demo` takes; it has to end well."""
    start = time.perf_counter()
    with running("-m", "hookwright", "demo", "-f", str(EXAMPLE)) as child:
        child.ask(b"")
    return time.perf_counter() - start


def report(figures: Figures) -> None:
    """Print the figures as two tables."""
    peer = [one.memory for one in figures.idle[PEER]]
    rows = [
        (
            name,
            spread([one.memory for one in rounds]).show(1),
            compare([one.memory for one in rounds], peer).show(2),
            spread([one.cpu for one in rounds]).show(2),
            spread([one.ready for one in rounds]).show(1) if name != PEER else "",
        )
        for name, rounds in figures.idle.items()
    ]
    print(f"Idle; median (least-most) of {len(peer)} rounds")
    print(write_table(("", "memory MB", "of bare imports", "% of a core", "s until all ready"), rows))
    print()
    seconds = figures.seconds
    took = [(name, spread(times).show(2), compare(times, seconds[PEER]).show(2)) for name, times in seconds.items()]
    print(write_table(("", "seconds", "of bare imports"), took))


def report_imports() -> None:
    """Print what the import of everything that `hookwright run` needs spends most time on."""
    answer = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import hookwright.commands, hookwright.app"],
        check=True,
        capture_output=True,
        text=True,
        env=make_environ({}),
        cwd=REPOSITORY,
    )
    # Lines look like `import time:  own us | cumulative us |  name`; a name is indented by its depth.
    entries = [line.removeprefix("import time:").split("|") for line in answer.stderr.splitlines() if "|" in line]
    numbers = [(int(own), int(total), name.strip()) for own, total, name in entries if own.strip().isdecimal()]
    print(f"\nImports of hookwright.commands and hookwright.app: {sum(own for own, _, _ in numbers) / 1e3:.0f} ms")
    packages: dict[str, int] = {}
    for own, _, name in numbers:
        package = name.partition(".")[0]
        packages[package] = packages.get(package, 0) + own
    largest = sorted(packages.items(), key=lambda one: -one[1])[:SLOWEST_IMPORTS]
    print(write_table(("package, without what it imports", "ms"), [(name, f"{us / 1e3:.1f}") for name, us in largest]))


def main() -> int:
    """Print the tables, and write the figures as JSON if asked to; exit code 1 if something did not work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long nothing happens (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is taken (default 3)")
    parser.add_argument("--webhooks", type=int, nargs="+", default=[0, 10, 1000], help="default: 0 10 1000")
    parser.add_argument("--verbose", action="store_true", help="say which imports take the time")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        try:
            figures = measure(
                Path(folder), webhooks=arguments.webhooks, seconds=arguments.seconds, rounds=arguments.rounds
            )
        except (BenchmarkError, TimeoutError) as error:
            print(f"nothing was measured: {error or 'the Webhooks did not become ready'}", file=sys.stderr)
            return 1
    report(figures)
    if arguments.verbose:
        report_imports()
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(figures), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
