"""The real kubectl, as users have it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOUND = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
MISSING = "no kubectl in PATH or beside the Python interpreter"


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a kubeconfig and a home of the test's own, so that no cache of another cluster is used."""

    kubeconfig: Path
    home: Path

    async def run(self, *arguments: str, given: str | None = None) -> tuple[int, str]:
        """Give exit code and all that is said."""
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.home / "cache"),
        }
        process = await asyncio.create_subprocess_exec(
            str(FOUND),
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate((given or "").encode())
        return process.returncode or 0, said.decode()

    async def apply(self, *objects: dict[str, Any]) -> tuple[int, str]:
        """Apply objects, with `kubectl apply -f -`."""
        return await self.run("apply", "-f", "-", given=yaml.safe_dump_all(objects))
