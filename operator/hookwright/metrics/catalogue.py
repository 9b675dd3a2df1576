"""The catalogue of metrics: for each its type, meaning, and the values that its labels may have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from hookwright.builds.state import BuildPhase
from hookwright.builds.targets import TARGET_KINDS
from hookwright.cluster import resources
from hookwright.kinds import BuildTrigger, Webhook
from hookwright.reasons import CATALOGUE, Outcome
from hookwright.reconcile.work import Result

PREFIX: Final = "hookwright_"
OTHER: Final = "other"
"""Stands for a value that a label may not have."""

VERBS: Final = frozenset({"get", "list", "watch", "create", "patch", "delete"})
NO_ANSWER: Final = "0"
CODES: Final = frozenset(
    {NO_ANSWER, *("200", "201", "202"), *("400", "401", "403", "404", "405", "406", "409", "410", "413", "415", "422")}
    | {"429", "500", "502", "503", "504"}
)
ANY_VALUE: Final = frozenset[str]()
"""Of a label that has one value in each process, which no caller chooses."""


class Type(StrEnum):
    """The types of metrics, as Prometheus calls them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Stage(StrEnum):
    """A part of a delivery's way."""

    ANSWER = "answer"
    JOURNAL = "journal"
    START = "start"


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One metric; its name is without the prefix, and that of a counter without `_total`."""

    name: str
    type: Type
    meaning: str
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name under which Prometheus has it."""
        return PREFIX + self.name + ("_total" if self.type is Type.COUNTER else "")


SPECS: Final[dict[str, Spec]] = {}


def _spec(
    name: str, of_type: Type, meaning: str, /, *, buckets: tuple[float, ...] = (), **labels: frozenset[str]
) -> Spec:
    spec = Spec(name=name, type=of_type, meaning=meaning, labels=labels, buckets=buckets)
    SPECS[name] = spec
    return spec


_REASONS = frozenset(CATALOGUE)
_PHASES = frozenset(phase.value for phase in BuildPhase)
_ENDS = frozenset(phase.value for phase in BuildPhase if phase.is_over)
_OUTCOMES = frozenset(str(outcome) for outcome in Outcome)
_OURS = frozenset({Webhook.KIND, BuildTrigger.KIND})
_RESOURCES = frozenset(one.plural for one in vars(resources).values() if isinstance(one, resources.Resource))

# ── deliveries ────────────────────────────────────────────────────────────────────────────────────────────────────────

DELIVERIES = _spec(
    "deliveries",
    Type.COUNTER,
    "Requests that were answered; kind is empty where no object has the URL.",
    kind=_OURS | {""},
    outcome=_OUTCOMES,
    reason=_REASONS,
)
STAGES = _spec(
    "delivery_stage_seconds",
    Type.HISTOGRAM,
    "How long parts of a delivery's way take: answer (from the request to its answer), journal (the wait for the disk,"
    " a part of answer), start (from accepted to the build exists).",
    stage=frozenset(str(stage) for stage in Stage),
    buckets=(*(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5), *(1, 2.5, 5, 10, 30, 60, 300, 1800)),
)
IN_FLIGHT = _spec("requests_in_flight", Type.GAUGE, "Requests that have no answer yet.")
BODY_BYTES = _spec("body_memory_bytes", Type.GAUGE, "Memory that bodies take that are being read or judged.")
BODY_LIMIT = _spec("body_memory_limit_bytes", Type.GAUGE, "Memory that bodies may take (HOOKWRIGHT_BODY_MEMORY).")

# ── journal and history ───────────────────────────────────────────────────────────────────────────────────────────────

PENDING = _spec("journal_pending", Type.GAUGE, "Accepted deliveries whose build must still be started.")
PENDING_BYTES = _spec("journal_pending_bytes", Type.GAUGE, "What these take of the journal.")
PENDING_LIMIT = _spec(
    "journal_pending_limit_bytes",
    Type.GAUGE,
    "What they may take; a namespace takes no more than the others leave free of it, so one alone half.",
)
OLDEST = _spec(
    "journal_oldest_pending_seconds", Type.GAUGE, "How long ago the oldest of them was accepted; 0 if there is none."
)
WRITABLE = _spec("journal_writable", Type.GAUGE, "1 while the journal's disk takes what is written, else 0.")
HISTORY_DROPPED = _spec("history_dropped", Type.COUNTER, "Records of outcomes that the history could not keep.")
STATUS_DROPPED = _spec("status_dropped", Type.COUNTER, "News of deliveries that could not be written into a status.")

