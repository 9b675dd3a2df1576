"""All problems of a BuildTrigger's filters: what is refused is put right, and what is left is compiled again. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from hookwright.builds.trigger_filters import find_filter_source
from hookwright.errors import InvalidSpec
from hookwright.filters.groups import FilterType, GroupFilter, Source, TriggerFilters, compile_filters
from hookwright.kinds import BuildSource, InvalidObject, Raw
from hookwright.kinds.filter_groups import MAX_PATTERN
from hookwright.scm import EventType

# Groups, filters and the names of events are bounded; nothing has more problems than this.
MOST_PROBLEMS = 2_000
_PLACE = re.compile(r"spec\.filterGroups\[(\d+)\](?:\[(\d+)\]\.(type|pattern))?")
_PUSH = GroupFilter(type=FilterType.EVENT, pattern=EventType.PUSH)
_SCOPED = (FilterType.REPOSITORY_NAME, FilterType.ORGANIZATION_NAME)

Groups = Sequence[Sequence[GroupFilter]]


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


def find_hidden_problems(invalid: InvalidObject, raw: Raw) -> list[InvalidSpec]:
    """Give what is wrong with filters of an object that is not of its kind's shape, beyond its shape.

    Of a group that is not whole only the patterns can be judged.
    """
    spec = raw.get("spec")
    given = spec if isinstance(spec, Mapping) else {}
    try:
        source = find_filter_source(BuildSource.model_validate(given.get("source") or {}, by_alias=True, by_name=False))
    except ValidationError:
        return []
    written, branch = given.get("filterGroups"), given.get("branchFilter")
    groups = [_salvage(group) for group in written] if isinstance(written, list) else []
    branch_filter = branch if isinstance(branch, str) and len(branch) <= MAX_PATTERN else None
    if source is None:
        return []
    said = tuple(problem.field for problem in invalid.problems)
    problems, _ = find_filter_problems(branch_filter, groups, source)
    return [one for one in problems if not any(one.field == field or field.startswith(one.field) for field in said)]


def _salvage(group: object) -> list[GroupFilter]:
    """Give the filters of a group as far as they can be read, each at its place."""
    found = [_read_filter(one) for one in group] if isinstance(group, list) else []
    if None not in found:
        return [one for one in found if one is not None] or [_PUSH]
    return [_PUSH if one is None else _judge_by_pattern(one) for one in found]


def _read_filter(raw: object) -> GroupFilter | None:
    if not isinstance(raw, Mapping):
        return None
    kind, pattern, exclude = raw.get("type"), raw.get("pattern"), raw.get("excludeMatchedPattern", False)
    if not isinstance(kind, str) or kind not in FilterType.__members__ or not isinstance(pattern, str):
        return None
    if not 0 < len(pattern) <= MAX_PATTERN or not isinstance(exclude, bool):
        return None
    return GroupFilter(type=FilterType(kind), pattern=pattern, exclude=exclude)


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
