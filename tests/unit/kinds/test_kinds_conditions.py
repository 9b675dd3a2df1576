"""Conditions as kstatus reads them, stable between runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hookwright.kinds.conditions import last_delivery_failed, ready, settle, stalled, waiting
from support.objects import NOON

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (ready, {"Ready": "True"}),
        (waiting, {"Ready": "False", "Reconciling": "True"}),
        (stalled, {"Ready": "False", "Stalled": "True"}),
    ],
)
def test_ready_is_always_there_and_the_others_only_while_true(make, expected):
    """Ready has a value in every state; Reconciling and Stalled are there only while they hold."""
    conditions = make("Why", "because", now=NOON, generation=3)
    assert {c.type: c.status for c in conditions} == expected
    assert {(c.reason, c.message, c.observed_generation) for c in conditions} == {("Why", "because", 3)}


def test_failed_delivery_is_a_condition_of_its_own():
    """A failed newest delivery is said beside Ready, not instead of it."""
    condition = last_delivery_failed("BuildForbidden", "no right", now=NOON, generation=1)
    assert (condition.type, condition.status, condition.reason) == ("LastDeliveryFailed", "True", "BuildForbidden")


def test_same_status_keeps_its_transition_time():
    """A condition whose status is what it was keeps its time, although reason and message changed."""
    before = ready("A", "a", now=NOON, generation=1)
    (after,) = settle(ready("B", "b", now=NOON + HOUR, generation=2), before)
    assert (after.reason, after.message, after.observed_generation) == ("B", "b", 2)
    assert after.last_transition_time == NOON


def test_changed_status_gets_a_new_transition_time():
    """A condition whose status turned has the time of the turn."""
    before = ready("A", "a", now=NOON, generation=1)
    after = settle(stalled("B", "b", now=NOON + HOUR, generation=1), before)
    assert [c.last_transition_time for c in after] == [NOON + HOUR, NOON + HOUR]


def test_what_no_longer_holds_goes():
    """A condition that is not wanted is not kept."""
    after = settle(ready("A", "a", now=NOON, generation=1), stalled("B", "b", now=NOON, generation=1))
    assert [c.type for c in after] == ["Ready"]


def test_two_runs_over_one_world_give_one_status():
    """Settling again, later, over what was settled changes nothing."""
    first = settle(waiting("A", "a", now=NOON, generation=1), [])
    assert settle(waiting("A", "a", now=NOON + HOUR, generation=1), first) == first


def test_times_are_whole_seconds():
    """Transition times have the precision that Kubernetes writes, so that they compare equal when read back."""
    (condition,) = ready("A", "a", now=NOON.replace(microsecond=123456), generation=1)
    assert condition.to_raw()["lastTransitionTime"] == "2026-05-01T12:00:00Z"
