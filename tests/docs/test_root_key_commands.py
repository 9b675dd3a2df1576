"""The root key by kubectl, as install.md and security.md have it typed: backed up, restored, rotated."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hookwright.devcluster import DevCluster
from hookwright.reconcile import rootkey
from support.kubectl import FOUND, MISSING
from support.running import make_root_key, prepare_cluster

pytestmark = pytest.mark.skipif(FOUND is None, reason=MISSING)

DOCS = Path(__file__).parents[2] / "operator" / "docs"
NAMESPACE = "hookwright-system"


def read_commands(page: str) -> list[str]:
    """Give the blocks of a page that are about the root key."""
    blocks = re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    return [block for block in blocks if rootkey.NAME in block]


@dataclass(kw_only=True)
class Shell:
    """A shell in an empty folder, where kubectl finds a development cluster with a root key."""

    cluster: DevCluster
    kubeconfig: Path
    folder: Path

    async def type(self, commands: str) -> None:
        """Type commands; each must succeed."""
        environment = {
            "PATH": f"{Path(str(FOUND)).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.kubeconfig),
        }
        process = await asyncio.create_subprocess_exec(
            *("sh", "-euc", commands),
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()

    def keys(self) -> tuple[bytes, ...]:
        """Give the keys as Hookwright reads them."""
        found = self.cluster.get("secrets", NAMESPACE, rootkey.NAME)
        assert found is not None
        return rootkey.read_root_keys(found, NAMESPACE)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with DevCluster.in_thread() as cluster:
        kubeconfig = prepare_cluster(cluster, tmp_path)
        cluster.apply(make_root_key())
        folder = tmp_path / "empty"
        folder.mkdir()
        yield Shell(cluster=cluster, kubeconfig=kubeconfig, folder=folder)


async def test_root_key_is_backed_up_and_restored(shell: Shell):
    """What was backed up comes back: where the Secret is gone, and where an operator has made another one since."""
    back_up, restore = read_commands("install.md")
    before = shell.keys()
    await shell.type(back_up)
    (file,) = [one for one in shell.folder.iterdir() if one.is_file()]
    assert file.stat().st_mode & 0o077 == 0
    await shell.type(f"kubectl delete secret {rootkey.NAME} --namespace {NAMESPACE}")
    await shell.type(restore)
    assert shell.keys() == before
    shell.cluster.apply(rootkey._new_secret(NAMESPACE))
    assert shell.keys() != before
    await shell.type(restore)
    assert shell.keys() == before


async def test_root_key_is_rotated(shell: Shell):
    """A new key comes first, the old ones are known still, and none is left in a file."""
    (rotate,) = read_commands("security.md")
    before = shell.keys()
    for number in (1, 2):
        await shell.type(rotate)
        assert len(shell.keys()) == len(before) + number
        assert len(shell.keys()[0]) >= rootkey.SHORTEST_KEY_BYTES
    assert shell.keys()[2:] == before
    assert not [one for one in shell.folder.iterdir() if one.is_file()]
