"""Token buckets: for addresses until a sender has proved itself, for objects after that."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.intake.limits import NOBODY, AddressLimit, Buckets, ObjectLimit

ONE = ip_address("192.0.2.1")
OTHER = ip_address("192.0.2.2")
UID = "the object's"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def take_all(limit, client, uid=UID) -> int:
    """Take until it is refused; give how often it was not."""
    count = 0
    while limit.take(client, uid) is None:
        count += 1
    return count


def test_five_seconds_may_come_at_once(clock):
    """An address has five seconds' requests at once, then so many a second, and never more than that in store."""
    limit = AddressLimit(10, clock)
    assert take_all(limit, ONE) == 50
    clock.now += 1
    assert take_all(limit, ONE) == 10
    clock.now += 1000
    assert take_all(limit, ONE) == 50


def test_refusal_says_when_it_may_come_again(clock):
    """A refused request hears after how many seconds there is a token, and there is."""
    limit = AddressLimit(10, clock)
    take_all(limit, ONE)
    wait = limit.take(ONE, UID)
    assert wait == pytest.approx(0.1)
    clock.now += wait
    assert limit.take(ONE, UID) is None


def test_who_is_refused_owes_no_more(clock):
    """Requests that were refused do not put off the time when one is taken."""
    limit = AddressLimit(10, clock)
    take_all(limit, ONE)
    for _ in range(1000):
        assert limit.take(ONE, UID) == pytest.approx(0.1)


def test_addresses_do_not_count_for_each_other(clock):
    """One address that is refused leaves another alone; an IPv4 one is no IPv6 one with the same number."""
    limit = AddressLimit(10, clock)
    take_all(limit, ONE)
    assert limit.take(OTHER, UID) is None
    assert limit.take(ip_address(int(ONE) << 64 | 1 << 96), UID) is None
    assert limit.take(None, UID) is None


def test_ipv6_counts_by_its_first_half(clock):
    """All addresses of a /64 are one caller, and those of the next are another."""
    limit = AddressLimit(10, clock)
    for number in range(50):
        assert limit.take(ip_address(f"2001:db8::{number:x}:1"), UID) is None
    assert limit.take(ip_address("2001:db8::ffff:ffff:ffff:ffff"), UID) is not None
    assert limit.take(ip_address("2001:db8:0:1::1"), UID) is None


def test_unknown_callers_share_one_bucket(clock):
    """Callers whose address is not known are limited too, all together."""
    limit = AddressLimit(10, clock)
    assert take_all(limit, None) == 50
    assert limit.take(None, UID) is not None


def test_what_proves_authentic_does_not_count(clock):
    """A request that is forgiven gives its token back: authentic senders are not refused, and leave nothing."""
    limit = AddressLimit(1, clock, size=10)
    for _ in range(1000):
        assert limit.take(ONE, UID) is None
        limit.forgive(ONE, UID)
    assert len(limit._buckets) == 0
    assert take_all(limit, ONE) == 5
    limit.forgive(ONE, UID)
    assert take_all(limit, ONE) == 1


def test_forgiving_more_than_was_taken_gives_nothing(clock):
    """Nobody gets more than a full bucket, and forgiving somebody who is not known does nothing."""
    limit = AddressLimit(1, clock)
    limit.take(ONE, UID)
    for _ in range(10):
        limit.forgive(ONE, UID)
    limit.forgive(OTHER, UID)
    assert take_all(limit, ONE) == 5


def test_urls_do_not_count_for_each_other(clock):
    """Who floods one URL, or URLs that nobody has, keeps nobody out who delivers to another from the same address."""
    limit = AddressLimit(10, clock)
    for uid in (NOBODY, "one"):
        take_all(limit, ONE, uid)
        assert limit.take(ONE, uid) is not None
    assert take_all(limit, ONE, "another") == 50


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), min_size=1, max_size=100))
def test_authentic_deliveries_elsewhere_pay_for_no_guesses(steps):
    """However long deliveries to an own URL take, and however many there are, guesses at another URL stay within it."""
    clock = Clock()
    limit, guesses, began, held = AddressLimit(1, clock), 0, clock.now, 0
    for authentic, pause in steps:
        if authentic:
            held += limit.take(ONE, "own") is None
        else:
            guesses += limit.take(ONE, "other") is None
        clock.now += pause
        if authentic and held:
            limit.forgive(ONE, "own")
            held -= 1
    assert guesses <= 5 + (clock.now - began) + 1e-3


