"""A regular expression as an automaton that reads the text once, from its end to its start.

For each place of the text it is known which states lead to a match of what follows. From there the states of the place
before are found, by its character. So what stands ahead of a place (`(?=…)`, `$`) is known when the place is reached,
and no text makes the automaton go back; what stands behind it (`(?<=…)`, `^`) is found before, from start to end. The
sets of states that occur, and what follows from them, are kept: a text like those before costs a look-up for each
character. How many are kept is bounded, as is the number of states; what all automata together hold is bounded by
`pattern`.
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
_TEXTS_BITS = 256  # so many characters of texts that are looked for behind a place take as long as looking at it
_TABLE = 256  # so many characters, and no more classes of them, are looked up by `bytes.translate`

Spend = Callable[[int], None]


class TooManyStates(Exception):
    """A pattern that repeats so much that its automaton would have more than `MAX_STATES`."""


class _Kind(IntEnum):
    ANY = 0  # one of the states of a mask leads to a match
    AHEAD = 1  # the first state does, and so does the second
    NOT_AHEAD = 2  # the first state does, and the second does not
    BEHIND = 3  # the state does, and one of the texts of the mask stands before it
    NOT_BEHIND = 4  # the state does, and none of them
    END = 5  # the state does, and the text ends here


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


class _Texts:
    """The texts that are looked for behind a place, each a run of bits: the last one says that the text ends there.

    Bit 0 says that the text begins there. All are looked for at once, from the start of the text: a bit holds if the
    one before it did at the place before, and the character between is one of its own.
    """

    def __init__(self) -> None:
        self._runs: dict[tuple[int, ...], int] = {}
        self._masks: list[int] = [0]  # by bit: the classes of its character
        self._first = 0
        self._last = 1
        self._columns: dict[int, int] = {}  # by class: the bits whose character is of it

    @property
    def count(self) -> int:
        return len(self._masks) - 1

    def add(self, masks: tuple[int, ...]) -> int:
        """Give the bit of a text's end."""
        if masks not in self._runs:
            self._first |= 1 << len(self._masks)
            self._masks.extend(masks)
            self._runs[masks] = 1 << (len(self._masks) - 1)
            self._last |= self._runs[masks]
        return self._runs[masks]

    def find(self, classes: Sequence[int], spend: Spend) -> list[int]:
        """Give the texts that end at each place, the start and the end of the text among them."""
        if not self.count:
            return [1, *[0] * len(classes)]
        bits, columns, found = 1, self._columns, [1]
        for one in classes:
            if one not in columns:
                spend(1 + self.count // _STATES_PER_NODE)
                columns[one] = sum(1 << bit for bit, mask in enumerate(self._masks) if mask >> one & 1)
            bits = (bits << 1 | self._first) & columns[one]
            found.append(bits & self._last)
        return found


class _States:
    """The states of a pattern, made from its end to its start: each knows the state that must follow."""

    def __init__(self, classes: _Classes) -> None:
        self._classes = classes
        self.behind = _Texts()
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
            case Behind(texts, negated):
                self.looks_back = True
                mask = 0
                for text in texts:
                    for _ in text[1:]:
                        self.new_bit()  # it takes as long as a state
                    mask |= self.behind.add(tuple(map(self._classes.mask_of, text)))
                return self._add(_Kind.NOT_BEHIND if negated else _Kind.BEHIND, depth, then, mask)
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
        # Characters that one table does not hold take twice as long, and so does looking back, the more for many texts.
        back = cost * (1 + self._states.behind.count // _TEXTS_BITS) if self._states.looks_back else 0
        spend((0 if isinstance(classes, bytes) else cost) + back)
        behind = self._states.behind.find(classes, spend) if self._states.looks_back else [0]
        row = self._ends.get(behind[-1])
        if row is None:
            row = self._learn_end(behind[-1], spend)
        row = self._run_back(classes, behind, row, spend) if self._states.looks_back else self._run(classes, row, spend)
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

    def _run_back(self, classes: Sequence[int], behind: Sequence[int], row: _Row, spend: Spend) -> _Row:
        """Do the same where it matters what stands before a place."""
        width = self._classes.count
        for place in range(len(classes) - 1, -1, -1):
            key = behind[place] * width + classes[place]
            try:
                row = row.following[key]
            except KeyError:
                row = self._learn(row, key, classes[place], behind[place], spend)
        return row

    def _learn_end(self, behind: int, spend: Spend) -> _Row:
        """Find the states that hold at the end of a text, and keep them."""
        if len(self._ends) >= _MAX_KNOWN:
            self.forget()
        if self._ends:  # the first one is reckoned among the states
            self._take_room(_BYTES_OF_ROW + self.size // _BITS)
        self._ends[behind] = row = _Row(self._close(self._accept, at_end=True, behind=behind, spend=spend))
        return row

    def _learn(self, row: _Row, key: int, column: int, behind: int, spend: Spend) -> _Row:
        """Find what follows from a set of states, and keep it."""
        self._take_room(_BYTES_OF_ROW + (self.size + self._states.behind.count) // _BITS)
        if self._known >= _MAX_KNOWN:
            self.forget()
        self._known += 1
        holds = self._step(row.holds, column, behind, spend)
        row.following[key] = following = self._rows.setdefault(holds, _Row(holds))
        return following

    def _step(self, holds: int, column: int, behind: int, spend: Spend) -> int:
        """Give the states that hold at a place whose character is of that class, from those of the place after it."""
        spend(1 + len(self._states.chars) // _STATES_PER_NODE)
        truth = 0
        for bit, then, classes in self._states.chars:
            if holds & then and classes >> column & 1:
                truth |= bit
        return self._close(truth, at_end=False, behind=behind, spend=spend)

    def _close(self, truth: int, *, at_end: bool, behind: int, spend: Spend) -> int:  # noqa: C901 - one case for each kind
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
                            holds = bool(second & behind)
                        case _Kind.NOT_BEHIND:
                            holds = not second & behind
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
        case Chars(ranges):
            return ranges
        case Behind(texts):
            return tuple(one for text in texts for ranges in text for one in ranges)
        case tree.Sequence(parts) | Choice(parts):
            return tuple(one for inner in parts for one in _all_ranges(inner))
        case Repeat(inner) | Ahead(inner):
            return _all_ranges(inner)
        case _:
            return ()
