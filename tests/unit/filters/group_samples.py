"""Events, filters and sources for the tests of filter groups."""

from __future__ import annotations

from hookwright.filters.groups import FilterType, GroupFilter, Source, compile_filters
from hookwright.scm import EventType, Fact, Provider, Repository, ScmEvent

EVERY = ", ".join(EventType)
PULL_REQUESTS = sorted(event for event in EventType if event.is_pull_request)
CHANGES = [EventType.PUSH, *PULL_REQUESTS]
RELEASES = [EventType.RELEASED, EventType.PRERELEASED]
BOTH = frozenset(Fact)


def source(provider=Provider.GITHUB, *, sends=EventType, scoped=False, api=BOTH):
    return Source(provider=provider, sends=frozenset(sends), scoped=scoped, api=frozenset(api))


def one(kind, pattern, *, exclude=False):
    return GroupFilter(type=FilterType(kind), pattern=pattern, exclude=exclude)


def compile_groups(*groups, branch=None, where=None, forks=False):
    return compile_filters(branch, groups, where or source(), forks=forks)


def push(ref="refs/heads/main", **fields):
    given = {"files": ("README.md",), "message": "Say hello", "actor": "12345", "sha": "1" * 40} | fields
    return ScmEvent(
        event=EventType.PUSH, index=0, repository=Repository(owner="octo", name="hello"), head_ref=ref, **given
    )


def happen(event, **fields):
    """Give an event as GitHub tells it: a pull request lacks files and message, a release has a tag."""
    given = {"repository": Repository(owner="octo", name="hello"), "actor": "12345", "organisation": "octo"}
    event = EventType(event)
    if event is EventType.PUSH:
        return push(organisation="octo", **fields)
    if event.is_pull_request:
        given |= {"head_ref": "refs/heads/topic", "base_ref": "refs/heads/main", "pull_request": 7, "sha": "2" * 40}
    elif event in RELEASES:
        given |= {"head_ref": "refs/tags/v1.0", "tag": "v1.0", "release": "First"}
    else:
        given |= {"head_ref": "refs/heads/main", "workflow": "CI", "sha": "3" * 40}
    return ScmEvent(event=event, index=0, **(given | fields))
