"""What each type of filter looks at, and the events that have it.

A value may be there; or the event has no such thing; or the payload does not say, and the provider's API could. The
second is not the empty text: nothing can be said of it, so neither a filter nor its exclusion passes. A release without
a name, though, has an empty one: what the API says as null is a name that nobody has written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hookwright.scm import BRANCHES, EventType, Fact, FilterType, ScmEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFilter:
    """A filter as it is written: `exclude` is excludeMatchedPattern."""

    type: FilterType
    pattern: str
    exclude: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the provider's API said beyond the payload; None is what it was not asked for."""

    files: tuple[str, ...] | None = None
    message: str | None = None


NO_FACTS: Final = Facts()

Value = str | tuple[str, ...] | None
"""What a filter looks at: a text, several (one that matches is enough), or None."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Where the value of a type is, for which events; `fact` is what has to be asked for if the payload lacks it."""

    events: frozenset[EventType]
    read: Callable[[ScmEvent, Facts], Value]
    fact: Fact | None = None
    scoped: bool = False  # only triggers of an organisation or a group have it


ALL: Final = frozenset(EventType)
PULL_REQUESTS: Final = frozenset(event for event in EventType if event.is_pull_request)
CHANGES: Final = PULL_REQUESTS | {EventType.PUSH}
RELEASES: Final = frozenset((EventType.RELEASED, EventType.PRERELEASED))
JOBS: Final = frozenset((EventType.WORKFLOW_JOB_QUEUED,))

FIELDS: Final[dict[FilterType, Field]] = {
    FilterType.EVENT: Field(events=ALL, read=lambda event, _facts: event.event.value),
    FilterType.ACTOR_ACCOUNT_ID: Field(events=ALL, read=lambda event, _facts: event.actor),
    FilterType.HEAD_REF: Field(events=CHANGES, read=lambda event, _facts: event.head_ref),
    FilterType.BASE_REF: Field(events=PULL_REQUESTS, read=lambda event, _facts: event.base_ref),
    FilterType.FILE_PATH: Field(
        events=CHANGES,
        read=lambda event, facts: event.files if event.files is not None else facts.files,
        fact=Fact.FILES,
    ),
    FilterType.COMMIT_MESSAGE: Field(
        events=CHANGES,
        read=lambda event, facts: event.message if event.message is not None else facts.message,
        fact=Fact.MESSAGE,
    ),
    FilterType.TAG_NAME: Field(events=RELEASES, read=lambda event, _facts: event.tag),
    FilterType.RELEASE_NAME: Field(events=RELEASES, read=lambda event, _facts: event.release),
    FilterType.REPOSITORY_NAME: Field(events=ALL, read=lambda event, _facts: event.repository.name, scoped=True),
    FilterType.ORGANIZATION_NAME: Field(events=ALL, read=lambda event, _facts: event.organisation, scoped=True),
    FilterType.WORKFLOW_NAME: Field(events=JOBS, read=lambda event, _facts: event.workflow),
}


def read_branch(event: ScmEvent) -> str | None:
    """Give the short name of the branch that was pushed to, or that a pull request brings; None of a tag."""
    ref = event.head_ref
    return ref.removeprefix(BRANCHES) if ref is not None and ref.startswith(BRANCHES) else None