def test_zero_is_no_limit(clock):
    """A rate of 0 takes everything and remembers nobody."""
    limit = AddressLimit(0, clock)
    for _ in range(1000):
        assert limit.take(ONE, UID) is None
    limit.forgive(ONE, UID)
    assert len(limit._buckets) == 0


def test_table_is_bounded(clock):
    """So many addresses are remembered and no more; who was seen longest ago is forgotten first, refused or not."""
    limit = AddressLimit(1, clock, size=100)
    take_all(limit, ONE)
    take_all(limit, OTHER)
    for number in range(98):
        limit.take(ip_address(f"10.0.0.{number}"), UID)
    assert limit.take(ONE, UID) is not None
    limit.take(ip_address("10.0.1.1"), UID)
    assert len(limit._buckets) == 100
    assert limit.take(ONE, UID) is not None
    assert limit.take(OTHER, UID) is None


def test_table_forgets_who_has_paid(clock):
    """Newcomers take the places of those whose time has paid, so that the table shrinks after a flood."""
    limit = AddressLimit(1, clock, size=1000)
    for number in range(1000):
        limit.take(ip_address(number), UID)
    clock.now += 10
    for number in range(1000, 1600):
        limit.take(ip_address(number), UID)
    assert len(limit._buckets) == 600


def test_object_has_its_own_rate(clock):
    """Each object has the rate that it is given, and the burst."""
    limit = ObjectLimit(clock)
    assert [limit.take("a", 60, 2) for _ in range(3)] == [None, None, pytest.approx(1)]
    assert limit.take("b", 1, 1) is None
    assert limit.take("b", 1, 1) == pytest.approx(60)
    clock.now += 1
    assert limit.take("a", 60, 2) is None


def test_change_of_rate_counts_at_once(clock):
    """A larger burst gives room at once, a smaller one takes it, and a higher rate pays the rest faster."""
    limit = ObjectLimit(clock)
    for _ in range(2):
        assert limit.take("a", 60, 2) is None
    assert limit.take("a", 60, 3) is None
    assert limit.take("a", 60, 2) == pytest.approx(2)
    assert limit.take("a", 600, 2) == pytest.approx(0.2)
    assert limit.take("a", 60, 4) is None
    assert limit.take("a", 6000, 5) is None
    clock.now += 0.05
    assert limit.take("a", 6000, 1) is None


@given(
    st.integers(1, 600),
    st.integers(1, 50),
    st.lists(st.floats(0, 10, allow_nan=False), min_size=1, max_size=100),
)
def test_no_more_than_rate_and_burst_are_taken(per_minute, burst, pauses):
    """In any time no more are taken than the burst and what the rate gives, and no fewer than could be."""
    clock = Clock()
    limit, taken, began = ObjectLimit(clock), 0, clock.now
    for pause in pauses:
        clock.now += pause
        wait = limit.take("a", per_minute, burst)
        taken += wait is None
        assert wait is None or 0 < wait <= 60 / per_minute + 1e-6
    assert taken <= burst + (clock.now - began) * per_minute / 60 + 1e-3
    assert taken >= min(burst, len(pauses))


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.floats(0, 2)), max_size=200))
def test_table_never_grows_beyond_its_size(steps):
    """Whatever is taken and given back, the table stays within its size."""
    clock = Clock()
    buckets = Buckets(clock, size=5)
    for key, back, pause in steps:
        clock.now += pause
        buckets.take(key, per_second=1, burst=3)
        if back:
            buckets.give_back(key)
        assert len(buckets) <= 5
