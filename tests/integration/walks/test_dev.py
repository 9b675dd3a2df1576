"""`hookwright dev`, as it is typed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

PATIENCE = 20.0


def test_kubeconfig_comes_before_the_logs(tmp_path: Path):
    """The line for a second shell is the first one that is printed, although logs go to the same terminal."""
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "hookwright", "dev", "--port", "0", "--kubeconfig", str(kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        first, then = process.stdout.readline(), process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert first == f"export KUBECONFIG={kubeconfig}\n"
    assert then
