"""Who may take how much of the journal: one rule, fair between namespaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.journal.ledger import MOST, ROW_BYTES, Ledger, keep_free, set_limit, size_of

GIB = 1 << 30
MIB = 1 << 20


def flood(ledger: Ledger, *namespaces: str) -> None:
    """Take one byte after the other for each of these, in turn, until none gets any more."""
    waiting = list(namespaces)
    while waiting:
        waiting = [namespace for namespace in waiting if ledger.fits(namespace, 1)]
        for namespace in waiting:
            if ledger.fits(namespace, 1):
                ledger.charge(namespace, 1)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_those_who_flood_share_and_leave_as_much_for_the_next(number):
    """One namespace gets half of the limit, two a third each, and so on; what is left is the next one's part."""
    ledger = Ledger({}, limit=600)
    names = [f"n{index}" for index in range(number)]
    flood(ledger, *names)
    part = 600 // (number + 1)
    assert [ledger.of(name) for name in names] == [part] * number
    assert ledger.fits("the next", part)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 700)), max_size=50))
def test_limit_is_never_passed(wishes):
    """Whoever asks for whatever: all together never have more than the limit."""
    ledger = Ledger({}, limit=1000)
    for namespace, size in wishes:
        if ledger.fits(namespace, size):
            ledger.charge(namespace, size)
        assert ledger.total == sum(map(ledger.of, "abc")) <= 1000


def test_namespace_has_room_again_when_it_has_given_some_back():
    """What leaves the journal counts no more, and makes room."""
    ledger = Ledger({"a": 500}, limit=1000)
    assert not ledger.fits("a", 1)
    ledger.charge("a", -100)
    assert ledger.fits("a", 100)


def test_what_waited_before_counts():
    """What was pending when the journal was opened is counted; if it is more than the limit, nothing is taken."""
    assert not Ledger({"a": 2000}, limit=1000).fits("b", 1)
    assert Ledger({"a": 2000}, limit=4001).fits("b", 2001)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-50, 50))), st.lists(st.tuples(st.just("a"), st.just(7))))
def test_undo_takes_back_what_was_charged_since_the_mark(before, after):
    """What a failed transaction charged is as if it had never been, and no more than that."""
    ledger = Ledger({"a": 10})
    for namespace, size in before:
        ledger.charge(namespace, size)
    state, mark = [ledger.of(name) for name in "abc"], ledger.mark()
    for namespace, size in after:
        ledger.charge(namespace, size)
    ledger.undo(mark)
    assert [ledger.of(name) for name in "abc"] == state
    ledger.undo()
    assert ([ledger.of(name) for name in "abc"], ledger.total) == ([10, 0, 0], 10)


def test_undo_leaves_what_is_kept():
    """What was committed is not undone by a later failure."""
    ledger = Ledger({})
    ledger.charge("a", 5)
    ledger.keep()
    ledger.charge("a", 5)
    ledger.undo()
    assert ledger.of("a") == 5


@pytest.mark.parametrize(
    ("volume", "room", "limit"),
    [
        (GIB, GIB, (GIB - 64 * MIB) // 2),
        (128 * MIB, 128 * MIB, 56 * MIB),
        (128 * MIB, 16 * MIB, 0),
        (128 * MIB, 0, 0),
        (1024 * GIB, 900 * GIB, MOST),
    ],
)
def test_limit_follows_the_volume(volume, room, limit):
    """Half of the room that there is may be pending, after what is kept free, and never more than a file may hold."""
    assert set_limit(volume=volume, room=room) == limit


def test_large_volume_keeps_no_more_free_than_is_needed():
    """An eighth of a volume is kept free, 64 MiB at most."""
    assert [keep_free(volume) for volume in (8 * MIB, GIB, 1024 * GIB)] == [MIB, 64 * MIB, 64 * MIB]


def test_small_rows_count_too():
    """A row counts for more than its work, so that a million of nothing are not free."""
    assert size_of(0) == ROW_BYTES > 0
