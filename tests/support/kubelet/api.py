"""The API server as the stand-in kubelet sees it: it may be away for a while, and what it refuses is noted and left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from support.access import Access
from support.waiting import HTTP_SECONDS

AGAIN_SECONDS = 0.2
# So often all is listed anew: what was missed is seen then.
WATCH_SECONDS = 20
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"


class Api:
    """A client that asks until it is answered."""

    def __init__(self, access: Access, log: Path) -> None:
        self._client = access.client()
        self._log = log

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get(self, path: str, **query: str) -> dict[str, Any] | None:
        """Get an object or a list; None if there is none."""
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Create an object; None if that is refused."""
        return await self._call("POST", path, json=body)

    async def patch(self, path: str, body: dict[str, Any], kind: str = MERGE_PATCH) -> dict[str, Any] | None:
        """Change an object; None if that is refused, or it is gone."""
        return await self._call("PATCH", path, content=json.dumps(body), headers={"content-type": kind})

    async def delete(self, path: str, uid: str | None = None) -> None:
        """Delete an object at once, if it is still the one that is meant."""
        await self._call("DELETE", path, json={"gracePeriodSeconds": 0, "preconditions": {"uid": uid} if uid else {}})

    async def watch(self, path: str) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
        """Give all objects (LISTED), then every change; LISTED again whenever changes may have been missed."""
        while True:
            if (listed := await self.get(path)) is None:
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            yield "LISTED", listed["items"]
            query = {"watch": "true", "resourceVersion": listed["metadata"]["resourceVersion"]}
            query |= {"timeoutSeconds": str(WATCH_SECONDS), "allowWatchBookmarks": "true"}
            try:
                async with self._client.stream("GET", path, params=query, timeout=2 * HTTP_SECONDS) as got:
                    async for line in got.aiter_lines():
                        event = json.loads(line)
                        if got.status_code != 200 or event["type"] == "ERROR":
                            break
                        if event["type"] != "BOOKMARK":
                            yield event["type"], [event["object"]]
            except (httpx.TransportError, ValueError):
                pass  # it was cut off, perhaps in the middle of a line
            await asyncio.sleep(AGAIN_SECONDS)

    async def _call(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        while True:
            try:
                answer = await self._client.request(method, path, **more)
            except httpx.TransportError as error:
                self.note(f"{method} {path}: {error!r}")
            else:
                if answer.is_success:
                    return answer.json()
                self.note(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
                if answer.status_code != 429 and answer.status_code < 500:
                    return None
            await asyncio.sleep(AGAIN_SECONDS)

    def note(self, line: str) -> None:
        """Write a line to the stand-in's own log."""
        with self._log.open("a") as log:
            log.write(line + "\n")
