"""What is found in the history, and in which order."""

from __future__ import annotations

import itertools

import pytest
from history_samples import ids, in_thread, minutes, record, start, write_all
from journal_samples import NOON

from hookwright.errors import UsageError
from hookwright.journal import history_statements as statements
from hookwright.journal.history_rows import Query


@pytest.fixture
async def filled(history):
    await write_all(
        history,
        start("a", at=minutes(0), uid="1", namespace="n1", name="web"),
        record("b", "failed", at=minutes(1), uid="1", namespace="n1", name="web", reason="BuildForbidden"),
        record("c", "ignored", at=minutes(2), uid="2", namespace="n1", name="api"),
        record("a", "refused", at=minutes(3), uid="3", namespace="n2", name="web"),
        record("d", "failed", at=minutes(4), uid="3", namespace="n2", name="web", kind="BuildTrigger"),
    )
    return history


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, "dacba"),
        ({"namespace": "n1"}, "cba"),
        ({"name": "web"}, "daba"),
        ({"namespace": "n1", "name": "web"}, "ba"),
        ({"namespace": "n2", "name": "web", "kind": "BuildTrigger"}, "d"),
        ({"outcome": "failed"}, "db"),
        ({"outcome": "failed", "namespace": "n1"}, "b"),
        ({"reason": "BuildForbidden"}, "b"),
        ({"delivery_id": "a"}, "aa"),
        ({"delivery_id": "a", "outcome": "started"}, "a"),
        ({"since": minutes(3)}, "da"),
        ({"since": minutes(1), "namespace": "n1"}, "cb"),
        ({"delivery_id": "nobody's"}, ""),
        ({"limit": 2}, "da"),
        ({"limit": 0}, "d"),
    ],
)
async def test_find_gives_what_equals_all_that_is_asked(filled, asked, found):
    """Each filter holds, alone and with others; what is found comes newest first."""
    assert "".join(ids(await filled.find(**asked))) == found


FILTERS = {
    "namespace": "n1",
    "name": "web",
    "kind": "x",
    "outcome": "failed",
    "reason": "x",
    "delivery_id": "a",
    "since": NOON,
}


async def test_no_filters_sort_the_table(history):
    """Every combination of filters is read in an index's order; only the few rows of one id are sorted."""
    await history.flush()
    plans = []

    def explain(connection):
        trace = []
        connection.set_trace_callback(trace.append)
        for number in range(len(FILTERS) + 1):
            for names in itertools.combinations(FILTERS, number):
                asked = {name: FILTERS[name] for name in names}
                statements.find(connection, Query(**asked, before=(1, 1)))
                plan = connection.execute(f"EXPLAIN QUERY PLAN {trace.pop()}").fetchall()
                plans.append(("delivery_id" in names, any("TEMP B-TREE" in step[3] for step in plan)))
                trace.clear()
        connection.set_trace_callback(None)

    await in_thread(history, explain)
    assert len(plans) == 128
    assert all(sorts == by_id for by_id, sorts in plans)


async def test_pages_give_everything_once(history):
    """Walking through the pages gives each row once, newest first, also where many have the same time."""
    names = [f"d{number}" for number in range(25)]
    await write_all(history, *(record(name, at=minutes(number // 10)) for number, name in enumerate(names)))
    seen, before = [], None
    while True:
        page = await history.find(limit=4, before=before)
        seen += ids(page)
        before = page.before
        if before is None:
            break
        assert len(page.records) == 4
    assert seen == list(reversed(names))


async def test_last_full_page_says_that_it_is_the_last(history):
    """A page that is full and ends the history has no cursor, so that nobody asks for an empty one."""
    await write_all(history, record("a"), record("b"))
    assert (await history.find(limit=2)).before is None


async def test_walk_gives_nothing_twice_while_others_write(history):
    """New rows and rows that move to the front between two pages do not come twice in one walk."""
    await write_all(history, *(record(f"d{number}", at=minutes(number)) for number in range(6)))
    page = await history.find(limit=3)
    await write_all(history, record("new", at=minutes(9)), start("d5", at=minutes(10)), start("d1", at=minutes(11)))
    assert [*ids(page), *ids(await history.find(before=page.before))] == ["d5", "d4", "d3", "d2", "d0"]
    assert ids(await history.find(limit=3)) == ["d1", "d5", "new"]


@pytest.mark.parametrize("before", ["", "x", "1", "1-", "-1-1", "1-1; DROP TABLE records", "9" * 19 + "-1", "1-1\n"])
async def test_cursor_that_no_page_gave_is_refused(history, before):
    """A cursor that somebody made up is a usage error."""
    with pytest.raises(UsageError):
        await history.find(before=before)


async def test_page_is_bounded(history):
    """No page has more than 1,000 records, whatever is asked for."""
    await write_all(history, *(record(f"d{number}") for number in range(1001)))
    page = await history.find(limit=10**12)
    assert len(page.records) == 1000
    assert page.before is not None
