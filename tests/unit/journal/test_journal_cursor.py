"""Where a page of history goes on: what the page before said, or one kind of error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.errors import UsageError
from hookwright.journal.history_rows import to_cursor

NUMBERS = st.integers(0, 10**18 - 1)
PIECES = st.text(max_size=5) | st.sampled_from(["-", "1", "٣", "²", "+1", " ", "\n", "9" * 19, "9" * 5_000])


@given(time=NUMBERS, row=NUMBERS)
def test_what_a_page_says_is_read(time, row):
    """Time and row are given as they were written."""
    assert to_cursor(f"{time}-{row}") == (time, row)


@given(text=st.text(max_size=60) | st.lists(PIECES, max_size=4).map("".join))
def test_anything_else_is_one_kind_of_error(text):
    """Any text gives two numbers that SQLite can hold, or a UsageError that repeats no more than its beginning."""
    found = read(text)
    if isinstance(found, UsageError):
        assert len(found.message) < 200
    else:
        assert [one.lstrip("0") for one in text.split("-")] == [str(one).lstrip("0") for one in found]
        assert 0 <= min(found) <= max(found) < 2**63


def read(text: str) -> tuple[int, int] | UsageError:
    """Give what the text says, or the one error that there may be."""
    try:
        return to_cursor(text)
    except UsageError as error:
        return error


@pytest.mark.parametrize("text", ["", "1", "-1-1", "1-1-1", "1-1\n", "٣-1", "1-٣", "1- 1", "1" * 19 + "-1"])
def test_nearly_right_is_refused(text):
    """Signs, blanks, digits of other scripts and numbers that are too long are refused."""
    with pytest.raises(UsageError):
        to_cursor(text)
