"""A world to reconcile in: an API server in memory, a mirror that it feeds, a clock that stands at noon."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from hookwright.app.operating import reconcile
from hookwright.builds.follow import Following
from hookwright.builds.starter import Starter
from hookwright.cluster import BUILDTRIGGERS, EVENTS, JOBS, SECRETS, WEBHOOKS
from hookwright.cluster.mirror import Key, Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.reconcile.announcer import Announcer
from hookwright.reconcile.notes import Notes
from hookwright.reconcile.rootkey import RootKeys
from hookwright.reconcile.work import Again
from hookwright.reconcile.world import World
from hookwright.settings import Settings
from support.fakecluster import FakeCluster
from support.jobs import raw_job
from support.objects import NOON, raw_buildtrigger, raw_secret, raw_webhook

WEBHOOK = Key("Webhook", "default", "hello")
TRIGGER = Key("BuildTrigger", "default", "hello")
ROOT_KEY = b"k" * 32
JUDGED = {"observedGeneration": 1}


class KnownBuilds(Following):
    """What follows builds, without the watches."""

    known = True
    sure = True

    def knows(self, namespace):
        return self.known

    def is_sure(self, namespace):
        return self.sure


@dataclass
class Bench:
    cluster: FakeCluster = field(default_factory=FakeCluster)
    mirror: Mirror = field(default_factory=Mirror)
    now: object = NOON
    changes: list = field(default_factory=list)

    def __post_init__(self):
        self.following = KnownBuilds(self.cluster, clock=lambda: self.now)
        self.mirror.subscribe(self.changes.append)
        self.cluster.feed(self.mirror)
        self.world = World(
            cluster=self.cluster,
            mirror=self.mirror,
            secrets=SecretReader(self.cluster, clock=self.seconds),
            announcer=Announcer(self.cluster, lambda: self.now),
            clock=lambda: self.now,
            settings=Settings(public_url="https://hooks.example.com", cluster_name="test"),
            root_keys=RootKeys([ROOT_KEY]),
            starter=Starter(cluster=self.cluster, targets=self.mirror, clock=lambda: self.now, patience=timedelta(0)),
            following=self.following,
            trials=Notes(self.seconds),
            refusals=Notes(self.seconds),
            settled=Notes(self.seconds),
        )

    def seconds(self):
        return self.now.timestamp()

    def put_webhook(self, **changes):
        self.cluster.put(WEBHOOKS, raw_webhook(**changes))

    def put_target(self, *, status=JUDGED, **changes):
        self.cluster.put(BUILDTRIGGERS, raw_buildtrigger(status=status, **changes))

    def put_secret(self, **changes):
        self.cluster.put(SECRETS, raw_secret(**changes))

    def put_all(self, **changes):
        self.put_secret()
        self.put_target()
        self.put_webhook(**changes)

    def put_job(self, **changes):
        """Have a Job in the cluster, of which those who follow builds have been told."""
        self.following.index.put(self.cluster.put(JOBS, raw_job(**changes)), self.now)

    def drop_job(self, name):
        """Have a Job gone, and those who follow builds told."""
        raw = self.cluster.find(JOBS, name)
        self.cluster.drop(JOBS, name)
        self.following.index.remove(raw, self.now)

    async def look(self, key=WEBHOOK) -> Again:
        """Reconcile once, because of something else than a build."""
        self.world.trials.forget(key)
        return await reconcile(key, self.world)

    async def look_at_builds(self, key=TRIGGER) -> Again:
        """Reconcile once, because of a build."""
        return await reconcile(key, self.world)

    async def look_until_still(self, key=WEBHOOK):
        """Reconcile twice, and make sure that the second time wrote nothing."""
        await self.look(key)
        before = self.writes()
        again = await self.look(key)
        assert self.writes() == before
        return again

    def writes(self):
        """Give how many status patches and Kubernetes Events were written."""
        kinds = (WEBHOOKS, BUILDTRIGGERS)
        return sum(self.cluster.count("patch", kind) for kind in kinds), self.cluster.count("create", EVENTS)

    def status(self, key=WEBHOOK):
        resource = WEBHOOKS if key.kind == "Webhook" else BUILDTRIGGERS
        return self.cluster.find(resource, key.name).get("status", {})

    def conditions(self, key=WEBHOOK):
        return {c["type"]: (c["status"], c["reason"]) for c in self.status(key).get("conditions", [])}

    def events(self):
        """Give type and reason of each Kubernetes Event."""
        return [(event["type"], event["reason"]) for event in self.cluster.all(EVENTS)]
