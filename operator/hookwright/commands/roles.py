"""`hookwright run`, `receiver` and `operator`: the processes. One does everything, or two roles share the work."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hookwright.settings import Settings

if TYPE_CHECKING:
    from hookwright.cluster.client import Access

T = TypeVar("T")

kubeconfig_option = click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The cluster to work in. Default: the pod's own account, else $KUBECONFIG, else ~/.kube/config.",
)


@click.command(epilog="Example: HOOKWRIGHT_PUBLIC_URL=https://hooks.example.com hookwright run")
@kubeconfig_option
def run(kubeconfig: Path | None) -> None:
    """Receive deliveries and reconcile objects until stopped. Settings are HOOKWRIGHT_… environment variables."""
    start("run", kubeconfig)


@click.command(
    short_help="Receive deliveries and start builds until stopped.",
    epilog="Example: HOOKWRIGHT_JOURNAL=/var/lib/hookwright hookwright receiver",
)
@kubeconfig_option
def receiver(kubeconfig: Path | None) -> None:
    """Receive deliveries and start builds until stopped; run as many as you like, each with a journal of its own."""
    start("receiver", kubeconfig)


@click.command(
    short_help="Reconcile objects until stopped; of several, one works.",
    epilog="Example: HOOKWRIGHT_PUBLIC_URL=https://hooks.example.com hookwright operator",
)
@kubeconfig_option
def operator(kubeconfig: Path | None) -> None:
    """Reconcile objects until stopped; of several, one works at a time, and another takes over when it ends."""
    start("operator", kubeconfig)


def start(role: str, kubeconfig: Path | None, *, ready: Callable[[], None] = lambda: None) -> None:
    """Run one role in this process until SIGTERM or SIGINT."""
    heed_sigterm(0)
    # Before what takes most of a start is loaded: a wrong setting is said at once.
    settings = Settings.from_environ(os.environ)

    from hookwright.app import App, Role
    from hookwright.logs import set_up_logs

    set_up_logs(settings)
    run_until_signal(
        kubeconfig,
        lambda access, stop: App(settings=settings, configuration=access.configuration, role=Role(role)).run(
            stop=stop, ready=ready
        ),
    )


def heed_sigterm(code: int | str) -> None:
    """Have SIGTERM end the process at once, until `run_until_signal` heeds it; a text is said, and means 1.

    The first process of a container gets no signal that it does not handle: without this, a pod that is deleted while
    it loads stays until it is killed.
    """

    def end(*_: object) -> None:
        raise SystemExit(code)

    signal.signal(signal.SIGTERM, end)


def run_until_signal(
    kubeconfig: Path | None,
    life: Callable[[Access, asyncio.Event], Coroutine[Any, Any, T]],  # Any: nothing is sent to a coroutine
) -> T:
    """Run the life of a process, with the event that SIGTERM and SIGINT set; give what it gives."""
    import uvloop

    from hookwright.commands.access import find_access

    async def live() -> T:
        access = await find_access(kubeconfig)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        return await life(access, stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(live())
