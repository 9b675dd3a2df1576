"""What may stand behind a place, as in `(?<=ab|c)`: texts that each have a length, so that nothing goes back."""

from __future__ import annotations

from typing import Final

from hookwright.filters.patterns.classes import LAST_OF_FIRST_PLANE
from hookwright.filters.patterns.tree import LAST, Behind, Chars, Choice, Ranges, Repeat, Sequence, Tree, chars

MAX_TEXTS: Final = 64
MAX_LENGTH: Final = 1_000
# Of a character of the other planes Java sees the second half, as one of these.
_BEYOND: Final = ((0xDC00, 0xDFFF), (LAST_OF_FIRST_PLANE + 1, LAST))


def list_texts(part: Tree) -> tuple[tuple[Ranges, ...], ...] | None:
    """Write out a part as texts, each by what its characters may be; None if that cannot be."""
    texts = _expand(part, MAX_TEXTS)
    return tuple(texts) if texts is not None and all(map(_is_like_java, texts)) else None


def one_behind(ranges: Ranges, *, negated: bool) -> Behind:
    """Look for one character behind a place."""
    return Behind(((ranges,),), negated)


NO_RETURN: Final = one_behind(chars("\r").ranges, negated=True)


def _is_like_java(text: tuple[Ranges, ...]) -> bool:
    """Tell whether Java, to which a character of the other planes is two, goes back as far as the text is long."""
    if not text or any(ranges and ranges[-1][1] > LAST_OF_FIRST_PLANE for ranges in text[1:]):
        return False
    takes = [low <= first and last <= high for first, last in _BEYOND for low, high in text[0]]
    meets = [low <= last and first <= high for first, last in _BEYOND for low, high in text[0]]
    return sum(takes) == len(_BEYOND) or not any(meets)


def _expand(part: Tree, most: int) -> list[tuple[Ranges, ...]] | None:
    """Write out the alternatives of a part; None if it has no fixed length, or more than `most`."""
    match part:
        case Chars(ranges):
            return [(ranges,)]
        case Sequence(parts):
            return _expand_sequence(parts, most)
        case Choice(parts):
            return _expand_choice(parts, most)
        case Repeat():
            return _expand_repeat(part)
        case _:
            return None


def _expand_sequence(parts: tuple[Tree, ...], most: int) -> list[tuple[Ranges, ...]] | None:
    texts: list[tuple[Ranges, ...]] = [()]
    for one in parts:
        found = _expand(one, most // len(texts))
        if found is None:
            return None
        texts = [(*before, *after) for before in texts for after in found]
    return texts


def _expand_choice(parts: tuple[Tree, ...], most: int) -> list[tuple[Ranges, ...]] | None:
    texts: list[tuple[Ranges, ...]] = []
    for one in parts:
        found = _expand(one, most - len(texts))
        if found is None:
            return None
        texts += found
    return texts if len(texts) <= most else None


def _expand_repeat(repeat: Repeat) -> list[tuple[Ranges, ...]] | None:
    # Java knows no length of alternatives that are repeated.
    found = _expand(repeat.part, 1)
    if found is None or repeat.least != repeat.most or len(found[0]) * repeat.least > MAX_LENGTH:
        return None
    return [found[0] * repeat.least]
