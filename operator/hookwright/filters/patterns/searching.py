"""A regular expression that is looked for anywhere in a text, as `Matcher.find` tells.

The automaton reads whole texts, so it is given the expression between two parts that take anything. Most expressions
that people write are plain, texts with an anchor or without (`^refs/heads/main$`), and need none; of most others
every match has a text in it, and where that is missing the automaton is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Final, NamedTuple

from hookwright.filters.patterns.automaton import Spend
from hookwright.filters.patterns.pattern import Pattern
from hookwright.filters.patterns.reading import is_last_line_end
from hookwright.filters.patterns.tree import Chars, Choice, End, Repeat, Sequence, Start, Tree, invert

_ANYTHING: Final = Repeat(Chars(invert(())), 0, None)
_LINE_ENDS: Final = ("\n", "\r", "\x85", "\u2028", "\u2029")
# So many are compared in the time of looking at one node of a document.
_CHARACTERS_PER_NODE, _TEXTS_PER_NODE = 256, 8


# How a plain text is looked for, by whether it is held to the start and to the end.
_PLACES: Final[Mapping[tuple[bool, bool], Callable[[str, str], bool]]] = {
    (False, False): str.__contains__,
    (True, False): str.startswith,
    (False, True): str.endswith,
    (True, True): str.__eq__,
}


class _Plain(NamedTuple):
    """A text, and what says whether another has it in the right place.

    What ends in a line's end is left to the automaton if the end matters.
    """

    is_there: Callable[[str, str], bool]
    text: str


class Search:
    """A regular expression that tells whether it is found in a text."""

    __slots__ = ("_beginning", "_needed", "_pattern", "_plain")

    def __init__(self, tree: Tree) -> None:
        """Find out whether there can be an automaton; raise `TooManyStates`."""
        plain = [_read_plain(_flatten(one)) for one in (tree.parts if isinstance(tree, Choice) else (tree,))]
        self._plain = None if None in plain else tuple(one for one in plain if one is not None)
        parts = _flatten(tree)
        runs = list(_list_runs(parts))
        self._needed = max(runs, key=len, default="")
        self._beginning = runs[0] if parts[:1] == (Start(),) and _letter(*parts[1:2]) else ""
        self._pattern = Pattern(Sequence((_ANYTHING, tree, _ANYTHING)))

    @property
    def size(self) -> int:
        """The number of parts of the expression, with its repetitions written out: what it takes to make it."""
        return self._pattern.size

    def finds(self, text: str, spend: Spend) -> bool:
        """Tell whether the expression is found; `spend` is told how many nodes of a document that counts as."""
        if self._plain is not None and not text.endswith(_LINE_ENDS):
            spend(len(self._plain) * (1 + len(text) // _CHARACTERS_PER_NODE))  # as if each went through all of it
            return any(is_there(text, part) for is_there, part in self._plain)
        if not text.startswith(self._beginning):
            spend(1)
            return False
        if self._needed not in text:
            spend(1 + len(text) // _CHARACTERS_PER_NODE)
            return False
        return self._pattern.matches(text, spend)

    def finds_any(self, texts: tuple[str, ...], spend: Spend) -> bool:
        """Tell whether the expression is found in one of the texts, of which most often none comes near to it."""
        spend(1 + len(texts) // _TEXTS_PER_NODE + sum(map(len, texts)) // _CHARACTERS_PER_NODE)
        needed = self._needed
        near = [text for text in texts if needed in text] if needed else texts
        return any(self.finds(text, spend) for text in near)


def _read_plain(parts: tuple[Tree, ...]) -> _Plain | None:
    """Read parts that are letters between anchors, or without them; None if they are something else."""
    at_start = parts[:1] == (Start(),)
    at_end = bool(parts) and (isinstance(parts[-1], End) or is_last_line_end(parts[-1]))
    letters = [_letter(one) for one in parts[at_start : len(parts) - at_end]]
    if not all(letters):
        return None
    return _Plain(_PLACES[at_start, at_end], "".join(letters))


def _list_runs(parts: tuple[Tree, ...]) -> Iterator[str]:
    """Give the texts of letters that directly follow each other; each of them is in every match."""
    for is_letter, run in groupby(parts, key=lambda one: bool(_letter(one))):
        if is_letter:
            yield "".join(map(_letter, run))


def _flatten(tree: Tree) -> tuple[Tree, ...]:
    """Give what stands one after the other, whatever groups it stands in."""
    return tuple(one for part in tree.parts for one in _flatten(part)) if isinstance(tree, Sequence) else (tree,)


def _letter(part: Tree = _ANYTHING) -> str:
    """Give the one character that a part takes; nothing if it may take others, or none."""
    if isinstance(part, Chars) and len(part.ranges) == 1 and part.ranges[0][0] == part.ranges[0][1]:
        return chr(part.ranges[0][0])
    return ""
