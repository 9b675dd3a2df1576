"""Which record stands for a delivery in the history."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from history_samples import BUILD, ids, minutes, only, record, start, write_all
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import NOON
from structlog.testing import capture_logs

from hookwright.journal import Bounds, Key, Record, RecordedBuild
from hookwright.journal import history_statements as statements
from hookwright.journal.history_rows import Query, clean, cut, to_row

# ── one record ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_everything_comes_back(history):
    """A record is found as it was written, times to the microsecond."""
    written = Record(
        key=Key(uid="uid-1", delivery_id="d1", index=3),
        namespace="team",
        name="hook",
        kind="Webhook",
        received_at=NOON + timedelta(microseconds=1),
        decided_at=NOON + timedelta(microseconds=2),
        outcome="started",
        reason="BuildCreated",
        message="Job hook was created",
        target="BuildTrigger/web",
        build=BUILD,
        event="push",
        client="2001:db8::1",
    )
    await write_all(history, written)
    found = await only(history)
    assert found.record == written
    assert found.first_received_at == written.received_at
    assert (found.duplicates, found.last_duplicate_at, found.last_duplicate_reason) == (0, None, None)
    assert found.left_out == 0


async def test_long_texts_are_cut(history):
    """What a sender or a message makes too long is cut, so that neither memory nor disk depends on it."""
    long = "x" * 100_000
    await write_all(history, record(long, message=long, target=long, event=long, client=long))
    found = (await only(history)).record
    lengths = [len(text) for text in (found.key.delivery_id, found.message, found.target, found.event, found.client)]
    assert lengths == [256, 1024, 320, 128, 45]


ODD = st.text(st.characters() | st.sampled_from("\x00\udc80\ud800\xff\U0010ffff"))


@given(
    uid=ODD,
    delivery_id=ODD,
    namespace=ODD,
    name=ODD,
    reason=ODD,
    message=ODD,
    event=st.none() | ODD,
    client=st.none() | ODD,
)
def test_any_text_is_written_and_found(**texts):
    """Text that is no Unicode, holds NUL or what latin-1 makes of bytes is kept, but for lone surrogates."""
    uid, delivery_id = texts.pop("uid"), texts.pop("delivery_id")
    written = cut(record(delivery_id, uid=uid, build=BUILD, **texts))
    connection = sqlite3.connect(":memory:")
    for statement in itertools.chain(*statements.MIGRATIONS):
        connection.execute(statement)
    assert statements.write(connection, [to_row(written), to_row(written)], Bounds()) == 0
    asked = Query(namespace=written.namespace, name=written.name, reason=written.reason, delivery_id=delivery_id[:256])
    (found,) = statements.find(connection, asked).records
    cleaned = {name: text if text is None else clean(text) for name, text in texts.items()}
    key = Key(uid=clean(uid), delivery_id=clean(written.key.delivery_id))
    assert found.record == cut(replace(written, key=key, **cleaned))
    connection.close()


NONSENSE = [
    record("no message", message=None),
    record("no zone", at=datetime(2026, 5, 1)),  # noqa: DTZ001 - that is what is wrong with it
    record("no text", namespace=3),
    record("too large", index=1 << 80),
    record("no reason", reason=None),
    None,
]


async def test_nonsense_is_dropped_and_counted(history):
    """A record that is none is counted, raises nothing, and takes no other with it; a flood of them is two lines."""
    with capture_logs() as lines:
        await write_all(history, record("before"), *NONSENSE * 3, record("after"))
    assert ids(await history.find()) == ["after", "before"]
    assert history.lost == 18
    assert [line["event"] for line in lines] == ["history", "history"]


# ── what a later record does ──────────────────────────────────────────────────────────────────────────────────────


async def test_later_record_replaces_the_earlier(history):
    """One delivery has one row: what is decided later replaces it, with what only the first knew."""
    await write_all(
        history,
        record("d1", "pending", reason="TargetMissing", event="push", client="192.0.2.1"),
        record("d1", "pending", reason="StartDelayed", decided_at=minutes(1)),
        start("d1", decided_at=minutes(2)),
    )
    found = await only(history)
    assert (found.record.outcome, found.record.decided_at, found.record.build) == ("started", minutes(2), BUILD)
    assert (found.record.event, found.record.client) == ("push", "192.0.2.1")
    assert (found.first_received_at, found.duplicates) == (NOON, 0)


async def test_redelivery_replaces_what_was_ignored(history):
    """A delivery that was ignored, then sent again and started, stands at its second time; the first time is kept."""
    await write_all(history, record("d1", "ignored"), record("other", at=minutes(1)), start("d1", at=minutes(2)))
    assert ids(await history.find()) == ["d1", "other"]
    assert (await history.find()).records[0].first_received_at == NOON


async def test_duplicate_leaves_the_start_and_is_counted(history):
    """Duplicates of a start are counted on it, with the time of the last; the start stays as it is."""
    await write_all(history, start("d1"), *(record("d1", "duplicate", at=minutes(number)) for number in (1, 2)))
    found = await only(history)
    assert found.record == start("d1")
    assert (found.duplicates, found.last_duplicate_at) == (2, minutes(2))
    assert found.last_duplicate_reason == "BecauseDuplicate"


async def test_duplicate_before_its_start_is_counted_too(history):
    """A duplicate that is recorded while the first delivery is still being worked on is not lost when that starts."""
    await write_all(history, record("d1", "duplicate", at=minutes(1)), start("d1"))
    found = await only(history)
    assert (found.record, found.first_received_at) == (start("d1"), NOON)
    assert (found.duplicates, found.last_duplicate_at) == (1, minutes(1))


async def test_crash_repeats_harmlessly(history):
    """The same start, told again after a restart by a worker that had no time to conclude it, changes nothing."""
    await write_all(
        history, start("d1"), record("d1", "pending", decided_at=minutes(3)), start("d1", decided_at=minutes(4))
    )
    found = await only(history)
    assert found.record == start("d1")
    assert found.duplicates == 0


@pytest.mark.parametrize("outcome", ["ignored", "suspended", "ping", "failed", "pending"])
async def test_no_other_outcome_replaces_a_start(history, outcome):
    """A build that exists is not unsaid by what becomes of the id later; that is counted, with its reason."""
    await write_all(history, start("d1"))
    await write_all(history, record("d1", outcome, at=minutes(9), reason="Later"))
    found = await only(history)
    assert found.record == start("d1")
    assert (found.duplicates, found.last_duplicate_at, found.last_duplicate_reason) == (1, minutes(9), "Later")


async def test_another_start_replaces_a_start(history):
    """An id that starts again, long after it was forgotten, is recorded with its newest build."""
    second = start("d1", at=minutes(9), build=RecordedBuild(api_version="batch/v1", kind="Job", name="second"))
    await write_all(history, start("d1"), second)
    found = await only(history)
    assert (found.record, found.first_received_at) == (second, NOON)


async def test_start_without_a_build_is_no_start_yet(history):
    """What was accepted and failed afterwards is recorded as failed."""
    await write_all(history, record("d1", "started"), record("d1", "failed"))
    assert (await only(history)).record.outcome == "failed"


async def test_key_is_object_id_and_index(history):
    """One id at two objects, or in two changes of one delivery, makes rows of their own."""
    await write_all(history, record("d1"), record("d1", uid="uid-2"), record("d1", index=1))
    assert await history.count() == 3


async def test_refused_id_meets_no_other(history):
    """Refused requests, whose id anybody may have made up, stand beside what was recorded and beside one another."""
    await write_all(
        history, start("d1"), record("d1", "refused", at=minutes(1)), record("d1", "refused", at=minutes(2))
    )
    outcomes = [(found.record.outcome, found.duplicates) for found in (await history.find(delivery_id="d1")).records]
    assert outcomes == [("refused", 0), ("refused", 0), ("started", 0)]
    await write_all(history, start("d1", at=minutes(3)))
    assert await history.count() == 3


async def test_flood_of_refused_requests_is_sampled(history):
    """Of 10,000 refused requests at once five of each object and reason have rows; the last says how many have none."""
    flood = [record(f"d{number}", "refused", reason="SignatureMismatch") for number in range(10_000)]
    await write_all(
        history, *flood, record("odd", "refused", reason="BodyUnreadable"), record("o", "refused", uid="uid-2")
    )
    found = (await history.find(reason="SignatureMismatch")).records
    assert [(one.record.key.delivery_id, one.left_out) for one in found] == [
        ("d4", 9995),
        ("d3", 0),
        ("d2", 0),
        ("d1", 0),
        ("d0", 0),
    ]
    assert await history.count() == 7
    assert history.lost == 0


async def test_flood_of_ignored_deliveries_is_sampled(history):
    """Of 10,000 ignored deliveries at once a hundred of each object and reason have rows; what starts has its own."""
    flood = [record(f"d{number}", "ignored", reason="FilteredOut") for number in range(10_000)]
    await write_all(history, *flood, record("s", "started", reason="BuildCreated"))
    newest = (await history.find(reason="FilteredOut", limit=1)).records[0]
    assert newest.left_out == 9_900
    assert await history.count() == 101
    assert history.lost == 0


async def test_what_became_of_an_accepted_delivery_has_its_row(history):
    """Accepted deliveries that were ignored in the end, however many at once, do not stay pending in the record."""
    waited = [record(f"d{number}", "pending", reason="TargetMissing") for number in range(150)]
    for one in waited:
        history.write(one)
    for one in waited:
        ended = replace(one, outcome="ignored", reason="FilteredOut", decided_at=minutes(1))
        history.write(ended, concludes=True)
    assert await history.flush()
    page = await history.find(limit=1000)
    assert {one.record.reason for one in page.records} == {"FilteredOut"}
    assert (len(page.records), history.lost) == (150, 0)


@pytest.mark.parametrize("started", [False, True])
async def test_one_delivery_that_comes_again_and_again_is_counted(history, started):
    """What has no row of its own is counted where the last one of its kind stands, even if that was there before."""
    again = [record("d1", "ignored", reason="FilteredOut", at=minutes(number)) for number in range(1, 1001)]
    await write_all(history, start("d1") if started else record("d1", "ignored", reason="FilteredOut"))
    await write_all(history, *again)
    row = await only(history)
    assert row.left_out == 900
    assert row.duplicates == (100 if started else 0)


async def test_ignored_deliveries_of_many_objects_all_have_rows(history):
    """More objects than are counted at once lose nothing of what they ignore."""
    many = [record("d", "ignored", reason="FilteredOut", uid=f"uid-{number}") for number in range(300)]
    await write_all(history, *many)
    assert (await history.count(), history.lost) == (300, 0)


async def test_refused_requests_of_too_many_objects_are_dropped(history):
    """Refused requests of more objects than fit into one flush are dropped and counted."""
    await write_all(history, *(record("d1", "refused", uid=f"uid-{number}") for number in range(203)))
    assert (await history.count(), history.lost) == (200, 3)
