"""The operator's side: it works while it holds the Lease, and gathers nothing while another does."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hookwright.app import operating
from hookwright.app.operating import OperatorSide
from hookwright.builds.follow import Following
from hookwright.cluster import BUILDTRIGGERS, JOBS, LEASES, SECRETS, WEBHOOKS
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.cluster.watched_secrets import WatchedSecrets
from hookwright.metrics import Metrics
from hookwright.reconcile.election import TERMS, Terms
from hookwright.reconcile.rootkey import RootKeys
from hookwright.settings import Settings
from support.fakecluster import FakeCluster
from support.jobs import raw_job
from support.metrics_samples import read_value
from support.objects import NOON, raw_buildtrigger, raw_secret, raw_webhook
from support.waiting import eventually, running, settle


@dataclass
class Bench:
    """An operator in a cluster that has a Webhook, its BuildTrigger and its Secret."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    mirror: Mirror = field(default_factory=Mirror)
    root_keys: RootKeys = field(default_factory=lambda: RootKeys([b"k" * 32]))

    def __post_init__(self):
        self.watched = WatchedSecrets(self.cluster)
        self.following = Following(self.cluster, clock=lambda: NOON)
        self.metrics = Metrics(role="operator")
        self.side = OperatorSide(
            cluster=self.cluster,
            mirror=self.mirror,
            secrets=SecretReader(self.cluster, watched=self.watched),
            watched=self.watched,
            cronjobs_known=lambda _: True,
            following=self.following,
            root_keys=self.root_keys,
            settings=Settings(identity="us"),
            clock=lambda: NOON,
            metrics=self.metrics,
        )
        # The Lease is lost, and another's is over, by no machine that stands still.
        self.side.lease.clock = lambda: 0.0
        self.side.lease.terms = Terms(lease=300, deadline=299.0, renew=TERMS.renew)
        self.cluster.put(SECRETS, raw_secret())
        self.cluster.put(BUILDTRIGGERS, raw_buildtrigger())
        self.cluster.put(WEBHOOKS, raw_webhook())
        self.cluster.feed(self.mirror)

    def taken_by(self, other):
        """Let another process have the Lease."""
        self.cluster.put(
            LEASES,
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": "hookwright-operator", "namespace": "hookwright-system"},
                "spec": {"holderIdentity": other, "leaseDurationSeconds": 1, "renewTime": "x"},
            },
        )

    def is_ready(self):
        status = self.cluster.find(WEBHOOKS, "hello").get("status", {})
        return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


@pytest.fixture
async def bench():
    return Bench()


async def test_all_that_is_there_is_looked_at_with_the_lease(bench):
    """Who gets the Lease looks at every object, also at what came before."""
    async with running(bench.side.run()):
        await eventually(bench.is_ready)


async def test_who_waits_gathers_nothing(bench):
    """What happens while another works, for months maybe, takes no room, and is looked at all the same later."""
    bench.taken_by("them")
    async with running(bench.side.run()):
        await eventually(lambda: bench.side.lease.holder == "them")
        for number in range(100):
            bench.cluster.put(WEBHOOKS, raw_webhook(metadata={"name": f"w{number}", "uid": f"w{number}"}))
            bench.cluster.drop(WEBHOOKS, f"w{number}")
        bench.root_keys.put([b"n" * 32])
        bench.watched._see("ADDED", raw_secret())
        await settle()
        assert bench.side._queue.idle
        assert not bench.is_ready()
        bench.taken_by("")
        await eventually(bench.is_ready)


async def test_changes_are_looked_at_while_the_lease_is_held(bench):
    """Who works looks at what changes."""
    async with running(bench.side.run()):
        await eventually(bench.is_ready)
        bench.cluster.put(WEBHOOKS, raw_webhook(suspend=True))
        await eventually(lambda: bench.cluster.find(WEBHOOKS, "hello")["status"]["observedGeneration"] == 2)


# ── builds ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_job(bench, **changes):
    owner_uid = bench.cluster.find(BUILDTRIGGERS, "hello")["metadata"]["uid"]
    bench.cluster.put(JOBS, raw_job(owner_uid=owner_uid, **changes))


def last_build(bench):
    state = bench.cluster.find(BUILDTRIGGERS, "hello").get("status", {}).get("lastBuild", {})
    return state.get("name"), state.get("phase")


@pytest.fixture
async def following(bench, monkeypatch):
    """An operator that holds the Lease, has looked at all, and follows builds."""
    monkeypatch.setattr(operating, "BUILDS_SECONDS", 0.02)
    async with running(bench.side.run()), running(bench.following.run()):
        await eventually(bench.is_ready)
        await eventually(lambda: bench.following.is_sure("default"))
        yield bench


