"""Probes of a container, as the kubelet makes them: by HTTP or TCP, at the pod's address.

Time in which this process could not look is not held against the container.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Protocol

import httpx

from support.waiting import HTTP_SECONDS, patience

# While a container has not been ready yet, it is asked more often than its probe says.
EAGER_SECONDS = 0.2


class Tell(Protocol):
    """Who hears of what the probes find."""

    def __call__(self, *, started: bool, ready: bool) -> None: ...


class Probes:
    """The three probes of a container that runs."""

    def __init__(self, container: dict[str, Any], address: str, client: httpx.AsyncClient) -> None:
        self._container = container
        self._address = address
        self._client = client

    async def watch(self, tell: Tell) -> str:
        """Tell whether it is started and ready, whenever that changes, until it has to be killed; give the reason."""
        if startup := self._container.get("startupProbe"):
            tell(started=False, ready=False)
            if not await self._wait_for_start(startup):
                return "startup probe failed"
        ready = self._container.get("readinessProbe")
        tell(started=True, ready=ready is None)
        watching = asyncio.create_task(self._watch_readiness(ready, tell)) if ready else None
        try:
            if alive := self._container.get("livenessProbe"):
                await self._watch_life(alive)
                return "liveness probe failed"
            await asyncio.Event().wait()
        finally:
            if watching is not None:
                watching.cancel()
        raise AssertionError

    async def _wait_for_start(self, probe: dict[str, Any]) -> bool:
        seconds = probe.get("failureThreshold", 3) * probe.get("periodSeconds", 10)
        with suppress(TimeoutError):
            async with patience(probe.get("initialDelaySeconds", 0) + seconds):
                # A process says by no event that it answers.
                while not await self._ask(probe):  # noqa: ASYNC110
                    await asyncio.sleep(EAGER_SECONDS)
            return True
        return False

    async def _watch_readiness(self, probe: dict[str, Any], tell: Tell) -> None:
        ready, failures = False, 0
        while True:
            good = await self._ask(probe)
            failures = 0 if good else failures + 1
            if good != ready and (good or failures >= probe.get("failureThreshold", 3)):
                ready = good
                tell(started=True, ready=ready)
            period = probe.get("periodSeconds", 10)
            await asyncio.sleep(period if ready else min(period, EAGER_SECONDS))

    async def _watch_life(self, probe: dict[str, Any]) -> None:
        await asyncio.sleep(probe.get("initialDelaySeconds", 0))
        failures = 0
        while failures < probe.get("failureThreshold", 3):
            failures = 0 if await self._ask(probe) else failures + 1
            await asyncio.sleep(probe.get("periodSeconds", 10))

    async def _ask(self, probe: dict[str, Any]) -> bool:
        seconds = probe.get("timeoutSeconds", 1)
        if about := probe.get("httpGet"):
            url = f"{about.get('scheme', 'HTTP').lower()}://{self._address}:{self._port(about['port'])}"
            try:
                async with patience(seconds):
                    answer = await self._client.get(url + about.get("path", "/"), timeout=HTTP_SECONDS)
            except (httpx.HTTPError, TimeoutError):
                return False
            return 200 <= answer.status_code < 400
        if about := probe.get("tcpSocket"):
            try:
                async with patience(seconds):
                    _, writer = await asyncio.open_connection(self._address, self._port(about["port"]))
            except (OSError, TimeoutError):
                return False
            writer.close()
        return True  # what runs inside a container cannot be asked here

    def _port(self, port: int | str) -> int:
        if isinstance(port, int):
            return port
        named = {one.get("name"): one["containerPort"] for one in self._container.get("ports", ())}
        return int(named.get(port) or port)
