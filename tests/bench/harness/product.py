"""Hookwright's processes in a benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.children import HOST, Child, find_free_port, running
from harness.devcluster import OWN_NAMESPACE

UNKNOWN_PATH = "/hooks/x"


@dataclass(frozen=True, kw_only=True)
class Product:
    """A running `hookwright run` or `receiver` that takes deliveries."""

    child: Child
    port: int


def make_settings(folder: Path, port: int) -> dict[str, str]:
    """Give the environment of a process: nothing in it keeps a benchmark from what it is about."""
    return {
        "HOOKWRIGHT_LISTEN": f"{HOST}:{port}",
        "HOOKWRIGHT_PUBLIC_URL": f"http://{HOST}:{port}",
        "HOOKWRIGHT_JOURNAL": str(folder / "journal"),
        "HOOKWRIGHT_NAMESPACE": OWN_NAMESPACE,
        "HOOKWRIGHT_WEBHOOK_QUOTA": "100000",
        "HOOKWRIGHT_ADDRESS_LIMIT": "0",
        "HOOKWRIGHT_ADMIN": "off",
        "HOOKWRIGHT_DRAIN": "0",
    }


@contextmanager
def running_product(kubeconfig: Path, folder: Path, *, role: str = "run") -> Iterator[Product]:
    """Run a role that receives, for the time of a `with` block; its journal is in `folder`."""
    port = find_free_port()
    options = (role, "--kubeconfig", str(kubeconfig))
    with running("-m", "hookwright", *options, environ=make_settings(folder, port)) as child:
        child.wait_for_answer(port, UNKNOWN_PATH, status=404)
        yield Product(child=child, port=port)


@contextmanager
def running_operator(kubeconfig: Path, folder: Path) -> Iterator[Child]:
    """Run `hookwright operator` for the time of a `with` block."""
    options = ("operator", "--kubeconfig", str(kubeconfig))
    with running("-m", "hookwright", *options, environ=make_settings(folder, find_free_port())) as child:
        yield child
