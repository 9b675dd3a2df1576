"""Two receivers and two operators, each a process of its own: who does what, and who goes on when another ends."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

import httpx
import pytest
import pytest_asyncio

from hookwright.devcluster.faults import Fault
from support.processes import LEASES, Chronicle, Fleet, run_fleet, until
from support.running import (
    make_buildtrigger,
    make_push,
    make_secret,
    make_webhook,
)
from support.waiting import patience

# To start a process takes seconds: all tests share these, and each brings back what it has ended.
pytestmark = pytest.mark.asyncio(loop_scope="module")

RECEIVERS = ("receiver-0", "receiver-1")
OPERATORS = ("operator-0", "operator-1")
JOBS = r"/apis/batch/v1/namespaces/default/jobs"
STATUS = r"/apis/hookwright\.dev/v1alpha1/namespaces/default/webhooks/[^/]+/status"
OTHER_SECRET = "Another secret to everybody"


@dataclass(kw_only=True)
class Roles:
    """The fleet, and what happened in its cluster."""

    fleet: Fleet
    jobs: Chronicle
    webhooks: Chronicle
    leases: Chronicle

    @property
    def operators(self) -> tuple[str, str]:
        """The operator that holds the Lease, and the other one."""
        holder = self.fleet.holder()
        assert holder in OPERATORS
        return holder, OPERATORS[1 - OPERATORS.index(holder)]

    async def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """End a process, and give its exit code."""
        return await self.fleet.processes[name].signal(number)

    async def restart(self, *names: str) -> None:
        """Start processes that have ended."""
        for name in names:
            await self.fleet.processes[name].start()
        await self.fleet.until_ready(*names)

    async def restore(self) -> None:
        """Have all processes run, and one operator hold the Lease."""
        self.fleet.cluster.resume()
        for one in self.fleet.processes.values():
            one.send(signal.SIGCONT)
        await self.restart(*(name for name, one in self.fleet.processes.items() if not one.alive))
        await until(self.fleet.holder, "an operator holds the Lease")

    def mark(self) -> dict[str, int]:
        """Give how much each process has written so far."""
        return {name: len(wire.writes) for name, wire in self.fleet.wires.items()}

    def writes(self, name: str, since: dict[str, int]) -> list:
        """Give what a process has written since `mark`."""
        return self.fleet.wires[name].writes[since[name] :]

    async def make_ready(self, name: str, **spec: Any) -> str:
        """Apply a Webhook, and give its URL once an operator has written it and both receivers know it."""
        self.fleet.running.apply(make_webhook(name, **spec))
        return await self.until_ready(name)

    async def until_ready(self, name: str) -> str:
        """Wait until an operator has judged a Webhook good and both receivers know it; give its URL."""
        running = self.fleet.running

        def judged() -> bool:
            generation = running.webhook(name)["metadata"]["generation"]
            return running.ready(name)[0] == "True" and running.status(name)["observedGeneration"] == generation

        await until(judged, f"Webhook {name} is ready")
        for receiver in RECEIVERS:
            if self.fleet.processes[receiver].alive:
                await self.until_answered(receiver, name, lambda answer: answer.status_code != 404)
        return str(running.status(name)["url"])

    async def until_answered(
        self, receiver: str, webhook: str, right: Callable[[httpx.Response], bool], **headers: Any
    ) -> httpx.Response:
        """Deliver to a receiver until its answer is right; without headers, what starts nothing."""
        body = make_push() if headers else make_push("refs/heads/nobody-builds-this")
        async with patience():
            # Each try is a request: there is no event to wait for.
            while not right(answer := await self.fleet.push(receiver, webhook, body, **headers)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return answer

    def built(self, webhook: str) -> list[str]:
        """Give the delivery ids of all Jobs that were ever made for a Webhook, sorted; each as often as it was."""
        uid = self.fleet.running.webhook(webhook)["metadata"]["uid"]
        found = (job["metadata"]["annotations"]["hookwright.dev/delivery"] for job in self.jobs.added())
        return sorted(text.rpartition("/")[2] for text in found if text.startswith(uid + "/"))

    async def until_built(self, webhook: str, *deliveries: str) -> None:
        """Wait until there is a Job for each of these deliveries, and make sure that there is no other."""
        await until(lambda: len(self.built(webhook)) >= len(deliveries), f"{deliveries} are built")
        assert self.built(webhook) == sorted(deliveries)

    def urls(self, webhook: str, *, since: int = 0) -> list[str]:
        """Give the values that status.url of a Webhook had, one after the other."""
        found = (state.get("status", {}).get("url") for state in self.webhooks.states(webhook, since=since))
        return [url for url, _ in groupby(url for url in found if url)]

    def holders(self, *, since: int = 0) -> list[str]:
        """Give who held the Lease, one after the other."""
        found = (state["spec"].get("holderIdentity") or "" for state in self.leases.states("hookwright-operator"))
        return [holder for holder, _ in groupby(list(found)[since:])]

    async def delete(self, webhook: str) -> None:
        """Delete a Webhook."""
        path = f"/apis/hookwright.dev/v1alpha1/namespaces/default/webhooks/{webhook}"
        assert (await self.fleet.running.client.delete(self.fleet.cluster.url + path)).status_code == 200


@contextmanager
def lasting(fault: Fault) -> Iterator[Fault]:
    """Let a fault last for the length of a `with` block."""
    try:
        yield fault
    finally:
        fault.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everybody(tmp_path_factory) -> AsyncIterator[Roles]:
    roles = dict.fromkeys(RECEIVERS, "receiver") | dict.fromkeys(OPERATORS, "operator")
    settings = {"HOOKWRIGHT_TARGET_PATIENCE": "1", "PYTHONPROFILEIMPORTTIME": "1"}
    async with run_fleet(tmp_path_factory.mktemp("fleet"), roles, **settings) as fleet:
        chronicles = {kind: Chronicle(fleet.cluster, name) for kind, name in KINDS.items()}
        fleet.running.apply(make_secret(), make_buildtrigger())
        yield Roles(fleet=fleet, **chronicles)


KINDS = {"jobs": "jobs.batch", "webhooks": "webhooks.hookwright.dev", "leases": "leases.coordination.k8s.io"}


@pytest_asyncio.fixture(loop_scope="module")
async def roles(everybody: Roles) -> Roles:
    """Two receivers and two operators that all run."""
    await everybody.restore()
    return everybody


# ── who does what ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_only_the_holder_of_the_lease_writes_what_operators_write(roles: Roles):
    """Of two operators one writes, and of a status all but lastDelivery and lastTriggered; receivers those two."""
    holder, waiting = roles.operators
    since = roles.mark()
    await roles.make_ready("writes")
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "writes", delivery=receiver)).status_code == 202
    await roles.until_built("writes", *RECEIVERS)
    await until(lambda: "lastTriggered" in roles.fleet.running.status("writes"), "lastTriggered is written")
    await roles.make_ready("writes", suspend=True)
    await roles.delete("writes")
    assert [write for write in roles.writes(waiting, since) if not write.touches(LEASES)] == []
    patches = [write for write in roles.writes(holder, since) if write.touches(STATUS)]
    assert any("url" in write.body["status"] for write in patches)
    assert not any({"lastDelivery", "lastTriggered"} & write.body["status"].keys() for write in patches)
    for receiver in RECEIVERS:
        writes = roles.writes(receiver, since)
        assert {write.method for write in writes if write.touches(JOBS)} == {"POST"}
        others = [write for write in writes if not write.touches(JOBS)]
        assert all(write.touches(STATUS) and write.method == "PATCH" for write in others)
        assert {member for write in others for member in write.body["status"]} <= {"lastDelivery", "lastTriggered"}


async def test_receiver_does_without_kopf(roles: Roles):
    """A receiver that has taken deliveries and started builds has never imported kopf; an operator has."""
    await roles.make_ready("imports")
    for receiver in RECEIVERS:
        await roles.fleet.push(receiver, "imports", delivery=receiver)
    await roles.until_built("imports", *RECEIVERS)

    def imports(name: str, module: str) -> bool:
        return re.search(rf"(?m)^import time:.*\| +{module}$", roles.fleet.processes[name].said()) is not None

    assert [imports(name, "kopf") for name in RECEIVERS + OPERATORS] == [False, False, True, True]
    assert all(imports(name, r"hookwright\.builds\.worker") for name in RECEIVERS)


async def test_receivers_need_no_operator(roles: Roles):
    """With no operator running, receivers take deliveries and start builds, also those that start only then."""
    await roles.make_ready("alone")
    assert [await roles.end(name) for name in OPERATORS] == [0, 0]
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "alone", delivery=receiver)).status_code == 202
    assert await roles.end("receiver-0") == 0
    await roles.restart("receiver-0")
    assert (await roles.fleet.push("receiver-0", "alone", delivery="later")).status_code == 202
    await roles.until_built("alone", *RECEIVERS, "later")
    await until(lambda: roles.fleet.running.last("alone") == ("started", "BuildCreated"), "lastDelivery is written")


async def test_webhooks_come_change_and_go_for_both_receivers(roles: Roles):
    """Both receivers know a Webhook once it is made, answer as it says now, and forget it when it is deleted."""
    url = await roles.make_ready("comes")
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "comes")).status_code == 202
    roles.fleet.running.apply(make_webhook("comes", suspend=True))
    for receiver in RECEIVERS:
        answer = await roles.until_answered(receiver, "comes", lambda answer: answer.json()["reason"] == "Suspended")
        assert answer.status_code == 200
    await roles.delete("comes")
    old = [roles.fleet.processes[receiver].address + "/hooks/" + url.rpartition("/")[2] for receiver in RECEIVERS]
    for address in old:
        await roles.fleet.running.until_answered(address, 404)
    new = await roles.make_ready("comes")
    assert new.rpartition("/")[2] != url.rpartition("/")[2]
    for receiver, address in zip(RECEIVERS, old, strict=True):
        assert (await roles.fleet.push(receiver, "comes")).status_code == 202
        assert (await roles.fleet.running.push(address)).status_code == 404


@pytest.mark.parametrize("labels", [{}, {"hookwright.dev/watched": "true"}], ids=["on demand", "watched"])
async def test_changed_secret_reaches_both_receivers(roles: Roles, labels):
    """After one change of a Secret both receivers take deliveries signed with the new one, and refuse the old one."""
    name = "signed" + "-watched" * bool(labels)

    def put(value: str) -> None:
        secret = make_secret(name, value=value)
        secret["metadata"]["labels"] = labels
        roles.fleet.running.apply(secret)

    put("first")
    await roles.make_ready(name, authenticationConfiguration={"secretTokenRef": {"name": name, "key": "token"}})
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, name, secret="first")).status_code == 202
    put("second")
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, name, secret="second")).status_code == 202
        assert (await roles.fleet.push(receiver, name, secret="first")).status_code == 401


# ── one delivery, two receivers ───────────────────────────────────────────────────────────────────────────────────────


def name_of(answer: httpx.Response) -> str:
    """Give the name of the build in an answer."""
    assert answer.status_code in (200, 202), answer.text
    (build,) = answer.json()["builds"]
    return str(build["name"])


async def test_one_delivery_to_both_receivers_starts_one_build(roles: Roles):
    """A delivery that both receivers take, at the same instant or one after the other, is built once."""
    await roles.make_ready("twice")
    for number in range(20):
        answers = await asyncio.gather(
            *(roles.fleet.push(receiver, "twice", delivery=f"together-{number}") for receiver in RECEIVERS)
        )
        assert len({name_of(answer) for answer in answers}) == 1
    together = [f"together-{number}" for number in range(20)]
    await roles.until_built("twice", *together)
    first = name_of(await roles.fleet.push("receiver-0", "twice", delivery="apart"))
    await roles.until_built("twice", *together, "apart")
    assert name_of(await roles.fleet.push("receiver-1", "twice", delivery="apart")) == first
    # Both now know it as done: each says so.
    for receiver in RECEIVERS:
        answer = await roles.until_answered(
            receiver, "twice", lambda answer: answer.json()["outcome"] == "duplicate", delivery="apart"
        )
        assert (answer.status_code, name_of(answer)) == (200, first)
    await roles.until_built("twice", *together, "apart")
    # The API server had to decide between them.
    assert any(
        request.status == 409
        for request in roles.fleet.cluster.requests
        if request.method == "POST" and re.fullmatch(JOBS, request.path)
    )


async def test_redelivery_after_a_filter_was_mended(roles: Roles):
    """What a filter kept out starts when it is delivered again after the filter was mended, on either receiver."""
    await roles.make_ready("filter", filters=[{"jsonPath": "$.ref", "matchEquals": "refs/heads/elsewhere"}])
    for receiver in RECEIVERS:
        answer = await roles.fleet.push(receiver, "filter", delivery="again")
        assert (answer.status_code, answer.json()["outcome"]) == (200, "ignored")
    roles.fleet.running.apply(make_webhook("filter"))
    names = set()
    for receiver in RECEIVERS:
        answer = await roles.until_answered(
            receiver, "filter", lambda answer: answer.json()["outcome"] != "ignored", delivery="again"
        )
        names.add(name_of(answer))
    assert len(names) == 1
    await roles.until_built("filter", "again")


async def test_redelivery_after_a_right_was_given(roles: Roles):
    """What was forbidden starts when it is delivered again after the right was given, on either receiver, once."""
    await roles.make_ready("right")
    forbidden = {"status": 403, "reason": "Forbidden", "message": "jobs.batch is forbidden: cannot create"}
    with lasting(roles.fleet.cluster.answer(method="POST", path=JOBS, **forbidden)):
        first = name_of(await roles.fleet.push("receiver-0", "right", delivery="again"))
        await until(lambda: roles.fleet.running.last("right") == ("failed", "BuildForbidden"), "it fails")
    for receiver in RECEIVERS:
        answer = await roles.fleet.push(receiver, "right", delivery="again")
        assert (answer.status_code, name_of(answer)) == (202, first)
    await roles.until_built("right", "again")


async def test_redelivery_after_the_target_was_made(roles: Roles):
    """What failed for want of its target starts when it is delivered again after that was made, once."""
    running = roles.fleet.running
    running.apply(make_webhook("target", targetPipeline={"name": "made-later"}))
    await until(lambda: running.ready("target")[0] == "False", "the target is missed")
    await roles.until_answered("receiver-0", "target", lambda answer: answer.status_code == 202, delivery="again")
    await until(lambda: running.last("target") == ("failed", "TargetStayedMissing"), "the delivery fails")
    running.apply(make_buildtrigger("made-later"))
    await roles.until_ready("target")
    assert len({name_of(await roles.fleet.push(name, "target", delivery="again")) for name in RECEIVERS}) == 1
    await roles.until_built("target", "again")


# ── operators that end ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_killed_operator_has_a_successor(roles: Roles):
    """After kill -9 of the holder the other takes over; URLs become its own, once, and do not go back."""
    url = await roles.make_ready("killed")
    holder, successor = roles.operators
    assert url.startswith(f"http://{holder}.test/hooks/")
    await roles.end(holder, signal.SIGKILL)
    assert await roles.make_ready("made-meanwhile")
    assert roles.fleet.holder() == successor
    own = url.replace(holder, successor)
    await until(lambda: roles.fleet.running.status("killed")["url"] == own, "the URL is the successor's")
    await roles.restart(holder)
    assert await roles.make_ready("killed", suspend=True) == own
    assert roles.urls("killed") == [url, own]


async def test_operator_that_is_stopped_hands_over_at_once(roles: Roles):
    """SIGTERM ends the holder with exit code 0, and it frees the Lease: nobody has to wait until that is over."""
    holder, successor = roles.operators
    since = len(list(roles.leases.states("hookwright-operator")))
    assert await roles.end(holder) == 0
    await until(lambda: roles.fleet.holder() == successor, "the other takes over")

    def others() -> list[str]:
        return [name for name in roles.holders(since=since) if name != holder]

    await until(lambda: successor in others(), "the chronicle tells of it")
    assert others() == ["", successor]
    assert str(await roles.make_ready("after-term")).startswith(f"http://{successor}.test/")


async def test_operator_that_was_stopped_does_not_write_when_it_wakes(roles: Roles):
    """A holder that sleeps until another holds the Lease writes nothing when it wakes, its next step neither."""
    running = roles.fleet.running
    running.apply(make_buildtrigger("asleep"))
    await roles.make_ready("asleep", targetPipeline={"name": "asleep"})
    holder, successor = roles.operators
    sleeper, wire = roles.fleet.processes[holder], roles.fleet.wires[holder]
    # It falls asleep in the middle of a reconcile: it has tried the build, and would write next.
    wire.hold_at(lambda write: write.touches(JOBS) and "dryRun" in write.query)
    running.apply(make_buildtrigger("asleep", source={"repository": "octo/hello", "branch": "trunk"}))
    await until(lambda: not wire.flows.is_set(), "the holder tries the build")
    sleeper.send(signal.SIGSTOP)
    wire.hold_at(lambda _: False)
    wire.flows.set()
    try:
        await until(lambda: roles.fleet.holder() == successor, "the other takes over")
        url = (await roles.until_ready("asleep")).replace(holder, successor)
        await until(lambda: running.status("asleep")["url"] == url, "the URL is the successor's")
        since, changes = roles.mark(), len(roles.webhooks)
    finally:
        sleeper.send(signal.SIGCONT)
    # It learns of all that happened meanwhile, too.
    await until(lambda: sleeper.last_said("lease").get("state") != "acquired", "the sleeper learns of its loss")
    for number in range(3):
        await roles.make_ready("asleep", targetPipeline={"name": "asleep"}, tags=[{"key": "n", "value": str(number)}])
    assert [write for write in roles.writes(holder, since) if not write.touches(LEASES)] == []
    assert roles.urls("asleep", since=changes) == [url]
    assert roles.fleet.holder() == successor


# ── an API server that is away ────────────────────────────────────────────────────────────────────────────────────────


async def test_intake_goes_on_while_the_api_server_hangs(roles: Roles):
    """While the API server hangs, both receivers accept deliveries for what they know; then each is built once."""
    await roles.make_ready("hangs")
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "hangs", delivery="before-" + receiver)).status_code == 202
    roles.fleet.cluster.pause()
    for receiver in RECEIVERS:
        for number in range(3):
            answer = await roles.fleet.push(receiver, "hangs", delivery=f"{number}-{receiver}")
            assert answer.status_code == 202
    assert len(roles.built("hangs")) <= len(RECEIVERS)
    roles.fleet.cluster.resume()
    expected = [f"{when}-{receiver}" for receiver in RECEIVERS for when in ("before", 0, 1, 2)]
    await roles.until_built("hangs", *expected)


async def test_all_recover_after_the_api_server_was_away(roles: Roles):
    """An API server that is away for longer than the Lease lasts, and comes back without history, is followed again."""
    await roles.make_ready("away")
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "away", delivery="before-" + receiver)).status_code == 202
    holder, _ = roles.operators
    await roles.fleet.cluster.stop()
    for receiver in RECEIVERS:
        answer = await roles.fleet.push(receiver, "away", delivery="meanwhile-" + receiver)
        assert answer.status_code == 202
    lost = partial(roles.fleet.processes[holder].last_said, "lease")
    await until(lambda: lost().get("state") == "lost", "the holder has lost the Lease")
    # Nobody saw this one go.
    await roles.fleet.cluster.start()
    roles.fleet.cluster.expire_history()
    await until(lambda: len(roles.built("away")) == 4, "all that was accepted is built")
    await roles.make_ready("back")
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "back", delivery=receiver)).status_code == 202
    await roles.until_built("back", *RECEIVERS)
    await roles.until_built("away", *(f"{when}-{name}" for name in RECEIVERS for when in ("before", "meanwhile")))


async def test_all_end_in_order_while_the_api_server_hangs(roles: Roles):
    """SIGTERM ends every process with exit code 0 while the API server hangs, also one that waits for it to start."""
    names = RECEIVERS + OPERATORS
    await roles.make_ready("ends")
    roles.fleet.cluster.pause()
    for receiver in RECEIVERS:
        assert (await roles.fleet.push(receiver, "ends", delivery=receiver)).status_code == 202
    assert await asyncio.gather(*(roles.end(name) for name in names)) == [0] * len(names)
    for name in ("receiver-0", "operator-0"):
        wire = roles.fleet.wires[name]
        asked = wire.asked
        await roles.fleet.processes[name].start()
        await until(lambda wire=wire, asked=asked: wire.asked > asked, f"{name} asks the API server")
        assert await roles.end(name) == 0
    roles.fleet.cluster.resume()
    await roles.restart(*names)
    await roles.until_built("ends", *RECEIVERS)


# ── receivers that end ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(kw_only=True)
class Sender:
    """Delivers one after the other to one receiver until that asks to connect anew, then to the other one.

    So does a Service: it knows who is about to end, and sends nobody there any more.
    """

    roles: Roles
    webhook: str
    name: str
    accepted: list[str] = field(default_factory=list)
    receiver: str = RECEIVERS[1]

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop`; whatever is no answer is a failure."""
        while not stop.is_set():
            delivery = f"{self.name}-{len(self.accepted)}"
            answer = await self.roles.fleet.push(self.receiver, self.webhook, delivery=delivery)
            assert answer.status_code == 202
            self.accepted.append(delivery)
            if answer.headers.get("connection") == "close":
                self.receiver = RECEIVERS[0]


