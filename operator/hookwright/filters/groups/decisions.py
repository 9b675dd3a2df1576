"""Whether an event starts a build, does not, or cannot be decided before the provider has been asked.

A filter passes, does not, or is open as long as a fact is missing. A group does not pass if one of its filters does
not, whatever is open; it is open if none of them fails and one is open. One group that passes starts the build,
whatever others are: so the provider is asked only if its answer can make a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from hookwright.filters.budget import Budget
from hookwright.filters.groups.compiling import CompiledFilter, Group, TriggerFilters
from hookwright.filters.groups.fields import NO_FACTS, Facts, read_branch
from hookwright.filters.groups.wording import show
from hookwright.filters.patterns import Search
from hookwright.reasons import (
    BRANCH_FILTERED_OUT,
    EVENT_NOT_BUILT,
    FACTS_UNKNOWN,
    FORK_NOT_BUILT,
    NO_GROUP_PASSED,
    REF_DELETED,
    Reason,
)
from hookwright.scm import EventType, Fact, FilterType, ScmEvent

# What starts builds where no groups say otherwise, as AWS CDK describes it.
BY_DEFAULT: Final = frozenset((EventType.PUSH, EventType.PULL_REQUEST_CREATED, EventType.PULL_REQUEST_UPDATED))
_MAX_TOLD: Final = 3  # so many groups are told of


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The event starts a build; `group` is the first filter group that passed, None if there are none."""

    group: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignore:
    """The event starts nothing. `message` says which filter it was, and nothing of the payload."""

    reason: Reason
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """It depends on facts that the payload does not say and the provider can be asked for."""

    facts: frozenset[Fact]


Decision = Start | Ignore | Need


def decide(filters: TriggerFilters, event: ScmEvent, facts: Facts = NO_FACTS, budget: Budget | None = None) -> Decision:
    """Decide what an event does. All events of a delivery share `budget`; None is a new one.

    With all facts it never answers Need.

    Raises:
        EvaluationError: the budget is spent, which says nothing about the event.
    """
    budget = Budget() if budget is None else budget
    early = _decide_early(filters, event)
    if early is not None:
        return early
    if filters.branch is not None:
        return _decide_branch(filters, event, budget)
    if not filters.groups:
        return Start(group=None)
    return _decide_groups(filters, event, facts, budget)


def _decide_early(filters: TriggerFilters, event: ScmEvent) -> Ignore | None:
    """Decide what no filter group has to be asked about."""
    if event.deleted:
        return _ignore(REF_DELETED)
    if event.fork and not filters.forks:
        return _ignore(FORK_NOT_BUILT)
    if not filters.groups and event.event not in BY_DEFAULT:
        return _ignore(EVENT_NOT_BUILT)
    return None


def _decide_branch(filters: TriggerFilters, event: ScmEvent, budget: Budget) -> Decision:
    branch = read_branch(event)
    if filters.branch is None or (branch is not None and filters.branch.search.finds(branch, budget.spend)):
        return Start(group=None)
    what = "what was pushed is no branch" if branch is None else "the branch does not match"
    return Ignore(reason=BRANCH_FILTERED_OUT, message=f"spec.branchFilter: {show(filters.branch.pattern)}: {what}")


class _Judgement(NamedTuple):
    """What a group made of an event: it passes, or depends on facts, or fails (at a filter, or None at its EVENT)."""

    passes: bool
    needs: frozenset[Fact] = frozenset()
    failed: CompiledFilter | None = None


_PASSED: Final = _Judgement(passes=True)
_NOT_LISTED: Final = _Judgement(passes=False)


def _decide_groups(filters: TriggerFilters, event: ScmEvent, facts: Facts, budget: Budget) -> Decision:
    needs: frozenset[Fact] = frozenset()
    unknown: list[tuple[Group, frozenset[Fact]]] = []
    failed: list[tuple[Group, CompiledFilter | None]] = []
    for group in filters.groups:
        judgement = _judge_group(group, event, facts, budget)
        if judgement.passes:
            return Start(group=group.index)
        if not judgement.needs:
            failed.append((group, judgement.failed))
        elif judgement.needs <= filters.api:
            needs |= judgement.needs
        else:
            unknown.append((group, judgement.needs))
    if needs:
        return Need(facts=needs)
    if unknown:
        return Ignore(reason=FACTS_UNKNOWN, message=_describe_unknown(*unknown[0]))
    return Ignore(reason=NO_GROUP_PASSED, message=_describe_failed(failed, event))


def _judge_group(group: Group, event: ScmEvent, facts: Facts, budget: Budget) -> _Judgement:
    if event.event not in group.events:
        return _NOT_LISTED
    needs: set[Fact] = set()
    for one in group.others:
        passed = passes(one, event, facts, budget)
        if passed is False:
            return _Judgement(passes=False, failed=one)
        if passed is None and one.field.fact is not None:
            needs.add(one.field.fact)
    return _Judgement(passes=False, needs=frozenset(needs)) if needs else _PASSED


def passes(one: CompiledFilter, event: ScmEvent, facts: Facts, budget: Budget) -> bool | None:
    """Tell whether a filter passes; None if that depends on a fact. `exclude` turns the answer only if there is one."""
    if event.event not in one.field.events:
        return False
    if one.search is None:
        return event.event in one.events
    value = one.field.read(event, facts)
    if value is None:
        return None if one.field.fact in event.lacks() else False
    return _finds(one.search, value, budget) is not one.written.exclude


def _finds(search: Search, value: str | tuple[str, ...], budget: Budget) -> bool:
    """Tell whether the pattern is found; of several files one is enough, so that an exclusion needs none."""
    if isinstance(value, str):
        return search.finds(value, budget.spend)
    return search.finds_any(value, budget.spend)


def _ignore(reason: Reason) -> Ignore:
    return Ignore(reason=reason, message=reason.sentence)


def _describe_failed(failed: list[tuple[Group, CompiledFilter | None]], event: ScmEvent) -> str:
    told = [_describe_filter(group, one, event) for group, one in failed[:_MAX_TOLD]]
    more = f"; and {len(failed) - _MAX_TOLD} groups more" if len(failed) > _MAX_TOLD else ""
    return "; ".join(told) + more


def _describe_filter(group: Group, one: CompiledFilter | None, event: ScmEvent) -> str:
    place = f"spec.filterGroups[{group.index}]"
    if one is None:
        return f"{place}: EVENT does not let {event.event} pass"
    kind, pattern = one.written.type, show(one.written.pattern)
    if event.event not in one.field.events:
        return f"{place}[{one.index}]: {event.event} has no {kind}"
    if one.written.exclude:
        return f"{place}[{one.index}]: {kind} matches {pattern}, or there is none"
    return f"{place}[{one.index}]: {kind} does not match {pattern}"


def _describe_unknown(group: Group, needs: frozenset[Fact]) -> str:
    lacking = {one.written.type for one in group.others if one.field.fact in needs}
    what = " and ".join(name for name in FilterType if name in lacking)
    return f"spec.filterGroups[{group.index}]: the payload does not say the {what}, and the provider is not asked"
