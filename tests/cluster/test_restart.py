"""The API server ends, hangs, forgets, or serves other CRDs under running pods; and a start among many objects."""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from hookwright.reconcile.election import TERMS
from support.release import NAMESPACE
from support.release_site import MERGE_PATCH, OPERATOR, RECEIVER, Installed, Site, install_for_team, work_at
from support.running import make_webhook

PODS = (f"{RECEIVER}-0", f"{RECEIVER}-1", f"{OPERATOR}-0")
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/webhooks.hookwright.dev"
MANY = 200


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory) -> Iterator[Installed]:
    """A release with two receivers and one operator."""
    with install_for_team(control_plane, tmp_path_factory.mktemp("restart"), {"operator": {"replicas": 1}}) as made:
        yield made


@pytest.fixture
async def site(installed: Installed) -> AsyncIterator[Site]:
    """That release, with Webhook hello."""
    async with work_at(installed) as made:
        await made.set_up()
        for pod in PODS[:2]:
            await made.until_known(made.address_of(pod), await made.url_path())
        made.accepted |= {delivery: name for name, delivery in (await made.jobs()).items()}
        yield made


def processes(site: Site) -> list[int]:
    """Give the processes of all pods, to see that none was started again."""
    return [site.kubelet.process_of(NAMESPACE, pod) for pod in PODS]


async def deliver(site: Site, path: str, name: str, *, over: asyncio.Event) -> None:
    """Deliver to both receivers in turn, five a second, until it is over; each is accepted at the first try."""
    number = 0
    while not over.is_set():
        pod = PODS[number % 2]
        answer = await site.push(site.address_of(pod), path, f"{name}-{number}")
        assert answer.status_code == 202, answer.text
        number += 1
        await asyncio.sleep(0.2)


@asynccontextmanager
async def load(site: Site, name: str) -> AsyncIterator[asyncio.Task[None]]:
    """Deliver for the length of a `with` block, whose end waits for the answer to the last one: it may have started."""
    over = asyncio.Event()
    delivering = asyncio.create_task(deliver(site, await site.url_path(), name, over=over))
    try:
        yield delivering
    finally:
        over.set()
        await asyncio.wait({delivering})
    delivering.result()


async def until_accepted(site: Site, delivering: asyncio.Task[None], count: int) -> None:
    """Wait until so many more deliveries are accepted."""
    wanted = len(site.accepted) + count

    async def are_accepted() -> bool:
        if delivering.done():
            delivering.result()
        return len(site.accepted) >= wanted

    await site.until(are_accepted, "deliveries are accepted")


async def test_api_server_that_is_killed_and_comes_back(site: Site):
    """While the API server is away deliveries are accepted as ever; all of them start once it is back, exactly once."""
    before = processes(site)
    async with load(site, "away") as delivering:
        await until_accepted(site, delivering, 5)
        await asyncio.to_thread(site.control_plane.stop_api_server)
        await until_accepted(site, delivering, 30)
        await asyncio.to_thread(site.control_plane.start_api_server)
        await until_accepted(site, delivering, 5)
    await site.until_started()
    await site.apply(make_webhook("after-the-restart"))
    await site.until_ready("after-the-restart")
    assert processes(site) == before


async def test_api_server_that_hangs(site: Site):
    """While the API server hangs, longer than a Lease lasts, deliveries are accepted; afterwards all goes on."""
    before = processes(site)
    async with load(site, "hanging") as delivering:
        await until_accepted(site, delivering, 5)
        site.control_plane.pause()
        try:
            await asyncio.sleep(TERMS.lease)
            await until_accepted(site, delivering, 5)
        finally:
            site.control_plane.resume()
        await until_accepted(site, delivering, 5)
    await site.until_started()
    await site.apply(make_webhook("after-it-hung"))
    await site.until_ready("after-it-hung")
    assert processes(site) == before


