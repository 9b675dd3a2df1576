"""Leader election: of several operators the one works that holds a Lease (coordination.k8s.io) in our namespace.

As client-go's leaderelection does it: every write carries the resourceVersion of what was judged, and whether another's
Lease is over is judged by our own monotonic clock alone, never by the times in it: clocks may differ and jump. Our own
code, because the official client's election reckons with the wall clock and lets a request hang past the deadline.

What keeps two from working at once: a holder stops `deadline` seconds after its last renewal began, by its own clock;
others wait until they have seen no change for `lease` seconds, which is longer. What was sent before the deadline may
still arrive after it: every effect of a reconcile is idempotent.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import structlog

from hookwright.cluster import LEASES, Cluster, Resource
from hookwright.errors import ClusterError
from hookwright.kinds import Raw
from hookwright.reconcile.election import (
    NAME,
    TERMS,
    Record,
    Sight,
    Terms,
    format_micro_time,
    judge_lease,
    make_spec,
    read_record,
)

log = structlog.get_logger()

T = TypeVar("T")
P = ParamSpec("P")

RELEASE_SECONDS = 2.0
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 5.0
COMPLAINT_SECONDS = 60.0
UNCERTAIN_WRITES = 64
_FORBIDDEN, _CONFLICT = 403, 409


def measure_time() -> float:
    """Give monotonic seconds, which go on while the machine is suspended where the system counts that (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


@dataclass(kw_only=True, eq=False)
class Lease:
    """One candidate for the Lease; `run` acquires and renews it until cancelled, then `release` hands it on.

    `identity` must be this process's alone at any time, such as the name of a StatefulSet's pod. `changed` is called in
    the event loop: with True when the Lease was acquired, with False when it was lost.
    """

    cluster: Cluster
    namespace: str
    identity: str
    changed: Callable[[bool], None] = lambda _: None
    clock: Callable[[], float] = measure_time
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    terms: Terms = TERMS
    _until: float = -math.inf
    _sight: Sight | None = None
    _refusal: str = ""
    _own: Record | None = None  # what we wrote last, as long as nothing is known to have come after it
    _written: deque[str] = field(default_factory=lambda: deque(maxlen=UNCERTAIN_WRITES))
    _asking: str = ""
    _complaints: dict[tuple[str, int], float] = field(default_factory=dict)
    _told: bool = False
    _times_held: int = 0
    _acquired: asyncio.Event = field(default_factory=asyncio.Event)
    _lost: asyncio.Event = field(default_factory=asyncio.Event)
    _leaving: bool = False  # by its own will, which is no loss

    def __post_init__(self) -> None:
        if not self.identity:
            raise ValueError("identity must not be empty: that would say that the Lease is free")

    def __str__(self) -> str:
        return f"{self.namespace}/{NAME}"

    @property
    def held(self) -> bool:
        """Whether this process may write now."""
        return self.seconds_left > 0

    @property
    def seconds_left(self) -> float:
        """For how many seconds this process may write from now on; none, or less, if it may not."""
        return self._until - self.clock()

    @property
    def holder(self) -> str:
        """The identity that held the Lease when it was last seen; empty if none did."""
        record = self._sight.record if self._sight is not None else None
        return record.holder if record is not None else ""

    @property
    def trouble(self) -> str:
        """What keeps this process from the election; empty while it takes part."""
        return self._refusal or ("" if self._sight is not None else f"waiting to see the Lease {self}")

    async def wait_held(self) -> None:
        """Wait until the Lease is held; `run` must be running."""
        while not self.held:
            self._acquired.clear()
            await self._acquired.wait()

    async def wait_lost(self) -> None:
        """Wait until the Lease is not held, or for a while was not; `run` must be running."""
        times_held = self._times_held
        while self.held and self._times_held == times_held:
            self._lost.clear()
            await self._lost.wait()

    async def run(self) -> None:
        """Acquire the Lease and renew it until cancelled; what fails is logged and tried again."""
        failures = 0
        while True:
            try:
                # A request that hangs must leave time for another try, and may not outlast the deadline.
                wait = await _in_time(min(self.terms.deadline / 2, self._remaining()), self._campaign())
                failures, self._refusal = 0, ""
            except ClusterError as error:
                # That others were faster keeps nobody out of the election.
                if not error.transient and error.status != _CONFLICT:
                    self._refusal = f"the Lease {self} is refused: {error.message}"
                failures = 1 if error.status == _CONFLICT else min(failures + 1, 16)
                wait = min(FIRST_BACKOFF * 2.0 ** (failures - 1), LONGEST_BACKOFF)
                self._complain(error)
            self._notice()
            # To just after the deadline at most, so that the loss is told when it comes.
            await self.sleep(min(wait * (1 + self.jitter() / 4), self._remaining()) + 0.01)
            self._notice()

    async def release(self) -> None:
        """Hand the Lease on at once; to be called when `run` was cancelled and nothing is written any more.

        Best effort within 2 s, raises nothing: if it fails, the others wait until the Lease is over.
        """
        self._leaving = True
        self._step_down()
        self._notice()
        if not self._written:
            return
        try:
            await _in_time(RELEASE_SECONDS, self._let_go())
        except ClusterError as error:
            self._log(log.warning, "not released", error=error.message)

    def _remaining(self) -> float:
        """Give the seconds to the deadline; without end if the Lease is not held."""
        return left if (left := self.seconds_left) > 0 else math.inf

    async def _campaign(self) -> float:
        """Renew the Lease, or take it if it is free; give the seconds after which to look again."""
        record = self._own
        if record is None:
            record = await self._look()
            now, before = self.clock(), self.holder
            us, written = self.identity, self._written
            self._sight = judge_lease(record, self._sight, now, identity=us, written=written, terms=self.terms)
            if self._sight.free_at > now:
                self._step_down()
                if self.holder != before:
                    self._log(log.info, "waiting")
                return min(self._sight.free_at - now, self.terms.renew)
        await self._write(record)
        return self.terms.renew

    async def _look(self) -> Record | None:
        self._asking = "get"
        raw = await self.cluster.get(LEASES, namespace=self.namespace, name=NAME)
        return read_record(raw) if raw is not None else None

    async def _write(self, record: Record | None) -> None:
        """Make the Lease ours, if it still is as `record` says; a ClusterError with 409 or 404 says that it is not."""
        spec = make_spec(record, identity=self.identity, now=self.wall(), terms=self.terms)
        self._written.append(spec["renewTime"])
        began = self.clock()
        try:
            after = await self._send(record, spec)
        except ClusterError as error:
            if 400 <= error.status < 500:  # noqa: PLR2004 - HTTP's refusals: what was sent took no effect
                self._written.pop()
                self._own = None
            raise
        self._own = after if after.version else None
        self._sight = Sight(record=after, since=began, patience=0.0)
        # If the deadline passed meanwhile, that was a loss, and this is another term.
        self._notice()
        self._until = began + self.terms.deadline

    async def _send(self, record: Record | None, spec: Mapping[str, Any]) -> Record:
        if record is None:
            self._asking = "create"
            metadata = {"name": NAME, "labels": {"app.kubernetes.io/managed-by": "hookwright"}}
            manifest = {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}
            await self.cluster.create(LEASES, manifest, namespace=self.namespace)
            return read_record(manifest)
        if not record.version:
            raise ClusterError(f"Lease {self} has no resourceVersion: it cannot be taken safely", status=0)
        self._asking = "patch"
        patch = {"metadata": {"resourceVersion": record.version}, "spec": spec}
        return read_record(await self.cluster.patch(LEASES, patch, namespace=self.namespace, name=NAME))

    async def _let_go(self) -> None:
        """Empty the Lease if it is ours."""
        found = await self._look()
        if found is not None and found.holder == self.identity and found.renew_time in self._written:
            spec = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": format_micro_time(self.wall())}
            await self._send(found, spec)
            self._log(log.info, "released")

    def _step_down(self) -> None:
        self._until = -math.inf
        self._own = None

    def _notice(self) -> None:
        """Tell of a change since the last time."""
        held = self.held
        (self._acquired if held else self._lost).set()
        if held == self._told:
            return
        self._told = held
        self._times_held += held
        if not self._leaving:
            self._log(log.info if held else log.warning, "acquired" if held else "lost")
        self.changed(held)

    def _complain(self, error: ClusterError) -> None:
        """Log what failed, once a minute; that others write at the same time is no failure."""
        now, about = self.clock(), (self._asking, error.status)
        if error.status == _CONFLICT or now < self._complaints.get(about, -math.inf) + COMPLAINT_SECONDS:
            return
        self._complaints[about] = now
        right = f"{self._asking} {LEASES.plural}.{LEASES.group} in namespace {self.namespace}"
        more = {"missing_right": right} if error.status == _FORBIDDEN else {}
        self._log(log.error, "failing", error=error.message, status=error.status, **more)

    def _log(self, say: Callable[..., object], state: str, **more: object) -> None:
        say("lease", state=state, lease=str(self), identity=self.identity, holder=self.holder, **more)


async def _in_time(seconds: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise ClusterError("the API server does not answer in time", status=0) from None


class LeasedCluster:
    """A `Cluster` whose writes raise a transient ClusterError while the Lease is not held; reads pass.

    A write that is under way is given up at the deadline: it may not have left yet, as when a connection is still being
    made to an API server that hangs, and would leave long after another holds the Lease.
    """

    def __init__(self, cluster: Cluster, lease: Lease) -> None:
        self._cluster = cluster
        self._lease = lease
        self.get, self.list, self.list_pages, self.watch = cluster.get, cluster.list, cluster.list_pages, cluster.watch

    async def create(
        self,
        resource: Resource,
        manifest: Mapping[str, Any],
        *,
        namespace: str | None = None,
        service_account: str | None = None,
        dry_run: bool = False,
    ) -> None:
        """See `Cluster.create`."""
        await self._while_held(
            self._cluster.create,
            resource,
            manifest,
            namespace=namespace,
            service_account=service_account,
            dry_run=dry_run,
        )

    async def patch(
        self,
        resource: Resource,
        patch: Mapping[str, Any],
        *,
        namespace: str | None = None,
        name: str,
        subresource: str | None = None,
    ) -> Raw:
        """See `Cluster.patch`."""
        return await self._while_held(
            self._cluster.patch, resource, patch, namespace=namespace, name=name, subresource=subresource
        )

    async def delete(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        name: str,
        uid: str,
        service_account: str | None = None,
    ) -> None:
        """See `Cluster.delete`."""
        await self._while_held(
            self._cluster.delete, resource, namespace=namespace, name=name, uid=uid, service_account=service_account
        )

    async def _while_held(self, write: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(max(self._lease.seconds_left, 0.0)):
                if self._lease.held:
                    return await write(*args, **kwargs)
        except TimeoutError:
            pass
        raise ClusterError(f"this process does not hold the Lease {self._lease}: it may not write", status=0)
