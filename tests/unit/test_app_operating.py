"""The operator's side: it works while it holds the Lease, and gathers nothing while another does."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hookwright.app.operating import OperatorSide
from hookwright.cluster import BUILDTRIGGERS, LEASES, SECRETS, WEBHOOKS
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.cluster.watched_secrets import WatchedSecrets
from hookwright.metrics import Metrics
from hookwright.reconcile.rootkey import RootKeys
from hookwright.settings import Settings
from support.fakecluster import FakeCluster
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
        self.side = OperatorSide(
            cluster=self.cluster,
            mirror=self.mirror,
            secrets=SecretReader(self.cluster, watched=self.watched),
            watched=self.watched,
            cronjobs_known=lambda _: True,
            root_keys=self.root_keys,
            settings=Settings(identity="us"),
            clock=lambda: NOON,
            metrics=Metrics(role="operator"),
        )
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
