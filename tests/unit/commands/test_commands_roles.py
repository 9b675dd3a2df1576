"""How the processes begin: what ends them while they load."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENDED_WHILE_LOADING = """
import os, signal
from hookwright.commands import drain, main, roles

class Settings:
    def from_environ(environ):
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            pass

drain.Settings = roles.Settings = Settings
main([{command!r}])
"""


def end_while_loading(command: str) -> subprocess.CompletedProcess[str]:
    """Send a process SIGTERM before it has read its settings."""
    return subprocess.run(
        [sys.executable, "-c", ENDED_WHILE_LOADING.format(command=command)],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.mark.parametrize("role", ["run", "receiver", "operator"])
def test_sigterm_while_loading_ends_it(role):
    """It has its handler before all else: a container's first process is not ended by a signal without one."""
    done = end_while_loading(role)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_drain_that_is_ended_while_loading_says_that_it_has_not_looked():
    """What ends it early ends it at once, and never with the code that says that nothing waits."""
    done = end_while_loading("drain")
    assert (done.returncode, done.stdout) == (1, "")
    assert "before it looked into the journal" in done.stderr
    assert "Traceback" not in done.stderr
