"""Several receivers and operators, as the chart runs them: one of them ends, hangs or is lost, and the others go on."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from hookwright.reconcile.election import LONGEST_LEASE_SECONDS, TERMS
from hookwright.reconcile.election import NAME as LEASE_NAME
from support.controlplane import AuditEvent
from support.release import NAMESPACE
from support.release_site import LEASE, MERGE_PATCH, OPERATOR, RECEIVER, Installed, Site, install_for_team, work_at
from support.running import make_webhook

RECEIVERS = tuple(f"{RECEIVER}-{number}" for number in range(3))
OPERATORS = tuple(f"{OPERATOR}-{number}" for number in range(2))


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory) -> Iterator[Installed]:
    """A release with three receivers and two operators."""
    folder = tmp_path_factory.mktemp("replicas")
    with install_for_team(control_plane, folder, {"receiver": {"replicas": 3}}) as made:
        yield made


@pytest.fixture
async def site(installed: Installed) -> AsyncIterator[Site]:
    """That release, with all its pods ready, and Webhook hello."""
    async with work_at(installed) as made:
        await made.until_pods(RECEIVER, 3)
        await made.until_pods(OPERATOR, 2)
        await made.set_up()
        for pod in RECEIVERS:
            await made.until_known(made.address_of(pod), await made.url_path())
        made.accepted |= {delivery: name for name, delivery in (await made.jobs()).items()}
        yield made


async def test_one_delivery_to_all_receivers_starts_one_build(site: Site):
    """Each of some deliveries goes to all three at the same time: each is accepted, and started exactly once."""
    path = await site.url_path()
    addresses = [site.address_of(pod) for pod in RECEIVERS]

    async def are_sent_to() -> bool:
        return sorted(await site.receivers()) == sorted(addresses)

    await site.until(are_sent_to, "the Service sends to all receivers")
    for number in range(20):
        answers = await asyncio.gather(*(site.push(address, path, f"same-{number}") for address in addresses))
        said = [(answer.status_code, answer.json()["outcome"]) for answer in answers]
        assert set(said) <= {(202, "started"), (200, "duplicate")}
        assert len({answer.json()["builds"][0]["name"] for answer in answers}) == 1
    await site.until_started()
    again = [await site.push(address, path, "same-0") for address in addresses]
    assert [(answer.status_code, answer.json()["outcome"]) for answer in again] == [(200, "duplicate")] * 3

    async def is_told() -> bool:
        status = await site.status()
        return status.get("lastDelivery", {}).get("id") in ("same-0", "same-19") and "lastTriggered" in status

    await site.until(is_told, "status tells of the newest delivery, and of a start")


async def add_webhook(site: Site, name: str) -> None:
    """Have the operator do something: a Webhook comes that is like hello."""
    await site.apply(make_webhook(name))


async def until_held(site: Site, *, by: tuple[str, ...] = OPERATORS) -> str:
    """Wait until one of these pods holds the Lease; give it, and the other one."""

    async def is_held() -> str:
        holder = await site.holder()
        return holder if holder in by else ""

    return str(await site.until(is_held, f"one of {by} holds the Lease"))


def others(pod: str) -> tuple[str, ...]:
    """Give the other operators."""
    return tuple(one for one in OPERATORS if one != pod)


def is_stopped(pid: int) -> bool:
    """Say whether a process is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def took_lease(event: AuditEvent) -> bool:
    """Say whether a request has written the Lease."""
    return event.name == LEASE_NAME and event.resource == "leases" and event.writes and event.code < 300


async def test_operator_on_a_node_that_died_has_a_successor(site: Site):
    """When the node of the working operator dies, the other one takes over, and reconciles what comes."""
    lost = await until_held(site)
    site.kubelet.lose(NAMESPACE, lost)
    assert await until_held(site, by=others(lost)) != lost
    await add_webhook(site, "after-a-loss")
    await site.until_ready("after-a-loss")
    # What a person does, or the cluster once the node is gone for good.
    await site.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{lost}", params={"gracePeriodSeconds": "0"})
    await site.until_pods(OPERATOR, 2)


async def test_operator_that_was_killed_goes_on(site: Site):
    """An operator whose process is killed is started again in its pod, under its name, and the work goes on."""
    killed = await until_held(site)
    site.kubelet.kill(NAMESPACE, killed)
    await add_webhook(site, "after-a-kill")
    await site.until_ready("after-a-kill")


async def test_operator_that_is_told_to_end_hands_over_at_once(site: Site):
    """A pod that is deleted leaves the Lease empty, so that the other one need not wait until it is over."""
    async with watch(site, LEASE) as states:

        async def renews() -> str:
            last = [state["spec"] for state in states[-2:]]
            holders, times = ({spec.get(key, "") for spec in last} for key in ("holderIdentity", "renewTime"))
            return holders.pop() if len(holders) == 1 and len(times) > 1 else ""

        # What stood there may be a killed process's: its successor empties only what it has written itself.
        ended = await site.until(renews, "an operator renews the Lease")
        await site.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{ended}")

        async def is_handed_over() -> bool:
            passed = [holder for holder, _ in groupby(state["spec"].get("holderIdentity", "") for state in states)]
            # By whom it is taken is a matter of chance: the pod's own successor may be faster than the other one.
            return any(
                (before, between) == (ended, "") and after in OPERATORS
                for before, between, after in zip(passed, passed[1:], passed[2:], strict=False)
            )

        await site.until(is_handed_over, f"the Lease is emptied by {ended}, and taken")
    await site.until_pods(OPERATOR, 2)


