"""A regular expression as an automaton that reads the text once, from its end to its start.

For each place of the text it is known which states lead to a match of what follows. From there the states of the place
before are found, by its character. So what stands ahead of a place (`(?=…)`, `$`) is known when the place is reached,
and no text makes the automaton go back. The sets of states that occur, and what follows from them, are kept: a text
like those before costs a look-up for each character. How many are kept is bounded, as is the number of states; what all
automata together hold is bounded by `pattern`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from enum import IntEnum

from hookwright.filters.patterns import tree
from hookwright.filters.patterns.tree import Ahead, Behind, Chars, Choice, End, Ranges, Repeat, Start, Tree

MAX_STATES = 2_000
_MAX_KNOWN = 1_000  # of so many characters at sets of states it is kept what follows, then all is forgotten
_CHARACTERS_PER_NODE = 16  # reading so many characters counts as looking at one node of a document
_STATES_PER_NODE = 8  # so does going once through so many states, for a set that has not occurred yet
_BYTES_OF_ROW, _BITS = 450, 8  # what such a set holds, and a byte for so many states
_TABLE = 256  # so many characters, and no more classes of them, are looked up by `bytes.translate`

Spend = Callable[[int], None]


class TooManyStates(Exception):
    """A pattern that repeats so much that its automaton would have more than `MAX_STATES`."""


class _Kind(IntEnum):
    ANY = 0  # one of the states of a mask leads to a match
    AHEAD = 1  # the first state does, and so does the second
    NOT_AHEAD = 2  # the first state does, and the second does not
    BEHIND = 3  # the state does, and the character before is of a class of the mask (bit 0: there is none)
    END = 4  # the state does, and the text ends here


class _Classes:
    """Classes of characters between which a pattern makes no difference; sets of classes are masks."""

    def __init__(self, pattern: Tree) -> None:
        self._bounds = sorted({edge for low, high in _all_ranges(pattern) for edge in (low, high + 1)})
        self._masks: dict[Ranges, int] = {}  # a part that is repeated asks for its own each time
        self.count = len(self._bounds) + 1

    def of(self, char: int) -> int:
        return bisect_right(self._bounds, char)

    def mask_of(self, ranges: Ranges) -> int:
        mask = self._masks.get(ranges)
        if mask is None:
            mask = 0
            for low, high in ranges:
                for one in range(self.of(low), self.of(high) + 1):
                    mask |= 1 << one
            self._masks[ranges] = mask
        return mask


class _States:
    """The states of a pattern, made from its end to its start: each knows the state that must follow."""

    def __init__(self, classes: _Classes) -> None:
        self._classes = classes
        self.count = 0
        self.chars: list[tuple[int, int, int]] = []  # bit, bit of the state after the character, mask of classes
        self.others: list[list[tuple[_Kind, int, int, int]]] = [[]]  # by depth of lookaheads: kind, bit, two operands
        self.looks_back = False

    def new_bit(self) -> int:
        self.count += 1
        if self.count > MAX_STATES:
            raise TooManyStates
        return 1 << (self.count - 1)

    def build(self, part: Tree, then: int, depth: int) -> int:  # noqa: C901, PLR0911 - one for each kind
        """Make the states of a part; give the bit of the first one. `then` is the state after it."""
        match part:
            case Chars(ranges):
                bit = self.new_bit()
                self.chars.append((bit, then, self._classes.mask_of(ranges)))
                return bit
            case tree.Sequence(parts):
                for one in reversed(parts):
                    then = self.build(one, then, depth)
                return then
            case Choice(parts):
                mask = 0
                for one in parts:
                    mask |= self.build(one, then, depth)
                return self._add(_Kind.ANY, depth, mask)
            case Repeat():
                return self._repeat(part, then, depth)
            case Ahead(inner, negated):
                matched = self._add(_Kind.ANY, depth + 1, 1)  # the first state of all, which always holds
                ahead = self.build(inner, matched, depth + 1)
                return self._add(_Kind.NOT_AHEAD if negated else _Kind.AHEAD, depth, then, ahead)
            case Behind(ranges, negated):
                self.looks_back = True
                mask = self._classes.mask_of(ranges) << 1
                return self._add(_Kind.BEHIND, depth, then, ~mask if negated else mask)
            case Start():
                self.looks_back = True
                return self._add(_Kind.BEHIND, depth, then, 1)
            case End():
                return self._add(_Kind.END, depth, then)

    def _add(self, kind: _Kind, depth: int, first: int, second: int = 0) -> int:
        while len(self.others) <= depth:
            self.others.append([])
        bit = self.new_bit()
        self.others[depth].append((kind, bit, first, second))
        return bit

    def _repeat(self, repeat: Repeat, then: int, depth: int) -> int:
        if repeat.most is None:
            bit = self.new_bit()
            body = self.build(repeat.part, bit, depth)
            self.others[depth].append((_Kind.ANY, bit, then | body, 0))
            then = bit
        else:
            after = then
            for _ in range(repeat.most - repeat.least):
                then = self._add(_Kind.ANY, depth, self.build(repeat.part, then, depth) | after)
        for _ in range(repeat.least):
            after, then = then, self.build(repeat.part, then, depth)
            if then == after:
                break  # the part is nothing but the empty text, so no state would end the repetition
        return then


class _Row:
    """A set of states, and by the class of the character before it the set that follows from it."""

    __slots__ = ("following", "holds")

    def __init__(self, holds: int) -> None:
        self.holds = holds
        self.following: dict[int, _Row] = {}


class Automaton:
    """The states of a regular expression, and what it has learned of the texts that it has read.

    `take_room` is called with the bytes, by estimate, that are about to be kept.
    """

    def __init__(self, pattern: Tree, take_room: Callable[[int], None]) -> None:
        """Make the states; raise `TooManyStates`."""
        self._take_room = take_room
        self._classes = classes = _Classes(pattern)
        self._states = _States(classes)
        self._states.new_bit()  # the state that always holds: a lookahead that was matched
        self._accept = self._states.new_bit()
        self._start = self._states.build(pattern, self._accept, 0)
        self._table = bytes(map(classes.of, range(_TABLE))) if classes.count <= _TABLE else None
        self._rows: dict[int, _Row] = {}
        self._ends: dict[int, _Row] = {}
        self._known = 0

    @property
    def size(self) -> int:
        """The number of states."""
        return self._states.count

    def matches(self, text: str, spend: Spend) -> bool:
        """Tell whether the whole text matches; `spend` is told how many nodes of a document that counts as."""
        cost = len(text) // _CHARACTERS_PER_NODE
        spend(1 + cost)
        classes = self._read(text)
        # Characters that one table does not hold take twice as long, and so does looking back.
        spend((0 if isinstance(classes, bytes) else cost) + (cost if self._states.looks_back else 0))
        before = classes[-1] + 1 if classes and self._states.looks_back else 0
        row = self._ends.get(before)
        if row is None:
            self._ends[before] = row = _Row(self._close(self._accept, at_end=True, before=before, spend=spend))
        row = self._run_back(classes, row, spend) if self._states.looks_back else self._run(classes, row, spend)
        return bool(row.holds & self._start)

    def forget(self) -> None:
        """Give up what was learned."""
        for row in (*self._rows.values(), *self._ends.values()):
            row.following.clear()  # they hold each other
        self._rows.clear()
        self._ends.clear()
        self._known = 0

    def _run(self, classes: Sequence[int], row: _Row, spend: Spend) -> _Row:
        """Go through the text from its end; give the states that lead to a match of all of it."""
        for column in reversed(classes):
            try:
                row = row.following[column]
            except KeyError:
                row = self._learn(row, column, column, 0, spend)
        return row

    def _run_back(self, classes: Sequence[int], row: _Row, spend: Spend) -> _Row:
        """Do the same where it matters which character stands before a place, if any."""
        width = self._classes.count + 1
        for place in range(len(classes) - 1, -1, -1):
            before = classes[place - 1] + 1 if place else 0
            key = classes[place] * width + before
            try:
                row = row.following[key]
            except KeyError:
                row = self._learn(row, key, classes[place], before, spend)
        return row

    def _learn(self, row: _Row, key: int, column: int, before: int, spend: Spend) -> _Row:
        """Find what follows from a set of states, and keep it."""
        self._take_room(_BYTES_OF_ROW + self.size // _BITS)
        if self._known >= _MAX_KNOWN:
            self.forget()
        self._known += 1
        holds = self._step(row.holds, column, before, spend)
        row.following[key] = following = self._rows.setdefault(holds, _Row(holds))
        return following

    def _step(self, holds: int, column: int, before: int, spend: Spend) -> int:
        """Give the states that hold at a place whose character is of that class, from those of the place after it."""
        spend(1 + len(self._states.chars) // _STATES_PER_NODE)
        truth = 0
        for bit, then, classes in self._states.chars:
            if holds & then and classes >> column & 1:
                truth |= bit
        return self._close(truth, at_end=False, before=before, spend=spend)

    def _close(self, truth: int, *, at_end: bool, before: int, spend: Spend) -> int:  # noqa: C901 - one case for each kind
        """Add the states that hold because others do at the same place: the deepest lookaheads first."""
        truth |= 1
        for states in reversed(self._states.others):
            changed = True
            while changed:
                spend(len(states) // _STATES_PER_NODE)
                changed = False
                for kind, bit, first, second in states:
                    if truth & bit or not truth & first:
                        continue
                    match kind:
                        case _Kind.ANY:
                            holds = True
                        case _Kind.AHEAD:
                            holds = bool(truth & second)
                        case _Kind.NOT_AHEAD:
                            holds = not truth & second
                        case _Kind.BEHIND:
                            holds = bool(second >> before & 1)
                        case _Kind.END:
                            holds = at_end
                    if holds:
                        truth |= bit
                        changed = True
        return truth

    def _read(self, text: str) -> Sequence[int]:
        """Give the class of each character."""
        if self._table is not None:
            try:
                return text.encode("latin-1").translate(self._table)
            except UnicodeEncodeError:
                pass
        return [self._classes.of(ord(char)) for char in text]


def _all_ranges(part: Tree) -> Ranges:
    match part:
        case Chars(ranges) | Behind(ranges):
            return ranges
        case tree.Sequence(parts) | Choice(parts):
            return tuple(one for inner in parts for one in _all_ranges(inner))
        case Repeat(inner) | Ahead(inner):
            return _all_ranges(inner)
        case _:
            return ()
