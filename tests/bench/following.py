# ruff: noqa: T201 - a script that prints
"""How much memory it takes to follow builds that have not ended.

Run it as `python tests/bench/following.py`. An operator is weighed before and after so many builds have come, and
another one that is started when they are there. Exit code 1 if either has more than 60 MB more for 1,000 builds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import deliveries
from harness.builds import create_by_port, make_orders, visit
from harness.children import BenchmarkError, resident_megabytes
from harness.devcluster import ApiServer, furnish, serving
from harness.figures import spread, tell, write_table
from harness.product import running_operator

from hookwright.cluster import BUILDTRIGGERS
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.kinds import MAX_ACTIVE, Raw

BOUND_BUILDS, BOUND_MEGABYTES = 1_000, 60.0
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 0.2
# What comes after the last patch, such as the garbage of a list, has settled then.
SETTLE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class Weights:
    """MB in RAM of one round: an operator before and after the builds came, and one that found them there."""

    before: float
    after: float
    started: float

    @property
    def grown(self) -> float:
        """What the builds added to the one that saw them come."""
        return self.after - self.before

    @property
    def found(self) -> float:
        """What they added to the one that found them."""
        return self.started - self.before


def weigh(folder: Path, builds: int) -> Weights:
    """Weigh operators in a cluster of their own, in which so many builds run."""
    folder.mkdir(parents=True)
    with serving(folder) as server:
        asyncio.run(furnish(server.kubeconfig, webhooks=1))
        with running_operator(server.kubeconfig, folder / "one") as operator:
            asyncio.run(_wait_until(server, lambda status: "conditions" in status))
            before = _weigh(operator.pid)
            asyncio.run(_start(server, builds, folder))
            asyncio.run(_wait_until(server, lambda status: _follows(status, builds)))
            after = _weigh(operator.pid)
        asyncio.run(_forget(server))
        with running_operator(server.kubeconfig, folder / "two") as operator:
            asyncio.run(_wait_until(server, lambda status: _follows(status, builds)))
            return Weights(before=before, after=after, started=_weigh(operator.pid))


def _weigh(pid: int) -> float:
    time.sleep(SETTLE_SECONDS)
    return resident_megabytes(pid)


async def _start(server: ApiServer, builds: int, folder: Path) -> None:
    place = await visit(server)
    await create_by_port(place, make_orders(place, builds), folder)


def _follows(status: Raw, builds: int) -> bool:
    return len(status.get("active", ())) == min(builds, MAX_ACTIVE) and status["lastBuild"]["phase"] == "Running"


async def _wait_until(server: ApiServer, happened: Callable[[Raw], bool]) -> None:
    """Wait until something is true of the status of the one BuildTrigger."""
    access = await load_access(server.kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await cluster.get(BUILDTRIGGERS, namespace=deliveries.NAMESPACE, name=deliveries.TARGET)
            if found is not None and happened(found.get("status") or {}):
                return
            await asyncio.sleep(POLL_SECONDS)


async def _forget(server: ApiServer) -> None:
    """Take out of status what stands there of builds."""
    access = await load_access(server.kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:
        await cluster.patch(
            BUILDTRIGGERS,
            {"status": {"active": [], "lastBuild": None}},
            namespace=deliveries.NAMESPACE,
            name=deliveries.TARGET,
            subresource="status",
        )


def report(weights: dict[int, Sequence[Weights]]) -> None:
    """Print the figures as a table."""
    rows = [
        (
            f"{builds:,} active builds",
            spread([one.before for one in rounds]).show(1),
            spread([one.grown for one in rounds]).show(1),
            spread([one.found for one in rounds]).show(1),
        )
        for builds, rounds in weights.items()
    ]
    print(f"MB of an operator; median (least-most) of {len(next(iter(weights.values())))} rounds")
    print(write_table(("", "without builds", "more when they come", "more when they are found"), rows))


def is_too_much(rounds: Sequence[Weights]) -> bool:
    """Say whether so many builds take more memory than they may."""
    medians = spread([one.grown for one in rounds]).median, spread([one.found for one in rounds]).median
    return max(medians) > BOUND_MEGABYTES


def main() -> int:
    """Print the table, and write the figures as JSON if asked to; exit code 1 if it takes too much memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures to FILE")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is taken (default 3)")
    parser.add_argument("--builds", type=int, nargs="+", default=[BOUND_BUILDS], help=f"default: {BOUND_BUILDS}")
    arguments = parser.parse_args()
    weights: dict[int, list[Weights]] = {builds: [] for builds in arguments.builds}
    with TemporaryDirectory() as folder:
        try:
            for number in range(arguments.rounds):
                for builds in arguments.builds:
                    tell(f"round {number + 1} of {arguments.rounds}: {builds:,} builds")
                    weights[builds].append(weigh(Path(folder) / f"round-{number}-{builds}", builds))
        except (BenchmarkError, TimeoutError) as error:
            print(f"nothing was measured: {error or 'the builds did not come into status'}", file=sys.stderr)
            return 1
    tell("")
    report(weights)
    if arguments.json:
        figures = {builds: [asdict(one) for one in rounds] for builds, rounds in weights.items()}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(is_too_much(rounds) for builds, rounds in weights.items() if builds <= BOUND_BUILDS))


if __name__ == "__main__":
    sys.exit(main())
