"""The words of filter groups."""

from __future__ import annotations

from hookwright.filters import groups
from hookwright.filters.groups.compiling import MAX_PATTERN
from hookwright.kinds import FilterType
from hookwright.kinds.filter_groups import MAX_PATTERN as MAX_WRITTEN


def test_kind_and_decision_have_the_same_types():
    """What may be written is what can be decided."""
    assert {one.name: one.value for one in FilterType} == {one.name: one.value for one in groups.FilterType}
    assert MAX_WRITTEN == MAX_PATTERN