def ended(bench):
    page = bench.metrics.write()
    return {
        phase: read_value(page, "hookwright_builds_ended_total", phase=phase)
        for phase in ("Succeeded", "Failed", "Canceled")
    }


async def test_builds_reach_the_status(following):
    """What becomes of a build stands in its BuildTrigger's status, and is counted once it has ended."""
    for phase in ("Pending", "Running", "Succeeded"):
        make_job(following, name="b-1", phase=phase)
        await eventually(lambda phase=phase: last_build(following) == ("b-1", phase))
    assert ended(following) == {"Succeeded": 1, "Failed": 0, "Canceled": 0}
    assert following.cluster.count("create", JOBS, dry_run=True) == 1


async def test_burst_is_one_patch(following):
    """Many changes within a moment cost one patch, one look and no dry run."""
    before = following.cluster.count("patch", BUILDTRIGGERS)
    for number in range(100):
        make_job(following, name=f"b-{number:03}", phase="Pending")
        make_job(following, name=f"b-{number:03}", phase="Running")
    await eventually(lambda: last_build(following) == ("b-099", "Running"))
    await settle()
    assert following.cluster.count("patch", BUILDTRIGGERS) - before <= 2
    assert following.cluster.count("create", JOBS, dry_run=True) == 1


async def test_build_that_goes_is_counted_as_canceled(following):
    """A Job that is deleted while it runs is canceled in status and in the numbers."""
    make_job(following, name="b-1")
    await eventually(lambda: last_build(following) == ("b-1", "Running"))
    following.cluster.drop(JOBS, "b-1")
    await eventually(lambda: last_build(following) == ("b-1", "Canceled"))
    assert ended(following)["Canceled"] == 1


async def test_who_waits_says_and_counts_nothing_of_builds(bench, monkeypatch):
    """While another works nothing is written or counted of builds; with the Lease status is made right."""
    monkeypatch.setattr(operating, "BUILDS_SECONDS", 0.02)
    bench.taken_by("them")
    async with running(bench.side.run()), running(bench.following.run()):
        await eventually(lambda: bench.side.lease.holder == "them")
        make_job(bench, name="b-1", phase="Running")
        make_job(bench, name="b-1", phase="Failed")
        await eventually(
            lambda: bench.following.index.of("default", bench.cluster.find(BUILDTRIGGERS, "hello")["metadata"]["uid"])
        )
        await settle()
        assert (last_build(bench), ended(bench)["Failed"]) == ((None, None), 0)
        bench.taken_by("")
        await eventually(lambda: last_build(bench) == ("b-1", "Failed"))


async def test_build_that_went_while_nobody_worked(bench, monkeypatch):
    """A build that status calls running, and that went while no operator was there, is canceled once all are known."""
    monkeypatch.setattr(operating, "BUILDS_SECONDS", 0.02)
    state = {"kind": "Job", "name": "gone", "phase": "Running"}
    bench.cluster.put(BUILDTRIGGERS, raw_buildtrigger(status={"lastBuild": state, "active": [state]}))
    async with running(bench.side.run()):
        await eventually(bench.is_ready)
        assert last_build(bench) == ("gone", "Running")
        async with running(bench.following.run()):
            await eventually(lambda: last_build(bench) == ("gone", "Canceled"))
    assert bench.cluster.find(BUILDTRIGGERS, "hello")["status"]["active"] == []


async def test_start_that_was_refused_has_the_template_tried_again(following):
    """When a start was refused, what the dry run said before is not believed any more."""
    before = following.cluster.count("create", JOBS, dry_run=True)
    last = {"id": "d", "time": "2026-05-01T12:00:00Z", "outcome": "failed", "reason": "BuildForbidden", "message": "m"}
    found = following.cluster.find(WEBHOOKS, "hello")
    following.cluster.put(WEBHOOKS, {**found, "status": {**found["status"], "lastDelivery": last}})
    await eventually(lambda: following.cluster.count("create", JOBS, dry_run=True) > before)


async def test_foreign_hand_in_what_is_said_of_builds(following):
    """What somebody else writes into status about builds is put right, a moment later."""
    make_job(following, name="b-1")
    await eventually(lambda: last_build(following) == ("b-1", "Running"))
    found = following.cluster.find(BUILDTRIGGERS, "hello")
    forged = {**found["status"], "lastBuild": {"kind": "Job", "name": "forged", "phase": "Pending"}, "active": []}
    following.cluster.put(BUILDTRIGGERS, {**found, "status": forged})
    await eventually(lambda: last_build(following) == ("b-1", "Running"))
