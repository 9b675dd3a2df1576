"""The words of filter groups."""

from __future__ import annotations

from hookwright.filters.groups.compiling import MAX_PATTERN
from hookwright.kinds.filter_groups import MAX_PATTERN as MAX_WRITTEN


def test_patterns_may_be_as_long_as_is_decided():
    """What may be written is what can be decided."""
    assert MAX_WRITTEN == MAX_PATTERN
