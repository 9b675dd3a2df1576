"""Processes that end with the test's own."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from support.guard import Guard
from support.waiting import eventually

CHILD = """
import subprocess, sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from support.guard import Guard
process = Guard().start(["sleep", "600"], log=Path({log!r}))
print(process.pid, flush=True)
time.sleep(600)
"""


def runs(pid: int) -> bool:
    with suppress(OSError, IndexError):
        # A killed process that nobody waits for any more stays as a zombie.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def test_killed_parent(tmp_path):
    """When a process is killed, those that it guards are killed too."""
    script = CHILD.format(tests=str(Path(__file__).parents[1]), log=str(tmp_path / "log"))
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert runs(pid)
    parent.kill()
    await parent.communicate()
    await eventually(lambda: not runs(pid))


def test_end(tmp_path):
    """All that is guarded is gone when the guard ends, even what was stopped or does not heed SIGTERM."""
    guard = Guard()
    stubborn = guard.start(["sh", "-c", "trap '' TERM; sleep 600"], log=tmp_path / "log")
    guard.end()
    assert stubborn.returncode is not None
