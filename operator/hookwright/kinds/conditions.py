"""Conditions as kstatus reads them.

Ready is always there. Reconciling (waiting for what heals by itself) and Stalled (the spec must be mended) are there
only while true, so that `kubectl wait`, Flux and Argo CD understand an object without knowing its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from hookwright.kinds.base import Condition

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
LAST_DELIVERY_FAILED = "LastDeliveryFailed"
LAST_START_FAILED = "LastStartFailed"
START_PENDING = "StartPending"
BUILDS_TWICE = "BuildsTwice"
BUILDS_NOT_DELETED = "BuildsNotDeleted"


def ready(reason: str, message: str, *, now: datetime, generation: int) -> list[Condition]:
    """Give the conditions of an object that does its work."""
    return [_condition(READY, "True", (reason, message), now, generation)]


def waiting(reason: str, message: str, *, now: datetime, generation: int) -> list[Condition]:
    """Give the conditions of an object that waits for something that will heal by itself."""
    return [
        _condition(READY, "False", (reason, message), now, generation),
        _condition(RECONCILING, "True", (reason, message), now, generation),
    ]


def stalled(reason: str, message: str, *, now: datetime, generation: int) -> list[Condition]:
    """Give the conditions of an object whose author must mend it."""
    return [
        _condition(READY, "False", (reason, message), now, generation),
        _condition(STALLED, "True", (reason, message), now, generation),
    ]


def last_delivery_failed(reason: str, message: str, *, now: datetime, generation: int) -> Condition:
    """Give the condition that is there while the newest delivery is one that failed."""
    return _condition(LAST_DELIVERY_FAILED, "True", (reason, message), now, generation)


def last_start_failed(reason: str, message: str, *, now: datetime, generation: int) -> Condition:
    """Give the condition that is there while the newest start by hand is one that failed."""
    return _condition(LAST_START_FAILED, "True", (reason, message), now, generation)


def start_pending(reason: str, message: str, *, now: datetime, generation: int) -> Condition:
    """Give the condition that is there while a start by hand waits."""
    return _condition(START_PENDING, "True", (reason, message), now, generation)


def builds_twice(reason: str, message: str, *, now: datetime, generation: int) -> Condition:
    """Give the condition that is there while one push may start two builds, by two ways."""
    return _condition(BUILDS_TWICE, "True", (reason, message), now, generation)


def builds_not_deleted(reason: str, message: str, *, now: datetime, generation: int) -> Condition:
    """Give the condition that is there while builds beyond a history limit cannot be deleted."""
    return _condition(BUILDS_NOT_DELETED, "True", (reason, message), now, generation)


def reason_of_ready(conditions: Sequence[Condition]) -> str:
    """Give the reason of Ready; empty if it is not there."""
    return next((one.reason for one in conditions if one.type == READY), "")


def settle(wanted: Iterable[Condition], found: Iterable[Condition]) -> list[Condition]:
    """Keep the transition time of each condition whose status has not changed.

    So two runs over the same world give the same status, and nothing is written.
    """
    before = {condition.type: condition for condition in found}
    settled = []
    for condition in wanted:
        old = before.get(condition.type)
        if old is not None and old.status == condition.status:
            condition = condition.model_copy(update={"last_transition_time": old.last_transition_time})  # noqa: PLW2901 - the kept one
        settled.append(condition)
    return settled


def _condition(
    kind: str, status: Literal["True", "False"], why: tuple[str, str], now: datetime, generation: int
) -> Condition:
    return Condition(
        type=kind,
        status=status,
        reason=why[0],
        message=why[1],
        last_transition_time=now.replace(microsecond=0),
        observed_generation=generation,
    )
