"""`hookwright dev`, as it is typed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

PATIENCE = 180.0


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


def test_taken_port_names_the_option(tmp_path: Path):
    """Who runs a second one is told how to choose another port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "hookwright", "dev", "--port", port, "--kubeconfig", str(tmp_path / "k")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
