"""Run the development API server alone: `python -m hookwright.devcluster --port 0 --kubeconfig FILE`."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from hookwright.devcluster.cluster import DevCluster


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hookwright.devcluster", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 (default) takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address, 127.0.0.1 by default")
    parser.add_argument("--job-seconds", type=float, default=1.0, help="how long a Job runs, 1 by default")
    parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="write a kubeconfig there")
    options = parser.parse_args(arguments)
    try:
        cluster = DevCluster(port=options.port, host=options.host, job_seconds=options.job_seconds)
        asyncio.run(_serve(cluster, options.kubeconfig))
    except (ValueError, OSError) as error:
        print(f"devcluster: {error}", file=sys.stderr)  # noqa: T201 - a command's words
        return 2
    return 0


async def _serve(cluster: DevCluster, kubeconfig: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await cluster.start()
    try:
        if kubeconfig:
            _write(kubeconfig, cluster.kubeconfig())
        print(f"devcluster at {cluster.url}: for development only, no authorisation, nothing is kept", flush=True)  # noqa: T201 - a command's words
        await stop.wait()
    finally:
        await cluster.stop()


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