async def test_watches_that_have_expired(site: Site):
    """When the versions that watches go on from are forgotten, all is listed anew: what comes and goes is seen."""
    before = processes(site)
    await site.apply(make_webhook("goes"))
    await site.until_ready("goes")
    gone = await site.url_path("goes")
    await asyncio.to_thread(site.control_plane.forget_versions)
    await site.remove("Webhook", "goes")
    await site.apply(make_webhook("comes"))
    await site.until_ready("comes")
    came = await site.url_path("comes")

    async def are_seen() -> bool:
        for pod in PODS[:2]:
            address = site.address_of(pod)
            if (await site.push(address, came, f"to-{pod}")).status_code not in (200, 202):
                return False
            if (await site.client.post(address + gone)).status_code != 404:
                return False
        return True

    await site.until(are_seen, "both receivers know the one and not the other")
    await site.until_started()
    assert processes(site) == before


async def test_crd_that_is_upgraded(site: Site):
    """A CRD with another schema takes the place of the old one: watches go on, and nothing is started again for it."""
    before = processes(site)
    old = await site.get(DEFINITION)
    new = copy.deepcopy(old["spec"]["versions"])
    new[0]["schema"]["openAPIV3Schema"]["description"] = "Another description."
    new[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["note"] = {"type": "string"}
    async with load(site, "upgrading") as delivering:
        try:
            await until_accepted(site, delivering, 5)
            await write_versions(site, new)
            await site.apply(make_webhook("of-tomorrow", note="a field that this version does not know"))
            await site.until_ready("of-tomorrow")
            await until_accepted(site, delivering, 5)
            await site.apply(make_webhook("of-tomorrow", note="another", suspend=True))
            came, tries = await site.url_path("of-tomorrow"), itertools.count()

            async def is_suspended() -> bool:
                # Until a receiver has seen it, it starts builds.
                answers = [await site.push(site.address_of(pod), came, f"tomorrow-{next(tries)}") for pod in PODS[:2]]
                return all(answer.json()["outcome"] == "suspended" for answer in answers)

            await site.until(is_suspended, "both receivers see the change")
        finally:
            await write_versions(site, old["spec"]["versions"])
        await until_accepted(site, delivering, 5)
    await site.apply(make_webhook("of-yesterday"))
    await site.until_ready("of-yesterday")
    await site.until_started()
    assert processes(site) == before


async def write_versions(site: Site, versions: list[dict[str, Any]]) -> None:
    """Change the CRD of Webhooks."""
    answer = await site.api.patch(
        DEFINITION, json={"spec": {"versions": versions}}, headers={"content-type": MERGE_PATCH}
    )
    answer.raise_for_status()


async def test_start_among_many_webhooks(site: Site):
    """Pods that start where many Webhooks are take deliveries to each of them, and look after each of them."""
    names = [f"many-{number}" for number in range(MANY)]
    for first in range(0, MANY, 20):
        await asyncio.gather(*(site.apply(make_webhook(name)) for name in names[first : first + 20]))
    for name in names:
        await site.until_ready(name)
    before = processes(site)
    for pod in PODS:
        site.kubelet.kill(NAMESPACE, pod)
    await site.until(lambda: are_others(site, before), "all processes are others")
    # For a moment the pods may still count as ready.
    for pod in PODS[:2]:
        await site.until(lambda pod=pod: is_listening(site, pod), f"{pod} listens again")
    for number, name in enumerate(names):
        answer = await site.push(site.address_of(PODS[number % 2]), await site.url_path(name), name)
        assert answer.status_code == 202
    await site.until_started()
    await asyncio.gather(*(site.apply(make_webhook(name, suspend=True)) for name in names[::50]))
    for name in names[::50]:
        await site.until(lambda name=name: is_looked_after(site, name), f"the change of {name} is reconciled")


async def are_others(site: Site, before: list[int]) -> bool:
    """Say whether all pods run, and none of their old processes."""
    try:
        return not set(processes(site)) & set(before)
    except AssertionError:
        return False


async def is_listening(site: Site, pod: str) -> bool:
    """Say whether a receiver answers."""
    try:
        return (await site.client.get(site.address_of(pod))).status_code == 404
    except httpx.TransportError:
        return False


async def is_looked_after(site: Site, name: str) -> bool:
    """Say whether the operator has seen the newest generation of a Webhook."""
    webhook = await site.get(f"/apis/hookwright.dev/v1alpha1/namespaces/{site.team}/webhooks/{name}")
    return bool(webhook["status"].get("observedGeneration") == webhook["metadata"]["generation"])
