"""`hookwright dev`, as it is typed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.ports import find_port

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


def run_in_vain(kubeconfig: Path, *options: str) -> str:
    """Run `hookwright dev` where it cannot; give its complaint. Nothing is announced that does not come to be."""
    command = [sys.executable, "-m", "hookwright", "dev", "--kubeconfig", str(kubeconfig), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert not kubeconfig.is_file()
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(("option", "others"), [("--port", ()), ("--api-port", ("--port", "0"))])
def test_taken_port_names_the_option(tmp_path: Path, option: str, others: tuple[str, ...]):
    """Who runs a second one is told how to choose another port, before anything is announced."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = run_in_vain(tmp_path / "k", option, port, *others)
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert option in said


def test_one_port_is_not_for_two(tmp_path: Path):
    """Receiver and API server cannot have the same port."""
    port = str(find_port())
    assert f"cannot listen on 127.0.0.1:{port}" in run_in_vain(tmp_path / "k", "--port", port, "--api-port", port)


@pytest.mark.parametrize("option", ["--port", "--api-port"])
def test_port_that_is_none_is_refused(tmp_path: Path, option: str):
    """What is no port is a mistake of the command line."""
    assert "65535" in run_in_vain(tmp_path / "k", option, "70000")


@pytest.mark.parametrize("place", [".", "missing/k"])
def test_kubeconfig_that_cannot_be_written_is_named(tmp_path: Path, place: str):
    """A kubeconfig that is a folder, or in none, is named with its option."""
    said = run_in_vain(tmp_path / place, "--port", "0")
    assert str(tmp_path / place) in said
    assert "--kubeconfig" in said
