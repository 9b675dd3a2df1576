"""Builds that are wanted, and four ways to create them. Each gives the seconds that it took.

What is compared: the worker as the product runs it, the port that it uses, and two clients that have nothing to do but
create. All create the same Jobs, as many at a time.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from harness import deliveries
from harness.children import BenchmarkError
from harness.devcluster import ApiServer
from harness.pace import work_off
from kubernetes.aio.client import ApiClient, BatchV1Api, Configuration, V1Job

from hookwright.app.feeds import fill
from hookwright.app.news import news_of_conclusion
from hookwright.app.process import now
from hookwright.builds.plan import Start, plan
from hookwright.builds.starter import Conclusion
from hookwright.builds.status import StatusWriter
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.builds.worker import Worker
from hookwright.cluster import JOBS
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.cluster.mirror import Mirror
from hookwright.intake.receiver import to_journal
from hookwright.journal import Journal
from hookwright.kinds import API_VERSION, BuildTrigger, Webhook
from hookwright.reasons import Outcome

CONCURRENCY = 32
PATIENCE = timedelta(minutes=5)
ACCEPTED_AT_ONCE = 250
JOBS_PATH = JOBS.path(namespace=deliveries.NAMESPACE)


@dataclass(frozen=True, kw_only=True)
class Place:
    """An API server with one Webhook and its BuildTrigger, and the typed copies of both."""

    server: ApiServer
    configuration: Configuration
    mirror: Mirror
    webhook: Webhook
    target: BuildTrigger


@dataclass(frozen=True, kw_only=True)
class Order:
    """A build that is wanted, and the Job for it."""

    wanted: WantedBuild
    manifest: dict[str, Any]  # any: an object as JSON


async def visit(server: ApiServer) -> Place:
    """Read what is there, as the product does."""
    access = await load_access(server.kubeconfig)
    mirror = Mirror(quota=1_000_000)
    async with KubernetesCluster(access.configuration) as cluster:
        await fill(mirror, cluster)
    webhook = mirror.webhook(deliveries.NAMESPACE, "hook-0")
    target = mirror.buildtrigger(deliveries.NAMESPACE, deliveries.TARGET)
    assert isinstance(webhook, Webhook)
    assert isinstance(target, BuildTrigger)
    return Place(server=server, configuration=access.configuration, mirror=mirror, webhook=webhook, target=target)


def make_orders(place: Place, count: int) -> list[Order]:
    """Want so many builds that nobody has wanted before."""
    orders = []
    for _ in range(count):
        wanted = WantedBuild(
            namespace=deliveries.NAMESPACE,
            owner_kind=Webhook.KIND,
            owner_name=place.webhook.metadata.name,
            owner_uid=place.webhook.metadata.uid,
            delivery_id=str(uuid.uuid4()),
            accepted_at=now(),
            target=TargetRef(api_version=API_VERSION, kind=BuildTrigger.KIND, name=deliveries.TARGET),
            service_account=None,
            parameters={"COMMIT": "6113728f27ae82c7b1a177c8d03f9e96e0adf246", "PUSHER": "octo"},
        )
        step = plan(wanted, place.target, now=now(), patience=PATIENCE, attempts=0)
        assert isinstance(step, Start)
        orders.append(Order(wanted=wanted, manifest=step.manifest))
    return orders


async def create_raw(place: Place, orders: Sequence[Order], folder: Path) -> float:
    """Create over plain aiohttp: bodies are ready before the clock runs, answers are read and not looked into."""
    url = place.server.url + JOBS_PATH
    bodies = [json.dumps(order.manifest).encode() for order in orders]
    async with aiohttp.ClientSession(headers=raw_headers()) as session:

        async def create(body: bytes) -> None:
            async with session.post(url, data=body) as response:
                await response.read()
                check_created(response.status)

        return await work_off(create, bodies, at_once=CONCURRENCY)


async def create_by_worker(place: Place, orders: Sequence[Order], folder: Path) -> float:
    """Have the worker start what stands in a journal, until all of it is concluded there; status is written too."""
    left, all_reported = len(orders), asyncio.Event()
    failed: list[Conclusion] = []
    journal = await Journal.open(folder, clock=now)
    for first in range(0, len(orders), ACCEPTED_AT_ONCE):
        some = orders[first : first + ACCEPTED_AT_ONCE]
        await journal.accept_all([to_journal(order.wanted) for order in some])
    async with KubernetesCluster(place.configuration) as cluster:
        writer = StatusWriter(cluster, place.mirror, clock=now)

        def report(conclusion: Conclusion) -> None:
            nonlocal left
            writer.tell(news_of_conclusion(conclusion))
            left -= 1
            if conclusion.reason.outcome is not Outcome.STARTED:
                failed.append(conclusion)
            if left == 0 or failed:
                all_reported.set()

        worker = Worker(
            journal=journal,
            cluster=cluster,
            targets=place.mirror,
            report=report,
            clock=now,
            concurrency=CONCURRENCY,
            patience=PATIENCE,
        )
        start = time.perf_counter()
        tasks = [asyncio.create_task(worker.run()), asyncio.create_task(writer.run())]
        await all_reported.wait()
        # Each look waits behind the conclusions that were submitted before it.
        while not failed and await journal.depth():
            pass
        seconds = time.perf_counter() - start
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await journal.close()
    if failed:
        raise BenchmarkError(f"the worker: {failed[0].reason.name}: {failed[0].message}")
    return seconds


async def create_by_port(place: Place, orders: Sequence[Order], folder: Path) -> float:
    """Create through the product's client alone."""
    async with KubernetesCluster(place.configuration) as cluster:

        async def create(order: Order) -> None:
            await cluster.create(
                JOBS, order.manifest, namespace=deliveries.NAMESPACE, service_account=deliveries.SERVICE_ACCOUNT
            )

        return await work_off(create, orders, at_once=CONCURRENCY)


async def create_typed(place: Place, orders: Sequence[Order], folder: Path) -> float:
    """Create with the official client's typed API: models are ready before the clock runs, answers become models."""
    jobs = [job for order in orders if (job := V1Job.from_dict(order.manifest)) is not None]
    async with ApiClient(place.configuration) as api:
        api.set_default_header("Impersonate-User", raw_headers()["Impersonate-User"])
        batch = BatchV1Api(api)

        async def create(job: V1Job) -> None:
            await batch.create_namespaced_job(deliveries.NAMESPACE, job)

        return await work_off(create, jobs, at_once=CONCURRENCY)


def raw_headers() -> dict[str, str]:
    """Give the headers with which a Job is created in the name of a ServiceAccount."""
    user = f"system:serviceaccount:{deliveries.NAMESPACE}:{deliveries.SERVICE_ACCOUNT}"
    return {"Content-Type": "application/json", "Accept": "application/json", "Impersonate-User": user}


def check_created(status: int) -> None:
    """Make sure that an answer is `201 Created`; BenchmarkError if not."""
    if status != 201:
        raise BenchmarkError(f"a Job was to be created, and the API server answered {status}")
