"""Sets of characters by name and by case, as Java has them without the flag U: ASCII's."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from hookwright.filters.patterns.refusal import PatternRefusal
from hookwright.filters.patterns.tree import LAST, Ranges, chars, invert, join

LAST_OF_FIRST_PLANE = 0xFFFF
_SURROGATES = range(0xD800, 0xE000)
_ASCII = range(0x80)
_TO_LOWER = 0x20
UNIX_LINE: Final = chars("\n").ranges
LINES: Final = chars("\n", "\r", "\x85", "\u2028", "\u2029").ranges

_UPPER, _LOWER, _DIGIT = ((0x41, 0x5A),), ((0x61, 0x7A),), ((0x30, 0x39),)
_ALPHA = (*_UPPER, *_LOWER)
_ALNUM = (*_DIGIT, *_ALPHA)
_PUNCT = ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E))
_SPACE = ((0x09, 0x0D), (0x20, 0x20))
_WIDE_BLANKS = ((0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200A), (0x202F, 0x202F), (0x205F, 0x205F))
_LETTERS: Final[dict[str, Ranges]] = {
    "d": _DIGIT,
    "w": join((*_ALNUM, (0x5F, 0x5F))),
    "s": _SPACE,
    "h": join(((0x09, 0x09), (0x20, 0x20), *_WIDE_BLANKS, (0x3000, 0x3000))),
    "v": join(((0x0A, 0x0D), (0x85, 0x85), (0x2028, 0x2029))),
}
_NAMED: Final[dict[str, Ranges]] = {
    "Lower": _LOWER,
    "Upper": _UPPER,
    "ASCII": ((0x00, 0x7F),),
    "Alpha": _ALPHA,
    "Digit": _DIGIT,
    "Alnum": _ALNUM,
    "Punct": _PUNCT,
    "Graph": ((0x21, 0x7E),),
    "Print": ((0x20, 0x7E),),
    "Blank": ((0x09, 0x09), (0x20, 0x20)),
    "Cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "XDigit": (*_DIGIT, (0x41, 0x46), (0x61, 0x66)),
    "Space": _SPACE,
}
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\x07", "e": "\x1b"}

_CODE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4}))")
_PROPERTY = re.compile(r"\\([pP])\{([A-Za-z]+)\}")
_LETTER = re.compile(r"\\([A-Za-z])")
_OTHER = re.compile(r"\\([^A-Za-z0-9])", re.DOTALL)


class Case(Enum):
    """Which letters are the same: each its own, ASCII's without regard to case, all without regard to case."""

    EXACT = auto()
    ASCII = auto()
    UNICODE = auto()


def read_escape(text: str, at: int, case: Case) -> tuple[str | Ranges, int]:
    """Read a backslash and what belongs to it: a character, or a set of them, and the place after it.

    Raises:
        PatternRefusal: it means no such thing, or not in each release of Java.
    """
    if code := _CODE.match(text, at):
        return _from_code(code), code.end()
    if found := _PROPERTY.match(text, at):
        return _from_name(found, case), found.end()
    if letter := _LETTER.match(text, at):
        return _from_letter(letter), letter.end()
    if other := _OTHER.match(text, at):
        return other[1], other.end()
    why = "back-references and octal numbers are not taken, nor is a backslash at the end"
    raise PatternRefusal(why, at=at, stop=at + 1)


def _from_code(found: re.Match[str]) -> str:
    code = int(found[1] or found[2] or found[3], 16)
    if code in _SURROGATES or code > LAST:
        why = "this is no character: give one beyond U+FFFF as \\x{1F600}"
        raise PatternRefusal(why, at=found.start(), stop=found.end())
    return chr(code)


def _from_letter(found: re.Match[str]) -> str | Ranges:
    letter = found[1]
    ranges = _LETTERS.get(letter.lower())
    if ranges is not None:
        return ranges if letter.islower() else invert(ranges)
    if letter not in _CONTROLS:
        raise PatternRefusal(f"\\{letter} is not taken", at=found.start(), stop=found.end())
    return _CONTROLS[letter]


def _from_name(found: re.Match[str], case: Case) -> Ranges:
    ranges = _NAMED.get(found[2])
    why = None
    if ranges is None:
        why = f"{found[0]} is not taken, for each Java has another Unicode: write the characters, as in [A-Za-z]"
    elif case is not Case.EXACT and found[2] in ("Lower", "Upper"):
        why = f"with the flag i {found[0]} is not the same in each Java: write [A-Za-z]"
    if ranges is None or why is not None:
        raise PatternRefusal(why or "", at=found.start(), stop=found.end())
    return ranges if found[1] == "p" else invert(join(ranges))


# The letters beyond ASCII whose other case is ASCII's, by Java's simple mappings: upper case, then lower case of that.
_UPPER_OF = {0x131: 0x49, 0x17F: 0x53}
_LOWER_OF = {0x130: 0x69, 0x212A: 0x6B}


def fold(ranges: Ranges, case: Case) -> Ranges | None:
    """Add what is the same letter but for its case; None for letters beyond ASCII whose case is Unicode's matter."""
    if case is Case.EXACT:
        return ranges
    return _fold_range(ranges, case) if len(ranges) == 1 else _fold(ranges, case)


def _fold(ranges: Ranges, case: Case) -> Ranges | None:
    added = [ord(chr(code).swapcase()) for low, high in _ALPHA for code in range(low, high + 1) if _has(ranges, code)]
    if case is Case.UNICODE:
        for low, high in ranges:
            if high not in _ASCII and not (low == high and chr(low).lower() == chr(low).upper()):
                return None
            if low == high and low in _ASCII:  # one character is compared by its lower case, a range as it is
                added.extend(code for code, _, lower in _RELATED if lower == _lower(low))
        added.extend(c for c, upper, lower in _RELATED if _has(ranges, upper) or _has(ranges, lower))
    return join((*ranges, *((code, code) for code in added)))


# Most are single letters, which come again and again.
_fold_range = lru_cache(maxsize=1024)(_fold)


def _has(ranges: Ranges, code: int) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _upper(code: int) -> int:
    return code - _TO_LOWER if _has(_LOWER, code) else _UPPER_OF.get(code, code)


def _lower(code: int) -> int:
    return code + _TO_LOWER if _has(_UPPER, code) else _LOWER_OF.get(code, code)


# All that is the same letter as one of ASCII's, its upper case, and the lower case of that.
_RELATED = tuple((code, _upper(code), _lower(_upper(code))) for code in (*range(0x80), *sorted(_UPPER_OF | _LOWER_OF)))