async def test_operator_that_was_stopped_writes_nothing_when_it_wakes(site: Site):
    """An operator that is stopped for longer than its Lease writes nothing when it wakes, whatever has come by then."""
    stopped = await until_held(site)
    await add_webhook(site, "before-it-slept")
    await site.until_ready("before-it-slept")
    # What it has begun before may still be sent: let it end.
    await asyncio.sleep(1)
    asleep = len(await asyncio.to_thread(site.control_plane.audit))
    process = site.kubelet.process_of(NAMESPACE, stopped)
    site.kubelet.kill(NAMESPACE, stopped, signal.SIGSTOP)

    async def is_asleep() -> bool:
        return is_stopped(process)

    # Else it may still do what its successor is to do.
    await site.until(is_asleep, "it is stopped")
    names = [f"meanwhile-{number}" for number in range(10)]
    for name in names:
        await add_webhook(site, name)
    holder = await until_held(site, by=others(stopped))
    seen = len(await asyncio.to_thread(site.control_plane.audit))
    site.kubelet.kill(NAMESPACE, stopped, signal.SIGCONT)

    async def is_awake() -> bool:
        events = await asyncio.to_thread(site.control_plane.audit)
        return any(event.pod == stopped and event.resource == "leases" for event in events[seen:])

    await site.until(is_awake, "it looks at the Lease again")
    await add_webhook(site, "after-it-woke")
    for name in (*names, "after-it-woke"):
        await site.until_ready(name)

    async def after_takeover() -> list[AuditEvent]:
        events = (await asyncio.to_thread(site.control_plane.audit))[asleep:]
        taken = [number for number, event in enumerate(events) if event.pod == holder and took_lease(event)]
        return [event for event in events[taken[0] :] if event.writes and event.code < 300] if taken else []

    async def are_logged() -> bool:
        written = [event for event in await after_takeover() if event.resource == "webhooks/status"]
        told = {event.name for event in written if event.pod == holder}
        return told >= {*names, "after-it-woke"}

    # The log tells of a request a moment after it took effect.
    await site.until(are_logged, "the audit log tells of all status")
    # What it tries with the Lease itself is refused: that is how it learns.
    assert [event for event in await after_takeover() if event.pod == stopped] == []


async def test_lease_that_a_stranger_holds(site: Site):
    """While somebody else renews the Lease operators wait, say so and write nothing; when he goes, one takes over."""
    await until_held(site)
    over = asyncio.Event()
    renewing = asyncio.create_task(renew(site, "a-stranger", over))
    try:

        async def have_said() -> bool:
            return all('"holder": "a-stranger"' in site.kubelet.log_of(NAMESPACE, pod) for pod in OPERATORS)

        await site.until(have_said, "both operators say who holds the Lease")
        seen = len(await asyncio.to_thread(site.control_plane.audit))
        await add_webhook(site, "stranded")
        # For longer than any term of ours lasts.
        await asyncio.sleep(TERMS.lease + TERMS.renew)
        events = (await asyncio.to_thread(site.control_plane.audit))[seen:]
        assert [event for event in events if event.pod in OPERATORS and event.writes] == []
        assert await site.status("stranded") == {}
        await site.until_pods(OPERATOR, 2)
    finally:
        over.set()
        await renewing
    await until_held(site)
    await site.until_ready("stranded")


async def renew(site: Site, identity: str, over: asyncio.Event) -> None:
    """Hold the Lease until it is over, whoever held it."""
    while not over.is_set():
        # For as long as may be: this process may get no turn for longer than a term of ours lasts.
        await hold(site, identity, LONGEST_LEASE_SECONDS)
        await asyncio.sleep(0.5)
    await hold(site, identity, TERMS.lease)


async def hold(site: Site, identity: str, seconds: int) -> None:
    """Write into the Lease who holds it from now on, and for how long."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": identity, "leaseDurationSeconds": seconds, "renewTime": now}
    answer = await site.api.patch(LEASE, json={"spec": spec}, headers={"content-type": MERGE_PATCH})
    answer.raise_for_status()


@asynccontextmanager
async def watch(site: Site, path: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Note all states of one object for the length of a `with` block."""
    collection, _, name = path.rpartition("/")
    found = await site.get(path)
    query = {"watch": "true", "fieldSelector": f"metadata.name={name}"}
    query["resourceVersion"] = found["metadata"]["resourceVersion"]
    states: list[dict[str, Any]] = []

    async def note() -> None:
        async with site.api.stream("GET", collection, params=query, timeout=None) as answer:
            async for line in answer.aiter_lines():
                states.append(json.loads(line)["object"])  # noqa: PERF401 - it has no end

    noting = asyncio.create_task(note())
    try:
        yield states
    finally:
        noting.cancel()