async def test_receiver_that_is_stopped_drains(roles: Roles):
    """SIGTERM ends a receiver after its drain and cuts nobody off; what it accepted is built once it is back."""
    await roles.make_ready("drains")
    name = RECEIVERS[1]
    receiver = roles.fleet.processes[name]
    await roles.end(name)
    # As long as this process may get no turn: each sender must have had an answer meanwhile.
    receiver.environment["HOOKWRIGHT_DRAIN"] = "10"
    await roles.restart(name)
    receiver.environment["HOOKWRIGHT_DRAIN"] = "0"
    stop = asyncio.Event()
    senders = [Sender(roles=roles, webhook="drains", name=f"s{number}") for number in range(4)]
    with lasting(roles.fleet.cluster.answer(method="POST", path=JOBS, status=503, reason="ServiceUnavailable")):
        async with asyncio.TaskGroup() as group:
            for sender in senders:
                group.create_task(sender.run(stop))
            await until(lambda: all(len(sender.accepted) > 3 for sender in senders), "deliveries are accepted")
            assert await roles.end(name) == 0
            counted = sum(len(sender.accepted) for sender in senders)
            await until(lambda: sum(len(sender.accepted) for sender in senders) > counted + 20, "the other goes on")
            stop.set()
    assert {sender.receiver for sender in senders} == {RECEIVERS[0]}
    await roles.restart(name)
    await roles.until_built("drains", *(delivery for sender in senders for delivery in sender.accepted))
    assert "Traceback" not in receiver.said()
