"""`hookwright run` as a process of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.children import HOST, Child, find_free_port, running
from harness.devcluster import OWN_NAMESPACE, ApiServer

UNKNOWN_PATH = "/hooks/x"


@dataclass(frozen=True, kw_only=True)
class Product:
    """A running `hookwright run` that takes deliveries."""

    child: Child
    port: int


@contextmanager
def running_product(server: ApiServer, folder: Path) -> Iterator[Product]:
    """Run `hookwright run` in the cluster of `server` for the time of a `with` block; its journal is in `folder`."""
    port = find_free_port()
    environ = {
        "HOOKWRIGHT_LISTEN": f"{HOST}:{port}",
        "HOOKWRIGHT_PUBLIC_URL": f"http://{HOST}:{port}",
        "HOOKWRIGHT_JOURNAL": str(folder / "journal"),
        "HOOKWRIGHT_NAMESPACE": OWN_NAMESPACE,
    }
    options = ("run", "--kubeconfig", str(server.kubeconfig))
    with running("-m", "hookwright", *options, environ=environ) as child:
        child.wait_for_answer(port, UNKNOWN_PATH, status=404)
        yield Product(child=child, port=port)
