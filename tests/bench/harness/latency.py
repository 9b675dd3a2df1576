"""How long it takes from a request until the API server shows the Job, at a set pace.

Both ways are timed with the same clock and the same watch: from before the request is sent until the watch brings the
Job. So neither what a client does after the answer nor when it looks plays a part.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
from harness import deliveries
from harness.builds import JOBS_PATH, Place, check_created, make_orders, raw_headers
from harness.children import BenchmarkError
from harness.pace import keep_pace

from hookwright.builds.targets.job import DELIVERY_ANNOTATION
from hookwright.cluster import WEBHOOKS
from hookwright.cluster.client import KubernetesCluster

PER_SECOND = 100.0
LAST_JOBS_SECONDS = 30.0
READY_SECONDS = 30.0
POLL_SECONDS = 0.02


@dataclass(kw_only=True)
class JobWatch:
    """When the Job of each delivery was seen, by the id of the delivery."""

    seen: dict[str, float] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, session: aiohttp.ClientSession, url: str, version: str) -> None:
        """Note every Job that comes after `version`."""
        query = {"watch": "1", "resourceVersion": version}
        async with session.get(url, params=query, timeout=aiohttp.ClientTimeout()) as response:
            async for line in response.content:
                moment, event = time.perf_counter(), json.loads(line)
                if event["type"] == "ADDED":
                    proof = event["object"]["metadata"]["annotations"][DELIVERY_ANNOTATION]
                    self.seen[proof.rpartition("/")[2]] = moment
                    self.changed.set()

    async def wait_for(self, ids: Sequence[str]) -> None:
        """Wait until the Jobs of all these deliveries were seen."""
        try:
            async with asyncio.timeout(LAST_JOBS_SECONDS):
                while not self.seen.keys() >= set(ids):
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            missing = len(set(ids) - self.seen.keys())
            raise BenchmarkError(f"{missing} of {len(ids)} deliveries have no Job") from None


@asynccontextmanager
async def watching(session: aiohttp.ClientSession, place: Place) -> AsyncIterator[JobWatch]:
    """Watch the Jobs for the time of a `with` block."""
    url = place.server.url + JOBS_PATH
    async with session.get(url, params={"limit": "1"}) as response:
        version = (await response.json())["metadata"]["resourceVersion"]
    watch = JobWatch()
    task = asyncio.create_task(watch.follow(session, url, version))
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def time_creates(place: Place, *, count: int) -> list[float]:
    """Create Jobs over plain aiohttp; give the seconds until each was seen."""
    orders = make_orders(place, count)
    bodies = {order.wanted.delivery_id: json.dumps(order.manifest).encode() for order in orders}
    return await _time(place, place.server.url + JOBS_PATH, bodies, raw_headers(), status=201)


async def time_deliveries(place: Place, url: str, *, count: int) -> list[float]:
    """Send pushes to a Webhook's URL; give the seconds until the Job of each was seen."""
    body = deliveries.make_push("main")
    bodies = {str(uuid.uuid4()): body for _ in range(count)}
    return await _time(place, url, bodies, deliveries.make_headers(body), status=202)


async def _time(
    place: Place, url: str, bodies: dict[str, bytes], headers: dict[str, str], *, status: int
) -> list[float]:
    sent: dict[str, float] = {}
    async with aiohttp.ClientSession() as session, watching(session, place) as watch:

        async def send(delivery_id: str) -> None:
            own = {**headers, "X-GitHub-Delivery": delivery_id}
            sent[delivery_id] = time.perf_counter()
            async with session.post(url, data=bodies[delivery_id], headers=own) as response:
                await response.read()
                if status == 201:
                    check_created(response.status)
                elif response.status != status:
                    raise BenchmarkError(f"a delivery was to be answered {status}, and was answered {response.status}")

        await keep_pace(send, list(bodies), per_second=PER_SECOND)
        await watch.wait_for(list(bodies))
        return [watch.seen[delivery_id] - sent[delivery_id] for delivery_id in bodies]


async def find_url(place: Place) -> str:
    """Wait until the Webhook is ready, and give its URL."""
    async with KubernetesCluster(place.configuration) as cluster, asyncio.timeout(READY_SECONDS):
        while True:
            name = place.webhook.metadata.name
            found = await cluster.get(WEBHOOKS, namespace=deliveries.NAMESPACE, name=name) or {}
            status = found.get("status") or {}
            if any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ())):
                url: str = status["url"]
                return url
            await asyncio.sleep(POLL_SECONDS)
