"""One container of a pod: a local process, or a stand-in that does nothing but last."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.kubelet.environment import Telling
from support.kubelet.probes import Probes
from support.kubelet.volumes import NotYet
from support.waiting import patience, within

FIRST_BACKOFF_SECONDS = 0.2
LAST_BACKOFF_SECONDS = 2.0
STEADY_SECONDS = 10.0
GRACE_SECONDS = 30.0
AGAIN_SECONDS = 0.2


def repository_of(image: str) -> str:
    """Give an image's name without tag and digest."""
    return re.sub(r":[^/]*$", "", image.partition("@")[0])


def now() -> str:
    """Give the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a container needs of its pod and its node."""

    telling: Telling
    folders: Mapping[str, Path]
    extra: Mapping[str, str]
    """Variables that the pod does not name: where its kubeconfig is."""
    probes: Probes
    group: int
    """The process group of all that the stand-in starts."""
    log: Path
    report: Callable[[], Awaitable[None]]
    stand_in_seconds: Callable[[], float]
    """How long a stand-in lasts; whoever writes another time on the pod ends it sooner, or later."""
    stand_in_code: int


@dataclass(kw_only=True)
class Container:
    """A container and what is known of it."""

    spec: dict[str, Any]
    program: tuple[str, ...] | None
    """What its image's entrypoint is on this machine; None for a stand-in."""
    policy: str
    ready: bool = False
    started: bool = False
    restarts: int = 0
    state: dict[str, Any] = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last_state: dict[str, Any] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _reports: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def code(self) -> int | None:
        """The exit code of a container that has ended and will not be started again."""
        return self.state["terminated"]["exitCode"] if "terminated" in self.state else None

    def status(self) -> dict[str, Any]:
        """Give its entry in the pod's status."""
        return {
            "name": self.spec["name"],
            "image": self.spec["image"],
            "imageID": "",
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last_state,
        }

    async def run(self, part: Part) -> None:
        """Run it, again and again if its policy says so, until it has ended or is stopped."""
        backoff = FIRST_BACKOFF_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            begun = loop.time()
            code = await (self._last(part) if self.program is None else self._run_process(part, self.program))
            if self.policy == "Never" or (self.policy == "OnFailure" and code == 0) or self._stopping.is_set():
                return
            if loop.time() - begun > STEADY_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            self.last_state = self.state
            self.state = {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off {backoff:g} s"}}
            await part.report()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), backoff)
            backoff = min(backoff * 2, LAST_BACKOFF_SECONDS)
            self.restarts += 1
        if "waiting" in self.state and self.last_state:
            self.state = self.last_state

    async def stop(self, seconds: float) -> None:
        """End it as the kubelet does: its preStop pause, SIGTERM, and SIGKILL when `seconds` are over."""
        self._stopping.set()
        if self.process is None or self.process.returncode is not None:
            return
        with suppress(TimeoutError):
            async with patience(seconds):
                pause = self.spec.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                await asyncio.wait({asyncio.create_task(self.process.wait())}, timeout=pause or 0.001)
                self.signal(signal.SIGTERM)
                await self.process.wait()
        self.kill()

    def kill(self) -> None:
        """Kill it, whatever its state; its policy may start it again."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process, if there is one."""
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def _last(self, part: Part) -> int:
        """Stand in for a program."""
        begun = await self._begin(part)
        self.started = self.ready = True
        await part.report()
        code = 0
        if self.policy == "Always":
            await self._stopping.wait()
        else:
            loop = asyncio.get_running_loop()
            began = loop.time()
            while (left := began + part.stand_in_seconds() - loop.time()) > 0 and not self._stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), min(left, AGAIN_SECONDS))
            code = part.stand_in_code
        return await self._finish(part, code, begun)

    async def _run_process(self, part: Part, program: tuple[str, ...]) -> int:
        command, environment = await self._prepare(part, program)
        if self._stopping.is_set():
            return 0
        with part.log.open("ab") as log:
            try:
                self.process = await asyncio.create_subprocess_exec(
                    *command,
                    env=environment,
                    cwd=part.log.parent,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    process_group=part.group,
                )
            except OSError as error:
                log.write(f"cannot start {command}: {error}\n".encode())
                return await self._finish(part, 127, now())
        begun = await self._begin(part)
        watching = asyncio.create_task(self._heed_probes(part))
        try:
            code = await self.process.wait()
        finally:
            watching.cancel()
            await asyncio.wait({watching})
        return await self._finish(part, code if code >= 0 else 128 - code, begun)

    async def _prepare(self, part: Part, program: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
        while True:
            try:
                environment = {**await part.telling.environment(part.folders), **part.extra}
                words = await part.telling.arguments(environment, part.folders)
            except NotYet as missing:
                self.state = {"waiting": {"reason": "CreateContainerConfigError", "message": str(missing)}}
                await part.report()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            if self.spec.get("command"):
                # The image's program by its own name, or another one of this machine.
                own = Path(words[0]).name == repository_of(self.spec["image"]).rpartition("/")[2]
                return [*(program if own else words[:1]), *words[1:]], environment
            return [*program, *words], environment

    async def _begin(self, part: Part) -> str:
        begun = now()
        self.state = {"running": {"startedAt": begun}}
        return begun

    async def _finish(self, part: Part, code: int, begun: str) -> int:
        reason = "Completed" if code == 0 else "Error"
        times = {"startedAt": begun, "finishedAt": now()}
        self.state = {"terminated": {"exitCode": code, "reason": reason, **times}}
        self.ready = self.started = False
        await part.report()
        return code

    async def _heed_probes(self, part: Part) -> None:
        def tell(*, started: bool, ready: bool) -> None:
            self.started, self.ready = started, ready
            task = asyncio.create_task(part.report())
            self._reports.add(task)
            task.add_done_callback(self._reports.discard)

        why = await part.probes.watch(tell)
        with part.log.open("a") as log:
            log.write(f"--- {why}: restarted by the stand-in kubelet ---\n")
        await self._restart()

    async def _restart(self) -> None:
        assert self.process is not None
        self.signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await within(GRACE_SECONDS, self.process.wait())
        self.kill()
