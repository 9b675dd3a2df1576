"""Receivers come and go as the StatefulSet has it: under load, for good, and with their node; nothing is lost by it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from support.release import NAMESPACE
from support.release_site import (
    MERGE_PATCH,
    RECEIVER,
    WAITING_JOB,
    Installed,
    Site,
    count_pending,
    install_for_team,
    work_at,
)
from support.running import make_buildtrigger, make_webhook

STATEFULSET = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{RECEIVER}"
PER_SECOND = 40
TRIES = 200
# Longer than any of this takes: what waits for its target waits until that is made.
PATIENCE = 86_400


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory) -> Iterator[Installed]:
    """A release with three receivers and one operator."""
    values = {"receiver": {"replicas": 3}, "operator": {"replicas": 1}, "settings": {"targetPatience": PATIENCE}}
    with install_for_team(control_plane, tmp_path_factory.mktemp("scaling"), values) as made:
        yield made


@pytest.fixture
async def site(installed: Installed) -> AsyncIterator[Site]:
    """That release, with three receivers ready, and Webhook hello."""
    async with work_at(installed) as made:
        await made.set_up()
        await made.scale(3)
        made.accepted |= {delivery: name for name, delivery in (await made.jobs()).items()}
        yield made


class Sender:
    """A Git host that delivers at a rate, and each delivery again, elsewhere, until it is accepted."""

    def __init__(self, site: Site, path: str, name: str) -> None:
        self._site = site
        self._path = path
        self._name = name
        self._addresses: list[str] = []
        self._turn = itertools.count()
        self.refused: dict[str, int] = {}
        """How often a try had which answer other than an acceptance."""
        self.failed: list[BaseException] = []
        """Why deliveries were given up."""

    async def run(self) -> None:
        """Deliver until cancelled; then wait until all is accepted that was begun."""
        following = asyncio.create_task(self._follow())
        sending: set[asyncio.Task[None]] = set()
        try:
            for number in itertools.count():
                task = asyncio.create_task(self._deliver(f"{self._name}-{number}"))
                sending.add(task)
                task.add_done_callback(sending.discard)
                task.add_done_callback(self._note)
                await asyncio.sleep(1 / PER_SECOND)
        finally:
            await asyncio.gather(*sending, return_exceptions=True)
            following.cancel()

    def _note(self, task: asyncio.Task[None]) -> None:
        """Keep why a delivery was given up, for the test to fail by it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed.append(error)

    async def _follow(self) -> None:
        """Learn where receivers are ready, as a load balancer does."""
        while True:
            # An API server that is too busy to answer leaves them as they are known.
            with suppress(httpx.HTTPError):
                self._addresses = await self._site.receivers() or self._addresses
            await asyncio.sleep(0.2)

    async def _deliver(self, delivery: str) -> None:
        for _ in range(TRIES):
            if self._addresses:
                address = self._addresses[next(self._turn) % len(self._addresses)]
                try:
                    answer = await self._site.push(address, self._path, delivery)
                except httpx.TransportError as error:
                    said = type(error).__name__
                else:
                    if answer.is_success:
                        return
                    said = str(answer.status_code)
                self.refused[said] = self.refused.get(said, 0) + 1
            await asyncio.sleep(0.1)
        raise AssertionError(f"{delivery} was not accepted in {TRIES} tries: {self.refused}")


@asynccontextmanager
async def load(site: Site, name: str) -> AsyncIterator[Sender]:
    """Deliver for the length of a `with` block; in the end every delivery was accepted somewhere."""
    sender = Sender(site, await site.url_path(), name)
    sending = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert sender.failed == []


async def restart(site: Site) -> None:
    """Have all pods replaced one after the other, as `kubectl rollout restart` does, and wait until they are."""
    template = {
        "metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": str(asyncio.get_running_loop().time())}}
    }
    patch = {"spec": {"template": template}}
    (await site.api.patch(STATEFULSET, json=patch, headers={"content-type": MERGE_PATCH})).raise_for_status()
    await site.until_pods(RECEIVER, 3)


async def test_rolling_restart_under_load(site: Site):
    """While deliveries stream in all receivers are replaced: each that was accepted is started exactly once."""
    async with load(site, "rolling"):
        await until_more(site)
        await restart(site)
        await until_more(site)
    await site.until_started()
    jobs = len(await site.jobs())

    async def made() -> int:
        events = await asyncio.to_thread(site.control_plane.audit)
        asked = [one for one in events if (one.verb, one.resource, one.namespace) == ("create", "jobs", site.team)]
        return sum(one.code == 201 and "dryRun" not in one.uri for one in asked)

    async def are_logged() -> bool:
        return await made() >= jobs

    # The log tells of a request a moment after it took effect. None was made, removed and made again either.
    await site.until(are_logged, "the audit log tells of all")
    assert await made() == jobs


