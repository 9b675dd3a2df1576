"""Kill -9 at random, of receivers and operators, under load and with an API server that fails: exactly once all along.

Senders behave as one behind a Service does: who is away is passed over for the other, and what was not answered is
delivered again under the same id. Chance is seeded: the seed is in the log, and HOOKWRIGHT_TEST_SEED repeats the
choices, though not what the machine does between them. HOOKWRIGHT_TEST_KILLS=50 is the full dose: 2,000 deliveries.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from hookwright.journal import Journal
from support.processes import Chronicle, Fleet, run_fleet, until
from support.running import make_buildtrigger, make_headers, make_push, make_secret, make_webhook
from support.waiting import patience

log = logging.getLogger(__name__)

KILLS = int(os.environ.get("HOOKWRIGHT_TEST_KILLS", "8"))
DELIVERIES_PER_KILL = 45
WANTED = 50 * KILLS if KILLS < 40 else max(2_000, 40 * KILLS)
SENDERS = 8
RECEIVERS = ("receiver-0", "receiver-1")
OPERATORS = ("operator-0", "operator-1")
WEBHOOKS = ("one", "two", "three")
JOBS = r"/apis/batch/v1/namespaces/default/jobs"
STATUS = r".*/webhooks/[^/]+/status"


@dataclass(kw_only=True)
class Story:
    """What was done, and what was answered."""

    fleet: Fleet
    chance: random.Random
    paths: dict[str, str]
    ledger: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    # ── senders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, sender: int) -> None:
        """Deliver one after the other, each until it is answered, until it is over."""
        number = 0
        while not self.over.is_set():
            delivery, number = f"{sender}-{number}", number + 1
            # GitHub uses one id for all hooks of one happening.
            for webhook in self.chance.sample(WEBHOOKS, self.chance.choice((1, 1, 1, 1, 2))):
                await self.deliver(webhook, delivery)
            await asyncio.sleep(self.chance.uniform(0, 0.1))

    async def deliver(self, webhook: str, delivery: str) -> None:
        """Deliver until a receiver answers; sometimes to both at once, or once more to the other one."""
        order = list(RECEIVERS)
        self.chance.shuffle(order)
        names = []
        if self.chance.random() < 0.1:
            # A sender that gave up waiting, and another try of it that overtakes the first.
            names = [name for name in await asyncio.gather(*(self.post(r, webhook, delivery) for r in order)) if name]
            self.counts["sent to both at once"] += len(names) == len(order)
        while not names:
            for receiver in order:
                if name := await self.post(receiver, webhook, delivery):
                    names.append(name)
                    break
            else:
                await asyncio.sleep(0.05)
        self.ledger[webhook, delivery] = names[0]
        if self.chance.random() < 0.2:
            await asyncio.sleep(self.chance.choice((0, 0, self.chance.uniform(0, 0.5))))
            again = self.chance.choice(RECEIVERS)
            if name := await self.post(again, webhook, delivery):
                names.append(name)
                self.counts["sent again later"] += 1
        assert set(names) == {names[0]}, f"{webhook}/{delivery} has several builds: {names}"

    async def post(self, receiver: str, webhook: str, delivery: str) -> str | None:
        """Deliver once, and give the build's name in the answer; None if there was no answer, or one to come again."""
        body = make_push(number=delivery)
        try:
            answer = await self.fleet.running.client.post(
                self.fleet.processes[receiver].address + self.paths[webhook],
                content=body,
                headers=make_headers(body, delivery=delivery),
            )
        except httpx.ConnectError:
            return None
        except httpx.TransportError:
            self.counts["cut off"] += 1
            return None
        self.counts[f"answered {answer.status_code}"] += 1
        if answer.status_code == 503:
            assert answer.headers["retry-after"]
            return None
        assert answer.status_code in (200, 202), answer.text
        (build,) = answer.json()["builds"]
        return str(build["name"])

    # ── misfortunes ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def kill(self, births: Chronicle) -> None:
        """Kill processes, each once some more deliveries were accepted, and start them again."""
        starting: set[asyncio.Task[None]] = set()
        for number in range(KILLS):
            goal = len(self.ledger) + self.chance.randint(1, 2 * DELIVERIES_PER_KILL - 1)
            kind = RECEIVERS if number % 3 else OPERATORS
            name = self.chance.choice(kind)
            await self.until_accepted(goal)
            await until(lambda name=name: self.fleet.processes[name].alive, f"{name} runs")
            self.counts["kills between disk and build"] += name in RECEIVERS and births.births < len(self.ledger)
            assert await self.fleet.processes[name].signal(signal.SIGKILL) == -signal.SIGKILL
            self.counts[f"kills of {self.fleet.processes[name].role}s"] += 1
            starting.add(asyncio.create_task(self.bring_back(name)))
        await asyncio.gather(*starting)

    async def until_accepted(self, goal: int) -> None:
        """Wait until so many deliveries were accepted."""
        await until(lambda: len(self.ledger) >= goal, f"{goal} deliveries are accepted, not {len(self.ledger)}")

    async def bring_back(self, name: str) -> None:
        """Start a process that was killed, a little later."""
        await asyncio.sleep(self.chance.choice((0, self.chance.uniform(0, 1))))
        await self.fleet.processes[name].start()

    async def spoil(self) -> None:
        """Have the API server fail in one way or another, with good weather in between."""
        cluster = self.fleet.cluster
        while not self.over.is_set():
            await asyncio.sleep(self.chance.uniform(0.1, 0.8))
            match self.chance.randrange(9):
                case 0 | 1:
                    status = self.chance.choice((429, 500, 503, 504))
                    faults = [cluster.answer(method="POST", path=JOBS, status=status, reason="Whatever")]
                case 2 | 3:
                    faults = [cluster.drop(method="POST", path=JOBS, times=self.chance.randint(1, 8), after=True)]
                case 4:
                    faults = [cluster.drop(method="POST", path=JOBS, times=self.chance.randint(1, 8))]
                case 5:
                    faults = [cluster.answer(method="PATCH", path=STATUS, status=500, reason="InternalError")]
                case 6:
                    faults = [
                        cluster.drop(path=".*", times=self.chance.randint(1, 20), after=self.chance.random() < 0.5)
                    ]
                case 7:
                    faults = []
                    cluster.pause()
                case _:
                    faults = []
                    if self.chance.random() < 0.5:
                        cluster.expire_history()
                    cluster.close_watches()
            await asyncio.sleep(self.chance.uniform(0.1, 0.6))
            cluster.resume()
            for fault in faults:
                self.counts["requests that failed"] += fault.hits
                fault.remove()

    async def edit(self) -> None:
        """Change, make and delete Webhooks, so that operators have something to do."""
        running, number = self.fleet.running, 0
        while not self.over.is_set():
            number += 1
            tags = [{"key": "number", "value": str(number)}]
            running.apply(make_webhook(self.chance.choice(WEBHOOKS), tags=tags))
            running.apply(make_webhook("passing", tags=tags))
            await asyncio.sleep(self.chance.uniform(0.2, 1.0))
            if self.chance.random() < 0.3:
                path = "/apis/hookwright.dev/v1alpha1/namespaces/default/webhooks/passing"
                with suppress(httpx.TransportError):
                    await running.client.delete(self.fleet.cluster.url + path)


