"""Candidates for a Lease in virtual time: their clocks, the API server that they ask, and all that can go wrong."""

from __future__ import annotations

import asyncio
import functools
import random
import selectors
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hookwright.cluster import LEASES
from hookwright.errors import ClusterError
from hookwright.reconcile.election import NAME
from hookwright.reconcile.lease import Lease, LeasedCluster
from support.fakecluster import FakeCluster

NAMESPACE = "hookwright-system"
START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
NEVER = 1e6
RENEWED_AT = "2026-05-01T11:59:59.000000Z"


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while there is nothing else to do."""

    def __init__(self):
        self.now = 0.0
        super().__init__(_Selector(self))

    def time(self):
        return self.now


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop):
        super().__init__()
        self._loop = loop

    def select(self, timeout=None):
        if timeout is None:
            raise AssertionError("everything waits for something that will not happen")
        self._loop.now += max(timeout, 0.0)
        return super().select(0)


def in_virtual_time(story):
    """Make a test of a coroutine function, which runs in virtual time."""

    @functools.wraps(story)
    def test(*args, **kwargs):
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(story(*args, **kwargs))

    return test


class LeaseServer(FakeCluster):
    """The API server, with what Leases need: a patch for another version of the object is a Conflict."""

    def _patch(self, resource, patch, namespace, name, subresource):
        found = self.objects.get((resource.plural, namespace, name))
        version = patch.get("metadata", {}).get("resourceVersion")
        if found is not None and version not in (None, found["metadata"]["resourceVersion"]):
            raise ClusterError("the object has been modified", status=409, reason="Conflict")
        return super()._patch(resource, patch, namespace, name, subresource)


@dataclass(kw_only=True)
class Wire:
    """One candidate's way to the API server, as a Cluster; what the candidate gave up on may still arrive."""

    server: LeaseServer
    delay: object = lambda: 0.0
    hangs_until: float = 0.0  # requests arrive then
    mute_until: float = 0.0  # answers of requests that are answered before are lost
    broken_until: float = 0.0  # 500, whether it took effect or not
    frozen_until: float = 0.0  # the process is stopped
    travels: set = field(default_factory=set)

    def __getattr__(self, name):  # list, list_pages, watch: not what a Lease needs, but what a Cluster has
        return getattr(self.server, name, None)

    async def get(self, *args, **kwargs):
        return await self._ask(lambda: self.server.get(*args, **kwargs))

    async def create(self, *args, **kwargs):
        return await self._ask(lambda: self.server.create(*args, **kwargs))

    async def patch(self, *args, **kwargs):
        return await self._ask(lambda: self.server.patch(*args, **kwargs))

    async def delete(self, *args, **kwargs):
        return await self._ask(lambda: self.server.delete(*args, **kwargs))

    async def thaw(self):
        await sleep_until(lambda: self.frozen_until)

    async def _ask(self, request):
        travel = asyncio.ensure_future(self._travel(request))
        self.travels.add(travel)
        travel.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.shield(travel)
        finally:
            await self.thaw()

    async def _travel(self, request):
        await asyncio.sleep(self.delay())
        await sleep_until(lambda: self.hangs_until)
        broken = passed() < self.broken_until
        if broken and passed() % 2 < 1:
            raise ClusterError("broken before", status=500)
        answer = await request()
        if passed() < self.mute_until:
            await asyncio.sleep(NEVER)
        await asyncio.sleep(self.delay())
        if broken:
            raise ClusterError("broken after", status=500)
        return answer


def passed():
    """Give the virtual seconds since the beginning."""
    return asyncio.get_running_loop().time()


async def sleep_until(time):
    while passed() < time():  # noqa: ASYNC110 - in virtual time the clock is the event
        await asyncio.sleep(time() - passed())


@dataclass(kw_only=True, eq=False)
class Candidate:
    """One process: its Lease, its clocks, and when it held what."""

    world: World
    identity: str
    delay: object = lambda: 0.0
    offset: float = 0.0
    rate: float = 1.0
    skew: timedelta = timedelta()
    standing: bool = False  # its wall clock
    changes: list = field(default_factory=list)
    task: asyncio.Task | None = None

    def __post_init__(self):
        self.wire = Wire(server=self.world.server, delay=self.delay)
        self.lease = Lease(
            cluster=self.wire,
            namespace=NAMESPACE,
            identity=self.identity,
            changed=self.changed,
            clock=lambda: self.offset + self.rate * passed(),
            wall=lambda: START + self.skew + timedelta(seconds=0.0 if self.standing else passed()),
            sleep=self.sleep,
            jitter=random.Random(self.identity).random,
        )
        self.cluster = LeasedCluster(self.wire, self.lease)

    def changed(self, held):
        self.changes.append((held, passed()))
        self.world.look()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)
        await self.wire.thaw()

    def start(self):
        self.task = asyncio.create_task(self.lease.run())
        self.world.alive.append(self)
        return self

    async def kill(self):
        """End it as kill -9 does: what is under way goes on."""
        self.world.alive.remove(self)
        self.wire.frozen_until = 0.0
        self.task.cancel()
        await asyncio.wait({self.task})
        if not self.task.cancelled():
            self.task.result()

    @property
    def held(self):
        return self.lease.held


@dataclass(kw_only=True)
class World:
    """The API server and its candidates; `overlaps` are the times at which several held the Lease."""

    server: LeaseServer = field(default_factory=LeaseServer)
    alive: list = field(default_factory=list)
    overlaps: list = field(default_factory=list)

    def candidate(self, identity="a", **more):
        return Candidate(world=self, identity=identity, **more)

    def start(self, identity="a", **more):
        return self.candidate(identity, **more).start()

    @property
    def holders(self):
        return [one.identity for one in self.alive if one.held]

    def look(self):
        """Note if several hold the Lease; it is enough to look when one begins to."""
        if len(self.holders) > 1:
            self.overlaps.append((passed(), self.holders))

    def put(self, **spec):
        """Hold a Lease as somebody else would write it."""
        full = {"leaseDurationSeconds": 15, "leaseTransitions": 3, "renewTime": RENEWED_AT} | spec
        self.put_raw(spec=full)

    def put_raw(self, **members):
        metadata = {"name": NAME, "namespace": NAMESPACE}
        self.server.put(LEASES, {"apiVersion": LEASES.api_version, "kind": "Lease", "metadata": metadata, **members})

    def touch(self, label):
        """Change the Lease's version and nothing that matters."""
        found = self.server.find(LEASES, NAME, namespace=NAMESPACE)
        if found is not None:
            self.server.put(LEASES, {**found, "metadata": {**found["metadata"], "labels": {"touched": label}}})

    def delete(self):
        self.server.drop(LEASES, NAME, namespace=NAMESPACE)

    @property
    def spec(self):
        return self.server.find(LEASES, NAME, namespace=NAMESPACE)["spec"]

    @property
    def renewed_at(self):
        """The virtual time of the renewal that stands in the Lease, if its holder's wall clock is right."""
        return (datetime.fromisoformat(self.spec["renewTime"]) - START).total_seconds()


async def until(happened, *, within=60.0):
    """Wait until `happened`, which must be within so many virtual seconds; give how long it took."""
    began = passed()
    while not happened():
        assert passed() - began < within, "did not happen"
        await asyncio.sleep(0.01)
    return passed() - began


def seconds_of_jitter(seconds):
    """Give the longest that a wait of so many seconds takes, with some air for what is done meanwhile."""
    return seconds * 1.25 + 0.1
