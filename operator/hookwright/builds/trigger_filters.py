"""The filters of a BuildTrigger, made ready to decide: when a delivery comes, and once its provider was asked."""

from __future__ import annotations

from collections.abc import Callable

from hookwright.filters.groups import GroupFilter, Source, TriggerFilters, compile_filters
from hookwright.kinds import BuildSource, BuildTrigger
from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import Fact, Provider

NO_FILTERS = TriggerFilters()

Knows = Callable[[Provider], frozenset[Fact]]
"""Gives what a provider can be asked for."""


def know_nothing(_: Provider) -> frozenset[Fact]:
    """Ask no provider for anything."""
    return frozenset()


def compile_trigger_filters(trigger: BuildTrigger, knows: Knows = know_nothing) -> TriggerFilters:
    """Give the filters of `trigger`; without a provider it has none.

    Raises:
        InvalidSpec: the first thing that is wrong with them.
    """
    source = find_filter_source(trigger.spec.source, knows)
    if source is None:
        return NO_FILTERS
    return compile_filters(trigger.spec.branch_filter, list_filter_groups(trigger), source)


def find_filter_source(source: BuildSource, knows: Knows = know_nothing) -> Source | None:
    """Give what filters must know of spec.source; None without a provider, where there are no filters."""
    if source.provider is None:
        return None
    return Source(
        provider=source.provider,
        sends=DIALECTS[source.provider].events,
        scoped=source.organization is not None or source.group is not None,
        api=knows(source.provider),
    )


def list_filter_groups(trigger: BuildTrigger) -> list[list[GroupFilter]]:
    """Give the filters as they are written."""
    return [
        [GroupFilter(type=one.type, pattern=one.pattern, exclude=one.exclude_matched_pattern) for one in group]
        for group in trigger.spec.filter_groups or ()
    ]
