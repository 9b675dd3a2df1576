"""`hookwright dev`: everything on a laptop: a development cluster, operator and receiver in the foreground."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from hookwright.commands.manifests import put_on_one_line
from hookwright.errors import UsageError
from hookwright.kinds import KINDS, BuildTrigger, InvalidObject, ObjectKind, Raw, Webhook, crd
from hookwright.settings import Settings

OWN_NAMESPACE = "hookwright-system"
DEFAULT_NAMESPACE = "default"
PORT = click.IntRange(0, 65_535)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the development cluster and the receiver are."""

    api_url: str
    receiver_url: str
    kubeconfig: Path
    cluster: Any  # the DevCluster: only this module and `demo` may know it


@click.command(
    short_help="Run a development cluster with Hookwright in it.", epilog="Example: hookwright dev -f examples/hello"
)
@click.option(
    "-f", "--file", "files", type=click.Path(path_type=Path), multiple=True, help="Manifests to apply at the start."
)
@click.option("--port", type=PORT, default=8080, show_default=True, help="The receiver's port; 0 for any.")
@click.option("--api-port", type=PORT, default=0, help="The API server's port. Default: any.")
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Write the kubeconfig here. Default: a temporary file."
)
def dev(files: Sequence[Path], port: int, api_port: int, kubeconfig: Path | None) -> None:
    """Run a development cluster with Hookwright in it; it needs nothing and keeps nothing."""
    from hookwright.commands.files import read_manifests

    manifests = read_manifests(files)

    async def live() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with run_dev(
            port=port, api_port=api_port, kubeconfig=kubeconfig, observe=print_url, announce=print_kubeconfig
        ) as (place, ended):
            click.echo(f"receiver: {place.receiver_url}   API server: {place.api_url} (for development only)")
            apply_manifests(place.cluster, manifests)
            await asyncio.wait({asyncio.create_task(stop.wait()), ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()

    run_in_loop(live())


def run_in_loop(work: Any) -> None:  # Any: a coroutine of any kind
    """Run `work` in the event loop that the product uses."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def print_kubeconfig(path: Path) -> None:
    """Print the line that a second shell needs."""
    click.echo(f"export KUBECONFIG={path}")


def print_url(change: Any) -> None:  # Any: a Change of the mirror
    """Print the URL of a Webhook or a BuildTrigger when it gets one, and how to try out the latter, or why not."""
    found, before = change.found, change.before
    url = find_url(found)
    known = find_url(before) if url is not None and before is not None and _are_one(before, found) else None
    if url is None or url == known:
        return
    metadata = found.metadata
    click.echo(f"{found.KIND.lower()} {metadata.namespace}/{metadata.name}: {url}")
    if isinstance(found, BuildTrigger) and found.status.error_message is not None:
        click.echo(f"  not ready: {put_on_one_line(found.status.error_message)}")
    elif isinstance(found, BuildTrigger):
        place = f" -n {metadata.namespace}" if metadata.namespace != DEFAULT_NAMESPACE else ""
        click.echo(f"  try it: hookwright deliver bt/{metadata.name}{place} --event push")


def find_url(found: Any) -> str | None:  # Any: whatever the mirror holds
    """Give where an object takes deliveries, if it does."""
    if isinstance(found, BuildTrigger):
        return found.status.payload_url
    return found.status.url if isinstance(found, Webhook) else None


def _are_one(before: ObjectKind | InvalidObject, found: ObjectKind | InvalidObject) -> bool:
    return before.metadata.uid == found.metadata.uid


@asynccontextmanager
async def run_dev(
    *,
    port: int,
    api_port: int,
    kubeconfig: Path | None,
    observe: Callable[[Any], None],
    announce: Callable[[Path], None] = lambda _: None,
    log_level: Literal["debug", "warning"] = "debug",
) -> AsyncIterator[tuple[Place, asyncio.Task[None]]]:
    """Run a development cluster and Hookwright in it; give where they are, and the task that runs Hookwright.

    `announce` gets the kubeconfig once the API server answers and the receiver can, before Hookwright logs anything.

    Raises:
        UsageError: a port is taken, or the kubeconfig cannot be written.
    """
    from hookwright.app import App
    from hookwright.cluster.client import load_access
    from hookwright.intake.server import check_port
    from hookwright.logs import set_up_logs

    port = port or find_free_port()
    with tempfile.TemporaryDirectory(prefix="hookwright-dev-") as folder:
        settings = Settings(
            public_url=f"http://127.0.0.1:{port}",
            listen=f"127.0.0.1:{port}",
            admin="off",
            journal=Path(folder) / "journal",
            cluster_name="dev",
            namespace=OWN_NAMESPACE,
            log_level=log_level,
            drain=0,
        )
        set_up_logs(settings)
        with run_devcluster(api_port) as cluster:
            # Once the API server has its own port: that may be the very same.
            check_port("127.0.0.1", port)
            path = kubeconfig or Path(folder) / "kubeconfig"
            write_kubeconfig(path, cluster.kubeconfig())
            for kind in KINDS:
                cluster.apply(crd(kind))
            cluster.apply(make_namespace(OWN_NAMESPACE))
            announce(path)
            access = await load_access(path)
            stop, ready = asyncio.Event(), asyncio.Event()
            app = App(settings=settings, configuration=access.configuration, observe=observe)
            running = asyncio.create_task(app.run(stop=stop, ready=ready.set))
            try:
                starting = asyncio.create_task(ready.wait())
                await asyncio.wait({starting, running}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
                yield (
                    Place(api_url=cluster.url, receiver_url=settings.public_url, kubeconfig=path, cluster=cluster),
                    running,
                )
            finally:
                stop.set()
                with suppress(Exception):
                    await running


@contextmanager
def run_devcluster(port: int) -> Iterator[Any]:  # Any: a DevCluster
    """Run a development cluster.

    Raises:
        UsageError: its port is taken.
    """
    from hookwright.devcluster import DevCluster

    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(DevCluster.in_thread(port=port))
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise UsageError(f"cannot listen on 127.0.0.1:{port}: {why}; choose another (--api-port)") from None
        yield cluster


def write_kubeconfig(path: Path, text: str) -> None:
    """Write a kubeconfig.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name another file (--kubeconfig)") from None


def apply_manifests(cluster: Any, manifests: Sequence[Raw]) -> None:  # Any: a DevCluster
    """Put objects into the development cluster, with the namespaces that they need.

    Raises:
        UsageError: the API server refuses one.
    """
    from hookwright.devcluster import ApiError

    for manifest in manifests:
        obj = dict(manifest)
        metadata = dict(obj.get("metadata") or {})
        obj["metadata"] = metadata
        name = f"{obj['kind']} {metadata.get('name')}"
        try:
            if obj["kind"] not in ("Namespace", "CustomResourceDefinition"):
                metadata.setdefault("namespace", DEFAULT_NAMESPACE)
                if cluster.get("namespaces", None, metadata["namespace"]) is None:
                    cluster.apply(make_namespace(metadata["namespace"]))
            cluster.apply(obj)
        except (ApiError, LookupError) as error:
            raise UsageError(f"{name}: {error}") from None
        click.echo(f"applied {name}")


def make_namespace(name: str) -> dict[str, Any]:
    """Give a Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def find_free_port() -> int:
    """Give a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
