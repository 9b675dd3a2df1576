"""Leader election against a running API server: processes that are killed, stopped and woken, and a server that hangs.

Run as a program, this file is one candidate: it takes a folder and its identity, and writes Kubernetes Events while it
holds the Lease, so that the API server's own order says who wrote when.

Nobody loses the Lease here because the machine stands still: that takes minutes, which a test lets pass at once, for
all candidates.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from hookwright.cluster import EVENTS, LEASES
from hookwright.cluster.client import KubernetesCluster, load_access
from hookwright.commands.dev import make_namespace
from hookwright.devcluster import DevCluster
from hookwright.errors import ClusterError
from hookwright.reconcile.election import NAME, Terms
from hookwright.reconcile.lease import Lease, LeasedCluster, measure_time
from support.waiting import patience, within

NAMESPACE = "hookwright-system"
KUBECONFIG = "kubeconfig-operator"
TERMS = Terms(lease=150, deadline=120.0, renew=0.5)
# Where the time must really pass.
HASTY = Terms(lease=4, deadline=3.0, renew=0.5)
PATIENCE = 60.0
LOOKS = 4
BETWEEN_WRITES = 0.5


class Clock:
    """The real one, which a test sets forward, in whichever process it is read."""

    def __init__(self, folder: Path) -> None:
        self._passed = folder / "passed"

    def __call__(self) -> float:
        return measure_time() + (float(self._passed.read_text()) if self._passed.exists() else 0.0)

    async def pass_until(self, happened: Callable[[], object]) -> None:
        """Let a Lease's time pass until `happened`; again and again, as it begins when a candidate sees a renewal."""
        seconds = 0
        async with patience(PATIENCE):
            while not happened():
                seconds += TERMS.lease
                written = self._passed.with_suffix(".new")
                written.write_text(str(seconds))
                written.rename(self._passed)
                for _ in range(LOOKS):
                    await asyncio.sleep(TERMS.renew)
                    if happened():
                        break


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def cluster(tmp_path: Path):
    from support.stage import as_role, open_cluster  # run as a program, this file does without, and starts faster

    with open_cluster() as cluster:
        cluster.apply(make_namespace(NAMESPACE))
        (tmp_path / "kubeconfig").write_text(cluster.kubeconfig())
        as_role(cluster, tmp_path / "kubeconfig", "operator")
        yield cluster
        cluster.resume()


@pytest.fixture
async def client(cluster: DevCluster, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    async with KubernetesCluster((await load_access(tmp_path / KUBECONFIG)).configuration) as client:
        yield client


async def until(happened):
    """Wait until `happened`, which other threads and processes bring about."""
    async with patience(PATIENCE):
        while not (result := happened()):  # noqa: ASYNC110 - what is polled has no event
            await asyncio.sleep(0.005)
    return result


@dataclass(kw_only=True)
class Running:
    """A candidate in the test's own process."""

    lease: Lease
    leased: LeasedCluster
    task: asyncio.Task

    async def kill(self):
        """End it without a farewell."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def running(client: KubernetesCluster, clock: Clock, *identities: str, terms: Terms = TERMS):
    """Run candidates of these names, each started when the one before holds the Lease or waits for it."""
    async with AsyncExitStack() as stack:
        found = []
        for identity in identities:
            lease = Lease(cluster=client, namespace=NAMESPACE, identity=identity, terms=terms, clock=clock)
            one = Running(lease=lease, leased=LeasedCluster(client, lease), task=asyncio.create_task(lease.run()))
            stack.push_async_callback(one.kill)
            await until(lambda lease=lease: lease.holder)
            found.append(one)
        yield found


def spec_of(cluster: DevCluster):
    """Give what the Lease says; empty if there is none."""
    return (cluster.get("leases.coordination.k8s.io", NAMESPACE, NAME) or {}).get("spec", {})


# ── what the election stands on ───────────────────────────────────────────────────────────────────────────────────────


async def test_patch_for_another_version_is_a_conflict(cluster: DevCluster, client: KubernetesCluster):
    """A merge patch that carries a resourceVersion takes effect on that version alone."""
    where = {"namespace": NAMESPACE, "name": NAME}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}, "spec": {}}
    await client.create(LEASES, lease, namespace=NAMESPACE)
    version = (await client.get(LEASES, **where))["metadata"]["resourceVersion"]
    first = {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": "a"}}
    answer = await client.patch(LEASES, first, **where)
    assert (answer["spec"]["holderIdentity"], answer["metadata"]["resourceVersion"] != version) == ("a", True)
    with pytest.raises(ClusterError) as refusal:
        await client.patch(LEASES, {**first, "spec": {"holderIdentity": "b"}}, **where)
    assert (refusal.value.status, refusal.value.reason, refusal.value.transient) == (409, "Conflict", True)
    assert spec_of(cluster)["holderIdentity"] == "a"


# ── candidates in one process ─────────────────────────────────────────────────────────────────────────────────────────


async def test_dead_holder_has_a_successor(cluster: DevCluster, client: KubernetesCluster, clock: Clock):
    """Of two candidates one holds the Lease; when it dies, the other takes over, which the Lease counts."""
    async with running(client, clock, "a", "b") as (first, second):
        assert (first.lease.held, second.lease.held, second.lease.holder) == (True, False, "a")
        await first.kill()
        await clock.pass_until(lambda: second.lease.held)
        assert not first.lease.held
        spec = spec_of(cluster)
        assert (spec["holderIdentity"], spec["leaseTransitions"], spec["leaseDurationSeconds"]) == ("b", 1, TERMS.lease)


async def test_released_lease_is_taken_over(cluster: DevCluster, client: KubernetesCluster, clock: Clock):
    """A holder that stops cleanly leaves an empty Lease, which the other takes."""
    async with running(client, clock, "a", "b") as (first, second):
        await first.kill()
        await first.lease.release()
        assert not first.lease.held
        assert spec_of(cluster)["holderIdentity"] in ("", "b")
        await within(PATIENCE, second.lease.wait_held())
        assert spec_of(cluster)["leaseTransitions"] == 1


async def test_hanging_api_server_ends_the_term(cluster: DevCluster, client: KubernetesCluster, clock: Clock):
    """While the API server hangs the Lease is lost and nothing is written; when it is back, so is the holder."""
    async with running(client, clock, "a", terms=HASTY) as (one,):
        cluster.pause()
        await within(PATIENCE, one.lease.wait_lost())
        with pytest.raises(ClusterError) as refusal:
            await one.leased.create(EVENTS, make_event("too early"), namespace=NAMESPACE)
        assert (refusal.value.status, refusal.value.transient) == (0, True)
        cluster.resume()
        await within(PATIENCE, one.lease.wait_held())
        async with patience(PATIENCE):
            # It may be lost again, and held again: its terms are short.
            while not writers(cluster):
                with suppress(ClusterError):
                    await one.leased.create(EVENTS, make_event("a"), namespace=NAMESPACE)
                # Who does not hold it is refused at once, and must let it be taken.
                await asyncio.sleep(BETWEEN_WRITES)
        assert set(writers(cluster)) == {"a"}


# ── candidates that are processes ─────────────────────────────────────────────────────────────────────────────────────


def make_event(identity: str):
    """Give a Kubernetes Event by which a candidate shows that it may write."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "written-", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Namespace", "name": NAMESPACE, "namespace": NAMESPACE},
        "reason": "Written",
        "message": identity,
    }


