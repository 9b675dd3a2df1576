"""What may stand behind a place, as in `(?<=ab|c)`: texts that each have a length, so that nothing goes back."""

from __future__ import annotations

from typing import Final

from hookwright.filters.patterns.classes import LAST_OF_FIRST_PLANE
from hookwright.filters.patterns.tree import Behind, Chars, Choice, Ranges, Sequence, Tree, chars

MAX_TEXTS: Final = 64


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
    # Of such a character it sees the second half, which a set takes that leaves out others only.
    return not text[0] or text[0][-1][0] <= LAST_OF_FIRST_PLANE


def _expand(part: Tree, most: int) -> list[tuple[Ranges, ...]] | None:
    """Write out the alternatives of a part; None if it has no fixed length, or more than `most`."""
    texts: list[tuple[Ranges, ...]] = []
    match part:
        case Chars(ranges):
            return [(ranges,)]
        case Sequence(parts):
            texts = [()]
            for one in parts:
                found = _expand(one, most // len(texts))
                if found is None:
                    return None
                texts = [(*before, *after) for before in texts for after in found]
            return texts
        case Choice(parts):
            for one in parts:
                found = _expand(one, most - len(texts))
                if found is None:
                    return None
                texts += found
            return texts if len(texts) <= most else None
        case _:
            return None
