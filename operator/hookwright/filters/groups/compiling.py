"""Filters of a BuildTrigger made ready to decide; what can never work is refused, with AWS's InvalidInputException.

Beyond AWS's own rules (an EVENT in each group, no BASE_REF where there is PUSH) a filter is refused if the group could
never pass because of it: it is a mistake, and would otherwise be found only by waiting for a build that does not come.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hookwright.errors import InvalidSpec
from hookwright.filters.groups.fields import FIELDS, Field, GroupFilter
from hookwright.filters.groups.sources import Source
from hookwright.filters.groups.wording import join, show
from hookwright.filters.patterns import PatternRefusal, Search, compile_search
from hookwright.scm import EventType, Fact, FilterType

INVALID_INPUT: Final = "InvalidInputException"
MAX_PATTERN: Final = 2_000
# Compiling them takes about a third of a second at most, in which a receiver does nothing else: so many characters are
# read, and as many parts made, with all repetitions written out.
MAX_PATTERNS: Final = 20_000
MAX_PARTS: Final = 40_000
_MAX_MENDED: Final = 16  # so many places of a pattern are put right

# The Git hosts' words, which are nearer in letters to others of AWS's than to the ones that are meant, or to none.
_OPENED: Final = f"{EventType.PULL_REQUEST_CREATED}, {EventType.PULL_REQUEST_UPDATED}"
_MEANT: Final[dict[str, str]] = {
    "PULL_REQUEST": _OPENED,
    "PULL_REQUEST_OPENED": EventType.PULL_REQUEST_CREATED,
    "PULL_REQUEST_OPEN": EventType.PULL_REQUEST_CREATED,
    "PULL_REQUEST_SYNCHRONIZE": EventType.PULL_REQUEST_UPDATED,
    "PULL_REQUEST_SYNCHRONIZED": EventType.PULL_REQUEST_UPDATED,
    "PULL_REQUEST_FULFILLED": EventType.PULL_REQUEST_MERGED,
    "PULL_REQUEST_REJECTED": EventType.PULL_REQUEST_CLOSED,
    "PULL_REQUEST_DECLINED": EventType.PULL_REQUEST_CLOSED,
}
_NAME: Final = re.compile("[A-Z_]+")
_MERGE, _PULL = "MERGE_REQUEST", "PULL_REQUEST"  # GitLab's word, and AWS's
# The same few patterns stand in most triggers; the worst of these hold 37 KB each. Long ones are kept by who has them.
_MAX_SHARED: Final = 128
_compile_shared = lru_cache(maxsize=1024)(compile_search)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledFilter:
    """A filter ready to decide. `index` is its place in the group; `search` is None for EVENT, which has `events`."""

    index: int
    written: GroupFilter
    field: Field
    search: Search | None
    events: frozenset[EventType]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A filter group: the events that its EVENT filters let pass, its other filters, and all of them as written."""

    index: int
    events: frozenset[EventType]
    others: tuple[CompiledFilter, ...]
    filters: tuple[CompiledFilter, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchFilter:
    """spec.branchFilter: a pattern for the short name of a branch, which an empty one finds in each."""

    pattern: str
    search: Search


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerFilters:
    """All filters of a BuildTrigger. Without any, pushes and pull requests that are opened or changed start builds.

    `api` is what may be asked of the provider. Pull requests from forks start nothing unless `forks` are let in:
    whoever has an account at the Git host can open one, and its code would run with the build's rights.
    """

    branch: BranchFilter | None = None
    groups: tuple[Group, ...] = ()
    api: frozenset[Fact] = frozenset()
    forks: bool = False

    @property
    def look_at_files(self) -> bool:
        """Whether any filter looks at the files of an event."""
        return any(one.field.fact is Fact.FILES for group in self.groups for one in group.others)


def compile_filters(
    branch_filter: str | None, groups: Sequence[Sequence[GroupFilter]], source: Source, *, forks: bool = False
) -> TriggerFilters:
    """Make filters ready to decide. An empty branchFilter lets every branch pass, and is none where there are groups.

    Raises:
        InvalidSpec: the first thing that is wrong, with its place (spec.filterGroups[0][1].pattern).
    """
    if branch_filter and groups:
        raise _refuse("spec.branchFilter", branch_filter, "filterGroups are given too; keep one of the two")
    _check_size(groups)
    patterns = _Patterns()
    return TriggerFilters(
        branch=_compile_branch(branch_filter) if branch_filter is not None and not groups else None,
        groups=tuple(_compile_group(index, group, source, patterns) for index, group in enumerate(groups)),
        api=source.api,
        forks=forks,
    )


class _Patterns:
    """The patterns of a BuildTrigger: one that stands there several times is made, and counts, once."""

    def __init__(self) -> None:
        self._made: dict[str, Search] = {}
        self._parts = 0

    def make(self, pattern: str, place: str) -> Search:
        """Make a pattern, unless all have too many parts with it."""
        made = self._made.get(pattern)
        if made is not None:
            return made
        made = self._made[pattern] = _read_pattern(pattern, place)
        self._parts += made.size
        if self._parts > MAX_PARTS:
            why = (
                f"with it all patterns have {self._parts:,} parts, their repetitions written out; at most "
                f"{MAX_PARTS:,}: repeat less, or make two BuildTriggers"
            )
            raise _refuse(place, pattern, why)
        return made


def _check_size(groups: Sequence[Sequence[GroupFilter]]) -> None:
    """Refuse more than can be compiled in passing; a pattern that stands there several times counts once."""
    known: set[str] = set()
    total = 0
    for index, group in enumerate(groups):
        for at, one in enumerate(group):
            if one.type is FilterType.EVENT or one.pattern in known:
                continue
            known.add(one.pattern)
            total += len(one.pattern)
            if total > MAX_PATTERNS:
                why = (
                    f"with it all patterns have {total:,} characters; at most {MAX_PATTERNS:,}: make two BuildTriggers"
                )
                raise _refuse(f"spec.filterGroups[{index}][{at}].pattern", one.pattern, why)


def _compile_branch(pattern: str) -> BranchFilter:
    return BranchFilter(pattern=pattern, search=_read_pattern(pattern, "spec.branchFilter"))


def _compile_group(index: int, written: Sequence[GroupFilter], source: Source, patterns: _Patterns) -> Group:
    place = f"spec.filterGroups[{index}]"
    filters = tuple(_compile_filter(at, one, source, patterns, f"{place}[{at}]") for at, one in enumerate(written))
    listed = [one for one in filters if one.written.type is FilterType.EVENT]
    if not listed:
        message = f"{place}: no filter of this group has the type EVENT; add one, with the pattern PUSH for instance"
        raise InvalidSpec(message, code=INVALID_INPUT, field=place)
    events = frozenset.intersection(source.sends, *(one.events for one in listed))
    if not events:
        last = f"{place}[{listed[-1].index}].pattern"
        raise _refuse(last, listed[-1].written.pattern, "no event passes all EVENT filters of this group; change them")
    others = tuple(one for one in filters if one.search is not None)
    left = events
    for one in others:
        _check_events(one, events, left, source, f"{place}[{one.index}]")
        left &= one.field.events
    return Group(index=index, events=events, others=others, filters=filters)


def _compile_filter(
    index: int, written: GroupFilter, source: Source, patterns: _Patterns, place: str
) -> CompiledFilter:
    field = FIELDS[written.type]
    if field.scoped and not source.scoped:
        why = "applies only where the source is an organisation or a group, not one repository; remove it"
        raise _refuse(f"{place}.type", written.type, why)
    if written.type is FilterType.EVENT:
        events = _read_events(written.pattern, source, f"{place}.pattern")
        events = source.sends - events if written.exclude else events
        return CompiledFilter(index=index, written=written, field=field, search=None, events=events)
    search = patterns.make(written.pattern, f"{place}.pattern")
    return CompiledFilter(index=index, written=written, field=field, search=search, events=field.events)


def _read_events(pattern: str, source: Source, place: str) -> frozenset[EventType]:
    """Read the names in an EVENT pattern, which stand between commas, with or without blanks."""
    events = set()
    for name in (part.strip() for part in pattern.split(",")):
        if name not in EventType.__members__:
            raise _refuse(place, pattern, _describe_unknown(name))
        event = EventType(name)
        if event not in source.sends:
            why = f"{event} is not read from {source.provider}; remove it (what is: {join(source.sends)})"
            raise _refuse(place, pattern, why)
        events.add(event)
    return frozenset(events)


def _describe_unknown(name: str) -> str:
    if not name:
        return f"the name of an event is missing; the names are {join(EventType)}, with commas between"
    word = name[:MAX_PATTERN].upper().replace(_MERGE, _PULL)
    found = _NAME.findall(word)
    several = dict.fromkeys(part for one in found for part in _MEANT.get(one, one).split(", "))
    if len(found) > 1 and several.keys() <= EventType.__members__.keys():
        near = [f"{', '.join(several)}, with commas between"]
    else:
        near = [_MEANT[word]] if word in _MEANT else difflib.get_close_matches(word, list(EventType), n=1)
    hint = f"write {near[0]}; " if near else ""
    return f"{show(name)} is no event; {hint}the names are {join(EventType)}"


def _check_events(
    one: CompiledFilter, events: frozenset[EventType], left: frozenset[EventType], source: Source, place: str
) -> None:
    """Refuse a filter because of which the group would never pass, or not for events of which no payload says it.

    `events` are those of the group, `left` what the filters before this one leave of them. That some of them have not
    what a filter looks at is no reason to refuse it: AWS takes it, and the group works for the others.
    """
    kind, field = one.written.type, one.field
    if kind is FilterType.BASE_REF and EventType.PUSH in events:
        why = "a push has no base ref; put PUSH into a group of its own, or look at HEAD_REF"
        raise _refuse(f"{place}.type", kind, why)
    common = events & field.events
    if not common:
        why = f"applies to {join(field.events)} only, and none of them passes this group's EVENT; remove it"
        raise _refuse(f"{place}.type", kind, why)
    if not left & common:
        why = (
            f"applies to {join(common)} only, which the filters before it do not let pass: none of these events has "
            "what they look at; put it into a group of its own"
        )
        raise _refuse(f"{place}.type", kind, why)
    unknown = [event for event in common if source.never_says(kind, event)]
    if unknown:
        why = (
            f"{source.provider} does not say it with {join(unknown)}, and is not asked; remove the filter, or have "
            "these events in a group without it"
        )
        raise _refuse(f"{place}.type", kind, why)


def _read_pattern(pattern: str, place: str) -> Search:
    if len(pattern) > MAX_PATTERN:
        raise _refuse(place, pattern, f"{len(pattern)} characters; at most {MAX_PATTERN}: make several groups of it")
    try:
        return _compile_search(pattern)
    except PatternRefusal as refusal:
        mended = _mend(pattern, refusal)
        remedy = "change it" if mended is None else f"write {show(mended)}"
        raise _refuse(place, pattern, f"at character {refusal.at + 1}, {refusal.why}; {remedy}") from refusal


def _compile_search(pattern: str) -> Search:
    return _compile_shared(pattern) if len(pattern) <= _MAX_SHARED else compile_search(pattern)


def _mend(pattern: str, refusal: PatternRefusal) -> str | None:
    """Give a pattern with what to write for all that is refused, as far as there is such a thing; None if not at once.

    What is written for one thing may be longer, so that at last the pattern is too long: so much is not shown anyway.
    """
    mended: str | None = None
    for _ in range(_MAX_MENDED):
        if refusal.instead is None:
            break
        mended = pattern = pattern[: refusal.at] + refusal.instead + pattern[refusal.stop :]
        try:
            _compile_search(pattern)
        except PatternRefusal as another:
            refusal = another
        else:
            break
    return mended


def _refuse(place: str, value: str, why: str) -> InvalidSpec:
    return InvalidSpec(f"{place}: {show(value)}: {why}", code=INVALID_INPUT, field=place)
