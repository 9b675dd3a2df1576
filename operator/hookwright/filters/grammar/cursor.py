"""A place in an expression's text, what was read up to there, and how to refuse what stands there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from hookwright.errors import InvalidExpression
from hookwright.filters.nodes import FunctionName, Scalar
from hookwright.filters.patterns import Pattern
from hookwright.filters.values import JsonValue

BLANK = " "  # Jayway's only blank: a tab or a line break is part of a name, or an error
QUOTES = "'\""

# The characters that a name after a dot may have here. Jayway takes more; those belong in brackets and quotes.
DOT_NAME = re.compile(r"[\w\-@$:]+")

# Java reads an index into 32 bits and refuses what does not fit.
MAX_INDEX = 2**31 - 1

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|u|[^u])")
_ESCAPED = {"r": "\r", "f": "\f", "t": "\t", "n": "\n", "b": "\b"}


class Refusal(InvalidExpression):
    """A refusal in the making: why, at which place of the text, and perhaps another text to try."""

    def __init__(self, why: str, *, at: int, rewrite: str | None = None) -> None:
        super().__init__(why)
        self.at = at
        self.rewrite = rewrite


@dataclass(frozen=True, kw_only=True)
class ListLiteral:
    """An array that was written in a filter."""

    values: tuple[JsonValue, ...]


@dataclass(frozen=True, kw_only=True)
class CallText:
    """A function and what stands in its parentheses; paths are not yet parsed."""

    function: FunctionName
    arguments: tuple[Translation | str | int | float, ...]


Word = Scalar | ListLiteral | Pattern | CallText
"""What a placeholder stands for: a name, an operator, a literal, a regular expression, a function."""


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A text for jsonpath-ng, and the words for which its placeholders `k0`, `k1`, … stand."""

    text: str
    values: tuple[Word, ...]


class Cursor:
    """Reads an expression from left to right and writes its translation.

    `text` is the expression as given, `at` the place of the next character, `end` where reading ends, `depth` the
    number of filters that are open, `states` how many its regular expressions have.
    """

    def __init__(self, text: str, *, end: int, at: int = 0) -> None:
        self.text = text
        self.at = at
        self.end = end
        self.depth = 0
        self.states = 0
        self._pieces: list[str] = []
        self._values: list[Word] = []

    @property
    def ended(self) -> bool:
        """Whether nothing is left to read."""
        return self.at >= self.end

    @property
    def here(self) -> str:
        """The next character, or an empty string at the end."""
        return "" if self.ended else self.text[self.at]

    def sees(self, wanted: str) -> bool:
        """Tell whether `wanted` stands here."""
        return self.text.startswith(wanted, self.at, self.end)

    def match(self, pattern: re.Pattern[str]) -> str:
        """Give what of `pattern` stands here, or an empty string; the place stays."""
        found = pattern.match(self.text, self.at, self.end)
        return found[0] if found else ""

    def take(self, length: int = 1) -> None:
        """Go `length` characters on."""
        self.at += length

    def skip_blanks(self) -> bool:
        """Go on to what is no blank; tell whether there was any."""
        start = self.at
        while self.here == BLANK:
            self.at += 1
        return self.at > start

    def write(self, piece: str) -> None:
        """Add a piece to the translation."""
        self._pieces.append(piece)

    def write_name(self, name: str) -> None:
        """Add a name to the translation: a quoted placeholder."""
        self.write(f"'{self._hold(name)}'")

    def write_word(self, word: Word) -> None:
        """Add an operator, a literal or a function to the translation: a back-ticked placeholder."""
        self.write(f"`{self._hold(word)}`")

    def _hold(self, word: Word) -> str:
        self._values.append(word)
        return f"k{len(self._values) - 1}"

    def translation(self) -> Translation:
        """Give what was written."""
        return Translation(text="".join(self._pieces), values=tuple(self._values))

    def refuse(self, why: str, *, at: int | None = None, rewrite: str | None = None) -> NoReturn:
        """Refuse the expression for what stands here, or at `at`."""
        raise Refusal(why, at=self.at if at is None else at, rewrite=rewrite)

    def replaced(self, start: int, stop: int, replacement: str) -> str:
        """Give the whole text with another piece between two places: something to try instead."""
        return self.text[:start] + replacement + self.text[stop:]

    def read_string(self) -> str:
        """Read a quoted string that begins here, with Java's escapes."""
        start, quote = self.at, self.here
        stop = self.find_unescaped(quote, start + 1)
        if stop < 0:
            self.refuse(f"the quote {quote} is not closed", at=start)
        self.at = stop + 1
        return self._unescape(self.text[start + 1 : stop], at=start)

    def find_unescaped(self, char: str, start: int) -> int:
        """Give the place of the next `char` that no backslash precedes, or -1."""
        place = start
        while place < self.end:
            if self.text[place] == "\\":
                place += 1
            elif self.text[place] == char:
                return place
            place += 1
        return -1

    def _unescape(self, raw: str, *, at: int) -> str:
        """Resolve backslashes as Jayway does: any character may be escaped, most stand for themselves."""
        unescaped = _ESCAPE.sub(lambda escape: self._unescape_one(escape[1], at=at), raw)
        try:
            # Java joins two escaped halves of one character by itself.
            return unescaped.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.refuse("this string has half of a character: a surrogate without its pair", at=at)

    def _unescape_one(self, escaped: str, *, at: int) -> str:
        if escaped == "u":
            self.refuse("a \\u in a string must be followed by four hexadecimal digits", at=at)
        if escaped.startswith("u"):
            return chr(int(escaped[1:], 16))
        return _ESCAPED.get(escaped, escaped)


def quote(name: str) -> str:
    """Give a name or string in quotes, with what needs it escaped."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
