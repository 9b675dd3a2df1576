"""A regular expression that is looked for anywhere in a text, as `Matcher.find` tells.

The automaton reads whole texts, so it is given the expression between two parts that take anything. Most expressions
that people write are a text with an anchor (`^refs/heads/main$`), or begin with one; those are compared as texts are.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import takewhile
from typing import Final

from hookwright.filters.patterns.automaton import Spend
from hookwright.filters.patterns.pattern import Pattern
from hookwright.filters.patterns.reading import is_last_line_end
from hookwright.filters.patterns.tree import Chars, End, Repeat, Sequence, Start, Tree, invert

_ANYTHING: Final = Repeat(Chars(invert(())), 0, None)
_LINE_ENDS: Final = ("\n", "\r", "\x85", "\u2028", "\u2029")
_CHARACTERS_PER_NODE = 256  # so many are compared in the time of looking at one node of a document


class _Rest(Enum):
    """What follows the text with which an expression begins."""

    NOTHING = auto()
    END = auto()  # `$` or an end of the text
    MORE = auto()


class Search:
    """A regular expression that tells whether it is found in a text; `size` is the number of its states."""

    __slots__ = ("_anchored", "_beginning", "_pattern", "_rest", "size")

    def __init__(self, tree: Tree) -> None:
        """Find out whether there can be an automaton; raise `TooManyStates`."""
        parts = _flatten(tree)
        self._anchored = parts[:1] == (Start(),)
        letters = list(takewhile(bool, map(_letter, parts[self._anchored :])))
        self._beginning = "".join(letters)
        self._rest = _tell_rest(parts[self._anchored + len(letters) :])
        self._pattern = Pattern(Sequence((_ANYTHING, tree, _ANYTHING)))
        self.size = self._pattern.size

    def finds(self, text: str, spend: Spend) -> bool:
        """Tell whether the expression is found; `spend` is told how many nodes of a document that counts as."""
        if self._anchored:
            if not text.startswith(self._beginning):
                spend(1)
                return False
            if self._rest is _Rest.NOTHING:
                spend(1)
                return True
        elif self._rest is _Rest.NOTHING:
            spend(1 + len(text) // _CHARACTERS_PER_NODE)
            return self._beginning in text
        if self._rest is _Rest.END and not text.endswith(_LINE_ENDS):
            spend(1)
            return text == self._beginning if self._anchored else text.endswith(self._beginning)
        return self._pattern.matches(text, spend)


def _tell_rest(parts: tuple[Tree, ...]) -> _Rest:
    if not parts:
        return _Rest.NOTHING
    return _Rest.END if len(parts) == 1 and (isinstance(parts[0], End) or is_last_line_end(parts[0])) else _Rest.MORE


def _flatten(tree: Tree) -> tuple[Tree, ...]:
    """Give what stands one after the other, whatever groups it stands in."""
    return tuple(one for part in tree.parts for one in _flatten(part)) if isinstance(tree, Sequence) else (tree,)


def _letter(part: Tree) -> str:
    """Give the one character that a part takes; nothing if it may take others, or none."""
    if isinstance(part, Chars) and len(part.ranges) == 1 and part.ranges[0][0] == part.ranges[0][1]:
        return chr(part.ranges[0][0])
    return ""
