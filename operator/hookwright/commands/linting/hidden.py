"""What a Git host's payloads hide, and the filter groups that let it pass. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hookwright.commands.linting.said import Said, Severity
from hookwright.filters.groups import FilterType, TriggerFilters
from hookwright.filters.groups.wording import show
from hookwright.scm import EventType, Provider

ANYBODYS_CODE = "AnybodysCode"
RENAMES = "RenamesPass"
# Whose payloads do not tell whether the commit of a job is one of a pull request from a fork.
_TELL_NO_FORKS = frozenset((Provider.GITHUB, Provider.GITHUB_ENTERPRISE))


def find_hidden(filters: TriggerFilters, provider: Provider) -> Iterator[Said]:
    """Warn of groups that what `provider` does not tell passes by."""
    if provider in _TELL_NO_FORKS:
        yield from _warn_of_jobs(filters, provider)
    if provider is Provider.GITLAB:
        yield from _warn_of_renames(filters)


def _warn_of_jobs(filters: TriggerFilters, provider: Provider) -> Iterator[Said]:
    """Say which groups build the code of strangers, if workflows run for their pull requests."""
    for group in filters.groups:
        if EventType.WORKFLOW_JOB_QUEUED in group.events:
            message = (
                f"spec.filterGroups[{group.index}]: {EventType.WORKFLOW_JOB_QUEUED}: {provider} does not say whether a "
                "job is of a pull request from a fork, so that anybody's code may be built; keep it where workflows do "
                "not run for those, or where builds take nothing from the commit"
            )
            yield Said(severity=Severity.WARNING, code=ANYBODYS_CODE, message=message)


def _warn_of_renames(filters: TriggerFilters) -> Iterator[Said]:
    """Say which filters keep out changes of files, but for those that are moved away."""
    for group in filters.groups:
        for one in group.others:
            if one.written.type is FilterType.FILE_PATH and one.written.exclude:
                place = f"spec.filterGroups[{group.index}][{one.index}]"
                message = (
                    f"{place}: {show(one.written.pattern)}: {Provider.GITLAB} names a file that was renamed by its new "
                    "path only, so that a push which moves one away from there passes; keep it where that may be built"
                )
                yield Said(severity=Severity.WARNING, code=RENAMES, message=message)
