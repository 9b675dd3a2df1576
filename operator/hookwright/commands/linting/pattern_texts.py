"""The texts that a pattern looks for, as far as they can be written out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from hookwright.filters.patterns.reading import is_last_line_end, read_pattern
from hookwright.filters.patterns.tree import Chars, Choice, End, Start, Tree
from hookwright.filters.patterns.tree import Sequence as Parts

# A pattern that stands for more texts than this is not looked into.
MOST_TEXTS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """One of the texts that a pattern looks for: what it begins and ends with, and whether it is held to an end there.

    `plain` tells that these letters are all of it; `singles` are the characters that are in it whatever else is.
    """

    at_start: bool
    at_end: bool
    begin: str
    end: str
    plain: bool
    singles: tuple[Chars, ...]


def read_texts(pattern: str) -> list[Text]:
    """Give the texts that a pattern looks for; none if there are too many."""
    return [_read_text(parts) for parts in _expand(read_pattern(pattern, "", whole=False)) or ()]


def _expand(tree: Tree) -> list[tuple[Tree, ...]] | None:
    """Write out the alternatives of a pattern; None if there are too many."""
    if isinstance(tree, Parts):
        each = [_expand(part) for part in tree.parts]
        texts: list[tuple[Tree, ...]] = [()]
        for options in each:
            if options is None or len(texts) * len(options) > MOST_TEXTS:
                return None
            texts = [(*one, *other) for one, other in product(texts, options)]
        return texts
    if isinstance(tree, Choice) and not is_last_line_end(tree):
        found = [_expand(part) for part in tree.parts]
        flat = [one for options in found if options is not None for one in options]
        return None if None in found or len(flat) > MOST_TEXTS else flat
    return [(tree,)]


def _read_text(parts: tuple[Tree, ...]) -> Text:
    at_start = parts[:1] == (Start(),)
    at_end = bool(parts) and (isinstance(parts[-1], End) or is_last_line_end(parts[-1]))
    inner = parts[at_start : len(parts) - at_end]
    begin, end = _letters(inner), _letters(inner[::-1])[::-1]
    singles = tuple(one for one in inner if isinstance(one, Chars))
    return Text(at_start=at_start, at_end=at_end, begin=begin, end=end, plain=len(begin) == len(inner), singles=singles)


def _letters(parts: Sequence[Tree]) -> str:
    """Give the letters that parts begin with."""
    letters = []
    for one in parts:
        if not (isinstance(one, Chars) and len(one.ranges) == 1 and one.ranges[0][0] == one.ranges[0][1]):
            break
        letters.append(chr(one.ranges[0][0]))
    return "".join(letters)