# ── builds ────────────────────────────────────────────────────────────────────────────────────────────────────────────

STARTS = _spec(
    "starts",
    Type.COUNTER,
    "What became of accepted deliveries, by the kind of the target.",
    target=frozenset(TARGET_KINDS),
    outcome=_OUTCOMES,
    reason=_REASONS,
)
RETRIES = _spec("start_retries", Type.COUNTER, "Starts that were put off, to be tried again.", reason=_REASONS)

BUILDS = _spec(
    "builds", Type.GAUGE, "Builds of BuildTriggers that are known to the operator, by their phase.", phase=_PHASES
)
BUILDS_ENDED = _spec(
    "builds_ended",
    Type.COUNTER,
    "Builds of BuildTriggers that have ended while the operator followed them; Canceled: deleted before they had.",
    phase=_ENDS,
)
BUILD_SECONDS = _spec(
    "build_seconds",
    Type.HISTOGRAM,
    "How long these builds took, from their start to their end; without those that never began.",
    phase=_ENDS,
    buckets=(*(1, 2.5, 5, 10, 30, 60), *(120, 300, 600, 1200, 1800, 3600, 7200, 14400)),
)

# ── reconciles ────────────────────────────────────────────────────────────────────────────────────────────────────────

RECONCILES = _spec(
    "reconciles",
    Type.COUNTER,
    "Looks at objects: done, later (to be looked at again without a change), retried (the API server refused, or was"
    " away), failed (by a mistake of Hookwright's).",
    kind=_OURS,
    result=frozenset(str(result) for result in Result),
)
RECONCILE_SECONDS = _spec(
    "reconcile_seconds",
    Type.HISTOGRAM,
    "How long a look at an object takes.",
    kind=_OURS,
    buckets=(*(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5), *(1, 2.5, 5, 10, 30)),
)
QUEUE = _spec("reconciles_waiting", Type.GAUGE, "Objects that wait to be looked at.")
LEADER = _spec("leader", Type.GAUGE, "1 in the operator that holds the Lease, 0 in the others.")

# ── the cluster ───────────────────────────────────────────────────────────────────────────────────────────────────────

OBJECTS = _spec("objects", Type.GAUGE, "Objects that are known.", kind=_OURS | frozenset(TARGET_KINDS))
WATCHED = _spec(
    "watch_synced",
    Type.GAUGE,
    "1 while what is known of a resource is complete and followed by a watch, else 0; without the resources that kopf"
    " watches, which are Hookwright's own in the operator.",
    resource=_RESOURCES,
)
REQUESTS = _spec(
    "api_requests",
    Type.COUNTER,
    "Requests to the API server; code is 0 where there was no answer, and 404 where the namespace is being deleted."
    " Without those of kopf's watches.",
    verb=VERBS,
    resource=_RESOURCES | {OTHER},
    code=CODES | {OTHER},
)
REQUEST_SECONDS = _spec(
    "api_request_seconds",
    Type.HISTOGRAM,
    "How long the API server takes to answer; for a watch, until it begins.",
    verb=VERBS,
    buckets=(*(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5), *(1, 2.5, 5, 10, 30)),
)
ROOT_KEY = _spec(
    "root_key_usable", Type.GAUGE, "1 while the Secret with the root key can be read and used, 0 once it cannot."
)

# ── the process ───────────────────────────────────────────────────────────────────────────────────────────────────────

READY = _spec("ready", Type.GAUGE, "1 while /readyz answers 200, else 0.")
BUILD_INFO = _spec("build_info", Type.GAUGE, "1; which version runs, in which role.", version=ANY_VALUE, role=ANY_VALUE)