async def until_ignored(fleet: Fleet, receiver: str, name: str) -> None:
    """Wait until a receiver knows a Webhook and its target: what starts nothing is filtered out."""
    url = await fleet.until_known(receiver, name)
    async with patience():
        while True:
            answer = await fleet.running.push(url, make_push("refs/heads/other"))
            # The target is heard of by another watch: what comes before is accepted, and filtered out later.
            assert answer.status_code in (200, 202)
            if answer.json()["outcome"] == "ignored":
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def tell(folder: Path, seed: int) -> AsyncIterator[Story]:
    """Run two receivers, two operators and Webhooks."""
    roles = dict.fromkeys(RECEIVERS, "receiver") | dict.fromkeys(OPERATORS, "operator")
    # One public address for both operators: whoever holds the Lease, the URLs stay.
    async with run_fleet(folder, roles, HOOKWRIGHT_PUBLIC_URL="http://hooks.test") as fleet:
        running = fleet.running
        running.apply(make_secret(), make_buildtrigger(), *(make_webhook(name) for name in WEBHOOKS))
        paths = {}
        for name in WEBHOOKS:
            await until(lambda name=name: running.ready(name)[0] == "True", f"Webhook {name} is ready")
            paths[name] = running.status(name)["url"].removeprefix("http://hooks.test")
            for receiver in RECEIVERS:
                await until_ignored(fleet, receiver, name)
        yield Story(fleet=fleet, chance=random.Random(seed), paths=paths)


