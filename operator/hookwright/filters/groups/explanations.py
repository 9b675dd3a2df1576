"""What every filter made of an event: the answer to "why did it not start?"."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from hookwright.filters.budget import MAX_NODES, Budget, EvaluationError
from hookwright.filters.groups.compiling import CompiledFilter, Group, TriggerFilters
from hookwright.filters.groups.decisions import Decision, decide, passes
from hookwright.filters.groups.fields import NO_FACTS, Facts, Value, read_branch
from hookwright.scm import FilterType, ScmEvent

_BEYOND = 16 * MAX_NODES  # some seconds, whatever the groups and the payload


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterResult:
    """What one filter made of an event.

    `value` is what it looked at, several files for FILE_PATH; None if there is no such thing or it is not known.
    `matched` tells whether the filter passes, exclusion included; None if that depends on what is not known, or if it
    was not asked for the decision, and would cost too much.
    """

    type: FilterType
    pattern: str
    exclude: bool
    value: Value
    matched: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupResult:
    """What one group made of an event: all its filters, in their order, and whether it passes (None: open)."""

    filters: tuple[FilterResult, ...]
    matched: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchResult:
    """What branchFilter made of an event; `value` is the branch, None of a tag."""

    pattern: str
    value: str | None
    matched: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What is decided of an event, and what each filter made of it, also those that need not have been asked."""

    decision: Decision
    branch: BranchResult | None
    groups: tuple[GroupResult, ...]


def explain(
    filters: TriggerFilters, event: ScmEvent, facts: Facts = NO_FACTS, budget: Budget | None = None
) -> Explanation:
    """Decide as `decide` does, and say what every filter made of the event; may raise `EvaluationError` too.

    What is said beyond the decision has a budget of its own, so that it changes nothing; it raises nothing.
    """
    decision, beyond = decide(filters, event, facts, budget), Budget(_BEYOND)
    return Explanation(
        decision=decision,
        branch=_explain_branch(filters, event, beyond),
        groups=tuple(_explain_group(group, event, facts, beyond) for group in filters.groups),
    )


def _explain_branch(filters: TriggerFilters, event: ScmEvent, budget: Budget) -> BranchResult | None:
    if filters.branch is None:
        return None
    value, matched = read_branch(event), None
    with suppress(EvaluationError):
        matched = value is not None and filters.branch.search.finds(value, budget.spend)
    return BranchResult(pattern=filters.branch.pattern, value=value, matched=matched)


def _explain_group(group: Group, event: ScmEvent, facts: Facts, budget: Budget) -> GroupResult:
    results = tuple(_explain_filter(one, event, facts, budget) for one in group.filters)
    all_of = {result.matched for result in results}
    return GroupResult(filters=results, matched=False if False in all_of else None if None in all_of else True)


def _explain_filter(one: CompiledFilter, event: ScmEvent, facts: Facts, budget: Budget) -> FilterResult:
    matched = None
    with suppress(EvaluationError):
        matched = passes(one, event, facts, budget)
    return FilterResult(
        type=one.written.type,
        pattern=one.written.pattern,
        exclude=one.written.exclude,
        value=one.field.read(event, facts) if event.event in one.field.events else None,
        matched=matched,
    )
