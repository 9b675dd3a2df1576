"""All problems of a BuildTrigger's filters: what is refused is put right, and what is left is compiled again. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hookwright.errors import InvalidSpec
from hookwright.filters.groups import FilterType, GroupFilter, Source, TriggerFilters, compile_filters
from hookwright.kinds import BuildTrigger
from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import EventType

# Groups, filters and the names of events are bounded; nothing has more problems than this.
MOST_PROBLEMS = 2_000
_PLACE = re.compile(r"spec\.filterGroups\[(\d+)\](?:\[(\d+)\]\.(type|pattern))?")
_PUSH = GroupFilter(type=FilterType.EVENT, pattern=EventType.PUSH)
_SCOPED = (FilterType.REPOSITORY_NAME, FilterType.ORGANIZATION_NAME)

Groups = Sequence[Sequence[GroupFilter]]


def find_source(trigger: BuildTrigger) -> Source | None:
    """Give what filters must know of spec.source; None without a provider, where there are no filters."""
    source = trigger.spec.source
    if source.provider is None:
        return None
    sends = DIALECTS[source.provider].events
    return Source(provider=source.provider, sends=sends, scoped=source.repository is None)


def list_groups(trigger: BuildTrigger) -> list[list[GroupFilter]]:
    """Give the filters as they are written."""
    return [
        [
            GroupFilter(type=FilterType(one.type), pattern=one.pattern, exclude=one.exclude_matched_pattern)
            for one in group
        ]
        for group in trigger.spec.filter_groups or ()
    ]


def find_filter_problems(
    branch_filter: str | None, groups: Groups, source: Source
) -> tuple[list[InvalidSpec], TriggerFilters | None]:
    """Give everything that `compile_filters` refuses; and the filters, if that is nothing."""
    problems: list[InvalidSpec] = []
    while len(problems) < MOST_PROBLEMS:
        try:
            filters = compile_filters(branch_filter, groups, source)
        except InvalidSpec as problem:
            problems.append(problem)
            place = _PLACE.fullmatch(problem.field)
            if place is None:
                branch_filter = None
            else:
                index = int(place[1])
                groups = [*groups[:index], _mend(groups[index], place, source), *groups[index + 1 :]]
        else:
            return problems, None if problems else filters
    return problems, None


def _mend(group: Sequence[GroupFilter], place: re.Match[str], source: Source) -> list[GroupFilter]:
    """Give a group that is not refused for this any more, nor for what is right; filters keep their places."""
    if place[2] is None:
        return [_PUSH]  # No EVENT, which is said last: all else is right.
    at = int(place[2])
    wrong = group[at]
    if place[3] == "type":
        # An EVENT filter of all events changes nothing.
        return _put(group, at, GroupFilter(type=FilterType.EVENT, pattern=",".join(source.sends)))
    if wrong.type is not FilterType.EVENT:
        return _put(group, at, replace(wrong, pattern="x"))
    names = [name.strip() for name in wrong.pattern.split(",")]
    first = next((index for index, name in enumerate(names) if not _is_sent(name, source)), None)
    if first is None:
        return [_PUSH]  # No event passes all EVENT filters, which is said after what is wrong with patterns.
    if len(names) > 1:
        return _put(group, at, replace(wrong, pattern=",".join(names[:first] + names[first + 1 :])))
    # Which events are meant is not known: only patterns can be judged.
    return [_judge_by_pattern(one) for one in group]


def _is_sent(name: str, source: Source) -> bool:
    return name in EventType.__members__ and EventType(name) in source.sends


def _judge_by_pattern(one: GroupFilter) -> GroupFilter:
    """Give a filter that fits into a group of pushes, whatever its type."""
    if one.type is FilterType.EVENT:
        return _PUSH
    return one if one.type in _SCOPED else replace(one, type=FilterType.HEAD_REF)


def _put(group: Sequence[GroupFilter], at: int, one: GroupFilter) -> list[GroupFilter]:
    return [*group[:at], one, *group[at + 1 :]]