@pytest.mark.timeout(1200)
async def test_kills_lose_nothing_and_double_nothing(tmp_path: Path):
    """Whoever is killed whenever: each delivery that was accepted is built exactly once, and status tells the truth."""
    seed = int(os.environ.get("HOOKWRIGHT_TEST_SEED", "0")) or random.randrange(1, 1_000_000)
    log.warning("HOOKWRIGHT_TEST_SEED=%s HOOKWRIGHT_TEST_KILLS=%s", seed, KILLS)
    began = time.monotonic()
    async with tell(tmp_path, seed) as story:
        fleet = story.fleet
        jobs = Chronicle(fleet.cluster, "jobs.batch")
        # A mistake in one of them ends all of them, and the test.
        async with asyncio.TaskGroup() as group:
            for sender in range(SENDERS):
                group.create_task(story.send(sender))
            group.create_task(story.spoil())
            group.create_task(story.edit())
            await group.create_task(story.kill(jobs))
            await story.until_accepted(WANTED)
            story.over.set()
        fleet.cluster.resume()
        await fleet.until_ready()
        log.warning("%s after %.0f s: %s", len(story.ledger), time.monotonic() - began, dict(story.counts))
        await until(lambda: jobs.births >= len(story.ledger), "all that was accepted is built", patience=120)
        await check_operators(story)
        assert [await fleet.processes[name].signal(signal.SIGTERM) for name in OPERATORS] == [0, 0]
        newest = await empty_journals(story, tmp_path)
        made = list(jobs.added())
        check_builds(story, made)
        check_status(story, made, newest)
        said = "".join(process.said() for process in fleet.processes.values())
        assert "Traceback" not in said
    story.counts |= Counter({"accepted": len(story.ledger), "Jobs made": len(made)})
    log.warning("seed %s, %.0f s: %s", seed, time.monotonic() - began, dict(sorted(story.counts.items())))


def check_builds(story: Story, made: list) -> None:
    """Make sure that there is exactly one Job for each delivery in the ledger, and no other."""
    uids = {name: story.fleet.running.webhook(name)["metadata"]["uid"] for name in WEBHOOKS}
    wanted = {f"{uids[webhook]}/0/{delivery}": name for (webhook, delivery), name in story.ledger.items()}
    built = Counter(job["metadata"]["annotations"]["hookwright.dev/delivery"] for job in made)
    assert [delivery for delivery in wanted if not built[delivery]] == [], "lost"
    assert {delivery: times for delivery, times in built.items() if times > 1} == {}, "doubled"
    assert [delivery for delivery in built if delivery not in wanted] == [], "never sent"
    names = {job["metadata"]["annotations"]["hookwright.dev/delivery"]: job["metadata"]["name"] for job in made}
    assert names == wanted


async def check_operators(story: Story) -> None:
    """Wait until an operator has judged every Webhook as it is now; URLs are what they were."""
    running = story.fleet.running
    for name in WEBHOOKS:
        generation = running.webhook(name)["metadata"]["generation"]
        await until(
            lambda name=name, now=generation: running.status(name)["observedGeneration"] == now, f"{name} is judged"
        )
        assert running.ready(name)[0] == "True"
        assert running.status(name)["url"] == "http://hooks.test" + story.paths[name]


async def empty_journals(story: Story, folder: Path) -> dict[str, datetime]:
    """End the receivers once nothing is left in their journals; give the newest start of each Webhook in either."""
    async with patience(180):
        while True:
            assert [await story.fleet.processes[name].signal(signal.SIGTERM) for name in RECEIVERS] == [0, 0]
            left, newest = 0, {}
            for name in RECEIVERS:
                journal = await Journal.open(folder / name / "journal")
                left += await journal.depth()
                for started in await journal.newest_started():
                    newest[started.name] = max(started.time, newest.get(started.name, started.time))
                await journal.close()
            if not left:
                return newest
            # What failed several times waits for up to a minute, also if the other receiver has built it meanwhile.
            story.counts["waits for a journal"] += 1
            for name in RECEIVERS:
                await story.fleet.processes[name].start()
            await story.fleet.until_ready(*RECEIVERS)
            await asyncio.sleep(1)


def check_status(story: Story, made: list, newest: dict[str, datetime]) -> None:
    """Make sure that lastTriggered is not before the last Job was made, and not after a receiver last heard of one."""
    for name in WEBHOOKS:
        told = datetime.fromisoformat(story.fleet.running.status(name)["lastTriggered"])
        names = {build for (webhook, _), build in story.ledger.items() if webhook == name}
        found = [job["metadata"]["creationTimestamp"] for job in made if job["metadata"]["name"] in names]
        last = datetime.fromisoformat(max(found))
        assert last <= told <= newest[name], name
