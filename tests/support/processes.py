"""Hookwright's processes as a cluster runs them: started, killed, stopped, woken; each on a wire that can be read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from hookwright.devcluster import DevCluster
from support import waiting
from support.calm import make_program
from support.clients import make_client
from support.ports import find_port
from support.running import PATIENCE, Running, make_settings, prepare_cluster
from support.stage import as_role, make_cluster
from support.trust import ENVIRONMENT

# The Lease alone takes 15 seconds to be over; the rest is for a busy machine.
LONG_PATIENCE = 120.0
MOST_REQUESTS = 10_000
HOOKWRIGHT = make_program()
LEASES = r".*/leases(/.*)?"


def make_environment(**settings: str) -> dict[str, str]:
    """Give this process's environment with these settings of Hookwright's and no others; the admin port is off."""
    ours = ENVIRONMENT | {"HOOKWRIGHT_ADMIN": "off"} | settings
    return {name: value for name, value in os.environ.items() if not name.startswith("HOOKWRIGHT_")} | ours


async def until(happened: Callable[[], Any], what: str, *, patience: float = LONG_PATIENCE) -> Any:
    """Wait until `happened` gives something true, and give that."""
    try:
        async with waiting.patience(patience):
            # What is polled lives in other processes.
            while not (result := happened()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"did not happen: {what}") from None
    return result


@dataclass(kw_only=True)
class Process:
    """`hookwright ROLE` in a process of its own; each start writes a log of its own, unless there is `log_to`."""

    role: str
    folder: Path
    kubeconfig: Path
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    logs: list[Path] = field(default_factory=list)
    log_to: Path | None = None

    async def start(self) -> None:
        """Start it; it is not ready yet."""
        log = self.log_to or self.folder / f"log-{len(self.logs)}"
        self.logs.append(log)
        with log.open("wb") as stream:
            command = [*HOOKWRIGHT, self.role, "--kubeconfig", str(self.kubeconfig)]
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *command, env=self.environment, stdout=stream, stderr=stream
            )

    @property
    def address(self) -> str:
        """The URL under which it listens, if it does."""
        return "http://" + self.environment["HOOKWRIGHT_LISTEN"]

    @property
    def admin(self) -> str:
        """The URL of its admin server, if it has one."""
        return "http://" + self.environment["HOOKWRIGHT_ADMIN"]

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as is known."""
        return self.process is not None and self.process.returncode is None

    async def until_listening(self) -> None:
        """Wait until it takes connections."""
        host, _, port = self.environment["HOOKWRIGHT_LISTEN"].rpartition(":")
        async with waiting.patience(LONG_PATIENCE):
            while True:
                assert self.alive, f"{self.role} has ended: {self.said()[-2000:]}"
                try:
                    _, writer = await asyncio.open_connection(host, int(port))
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    return

    async def signal(self, number: signal.Signals) -> int:
        """Send it a signal that ends it, and give its exit code."""
        self.send(number)
        assert self.process is not None
        return await waiting.within(PATIENCE, self.process.wait())

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)

    def said(self) -> str:
        """Give all that it has written."""
        return "".join(log.read_text() for log in self.logs)

    def last_said(self, event: str) -> dict[str, Any]:
        """Give its last log line of this event since it was started, where it logs JSON; empty if there is none."""
        found = {}
        for line in self.logs[-1].read_text().splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                found = said if said.get("event") == event else found
        return found


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it left a process."""

    method: str
    path: str
    query: str
    body: Any
    impersonated: str = ""

    def touches(self, path: str) -> bool:
        """Say whether its whole path is as this regular expression says."""
        return re.fullmatch(path, self.path) is not None


class Wire:
    """What lies between one process and the API server: it notes what is written, and can hold all answers back."""

    def __init__(self, cluster: DevCluster) -> None:
        self.writes: list[Request] = []
        """The requests that may have changed something."""
        self.asked = 0
        """How many requests the process has made."""
        self.requests: deque[Request] = deque(maxlen=MOST_REQUESTS)
        """The newest of them."""
        self.port = 0
        self.flows = asyncio.Event()
        """While it is not set, no answer and no event of a watch comes through."""
        self.flows.set()
        self._chosen: Callable[[Request], bool] = lambda _: False
        self._cluster = cluster
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def hold_at(self, chosen: Callable[[Request], bool]) -> None:
        """Hold all answers back from the next request on that is chosen, until `flows` is set again."""
        self._chosen = chosen

    def _note(self, request: Request) -> None:
        self.asked += 1
        self.requests.append(request)
        if request.method == "GET":
            return
        self.writes.append(request)
        if self._chosen(request):
            self.flows.clear()

    async def close(self) -> None:
        """Take no more connections, and end those that are there."""
        assert self._server is not None
        self._server.close()
        for task in list(self._carrying):
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        host, _, port = self._cluster.url.removeprefix("http://").rpartition(":")
        try:
            there, back = await asyncio.open_connection(host, int(port))
            ends = [
                asyncio.create_task(_pump(reader, back, Reading(self._note).feed)),
                asyncio.create_task(_pump(there, writer, lambda _: self.flows.wait())),
            ]
            try:
                # As soon as one side ends, the other one is over too.
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for end in ends:
                    end.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
                back.close()
        except (OSError, asyncio.CancelledError):
            # Cancelled by `close` alone; asyncio's streams would complain of a handler that says so.
            pass
        finally:
            self._carrying.discard(task)
            writer.close()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pass_by: Callable[[bytes], Awaitable[object]]
) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            await pass_by(data)
            writer.write(data)
            await writer.drain()


class Reading:
    """Reads the requests of one connection, as they come in pieces."""

    def __init__(self, note: Callable[[Request], None]) -> None:
        self._note = note
        self._data = bytearray()

    async def feed(self, data: bytes) -> None:
        """Take what has come."""
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].decode("latin-1")
            length = re.search(r"(?im)^content-length: *(\d+)", head)
            over = end + 4 + (int(length[1]) if length else 0)
            if len(self._data) < over:
                return
            method, target, _ = head.partition("\r\n")[0].split(" ")
            path, _, query = target.partition("?")
            body = bytes(self._data[end + 4 : over])
            acts = re.search(r"(?im)^impersonate-user: *(\S+)", head)
            self._note(
                Request(
                    method=method,
                    path=path,
                    query=query,
                    body=json.loads(body) if body else None,
                    impersonated=acts[1] if acts else "",
                )
            )
            del self._data[:over]


class Chronicle:
    """Every change of the objects of one kind in the order in which they happened; `kind` is `jobs.batch` and the like.

    It sits at the API server's store: what was made and removed again, or happened while no watch was open, is in it.
    Of a real API server it is a watch of its own, which passes no proxy.
    """

    def __init__(self, cluster: DevCluster, kind: str) -> None:
        plural, _, group = kind.partition(".")
        self._key = (group, plural)
        self._changes: list[Any] = []
        self.births = 0
        """How many objects have come."""
        if isinstance(cluster, DevCluster):
            cluster._store.listeners.append(self._note)
        else:
            cluster.follow(kind, self._note)

    def _note(self, change: Any) -> None:
        if change.new.key == self._key:
            self._changes.append(change)
            self.births += change.type == "ADDED"

    def __len__(self) -> int:
        return len(self._changes)

    def added(self) -> Iterator[dict[str, Any]]:
        """Give the objects that came, as they were then."""
        return (change.new.read() for change in list(self._changes) if change.type == "ADDED")

    def states(self, name: str, *, since: int = 0) -> Iterator[dict[str, Any]]:
        """Give the states of the objects of one name, after the first `since` changes."""
        return (change.new.read() for change in self._changes[since:] if change.new.name == name)


@dataclass(kw_only=True)
class Fleet:
    """A cluster with Hookwright's processes in it, by their names; all that they write goes over wires."""

    running: Running
    folder: Path
    stack: AsyncExitStack
    processes: dict[str, Process] = field(default_factory=dict)
    wires: dict[str, Wire] = field(default_factory=dict)

    @property
    def cluster(self) -> DevCluster:
        return self.running.cluster

    def of(self, role: str) -> list[Process]:
        """Give the processes of one role."""
        return [process for process in self.processes.values() if process.role == role]

    async def add(self, name: str, role: str, **settings: str) -> Process:
        """Add a process and start it; it ends with the fleet."""
        folder = self.folder / name
        folder.mkdir()
        wire = self.wires[name] = Wire(self.cluster)
        await wire.open()
        self.stack.push_async_callback(wire.close)
        kubeconfig = folder / "kubeconfig"
        ours = as_role(self.cluster, self.running.kubeconfig, role)
        kubeconfig.write_text(ours.read_text().replace(self.cluster.url, f"http://127.0.0.1:{wire.port}"))
        environment = make_environment(
            HOOKWRIGHT_PUBLIC_URL=f"http://{name}.test",
            HOOKWRIGHT_LISTEN=f"127.0.0.1:{find_port()}",
            HOOKWRIGHT_ADMIN=f"127.0.0.1:{find_port()}",
            HOOKWRIGHT_JOURNAL=str(folder / "journal"),
            HOOKWRIGHT_LOG_LEVEL="debug",
            HOOKWRIGHT_LOG_FORMAT="json",
            HOOKWRIGHT_DRAIN="0",
            HOOKWRIGHT_IDENTITY=name if role == "operator" else "",
        )
        process = Process(role=role, folder=folder, kubeconfig=kubeconfig, environment=environment | settings)
        self.processes[name] = process
        await process.start()
        self.stack.push_async_callback(end, process)
        return process

    async def until_ready(self, *names: str) -> None:
        """Wait until processes do their work: receivers listen, operators hold the Lease or wait for it."""
        for name in names or tuple(self.processes):
            process = self.processes[name]
            if process.role == "operator":
                try:
                    await until(partial(process.last_said, "lease"), f"{name} takes part in the election")
                except AssertionError as error:
                    error.add_note(process.said()[-5_000:] or "it has said nothing")
                    raise
            else:
                await process.until_listening()

    def holder(self) -> str:
        """Give the name of the operator that holds the Lease; empty if none does."""
        lease = self.cluster.get("leases.coordination.k8s.io", "hookwright-system", "hookwright-operator") or {}
        return str(lease.get("spec", {}).get("holderIdentity") or "")

    def _url(self, receiver: str, webhook: str) -> str:
        token = str(self.running.status(webhook)["url"]).rpartition("/")[2]
        return f"{self.processes[receiver].address}/hooks/{token}"

    async def until_known(self, receiver: str, webhook: str) -> str:
        """Wait until a receiver knows a Webhook, of which it hears by a watch of its own; give its URL there."""
        url = self._url(receiver, webhook)
        async with waiting.patience(LONG_PATIENCE):
            while (await self.running.client.get(url)).status_code != 405:  # noqa: ASYNC110 - each try is a request
                await asyncio.sleep(0.05)
        return url

    async def push(self, receiver: str, webhook: str, body: bytes | None = None, **headers: Any) -> httpx.Response:
        """Deliver a signed push to one of the receivers."""
        return await self.running.push(self._url(receiver, webhook), body, **headers)


async def end(process: Process) -> None:
    """End a process, even one that is stopped."""
    process.send(signal.SIGKILL)
    await process.process.wait()


@asynccontextmanager
async def run_fleet(
    folder: Path, roles: Mapping[str, str], *, job_seconds: float = 0.05, **settings: str
) -> AsyncIterator[Fleet]:
    """Run a development cluster and processes of these `roles`, by their names, for the length of a `with` block."""
    cluster = make_cluster(job_seconds=job_seconds)
    async with AsyncExitStack() as stack:
        await cluster.start()
        stack.push_async_callback(cluster.stop)
        kubeconfig = prepare_cluster(cluster, folder)
        client = await stack.enter_async_context(make_client())
        running = Running(cluster=cluster, settings=make_settings(folder), kubeconfig=kubeconfig, client=client)
        fleet = Fleet(running=running, folder=folder, stack=stack)
        for name, role in roles.items():
            await fleet.add(name, role, **settings)
        await fleet.until_ready()
        yield fleet