def writers(cluster: DevCluster) -> list[str]:
    """Give who wrote, in the order in which the API server took it."""
    events = sorted(cluster.list("events", NAMESPACE), key=lambda event: int(event["metadata"]["resourceVersion"]))
    return [event["message"] for event in events]


async def compete(folder: Path, identity: str) -> None:
    """Be a candidate that tries to write all the time, and stops itself when it is told to."""
    stop = find_stop(folder, identity)
    async with KubernetesCluster((await load_access(folder / KUBECONFIG)).configuration) as client:
        lease = Lease(cluster=client, namespace=NAMESPACE, identity=identity, terms=TERMS, clock=Clock(folder))
        leased = LeasedCluster(client, lease)
        election = asyncio.create_task(lease.run())
        while not election.done():
            with suppress(ClusterError):
                await leased.create(EVENTS, make_event(identity), namespace=NAMESPACE)
            if stop.exists():
                # Nothing is between its look at the Lease and the wire: what had been sent could still arrive.
                stop.unlink()
                os.kill(os.getpid(), signal.SIGSTOP)
            await asyncio.sleep(BETWEEN_WRITES)
        election.result()


def find_stop(folder: Path, identity: str) -> Path:
    """Give the file that tells a candidate to stop itself."""
    return folder / f"stop-{identity}"


def is_stopped(pid: int) -> bool:
    """Say whether a process is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@asynccontextmanager
async def processes(folder: Path, *identities: str):
    """Run candidates of these names as processes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOOKWRIGHT_")}
    paths = [str(Path(__file__).parents[2]), *filter(None, [environment.get("PYTHONPATH")])]  # where `support` is
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    found = []
    try:
        for identity in identities:
            command = [sys.executable, __file__, str(folder), identity]
            found.append(await asyncio.create_subprocess_exec(*command, env=environment))
        yield found
    finally:
        for process in found:
            if process.returncode is None:
                process.kill()
            await within(PATIENCE, process.wait())


async def test_killed_process_has_a_successor(cluster: DevCluster, clock: Clock, tmp_path: Path):
    """After kill -9 of the holder the other process takes over, and only after that it writes."""
    async with processes(tmp_path, "a", "b") as both:
        await until(lambda: writers(cluster))
        holder = writers(cluster)[0]
        survivor = {"a": "b", "b": "a"}[holder]
        both["ab".index(holder)].send_signal(signal.SIGKILL)
        await clock.pass_until(lambda: survivor in writers(cluster))
        written = writers(cluster)
        assert set(written[: written.index(survivor)]) == {holder}
        assert set(written[written.index(survivor) :]) == {survivor}


async def test_process_that_was_stopped_does_not_write_when_it_wakes(cluster: DevCluster, clock: Clock, tmp_path: Path):
    """A holder that was stopped by SIGSTOP until another took over writes nothing more, though it tries to at once."""
    async with processes(tmp_path, "a", "b") as both:
        await until(lambda: writers(cluster))
        holder = writers(cluster)[0]
        other = {"a": "b", "b": "a"}[holder]
        stopped = both["ab".index(holder)]
        find_stop(tmp_path, holder).touch()
        await until(lambda: is_stopped(stopped.pid))
        await clock.pass_until(lambda: other in writers(cluster))
        stopped.send_signal(signal.SIGCONT)
        count = len(writers(cluster))
        await until(lambda: len(writers(cluster)) >= count + 5)
        written = writers(cluster)
        assert set(written[written.index(other) :]) == {other}
        assert (stopped.returncode, spec_of(cluster)["holderIdentity"]) == (None, other)


if __name__ == "__main__":
    asyncio.run(compete(Path(sys.argv[1]), sys.argv[2]))
