"""The tree of a regular expression, and sets of characters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

Ranges = tuple[tuple[int, int], ...]
"""Code points, as ranges with both ends in, in order and apart."""

LAST = 0x10FFFF


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of those."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; none of them is the empty text."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of them."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The part so many times; None is without end."""

    part: Tree
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Ahead:
    """What follows begins with the part, or `negated` does not."""

    part: Tree
    negated: bool


@dataclass(frozen=True, slots=True)
class Behind:
    """One of the texts stands before, each given by what its characters may be, or `negated` none of them does."""

    texts: tuple[tuple[Ranges, ...], ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Start:
    """The text begins here."""


@dataclass(frozen=True, slots=True)
class End:
    """The text ends here."""


Tree = Chars | Sequence | Choice | Repeat | Ahead | Behind | Start | End


class Empty(IntEnum):
    """Where a part matches the empty text; the order is that of the words."""

    NOWHERE = 0
    SOMEWHERE = 1
    ANYWHERE = 2


def where_empty(part: Tree) -> Empty:
    """Tell where a part may be the empty text: what looks at its neighbours is it at some places only."""
    match part:
        case Chars():
            return Empty.NOWHERE
        case Sequence(parts):
            return min(map(where_empty, parts), default=Empty.ANYWHERE)
        case Choice(parts):
            return max(map(where_empty, parts))
        case Repeat(inner, least):
            return where_empty(inner) if least else Empty.ANYWHERE
        case Ahead() | Behind() | Start() | End():
            return Empty.SOMEWHERE


def chars(*characters: str) -> Chars:
    """Give the set of some characters."""
    return Chars(join((ord(one), ord(one)) for one in characters))


def join(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Put ranges in order, and those that touch into one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def invert(ranges: Ranges) -> Ranges:
    """Give all other characters."""
    return tuple(_gaps(ranges))


def _gaps(ranges: Ranges) -> Iterator[tuple[int, int]]:
    begin = 0
    for low, high in ranges:
        if begin < low:
            yield begin, low - 1
        begin = high + 1
    if begin <= LAST:
        yield begin, LAST
