# ruff: noqa: T201 - a script that prints
"""What many Webhooks cost: memory of each role, and what it takes to reconcile all of them from nothing.

Run it as `python tests/bench/scale.py`. The Webhooks are there before anything of Hookwright runs; then an operator and
a receiver start, each alone. The yardstick for time is a client that writes as many statuses, as fast as it can, before
that.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import deliveries
from harness.children import BenchmarkError, resident_megabytes
from harness.devcluster import furnish
from harness.figures import tell, write_table
from harness.pace import work_off
from harness.product import running_operator, running_product

from hookwright.cluster import WEBHOOKS
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.devcluster import DevCluster, faults
from hookwright.kinds import Raw

POLL_SECONDS = 3.0  # each look copies everything
SETTLE_SECONDS = 600.0
WRITERS = 8  # as many as the operator has workers
SETTLED_SECONDS = 5.0


async def write_statuses(kubeconfig: Path, count: int) -> float:
    """Give the seconds that one status patch of each Webhook takes."""
    access = await load_access(kubeconfig)
    async with KubernetesCluster(access.configuration) as cluster:

        async def write(number: int) -> None:
            await cluster.patch(
                WEBHOOKS,
                {"status": {"errorMessage": "x"}},
                namespace=deliveries.NAMESPACE,
                name=f"hook-{number}",
                subresource="status",
            )

        start = time.perf_counter()
        await work_off(write, range(count), at_once=WRITERS)
        return time.perf_counter() - start


def wait_until_ready(cluster: DevCluster, count: int) -> None:
    """Wait until every Webhook is Ready."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        found = cluster.list("webhooks.hookwright.dev", deliveries.NAMESPACE)
        ready = sum(1 for one in found if is_ready(one))
        if ready == count:
            return
        time.sleep(POLL_SECONDS)
    raise BenchmarkError(f"{ready} of {count} Webhooks are Ready after {SETTLE_SECONDS:.0f} s")


def is_ready(webhook: Raw) -> bool:
    """Say whether a Webhook is Ready."""
    conditions = webhook.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def describe(method: str, path: str) -> str:
    """Give a request's kind, without names."""
    parts = path.split("/")
    if path.endswith("/status"):
        return f"{method} {parts[-3]}/status"
    plurals = [part for part in parts if part in {"webhooks", "buildtriggers", "secrets", "events", "jobs", "leases"}]
    return f"{method} {plurals[-1] if plurals else 'other'}"


def measure(folder: Path, count: int) -> None:
    """Measure everything once, and print it."""
    # Every request is to be counted, not the newest only: a record without a length keeps all.
    faults.REQUESTS = None
    with DevCluster.in_thread(job_seconds=3600) as cluster:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(cluster.kubeconfig(), encoding="utf-8")
        tell(f"making {count:,} Webhooks")
        asyncio.run(furnish(kubeconfig, webhooks=count))
        tell("writing a status of each, as a yardstick")
        bare = asyncio.run(write_statuses(kubeconfig, count))
        before = len(cluster.requests)
        tell("an operator from nothing")
        start = time.perf_counter()
        with running_operator(kubeconfig, folder) as operator:
            wait_until_ready(cluster, count)
            took = time.perf_counter() - start
            time.sleep(SETTLED_SECONDS)
            weight = resident_megabytes(operator.pid)
        requests = cluster.requests[before:]
        calls = Counter(describe(one.method, one.path) for one in requests)
        tell("a receiver")
        with running_product(kubeconfig, folder / "receiver", role="receiver") as receiver:
            time.sleep(SETTLED_SECONDS)
            held = resident_megabytes(receiver.child.pid)
    tell("")
    print(f"{count:,} Webhooks on one Secret")
    print(
        write_table(
            ("", "figure"),
            [
                ("operator, memory MB", f"{weight:.0f}"),
                ("receiver, memory MB", f"{held:.0f}"),
                ("all reconciled, s", f"{took:.1f}"),
                ("… of bare status patches", f"{took / bare:.2f}"),
                ("API calls per Webhook", f"{sum(calls.values()) / count:.2f}"),
                *((f"… {name}", f"{number / count:.2f}") for name, number in calls.most_common(6)),
            ],
        )
    )


def main() -> int:
    """Print the table; exit code 1 if something did not work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--webhooks", type=int, default=10_000, help="how many (default 10,000)")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        try:
            measure(Path(folder), arguments.webhooks)
        except BenchmarkError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
