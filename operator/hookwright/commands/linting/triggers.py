"""The checks of BuildTriggers in files: the operator's own, and what should be thought over. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hookwright.commands.file_objects import FileObject, FileObjects
from hookwright.commands.linting.filter_groups import find_filter_problems, find_source, list_groups
from hookwright.commands.linting.pattern_advice import UNANCHORED, Advice, advise, advise_branch
from hookwright.commands.linting.said import Said, Severity, from_finding, from_problem, narrow
from hookwright.filters.groups import FilterType, GroupFilter, Source, TriggerFilters
from hookwright.kinds import BuildTrigger, InvalidObject
from hookwright.reconcile.checks import check_buildtrigger
from hookwright.scm import BRANCHES

RESOURCE_ALREADY_EXISTS = "ResourceAlreadyExistsException"
# Codes of what the operator has no word for.
BRANCH_FILTER = "BranchFilter"
REDUNDANT = "Redundant"
_MAX_SHOWN = 200
_BY_DEFAULT = "EVENT PUSH, PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED"


def check_trigger(obj: FileObject[BuildTrigger], objects: FileObjects) -> Iterator[Said]:
    """Give all that is to be said of a BuildTrigger."""
    if isinstance(obj.found, InvalidObject):
        for problem in obj.found.problems:
            finding = check_buildtrigger(narrow(obj.found, problem), None)
            if finding is not None:
                yield from_finding(finding)
    trigger = obj.taken
    if trigger is None:
        return
    yield from judge_trigger(trigger)
    yield from _check_claim(obj, trigger, objects)


def judge_trigger(trigger: BuildTrigger) -> Iterator[Said]:
    """Give what is to be said of a BuildTrigger of the right shape, whatever others there are."""
    source = find_source(trigger)
    # All that is wrong with filters is said below, not the first alone.
    finding = check_buildtrigger(trigger if source is None else _without_filters(trigger), None)
    if finding is not None:
        yield from_finding(finding)
    if source is not None:
        yield from _check_filters(trigger.spec.branch_filter, list_groups(trigger), source)


def _without_filters(trigger: BuildTrigger) -> BuildTrigger:
    spec = trigger.spec.model_copy(update={"branch_filter": None, "filter_groups": None})
    return trigger.model_copy(update={"spec": spec})


def _check_claim(obj: FileObject[BuildTrigger], trigger: BuildTrigger, objects: FileObjects) -> Iterator[Said]:
    """Find a projectName that another BuildTrigger of the namespace has: the one that comes first."""
    project = trigger.spec.project_name
    for other in objects.buildtriggers:
        if other is obj:
            return
        same = other.taken is not None and other.taken.spec.project_name == project
        if same and other.namespace == obj.namespace and other.name != obj.name:
            message = (
                f"spec.projectName: {project}: BuildTrigger {other.name} in {other.file} has it; choose another name, "
                "or remove one of the two"
            )
            yield Said(code=RESOURCE_ALREADY_EXISTS, message=message)
            return


def _check_filters(
    branch_filter: str | None, groups: Sequence[Sequence[GroupFilter]], source: Source
) -> Iterator[Said]:
    """Give all problems of filters; what should be thought over is said of those that have none."""
    problems, filters = find_filter_problems(branch_filter, groups, source)
    yield from map(from_problem, problems)
    refused = {problem.field for problem in problems}
    if branch_filter and "spec.branchFilter" not in refused:
        yield _recommend_groups(branch_filter)
        yield from _pass_on("spec.branchFilter", branch_filter, advise_branch(branch_filter))
    for index, group in enumerate(groups):
        for at, one in enumerate(group):
            place = f"spec.filterGroups[{index}][{at}]"
            if one.type is not FilterType.EVENT and not {f"{place}.pattern", f"{place}.type"} & refused:
                yield from _pass_on(f"{place}.pattern", one.pattern, advise(one.type, one.pattern, source.provider))
    if filters is not None:
        yield from _find_redundant(filters)


def _recommend_groups(pattern: str) -> Said:
    head = (
        f"^{BRANCHES}{pattern[1:]}" if pattern.startswith("^") and "|" not in pattern else f"^{BRANCHES}.*(?:{pattern})"
    )
    message = (
        "spec.branchFilter: AWS recommends filterGroups instead, which say more; the same is a group of "
        f"{_BY_DEFAULT} and HEAD_REF {_shorten(head)}"
    )
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


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