async def until_more(site: Site) -> None:
    """Wait until so many more deliveries are accepted as come in a second."""
    wanted = len(site.accepted) + PER_SECOND

    async def are_accepted() -> bool:
        return len(site.accepted) >= wanted

    await site.until(are_accepted, "deliveries are accepted")


async def test_scaling_down_under_load(site: Site):
    """While deliveries stream in two of three receivers go: their journals are empty then, and nothing is lost."""
    async with load(site, "down"):
        await until_more(site)
        for count in (2, 1):
            await site.scale(count)
    await site.until_started()
    for number in (1, 2):
        assert await count_pending(site.claim_of(f"{RECEIVER}-{number}")) == 0


async def leave_pending(site: Site, pod: str, name: str) -> list[str]:
    """Have a receiver accept deliveries whose target is not there yet; give them."""
    await site.apply(make_webhook(name, targetPipeline={"name": name}))

    async def has_url() -> bool:
        return "url" in await site.status(name)

    await site.until(has_url, f"Webhook {name} has a URL")
    path, address = await site.url_path(name), site.address_of(pod)
    await site.until_known(address, path)
    deliveries = [f"{name}-{number}" for number in range(5)]
    for delivery in deliveries:
        answer = await site.push(address, path, delivery)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    return deliveries


async def bring_target(site: Site, name: str) -> None:
    """Make the target, and wait until it is known."""
    await site.apply(make_buildtrigger(name, build={"jobTemplate": {"spec": WAITING_JOB}}))
    await site.until_ready(name)


async def test_orphaned_volume_is_adopted(site: Site):
    """What a removed receiver could not start stays on its volume, until the chart's Job for it starts that, once."""
    deliveries = await leave_pending(site, f"{RECEIVER}-2", "orphaned")
    await site.scale(2)
    claim = f"journal-{RECEIVER}-2"
    volume = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/{claim}"
    assert (await site.get(volume))["status"]["phase"] == "Bound"
    assert await count_pending(site.claim_of(f"{RECEIVER}-2")) == len(deliveries)
    await bring_target(site, "orphaned")
    assert not set(deliveries) & set((await site.jobs()).values())
    await site.scale(2, adoptJournals=[claim])

    async def is_done() -> bool:
        jobs = await site.get(f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs")
        (job,) = [one for one in jobs["items"] if one["metadata"]["annotations"].get("hookwright.dev/journal") == claim]
        return bool(job["status"].get("succeeded"))

    await site.until(is_done, "the Job has worked the journal off")
    await site.until_started()
    assert await count_pending(site.claim_of(f"{RECEIVER}-2")) == 0
    # The volume serves the next receiver of that name, which finds nothing left to do.
    await site.scale(3, adoptJournals=[])
    answer = await site.push(site.address_of(f"{RECEIVER}-2"), await site.url_path("orphaned"), deliveries[0])
    assert (answer.status_code, answer.json()["outcome"]) == (200, "duplicate")
    await site.until_started()


async def test_node_that_died(site: Site):
    """A receiver on a dead node is not replaced, and its journal waits, until its pod is deleted by force."""
    lost, pod = f"{RECEIVER}-1", f"/api/v1/namespaces/{NAMESPACE}/pods/{RECEIVER}-1"
    deliveries = await leave_pending(site, lost, "lost")
    uid = (await site.get(pod))["metadata"]["uid"]
    site.kubelet.lose(NAMESPACE, lost)
    await bring_target(site, "lost")
    # The others go on.
    path = await site.url_path()
    for number, other in enumerate((f"{RECEIVER}-0", f"{RECEIVER}-2")):
        assert (await site.push(site.address_of(other), path, f"meanwhile-{number}")).status_code == 202
    # What the node's controller does where a node is gone: it asks the kubelet, which does not answer.
    await site.api.delete(pod)
    assert (await site.get(pod))["metadata"]["uid"] == uid
    assert not set(deliveries) & set((await site.jobs()).values())
    assert await count_pending(site.claim_of(lost)) == len(deliveries)
    await site.api.delete(pod, params={"gracePeriodSeconds": "0"})
    await site.until_pods(RECEIVER, 3)
    assert (await site.get(pod))["metadata"]["uid"] != uid
    await site.until_started()
