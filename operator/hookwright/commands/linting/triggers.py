"""The checks of BuildTriggers in files: the operator's own, and what should be thought over. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hookwright.builds.trigger_filters import find_filter_source, list_filter_groups
from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.commands.file_objects import FileObject, FileObjects
from hookwright.commands.linting.filter_groups import (
    find_filter_problems,
    find_hidden_problems,
)
from hookwright.commands.linting.hidden import find_hidden
from hookwright.commands.linting.pattern_advice import (
    NEVER_MATCHES,
    UNANCHORED,
    Advice,
    advise,
    advise_branch,
    convert_branch_filter,
)
from hookwright.commands.linting.said import Said, Severity, from_finding, from_problem, narrow
from hookwright.commands.linting.trigger_mending import find_trigger_problems
from hookwright.filters.groups import FilterType, Source, TriggerFilters
from hookwright.filters.groups.wording import join
from hookwright.intake.trigger_route import describe_trigger_shape
from hookwright.kinds import BuildTrigger, InvalidObject, Raw
from hookwright.reconcile.checks import check_own_name_for_index
from hookwright.reconcile.secret_plan import plan_secret

# Codes of what the operator has no word for.
BRANCH_FILTER = "BranchFilter"
REDUNDANT = "Redundant"
NEVER_PASSES = "NeverPasses"
_GIT = ".git"
# Of a Secret in a file only what is in it counts, not when.
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_MAX_SHOWN = 200
_BY_DEFAULT = "EVENT PUSH, PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"


def check_trigger(obj: FileObject[BuildTrigger], objects: FileObjects) -> Iterator[Said]:
    """Give all that is to be said of a BuildTrigger."""
    if isinstance(obj.found, InvalidObject):
        for problem in obj.found.problems:
            yield from_problem(describe_trigger_shape(narrow(obj.found, problem)))
    if obj.taken is not None:
        yield from judge_trigger(obj.taken, objects.standing(obj.found))
        yield from _check_secret(obj.taken, objects.secret_object(obj.namespace, obj.taken.secret_name))
    elif isinstance(obj.found, InvalidObject):
        yield from map(from_problem, find_hidden_problems(obj.found, obj.raw))


def _check_secret(trigger: BuildTrigger, found: Raw | None) -> Iterator[Said]:
    """Check a Secret that is in the files under the name of the one that Hookwright makes."""
    if found is not None and trigger.spec.source.provider is not None:
        finding = plan_secret(trigger, found, now=_SOME_TIME, fresh="").finding
        if finding is not None:
            yield from_finding(finding)


def judge_trigger(trigger: BuildTrigger, standing: Standing = GOOD_STANDING) -> Iterator[Said]:
    """Give what is to be said of a BuildTrigger of the right shape."""
    problems, _ = find_trigger_problems(trigger, standing)
    yield from map(from_problem, problems)
    if (finding := check_own_name_for_index(trigger)) is not None:
        yield from_finding(finding)
    source = find_filter_source(trigger.spec.source)
    if source is not None:
        yield from _think_over(trigger, source, {problem.field for problem in problems})


def _think_over(trigger: BuildTrigger, source: Source, refused: set[str]) -> Iterator[Said]:
    """Say what should be thought over about a source and filters that are not refused."""
    repository = trigger.spec.source.repository or ""
    if repository.lower().endswith(_GIT) and not any(field.startswith("spec.source") for field in refused):
        yield _warn_of_address(repository)
    branch_filter, groups = trigger.spec.branch_filter, list_filter_groups(trigger)
    if branch_filter is not None and not groups and "spec.branchFilter" not in refused:
        yield _recommend_groups(branch_filter)
        yield from _pass_on("spec.branchFilter", branch_filter, advise_branch(branch_filter))
    for index, group in enumerate(groups):
        for at, one in enumerate(group):
            place = f"spec.filterGroups[{index}][{at}]"
            if one.type is not FilterType.EVENT and not refused & {f"{place}.pattern", f"{place}.type"}:
                yield from _pass_on(f"{place}.pattern", one.pattern, advise(one.type, one.pattern, source.provider))
    filters = find_filter_problems(branch_filter, groups, source)[1]
    if filters is not None:
        yield from _find_redundant(filters)
        yield from _find_never_passing(filters)
        yield from find_hidden(filters, source.provider)


def _warn_of_address(repository: str) -> Said:
    message = (
        f"spec.source.repository: {_shorten(repository)}: no delivery names it so: {_GIT} belongs to the address to "
        f"clone from; write {_shorten(repository[: -len(_GIT)])}"
    )
    return Said(severity=Severity.WARNING, code=NEVER_MATCHES, message=message)


def _recommend_groups(pattern: str) -> Said:
    head = convert_branch_filter(pattern)
    same = f"; the same is a group of {_BY_DEFAULT} and HEAD_REF {_shorten(head)}" if head is not None else ""
    message = f"spec.branchFilter: AWS recommends filterGroups instead, which say more{same}"
    return Said(severity=Severity.WARNING, code=BRANCH_FILTER, message=message)


def _pass_on(place: str, pattern: str, advice: Advice | None) -> Iterator[Said]:
    if advice is not None:
        meant = " unless that is meant" if advice.code == UNANCHORED else ""
        remedy = f"; write {_shorten(advice.instead)}{meant}" if advice.instead is not None else ""
        message = f"{place}: {_shorten(pattern)} {advice.why}{remedy}"
        yield Said(severity=Severity.WARNING, code=advice.code, message=message)


def _find_redundant(filters: TriggerFilters) -> Iterator[Said]:
    """Find groups that start nothing beyond what another one starts: it takes all their events, and asks for less."""
    asked = [frozenset(one.written for one in group.others) for group in filters.groups]
    for index, group in enumerate(filters.groups):
        for other in filters.groups:
            wider = group.events <= other.events and asked[other.index] <= asked[index]
            same = group.events == other.events and asked[other.index] == asked[index]
            if other is not group and wider and (not same or other.index < index):
                message = (
                    f"spec.filterGroups[{index}]: whatever passes it passes spec.filterGroups[{other.index}] too; "
                    "remove it"
                )
                yield Said(severity=Severity.WARNING, code=REDUNDANT, message=message)
                break


def _find_never_passing(filters: TriggerFilters) -> Iterator[Said]:
    """Name events that stand in a group's EVENT, and have not what another of its filters looks at; each once.

    Where EVENT only excludes, nobody has named any.
    """
    for group in filters.groups:
        left = group.events
        if all(one.written.exclude for one in group.filters if one.written.type is FilterType.EVENT):
            continue
        for one in group.others:
            without, left = left - one.field.events, left & one.field.events
            if without:
                never = (
                    "never passes this group, as it has" if len(without) == 1 else "never pass this group, as they have"
                )
                message = (
                    f"spec.filterGroups[{group.index}][{one.index}].type: {one.written.type}: {join(without)} {never} "
                    "none; remove the filter, or have a group without it for what has none"
                )
                yield Said(severity=Severity.WARNING, code=NEVER_PASSES, message=message)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
