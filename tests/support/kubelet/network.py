"""The pods' network: addresses, and the names of Services in what a process is told."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from typing import Any

from support.kubelet.api import Api

ENDPOINT_SECONDS, POLL_SECONDS = 20.0, 0.2
_EVERYWHERE = re.compile(r"(?<![\w.:])(0\.0\.0\.0|\[::\])(?=:\d)")
_SERVICE = re.compile(
    r"(?<![\w.-])(?:(?P<host>[a-z0-9-]+)\.)?(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)"
    r"\.svc(?:\.cluster\.local)?\b(?::(?P<port>\d+))?"
)


def local(ip: str) -> str:
    """Give the address on this machine of a pod's IP: EndpointSlices refuse loopback, others would have to be made."""
    return ip.replace("10.", "127.", 1) if ip.startswith("10.") else ip


class Network:
    """The addresses of one node, 10.244.N.x; N belongs to nobody else on this machine."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._socket, self.node_ip = _take_subnet()
        self._taken: dict[str, str] = {}
        self._next = 2

    def close(self) -> None:
        """Give the addresses up."""
        self._socket.close()

    def take(self, uid: str) -> str | None:
        """Take an IP for a pod, the one that was given up longest ago; None if all are taken."""
        prefix = self.node_ip.rpartition(".")[0]
        for _ in range(253):
            ip = f"{prefix}.{self._next}"
            self._next = 2 + (self._next - 1) % 253
            if ip not in self._taken:
                self._taken[ip] = uid
                return ip
        return None

    def give_up(self, ip: str, uid: str) -> None:
        """Let another pod have an IP, if this one still has it."""
        if self._taken.get(ip) == uid:
            del self._taken[ip]

    async def rewrite(self, text: str, ip: str) -> str:
        """Put addresses that are good on this machine into what a pod is told: its own, and those of Services."""
        text = _EVERYWHERE.sub(local(ip), text)
        for found in list(_SERVICE.finditer(text)):
            # The API server is found by the kubeconfig.
            if found["name"] != "kubernetes" and (place := await self._find(found)):
                text = text.replace(found[0], place)
        return text

    async def _find(self, found: re.Match[str]) -> str | None:
        """Give address and port of an endpoint of a Service; None if there is none for too long a time."""
        path = f"/namespaces/{found['namespace']}"
        query = {"labelSelector": f"kubernetes.io/service-name={found['name']}"}
        number = int(found["port"] or 80)
        for _ in range(int(ENDPOINT_SECONDS / POLL_SECONDS)):
            service = await self._api.get(f"/api/v1{path}/services/{found['name']}")
            slices = await self._api.get(f"/apis/discovery.k8s.io/v1{path}/endpointslices", **query)
            if service and slices:
                names = [port.get("name", "") for port in service["spec"].get("ports", ()) if port["port"] == number]
                if place := _choose(slices["items"], (*names, "")[0], found["host"]):
                    return place
            await asyncio.sleep(POLL_SECONDS)
        return None


def _choose(slices: list[dict[str, Any]], port: str, host: str | None) -> str | None:
    for one in slices:
        numbers = [entry["port"] for entry in one.get("ports") or () if (entry.get("name") or "") == port]
        for endpoint in one.get("endpoints") or ():
            ready = endpoint.get("conditions", {}).get("ready")
            if numbers and ready and host in (None, endpoint.get("hostname")):
                return f"{local(endpoint['addresses'][0])}:{numbers[0]}"
    return None


def _take_subnet() -> tuple[socket.socket, str]:
    """Listen at a node's own port, so that no other stand-in on this machine takes the same subnet."""
    for number in random.sample(range(256), 256):
        node_ip = f"10.244.{number}.1"
        taken = socket.socket()
        try:
            taken.bind((local(node_ip), 10250))
            taken.listen()
        except OSError:
            taken.close()
            continue
        return taken, node_ip
    raise RuntimeError("no subnet is free")
