"""A regular expression that was read: its tree, and its automaton while it is in use.

Ten thousand Webhooks may have fifty thousand regular expressions, and an automaton holds up to two megabytes. So it is
made when a text is to be matched, and all automata of the process share one room: when it is full, all of them are
given up, and made again as they are needed. A tree is small, as the expression is.
"""

from __future__ import annotations

from typing import Final
from weakref import WeakSet

from hookwright.filters.patterns.automaton import Automaton, Spend
from hookwright.filters.patterns.tree import Tree

_BYTES_OF_STATE = 400  # at most, by measurement


class Room:
    """What the automata of a process may hold together, in bytes by estimate."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit
        self._users: WeakSet[Pattern] = WeakSet()

    def enter(self, pattern: Pattern, size: int) -> None:
        """Let a pattern keep an automaton of so many bytes."""
        self.take(size)
        self._users.add(pattern)

    def take(self, size: int) -> None:
        """Let an automaton keep so many bytes more; if there is no room for them, all are given up."""
        if size > self._left:
            for pattern in self._users:
                pattern.give_up()
            self._users.clear()
            self._left = self._limit
        self._left -= size


# A sixth of what a receiver may have with 10,000 Webhooks.
ROOM: Final = Room(32 * 2**20)


class Pattern:
    """A regular expression that tells whether it matches a whole text."""

    __slots__ = ("__weakref__", "_automaton", "_room", "_tree", "size")

    def __init__(self, tree: Tree, room: Room = ROOM) -> None:
        """Find out whether there can be an automaton; raise `TooManyStates`. `size` is the number of its states."""
        self._tree = tree
        self._room = room
        self._automaton: Automaton | None = None
        self.size = Automaton(tree, room.take).size

    def matches(self, text: str, spend: Spend) -> bool:
        """Tell whether the whole text matches; `spend` is told how many nodes of a document that counts as."""
        return (self._automaton or self._make(spend)).matches(text, spend)

    def give_up(self) -> None:
        """Give up the automaton."""
        if self._automaton is not None:
            self._automaton.forget()
            self._automaton = None

    def _make(self, spend: Spend) -> Automaton:
        spend(self.size)  # making a state takes about as long as looking at a node of a document
        automaton = Automaton(self._tree, self._room.take)
        self._room.enter(self, self.size * _BYTES_OF_STATE)
        self._automaton = automaton
        return automaton
