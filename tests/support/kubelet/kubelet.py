"""The stand-in itself: a node in a thread of its own, and hands for tests."""

from __future__ import annotations

import asyncio
import secrets
import signal
import sys
import threading
import traceback
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpx

from support.calm import make_program
from support.controlplane import ControlPlane
from support.guard import Guard
from support.kubelet.api import Api
from support.kubelet.containers import Container, repository_of
from support.kubelet.network import Network, local
from support.kubelet.pods import Node, Pod
from support.kubelet.volumes import Volumes
from support.waiting import patience

# How long a test waits for what it has the node do, by the clock, which goes on while nobody gets a turn.
HANDS_SECONDS = 300.0
LEAVE_SECONDS = 20.0
# In what time a pod has to end is the chart's to say, or a test's. For an answer about a Secret it waits as ever: where
# the API server hangs, each delivery does.
HOOKWRIGHT = (sys.executable, *make_program(end=60.0, secret=2.0))


class Kubelet:
    """A node: it binds every pod that waits for one, and runs it.

    `programs` says what an image's entrypoint is on this machine, by its repository: that of Hookwright's is known, and
    images that are not named are stood in for. Their pods end at once and well if their restartPolicy lets them, unless
    annotations say otherwise: `stand-in/seconds`, `stand-in/exit-code`.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        folder: Path,
        *,
        programs: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        self.name = f"node-{secrets.token_hex(4)}"
        self._control_plane = control_plane
        self._folder = folder
        self._programs = programs
        self._pods: dict[str, Pod] = {}
        """By UID; those that are gone too, in the order in which they came."""
        self._lives: dict[str, asyncio.Task[None]] = {}
        self._doing: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self.name, daemon=True)
        self._guard = Guard()

    def __enter__(self) -> Self:
        (self._folder / "logs").mkdir(parents=True)
        self._thread.start()
        try:
            self._do(self._register())
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._do(self._leave())
        finally:
            self._end_thread()

    def process_of(self, namespace: str, name: str, container: str = "") -> int:
        """Give the id of the process of a pod's container (of its first, if none is named)."""
        process = self._container(namespace, name, container).process
        assert process is not None, f"no process in pod {namespace}/{name}"
        assert process.returncode is None, f"the process of pod {namespace}/{name} has ended"
        return process.pid

    def log_of(self, namespace: str, name: str, container: str = "") -> str:
        """Give all that the processes of all pods of a name have written, from the first one on."""
        pods = [pod for pod in self._pods.values() if (pod.namespace, pod.name) == (namespace, name)]
        logs = [pod.log_of(container or pod.containers[0].spec["name"]) for pod in pods]
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def address_of(self, namespace: str, name: str) -> str:
        """Give the address on this machine at which a pod listens."""
        return local(self._pod(namespace, name).ip)

    def folder_of_claim(self, namespace: str, name: str) -> Path:
        """Give the folder that stands for a PersistentVolumeClaim, the newest of that name."""
        path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"
        with self._control_plane.access.sync_client() as client:
            uid = client.get(path).raise_for_status().json()["metadata"]["uid"]
        return self._folder / "claims" / uid

    def kill(self, namespace: str, name: str, number: signal.Signals = signal.SIGKILL, container: str = "") -> None:
        """Send a signal to the process of a pod's container; the pod's policy says what becomes of it."""
        found = self._container(namespace, name, container)
        self._loop.call_soon_threadsafe(found.signal, number)

    def lose(self, namespace: str, name: str) -> None:
        """Let a pod be as on a node that died: its processes are gone, and nobody says so."""
        pod = self._pod(namespace, name)
        pod.lost = True

        async def lose() -> None:
            self._lives[pod.uid].cancel()
            await asyncio.wait({self._lives[pod.uid]})

        self._do(lose())

    def said(self) -> str:
        """Give what the stand-in itself has to say: what was refused, and what it did not understand."""
        log = self._folder / "kubelet.log"
        return log.read_text() if log.exists() else ""

    async def _register(self) -> None:
        api = Api(self._control_plane.access, self._folder / "kubelet.log")
        network = Network(api)
        self._node = Node(
            name=self.name,
            control_plane=self._control_plane,
            api=api,
            network=network,
            volumes=Volumes(api, self._folder),
            folder=self._folder,
            group=self._guard.group,
            client=httpx.AsyncClient(verify=False, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)),
            program_of=self._find_program,
        )
        plenty = {"cpu": "64", "memory": "256Gi", "pods": "250"}
        labels = {"kubernetes.io/hostname": self.name, "topology.kubernetes.io/zone": "zone-a"}
        await api.post("/api/v1/nodes", {"metadata": {"name": self.name, "labels": labels}})
        status = {
            "capacity": plenty,
            "allocatable": plenty,
            "addresses": [{"type": "InternalIP", "address": network.node_ip}],
            "conditions": [{"type": "Ready", "status": "True", "reason": "StandIn"}],
        }
        await api.patch(f"/api/v1/nodes/{self.name}/status", {"status": status})
        self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        async for kind, objects in self._node.api.watch("/api/v1/pods"):
            if kind == "LISTED":
                there = {obj["metadata"]["uid"] for obj in objects}
                for uid in self._lives.keys() - there:
                    self._forget(uid)
            for obj in objects:
                try:
                    self._take(kind, obj)
                except Exception:  # noqa: BLE001 - one pod must not stop the others
                    self._node.api.note(traceback.format_exc())

    def _take(self, kind: str, obj: dict[str, Any]) -> None:
        """Take a change of a pod."""
        metadata, spec = obj["metadata"], obj["spec"]
        uid = metadata["uid"]
        if kind == "DELETED":
            self._forget(uid)
        elif uid in self._pods:
            self._pods[uid].update(obj)
            if kind == "LISTED" and not self._pods[uid].is_heard():
                self._begin(self._pods[uid].repeat())
        elif spec.get("nodeName") == self.name:
            if obj.get("status", {}).get("phase", "Pending") == "Pending":
                pod = self._pods[uid] = Pod(obj, self._node)
                self._lives[uid] = asyncio.create_task(pod.live())
        elif not (spec.get("nodeName") or metadata.get("deletionTimestamp") or spec.get("schedulingGates")):
            self._begin(self._bind(obj))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something about a pod meanwhile; a mistake is noted, and what was to be done comes up at the next list."""

        async def do() -> None:
            try:
                await work
            except Exception:  # noqa: BLE001 - one pod must not stop the others
                self._node.api.note(traceback.format_exc())

        task = asyncio.create_task(do())
        self._doing.add(task)
        task.add_done_callback(self._doing.discard)

    async def _bind(self, obj: dict[str, Any]) -> None:
        namespace, name, uid = (obj["metadata"][key] for key in ("namespace", "name", "uid"))
        target = {"apiVersion": "v1", "kind": "Node", "name": self.name}
        body = {"metadata": {"name": name, "uid": uid}, "target": target}
        await self._node.api.post(f"/api/v1/namespaces/{namespace}/pods/{name}/binding", body)

    def _forget(self, uid: str) -> None:
        """End a pod that is there no more."""
        if life := self._lives.pop(uid, None):
            life.cancel()

    async def _leave(self) -> None:
        """Take the node and its pods out of the cluster, as far as it still answers."""
        tasks = [self._working, *self._lives.values(), *self._doing]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        with suppress(TimeoutError):
            async with patience(LEAVE_SECONDS):
                for uid in self._lives:
                    pod = self._pods[uid]
                    await self._node.api.delete(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}", uid)
                await self._node.api.delete(f"/api/v1/nodes/{self.name}")
        await self._node.client.aclose()
        await self._node.api.close()
        self._node.network.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(HANDS_SECONDS)

    def _end_thread(self) -> None:
        self._guard.end()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _find_program(self, image: str) -> Sequence[str] | None:
        """Give the program of an image, whatever its tag or digest."""
        repository = repository_of(image)
        if repository in self._programs:
            return self._programs[repository]
        return HOOKWRIGHT if repository.rpartition("/")[2] == "hookwright" else None

    def _pod(self, namespace: str, name: str) -> Pod:
        for pod in reversed(self._pods.values()):
            if (pod.namespace, pod.name) == (namespace, name):
                return pod
        raise AssertionError(f"no pod {namespace}/{name} has come to {self.name}; {self.said()[-1000:]}")

    def _container(self, namespace: str, name: str, container: str) -> Container:
        containers = self._pod(namespace, name).containers
        return next(one for one in containers if container in ("", one.spec["name"]))
