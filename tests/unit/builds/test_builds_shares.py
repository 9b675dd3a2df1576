"""What share of the slots a namespace has, by what has become of its starts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hookwright import reasons
from hookwright.builds.shares import FORGET, LONGEST_REST_SECONDS, Shares
from support.objects import NOON

SLOTS = 4
MOMENT = timedelta(microseconds=1)
FAILURES = [reasons.START_DELAYED, reasons.FACTS_DELAYED, reasons.BUILD_UNSEEN]


def after(*reasons_of_starts):
    """Give what is known once these have become of starts in one namespace, at noon."""
    shares = Shares(SLOTS)
    for reason in reasons_of_starts:
        shares.learn("team", reason, now=NOON)
    return shares


def left(shares, *running, later=timedelta(0)):
    """Give how many starts more the namespace may have; None: as many as there are slots."""
    return shares.left(running, now=NOON + later).get("team")


@pytest.mark.parametrize("reason", [reasons.BUILD_CREATED, reasons.BUILD_FORBIDDEN, reasons.TARGET_MISSING])
def test_namespace_whose_starts_do_not_fail_for_now_has_all_slots(reason):
    """What starts, what is refused for good, and what was not asked for, takes nothing from a namespace."""
    assert left(after(reason)) is None


@pytest.mark.parametrize("reason", FAILURES)
def test_namespace_whose_start_failed_has_one_slot(reason):
    """After a failure that is tried again a namespace has one start under way, and others have what they had."""
    shares = after(reason)
    assert shares.left([], now=NOON) == {"team": 1}
    assert left(shares, "others", "team") == 0
    assert left(shares, "team", "team", "team") == 0


def test_each_start_that_does_not_fail_gives_one_slot_more():
    """So a namespace whose starts work again has all slots after a few turns."""
    found = []
    shares = after(reasons.START_DELAYED)
    for _ in range(3):
        shares.learn("team", reasons.BUILD_CREATED, now=NOON)
        found.append(left(shares))
    assert found == [2, 3, None]


def test_next_failure_takes_all_but_one_again():
    """One failure among starts that work leaves a namespace with one slot, from which it goes on."""
    assert left(after(reasons.START_DELAYED, reasons.BUILD_CREATED, reasons.BUILD_CREATED, reasons.START_DELAYED)) == 1


def test_quota_is_left_alone_for_a_moment():
    """After a quota's refusal nothing of the namespace starts until a moment has passed; then one does."""
    shares = after(reasons.QUOTA_EXCEEDED)
    assert left(shares) == 0
    assert left(shares, later=timedelta(seconds=0.5) - MOMENT) == 0
    assert left(shares, later=timedelta(seconds=0.5)) == 1


def test_quota_that_refuses_again_and_again_is_left_alone_for_longer():
    """Each refusal doubles the rest, up to a few seconds."""
    shares, now, rests = Shares(SLOTS), NOON, []
    for _ in range(6):
        shares.learn("team", reasons.QUOTA_EXCEEDED, now=now)
        rest = next(half / 2 for half in range(100) if shares.left([], now=now + timedelta(seconds=half / 2))["team"])
        rests.append(rest)
        now += timedelta(seconds=rest)
    assert rests == [0.5, 1, 2, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS, LONGEST_REST_SECONDS]


def test_refusals_of_one_time_count_once():
    """What was under way together is refused together: the rest is as long as after one refusal."""
    shares = after(*[reasons.QUOTA_EXCEEDED] * 32)
    assert left(shares, later=timedelta(seconds=0.5)) == 1


def test_start_that_a_quota_lets_in_ends_the_rest():
    """Once a build was let in there is room, and the next refusal is the first one again."""
    shares = after(reasons.QUOTA_EXCEEDED, reasons.BUILD_CREATED)
    assert left(shares) == 2
    shares.learn("team", reasons.QUOTA_EXCEEDED, now=NOON + timedelta(seconds=9))
    assert left(shares, later=timedelta(seconds=9.5)) == 1


def test_old_failures_are_forgotten():
    """A namespace of which nothing has failed for a while has all slots, and takes no memory."""
    shares = after(reasons.START_DELAYED)
    assert left(shares, later=FORGET - MOMENT) == 1
    assert left(shares, later=FORGET) is None
    assert left(shares) is None


@pytest.mark.parametrize("reason", [reasons.START_DELAYED, reasons.QUOTA_EXCEEDED])
def test_clock_that_is_set_back_ends_every_doubt(reason):
    """What failed in the future failed before the clock was set: nobody waits until then."""
    assert left(after(reason), later=-MOMENT) is None
