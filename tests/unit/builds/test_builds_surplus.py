"""Which builds a history limit lets go: the oldest, of each phase for itself, and none before its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.builds.state import read_job
from hookwright.builds.surplus import Limits, choose_surplus
from support.jobs import raw_job
from support.objects import NOON

HOUR = timedelta(hours=1)
LATER = NOON + timedelta(days=1)


def at(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def build(number, phase="Succeeded", **more):
    """Give the build that was made `number` minutes after noon."""
    return read_job(raw_job(name=f"b-{number:03}", phase=phase, created=at(NOON + timedelta(minutes=number)), **more))


def newest_first(*builds):
    return sorted(builds, key=lambda one: one.name, reverse=True)


def choose(builds, *, succeeded=None, failed=None, now=LATER, window=HOUR):
    surplus = choose_surplus(newest_first(*builds), Limits(succeeded=succeeded, failed=failed), now=now, window=window)
    return [int(one.name[2:]) for one in surplus.now], surplus.next


def test_without_limits_all_stay():
    """Without a limit nothing goes, however old."""
    assert choose([build(number) for number in range(5)]) == ([], None)


@pytest.mark.parametrize(("limit", "gone"), [(0, [0, 1, 2]), (1, [0, 1]), (2, [0]), (3, []), (1000, [])])
def test_newest_stay(limit, gone):
    """So many of the newest stay; what goes, goes the oldest first."""
    assert choose([build(number) for number in range(3)], succeeded=limit) == (gone, None)


def test_each_phase_has_its_own_limit():
    """Those that succeeded and those that failed are counted apart."""
    builds = [build(0), build(1, "Failed"), build(2), build(3, "Failed")]
    assert choose(builds, succeeded=1) == ([0], None)
    assert choose(builds, failed=1) == ([1], None)
    assert choose(builds, succeeded=1, failed=0) == ([0, 1, 3], None)


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_what_has_not_ended_never_goes(phase):
    """A build that waits or runs neither goes nor takes the place of one that has ended."""
    assert choose([build(0), build(1, phase), build(2)], succeeded=1, failed=0) == ([0], None)
    assert choose([build(0, phase)], succeeded=0, failed=0) == ([], None)


def test_what_goes_already_takes_no_place():
    """A build that somebody has deleted, and that is not gone yet, is neither deleted again nor counted."""
    going = build(2, metadata={"deletionTimestamp": at(NOON), "name": "b-002"})
    assert choose([build(0), build(1), going], succeeded=1) == ([0], None)


def test_none_goes_before_its_window():
    """What does not say how long it is kept stays for the window, and the time of the next is told."""
    builds = [build(0), build(10), build(20)]
    first, second = NOON + HOUR, NOON + timedelta(minutes=10) + HOUR
    assert choose(builds, succeeded=1, now=first - timedelta(seconds=1)) == ([], first)
    assert choose(builds, succeeded=1, now=first) == ([0], second)
    assert choose(builds, succeeded=1, now=second) == ([0, 1 * 10], None)


def test_promise_on_the_build_counts():
    """A build says itself until when it is kept: a Webhook's window may be longer, or shorter, than the trigger's."""
    day = NOON + timedelta(days=1)
    builds = [build(0, kept_until=at(day)), build(1)]
    assert choose(builds, succeeded=0, now=NOON + 2 * HOUR) == ([1], day)
    assert choose(builds, succeeded=0, now=day) == ([0, 1], None)


@given(
    phases=st.lists(st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]), max_size=30),
    limit=st.integers(0, 10),
    minutes=st.integers(0, 200),
)
def test_limit_and_window_hold_whatever_is_there(phases, limit, minutes):
    """Whatever the builds and the time: the newest of each phase stay, and nothing younger than the window goes."""
    builds = newest_first(*(build(number, phase) for number, phase in enumerate(phases)))
    now = NOON + timedelta(minutes=minutes)
    surplus = choose_surplus(builds, Limits(succeeded=limit, failed=limit), now=now, window=HOUR)
    gone = {one.name for one in surplus.now}
    assert all(one.created + HOUR <= now for one in surplus.now)
    assert surplus.next is None or surplus.next > now
    for phase in ("Succeeded", "Failed"):
        newest = [one.name for one in builds if one.phase == phase][:limit]
        assert not gone & set(newest)
    assert all(one.phase in ("Succeeded", "Failed") for one in surplus.now)
