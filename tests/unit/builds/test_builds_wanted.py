"""A wanted build survives the journal as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.builds.wanted import MAX_VALUE_LENGTH, TargetRef, Undecided, WantedBuild, clean_value, format_time
from support.objects import make_wanted

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WANTED = st.builds(
    WantedBuild,
    namespace=TEXT,
    owner_kind=TEXT,
    owner_name=TEXT,
    owner_uid=TEXT,
    delivery_id=TEXT,
    index=st.integers(0, 10_000),
    accepted_at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    target=st.builds(TargetRef, api_version=TEXT, kind=TEXT, name=TEXT),
    service_account=st.none() | TEXT,
    values=st.dictionaries(TEXT, TEXT, max_size=3),
    parameters=st.dictionaries(TEXT, TEXT, max_size=3),
    undecided=st.lists(
        st.builds(Undecided, match_equals=TEXT, found=st.lists(TEXT, max_size=3).map(tuple)), max_size=2
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(WANTED)
def test_journal_form_gives_the_same_build(wanted):
    """Written as JSON and read again, a wanted build equals itself, whatever its texts and to the microsecond."""
    assert WantedBuild.from_json(wanted.to_json()) == wanted


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b'{"namespace": 5}', b"\xff"])
def test_other_texts_are_no_wanted_build(text):
    """What the journal holds and is no wanted build is a ValueError."""
    with pytest.raises(ValueError, match="not a wanted build"):
        WantedBuild.from_json(text)


def test_error_does_not_repeat_what_the_journal_holds():
    """What is said of a row that cannot be read holds none of its values: they are a payload's."""
    text = make_wanted(parameters={"P": "hush"}, service_account="hush").to_json()
    for broken in (text[:-1], text.replace(b'"P":"hush"', b'"P":["hush"]')):
        with pytest.raises(ValueError, match="not a wanted build") as refused:
            WantedBuild.from_json(broken)
        assert "hush" not in str(refused.value)


def test_members_of_later_versions_are_no_hindrance():
    """A row with members that this version does not know can still be started."""
    text = make_wanted().to_json()[:-1] + b', "later": 1}'
    assert WantedBuild.from_json(text) == make_wanted()


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 5, 1, 12, 0, 0, 999_999, tzinfo=UTC), "2026-05-01T12:00:00Z"),
        (datetime(2026, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))), "2026-05-01T12:00:00Z"),
    ],
)
def test_times_are_written_as_kubernetes_does(time, text):
    """RFC 3339, in UTC, in whole seconds that have passed."""
    assert format_time(time) == text


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(1, 2000))
def test_cleaned_value_fits_an_environment_variable(text, times):
    """A cleaned value has no NUL and no more bytes than Linux takes, and is else what it was."""
    cleaned = clean_value(text * times)
    assert "\0" not in cleaned
    assert len(cleaned.encode()) <= 128 * 1024 - 130
    assert cleaned == (text * times).replace("\0", "\N{REPLACEMENT CHARACTER}")[:MAX_VALUE_LENGTH]
