"""One pod, from the moment it is bound to the node until it is gone."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from support.controlplane import ControlPlane
from support.kubelet.api import STRATEGIC_PATCH, Api
from support.kubelet.containers import AGAIN_SECONDS, Container, Part, now
from support.kubelet.environment import Telling
from support.kubelet.network import Network, local
from support.kubelet.probes import Probes
from support.kubelet.volumes import ACCOUNT, NotYet, Volumes

STAND_IN_SECONDS = 0.1
LAST_WORD_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class Node:
    """What all pods of the node share."""

    name: str
    control_plane: ControlPlane
    api: Api
    network: Network
    volumes: Volumes
    folder: Path
    group: int
    client: httpx.AsyncClient
    program_of: Callable[[str], Sequence[str] | None]


class Pod:
    """A pod on the node."""

    def __init__(self, obj: dict[str, Any], node: Node) -> None:
        self.obj = obj
        self.lost = False
        self.namespace, self.name = obj["metadata"]["namespace"], obj["metadata"]["name"]
        self.uid = obj["metadata"]["uid"]
        self.ip = ""
        spec = obj["spec"]
        self.firsts = [self._make(node, one, "OnFailure") for one in spec.get("initContainers", ())]
        self.containers = [self._make(node, one, "Always") for one in spec["containers"]]
        self._node = node
        self._begun = now()
        self._told: dict[str, Any] = {}
        self._telling = asyncio.Lock()
        self._deleted = asyncio.Event()
        self._path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self.update(obj)

    def update(self, obj: dict[str, Any]) -> None:
        """Take what the pod has become."""
        self.obj = obj
        if obj["metadata"].get("deletionTimestamp"):
            self._deleted.set()

    def log_of(self, container: str) -> Path:
        """Give the file of all that a container's processes write."""
        return self._node.folder / "logs" / f"{self.namespace}_{self.name}_{self.uid}_{container}.log"

    async def live(self) -> None:
        """Run it until it is deleted, then end it."""
        try:
            running = asyncio.create_task(self._run())
            deleted = asyncio.create_task(self._deleted.wait())
            try:
                await asyncio.wait({running, deleted}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
                await deleted
                await self._end(running)
            finally:
                deleted.cancel()
                running.cancel()
                await asyncio.wait({running, deleted})
                for container in (*self.firsts, *self.containers):
                    container.kill()
                self._node.network.give_up(self.ip, self.uid)
        except Exception:  # noqa: BLE001 - one pod that cannot be understood must not stop the others
            self._node.api.note(f"pod {self.namespace}/{self.name}: {traceback.format_exc()}")

    async def _run(self) -> None:
        # Another pod has to end first.
        while (ip := self._node.network.take(self.uid)) is None:  # noqa: ASYNC110
            await asyncio.sleep(AGAIN_SECONDS)
        self.ip = ip
        folders = await self._prepare_volumes()
        for first in self.firsts:
            running = asyncio.create_task(first.run(self._part(first, folders)))
            if first.policy == "Always":
                continue
            await running
            if first.code:
                await self.report()
                return
        await asyncio.gather(*(one.run(self._part(one, folders)) for one in self.containers))
        self._node.network.give_up(self.ip, self.uid)

    async def _prepare_volumes(self) -> Mapping[str, Path]:
        while True:
            try:
                return await self._node.volumes.prepare(self.obj)
            except NotYet as missing:
                for container in self.containers:
                    container.state = {"waiting": {"reason": "ContainerCreating", "message": str(missing)}}
                await self.report()
                await asyncio.sleep(AGAIN_SECONDS)

    async def _end(self, running: asyncio.Task[None]) -> None:
        runs = any("running" in container.state for container in self.containers)
        seconds = self.obj["metadata"].get("deletionGracePeriodSeconds", 30)
        await asyncio.gather(*(container.stop(seconds) for container in (*self.firsts, *self.containers)))
        # What ended says so before the pod is gone: who watches sees how it went.
        await asyncio.wait({running}, timeout=LAST_WORD_SECONDS if runs else 0)
        await self.report()
        await self._node.api.delete(self._path, self.uid)

    async def report(self) -> None:
        """Write the pod's status, if it has changed."""
        async with self._telling:
            status = self._status()
            if status != self._told and not self.lost:
                self._told = status
                await self._node.api.patch(
                    f"{self._path}/status", {"metadata": {"uid": self.uid}, "status": status}, STRATEGIC_PATCH
                )

    def is_heard(self) -> bool:
        """Whether the API server knows in which phase the pod is, as far as that was told."""
        told = self._told.get("phase")
        return self.lost or told is None or told == self.obj.get("status", {}).get("phase")

    async def repeat(self) -> None:
        """Write the pod's status again."""
        self._told = {name: told for name, told in self._told.items() if name == "conditions"}
        await self.report()

    def _status(self) -> dict[str, Any]:
        started = all(first.code == 0 or first.policy == "Always" for first in self.firsts)
        phase = self._phase()
        ready = phase == "Running" and all(container.ready for container in self.containers)
        done = phase == "Succeeded"
        conditions = {"PodReadyToStartContainers": not done, "Initialized": started}
        conditions |= {"ContainersReady": ready, "Ready": ready}
        why = {"reason": "PodCompleted"} if done else {"reason": "ContainersNotReady"}
        return {
            "phase": phase,
            "conditions": [
                {"type": name, "status": str(holds), "lastTransitionTime": self._since(name, str(holds))}
                | ({"reason": None} if holds else why)
                for name, holds in conditions.items()
            ],
            "hostIP": self._node.network.node_ip,
            "hostIPs": [{"ip": self._node.network.node_ip}],
            "podIP": self.ip,
            "podIPs": [{"ip": self.ip}],
            "startTime": self._begun,
            "initContainerStatuses": [first.status() for first in self.firsts],
            "containerStatuses": [container.status() for container in self.containers],
        }

    def _since(self, condition: str, status: str) -> str:
        for told in self._told.get("conditions", ()):
            if (told["type"], told["status"]) == (condition, status):
                return str(told["lastTransitionTime"])
        return now()

    def _phase(self) -> str:
        codes = [container.code for container in self.containers]
        policy = self.obj["spec"].get("restartPolicy", "Always")
        if policy == "Never" and any(first.code for first in self.firsts):
            return "Failed"
        if policy != "Always" and None not in codes:
            return "Failed" if any(codes) else "Succeeded"
        waits = all("waiting" in one.state and not one.last_state for one in self.containers)
        return "Pending" if waits else "Running"

    def _make(self, node: Node, spec: dict[str, Any], most: str) -> Container:
        program = node.program_of(spec["image"])
        policy = self.obj["spec"].get("restartPolicy", "Always")
        if most == "OnFailure":
            # A container of its own policy is a sidecar; the others are to end.
            policy = spec.get("restartPolicy") or ("Never" if policy == "Never" else "OnFailure")
        return Container(spec=spec, program=tuple(program) if program else None, policy=policy)

    def _part(self, container: Container, folders: Mapping[str, Path]) -> Part:
        node, annotations = self._node, self.obj["metadata"].get("annotations", {})
        self._read_seconds()  # what cannot be understood is not begun
        return Part(
            telling=Telling(node.api, node.network, self.obj, container.spec, self.ip),
            folders=folders,
            extra=self._write_kubeconfig(container, folders),
            probes=Probes(container.spec, local(self.ip), node.client),
            group=node.group,
            log=self.log_of(container.spec["name"]),
            report=self.report,
            stand_in_seconds=self._read_seconds,
            stand_in_code=int(annotations.get("stand-in/exit-code", 0)),
        )

    def _read_seconds(self) -> float:
        return float(self.obj["metadata"].get("annotations", {}).get("stand-in/seconds", STAND_IN_SECONDS))

    def _write_kubeconfig(self, container: Container, folders: Mapping[str, Path]) -> dict[str, str]:
        """Write a kubeconfig of the pod's own account, if its token is mounted; it is found as any user's is."""
        for mount in container.spec.get("volumeMounts", ()):
            if mount["mountPath"].rstrip("/") == ACCOUNT:
                token = (folders[mount["name"]] / "token").read_text()
                path = self._node.volumes.folder_of_pod(self.obj) / f"{container.spec['name']}.kubeconfig"
                self._node.control_plane.write_kubeconfig(path, token, self.namespace)
                return {"KUBECONFIG": str(path)}
        return {}
