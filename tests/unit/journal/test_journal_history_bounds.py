"""How much of the history is kept."""

from __future__ import annotations

import os
from datetime import timedelta
from types import SimpleNamespace

import pytest
from history_samples import ids, minute_passes, minutes, record, start, write_all
from journal_samples import NOON

from hookwright.journal import Bounds, History
from hookwright.journal import history_statements as statements
from hookwright.journal.history_file import bounds_for


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def small(tmp_path, clock):
    bounds = Bounds(records=100, refused=20, refused_of_one=8, age=timedelta(days=30))
    history = History(tmp_path, bounds=bounds, clock=clock)
    yield history
    await history.close()


def refused(number, *, uid="uid-1"):
    return record(f"r{number}", "refused", uid=uid, at=minutes(number))


async def test_newest_records_are_kept(small):
    """Beyond the bound the oldest records go, by when they were received."""
    await write_all(small, *(record(f"d{number}", at=minutes(number)) for number in reversed(range(250))))
    assert await small.count() == 100
    assert ids(await small.find(limit=200)) == [f"d{number}" for number in range(249, 149, -1)]


async def test_each_flush_keeps_the_bounds(small):
    """The bounds hold after each flush, not only once in a while."""
    for number in range(120):
        await write_all(small, record(f"d{number}", at=minutes(number)))
    assert await small.count() == 100


async def test_replaced_record_counts_once(small):
    """A delivery that is recorded many times takes one place."""
    await write_all(small, record("old"), *(record("d1", "pending", at=minutes(number)) for number in range(500)))
    assert sorted(ids(await small.find())) == ["d1", "old"]


async def test_refused_requests_displace_nobody(small):
    """However many requests are refused, the records of authentic deliveries stay, and a bounded number of them."""
    await write_all(small, *(start(f"d{number}", at=minutes(number)) for number in range(100)))
    for number in range(60):
        await write_all(small, refused(1000 + number, uid=f"uid-{number}"))
    assert len((await small.find(outcome="started", limit=1000)).records) == 100
    assert ids(await small.find(outcome="refused")) == [f"r{number}" for number in range(1059, 1039, -1)]


async def test_records_displace_no_refused_requests(small):
    """Nor do many deliveries displace the refused requests, which say why one does not start."""
    await write_all(small, refused(0))
    await write_all(small, *(record(f"d{number}", at=minutes(number)) for number in range(300)))
    assert ids(await small.find(outcome="refused")) == ["r0"]


async def test_object_under_attack_keeps_the_refusals_of_others(small):
    """One object's refused requests are bounded by themselves, so that a flood of them hides no other's."""
    await write_all(small, refused(0, uid="quiet"))
    for number in range(1, 100):
        await write_all(small, refused(number))
    found = [found.record.key for found in (await small.find(outcome="refused")).records]
    assert [key.delivery_id for key in found if key.uid == "uid-1"] == [f"r{number}" for number in range(99, 91, -1)]
    assert [key.uid for key in found if key.uid != "uid-1"] == ["quiet"]


async def test_old_records_go(small, clock):
    """What is older than the bound goes within a minute, refused or not, also if nothing is written."""
    await write_all(small, record("old"), refused(0), record("new", at=minutes(10)))
    clock.now = NOON + timedelta(days=30)
    await minute_passes(small)
    assert await small.count() == 3
    clock.now += timedelta(minutes=1)
    await minute_passes(small)
    assert ids(await small.find()) == ["new"]


async def test_smaller_bounds_hold_after_a_restart(tmp_path, clock, monkeypatch):
    """Where far more is there than the bounds now allow, it goes in slices until they hold."""
    monkeypatch.setattr(statements, "SLICE", 40)
    large = History(tmp_path, clock=clock)
    await write_all(large, *(record(f"d{number}", at=minutes(number)) for number in range(500)))
    await large.close()
    small = History(tmp_path, bounds=Bounds(records=100), clock=clock)
    await small.flush()
    assert await small.count() == 100
    await small.close()


async def test_file_is_bounded_and_its_pages_are_used_again(tmp_path, clock):
    """However much is written, the file and its log stay within their bytes, and the newest records are there."""
    history = History(tmp_path, bounds=Bounds(size=8 * 1024 * 1024), clock=clock)
    for turn in range(15):
        await write_all(
            history, *(record(f"d{turn}-{number}", at=minutes(turn), message="x" * 1024) for number in range(1000))
        )
    assert (tmp_path / "history.db").stat().st_size <= 8 * 1024 * 1024
    assert (tmp_path / "history.db-wal").stat().st_size <= 8 * 1024 * 1024
    assert ids(await history.find(limit=1))[0].startswith("d14-")
    assert 2000 < await history.count() < 8000
    assert history.on
    assert history.lost == 0
    await history.close()


async def test_file_that_is_full_loses_refused_requests_first(tmp_path, clock):
    """For want of bytes a refused request goes before any record."""
    history = History(tmp_path, bounds=Bounds(size=2 * 1024 * 1024), clock=clock)
    await write_all(history, refused(900))
    written = 0
    while ids(await history.find(outcome="refused")):
        await write_all(history, *(record(f"d{written + number}", message="x" * 1024) for number in range(20)))
        written += 20
    assert 500 < written == await history.count()
    await write_all(history, *(record(f"e{number}", message="x" * 1024) for number in range(20)))
    assert await history.count() < written
    await history.close()


@pytest.mark.parametrize(("volume", "size"), [(128, 32), (1024, 256), (1 << 20, 256), (0, 256)])
def test_history_takes_a_quarter_of_a_small_volume(tmp_path, monkeypatch, volume, size):
    """Without bounds of its own the file takes a quarter of its volume, 256 MiB at most; the rest is the journal's."""
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=volume, f_frsize=1 << 20))
    assert bounds_for(tmp_path).size == size << 20
