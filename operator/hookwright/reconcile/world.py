"""What a reconcile reads from and writes to: handed in, so that tests hand in fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex

from hookwright.builds.follow import Following
from hookwright.builds.starter import Starter
from hookwright.cluster import Cluster
from hookwright.cluster.mirror import Mirror
from hookwright.cluster.secrets import SecretReader
from hookwright.kinds import ObjectKind
from hookwright.reconcile.announcer import Announcer
from hookwright.reconcile.checks import Tried
from hookwright.reconcile.notes import Notes
from hookwright.reconcile.rootkey import RootKeys
from hookwright.reconcile.secret_plan import Settled
from hookwright.settings import Settings

SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class World:
    """The cluster, its mirror, the Secrets, the clock, the settings and the root keys.

    `cronjobs_known` says whether the CronJobs of a namespace can be seen: that needs a right that not everybody gives.
    `starter` starts what is asked for by hand. `invent` gives a new secret: 32 random bytes as hexadecimals, which
    every Git host takes. `following` knows the builds; None: nobody follows them. `trials` are what the API server said
    of builds that were tried, `refusals` why builds were not deleted, `settled` in which Secrets nothing is to be done.
    """

    cluster: Cluster
    mirror: Mirror
    secrets: SecretReader
    announcer: Announcer
    clock: Callable[[], datetime]
    settings: Settings
    root_keys: RootKeys = field(repr=False)
    starter: Starter
    cronjobs_known: Callable[[str], bool] = lambda _: True
    invent: Callable[[], str] = field(default=lambda: token_hex(SECRET_BYTES), repr=False)
    following: Following | None = None
    trials: Notes[Tried] = field(default_factory=Notes)
    refusals: Notes[str] = field(default_factory=Notes)
    settled: Notes[Settled] = field(default_factory=Notes)


def make_arn(kind: type[ObjectKind], *, cluster: str, namespace: str, name: str) -> str:
    """Give the ARN-like ID of an object."""
    return f"arn:hookwright:webhooks:{cluster}:{namespace}:{kind.ARN_TYPE}:{name}"
