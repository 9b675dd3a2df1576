"""How the processes begin: what ends them while they load."""

from __future__ import annotations

import subprocess
import sys

import pytest

ENDED_WHILE_LOADING = """
import os, signal
from hookwright.commands import roles

class Settings:
    def from_environ(environ):
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            pass

roles.Settings = Settings
roles.start({role!r}, None)
"""


@pytest.mark.parametrize("role", ["run", "receiver", "operator"])
def test_sigterm_while_loading_ends_it(role):
    """It has its handler before all else: a container's first process is not ended by a signal without one."""
    done = subprocess.run(
        [sys.executable, "-c", ENDED_WHILE_LOADING.format(role=role)],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
