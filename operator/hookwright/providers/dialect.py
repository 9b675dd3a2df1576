"""What a dialect is, and how a delivery is read with one: whatever it holds, each change in it gets its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from hookwright.filters import JsonValue
from hookwright.reasons import EVENT_UNREADABLE, NOT_AN_EVENT, PING, TOO_MANY_CHANGES, Reason
from hookwright.scm import EventType, NoEvent, Reading, ScmEvent

# So many are looked at, each of which may start a build, or none: a deleted branch is a change too.
MAX_CHANGES = 1_000
_MAX_TOLD = 100
_WORD = re.compile(r"[A-Za-z0-9_:.\- ]{1,60}")

Header = Callable[[str], str | None]  # the value of a header by its lower-case name
T = TypeVar("T")


class NothingToBuild(Exception):
    """A change is no event, for this reason. Never leaves the dialects."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason.name)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change that a delivery tells of: its event's `name` there, the payload, and the part that is about it.

    `header` is the one that named the event, which tells apart who speaks nearly alike.
    `wants_files` says whether anybody looks at the files: to list those of a large push costs as much as all else.
    """

    index: int
    name: str
    payload: JsonValue
    part: JsonValue
    header: str = ""
    wants_files: bool = True

    def need(self, value: T | None, field: str) -> T:
        """Give a value that no event of this kind lacks; `field` is where it stands, or should."""
        if value is None:
            raise NothingToBuild(EVENT_UNREADABLE, field)
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """How a provider speaks.

    Of `event_headers` and `delivery_headers` the first one that a delivery has counts. `events` are all that are
    read of the provider. `split` gives the parts of a payload that are changes; `understand` one change's event.
    `pull_request_ref` is where a repository keeps the head of pull request `{number}`, also of one from a fork; None if
    it keeps none.
    """

    event_headers: tuple[str, ...]
    delivery_headers: tuple[str, ...]
    events: frozenset[EventType]
    understand: Callable[[Change], ScmEvent]
    split: Callable[[str, JsonValue], Iterable[JsonValue]] = lambda _, payload: (payload,)
    find_name: Callable[[str | None, JsonValue], str | None] = lambda name, _: name
    pull_request_ref: str | None = None

    def find_delivery_id(self, header: Header) -> str | None:
        """Give the provider's own id of a delivery."""
        return _find_first(header, self.delivery_headers)[1]

    def find_event(self, header: Header) -> str | None:
        """Give the provider's own name for what happened."""
        return _find_first(header, self.event_headers)[1]

    def read(self, header: Header, payload: JsonValue, *, wants_files: bool = True) -> Reading:
        """Give the events that a delivery tells of, and why what else is in it is none. Never raises, never empty.

        Without `wants_files` no event has any.

        An array of payloads is read one after the other; changes are numbered through all of them.
        """
        payloads: list[JsonValue] = payload if isinstance(payload, list) else [payload]
        # Payloads without any change are bounded too: there may be millions of them.
        changes = self._list_changes(header, payloads[: MAX_CHANGES + 1], wants_files=wants_files)
        if len(payloads) > MAX_CHANGES or len(changes) > MAX_CHANGES:
            return (NoEvent(index=0, reason=TOO_MANY_CHANGES, told=f"more than {MAX_CHANGES:,} changes"),)
        if not changes:
            return (NoEvent(index=0, reason=EVENT_UNREADABLE, told="no change"),)
        return tuple(map(self._read_change, changes))

    def _list_changes(self, header: Header, payloads: list[JsonValue], *, wants_files: bool) -> list[Change]:
        """Give the changes, and at most one more than there may be."""
        by, sent = _find_first(header, self.event_headers)
        changes: list[Change] = []
        for each in payloads:
            name = self.find_name(sent, each) or ""
            for part in islice(self.split(name, each), MAX_CHANGES + 1 - len(changes)):
                change = Change(
                    index=len(changes), name=name, payload=each, part=part, header=by, wants_files=wants_files
                )
                changes.append(change)
        return changes

    def _read_change(self, change: Change) -> ScmEvent | NoEvent:
        if not change.name:
            return NoEvent(index=change.index, reason=EVENT_UNREADABLE, told=f"no {self.event_headers[0]}")
        try:
            return self.understand(change)
        except NothingToBuild as nothing:
            return NoEvent(index=change.index, reason=nothing.reason, told=_tell(change.name, nothing.detail))


def no_event(action: JsonValue = None) -> NothingToBuild:
    """Make what says that a change is none of the events; `action` is what the provider calls it."""
    return NothingToBuild(NOT_AN_EVENT, action if isinstance(action, str) else "")


def ping() -> NothingToBuild:
    """Make what says that a delivery only tries the URL."""
    return NothingToBuild(PING)


def _find_first(header: Header, names: Iterable[str]) -> tuple[str, str | None]:
    """Give the first header that a delivery has, and its value."""
    # Not by a generator: the usual provider has one such header.
    for name in names:
        if value := header(name):
            return name, value
    return "", None


def _tell(name: str, detail: str) -> str:
    """Give the provider's words for a change, as far as they are words: a payload's text is not repeated."""
    words = [word if _WORD.fullmatch(word) else "?" for word in (name, detail) if word]
    return ": ".join(words)[:_MAX_TOLD]
