"""`hookwright run`: receiver and operator in one process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import click

from hookwright.settings import Settings


@click.command(epilog="Example: HOOKWRIGHT_PUBLIC_URL=https://hooks.example.com hookwright run")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The cluster to work in. Default: the pod's own account, else $KUBECONFIG, else ~/.kube/config.",
)
def run(kubeconfig: Path | None) -> None:
    """Receive deliveries and reconcile objects until stopped. Settings are HOOKWRIGHT_… environment variables."""
    from hookwright.logs import set_up_logs

    settings = Settings.from_environ(os.environ)
    set_up_logs(settings)
    run_app(settings, kubeconfig)


def run_app(settings: Settings, kubeconfig: Path | None, *, ready: Callable[[], None] = lambda: None) -> None:
    """Run the application in this process until SIGTERM or SIGINT."""
    import uvloop

    from hookwright.app import App
    from hookwright.cluster.client import load_access

    async def live() -> None:
        access = await load_access(kubeconfig)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await App(settings=settings, configuration=access.configuration).run(stop=stop, ready=ready)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live())
