"""How values and names of events are written in messages."""

from __future__ import annotations

from collections.abc import Iterable

from hookwright.scm import EventType

_MAX_SHOWN = 200


def show(text: str) -> str:
    """Give a value as it stands if it can be read in one line, else with escapes; of a long one its beginning."""
    begin = text[:_MAX_SHOWN]
    shown = begin if begin.isprintable() and text else ascii(begin)
    return shown if len(text) <= _MAX_SHOWN else f"{shown}…"


def join(events: Iterable[EventType]) -> str:
    """Name events in AWS's order."""
    given = set(events)
    return ", ".join(event for event in EventType if event in given)
