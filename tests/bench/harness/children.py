"""The processes of a benchmark: started, waited for, weighed, and ended by their own id."""

from __future__ import annotations

import http.client
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent.parent
HOST = "127.0.0.1"
PATIENCE_SECONDS = 60.0
END_SECONDS = 15.0
POLL_SECONDS = 0.01


class BenchmarkError(Exception):
    """A benchmark that measured something else than it says; its text is for whoever runs it."""


class Child:
    """One running Python process. What it writes to standard error is kept, for when it fails."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        self._name = " ".join(arguments[:3])
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=REPOSITORY,
            env=make_environ(environ),
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def ask(self, question: bytes, *, seconds: float = PATIENCE_SECONDS) -> bytes:
        """Hand `question` to standard input, and give all of standard output once the process has ended well."""
        try:
            output, _ = self.process.communicate(question, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"did not end within {seconds:.0f} seconds") from None
        if self.process.returncode != 0:
            raise self.failure(f"ended with exit code {self.process.returncode}")
        return output

    def read_line(self) -> str:
        """Give the next line that it prints."""
        output = self.process.stdout
        assert output is not None
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            if not selector.select(PATIENCE_SECONDS):
                raise self.failure("says nothing")
        line = output.readline().decode()
        if not line:
            raise self.failure("ended too early")
        return line.rstrip("\n")

    def wait_for_answer(self, port: int, path: str, *, status: int) -> float:
        """Ask for `path` until it answers `status`; give the moment at which it did, of `time.perf_counter`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self.failure("ended too early")
            if _ask(port, path) == status:
                return time.perf_counter()
            time.sleep(POLL_SECONDS)
        raise self.failure(f"does not answer {status} to {path}")

    def end(self) -> None:
        """End it: politely, and if that does not help, surely."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            if pipe is not None:
                pipe.close()

    def failure(self, what: str) -> BenchmarkError:
        """Make an error of what it did wrong, with the last that it wrote."""
        self._errors.seek(0)
        written = self._errors.read().decode(errors="replace")[-2000:]
        return BenchmarkError(f"{self._name}: {what}\n{written}")


@contextmanager
def running(*arguments: str, environ: Mapping[str, str] | None = None) -> Iterator[Child]:
    """Run Python with `arguments` for the time of a `with` block."""
    child = Child(arguments, environ or {})
    try:
        yield child
    finally:
        child.end()


def make_environ(own: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a child: ours without settings of Hookwright, plus `own`; it finds our modules."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOOKWRIGHT_")}
    paths = [str(BENCH), *filter(None, [inherited.get("PYTHONPATH")])]
    return {**inherited, "PYTHONPATH": os.pathsep.join(paths), **own}


def find_free_port() -> int:
    """Give a port of the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of all threads of a process, to a hundredth of a second where there is /proc."""
    try:
        # The name of the command, in brackets, may hold anything; what is counted stands after it.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        return _read_clock(_ask_ps(pid, "time"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    """Give the memory that a process has in RAM, in MB of 10^6 bytes."""
    return int(_ask_ps(pid, "rss")) * 1024 / 1e6


def _ask_ps(pid: int, column: str) -> str:
    answer = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)],
        check=True,
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip()


def _read_clock(text: str) -> float:
    """Read `[days-][hours:]minutes:seconds`, as ps writes a time."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * int(days or 0)


def _ask(port: int, path: str) -> int | None:
    """Give the status with which a loopback port answers a GET; None if it does not answer."""
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
