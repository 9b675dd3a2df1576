"""Processes that end with the test's own, even if that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any


class Guard:
    """A process group; its leader kills all of it once this process is gone, and so closes its end of a pipe.

    (PR_SET_PDEATHSIG would not do: it looks at the thread that started a process, not at the process.)
    """

    def __init__(self) -> None:
        self._leader = subprocess.Popen(
            ["sh", "-c", "trap '' TERM INT HUP; cat > /dev/null; kill -9 0"], stdin=subprocess.PIPE, process_group=0
        )
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def group(self) -> int:
        """The process group, for processes that are started elsewhere (`process_group=`)."""
        return self._leader.pid

    def start(self, command: list[str | Path], *, log: Path, **more: Any) -> subprocess.Popen[bytes]:
        """Start a process that writes to the end of a log."""
        with log.open("ab") as stream:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                process_group=self.group,
                **more,
            )
        self._children.append(process)
        return process

    def end(self) -> None:
        """Kill all of them, stopped ones too, and wait until they are gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        for process in (*self._children, self._leader):
            process.wait()
        assert self._leader.stdin is not None
        self._leader.stdin.close()
