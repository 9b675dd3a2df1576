"""How Jayway reads the elements of an array when an operator such as `in` or `contains` looks into it.

It is not how it reads a value that a path leads to: quotes around a text fall away, backslashes are resolved, a text
that is a path or JSON is no text any more, and an array or object among the elements ends the whole evaluation.

Whether a text is a path or JSON is told by Jayway's own parsers, which take nearly everything. Where it is not plain
what they would take, such a text is a `Doubtful` one, and an evaluation whose result hangs on it has none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from hookwright.filters.comparison import equal
from hookwright.filters.failures import Failed
from hookwright.filters.java_numbers import ComparisonError
from hookwright.filters.values import JsonValue

Spend = Callable[[int], None]

_BLANKS: Final = "".join(map(chr, range(0x21)))  # what `String.trim` removes
_ESCAPE = re.compile(r"\\(u(.{0,4})|.|$)", re.DOTALL)
_ESCAPED = {"r": "\r", "f": "\f", "t": "\t", "n": "\n", "b": "\b"}
_HEX = re.compile(r"[+-]?[0-9A-Fa-f]+")
_PLAIN_WORDS = re.compile(r"[A-Za-z_][^\],\x1a]*|-?[0-9]{1,9}|")
_BRACKETS = {"[": "]", "{": "}"}
_CODE_LENGTH = 4
_CHARACTERS_PER_NODE = 64  # comparing so many characters counts as looking at one node
_CHARACTERS_OF_JSON_PER_NODE = 8  # so does finding out whether so many are JSON
_ESCAPES_PER_NODE = 2  # and resolving so many backslashes


@dataclass(frozen=True, slots=True)
class PathText:
    """A text that is a path, which equals nothing."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A text that is JSON, which equals the same text only."""

    text: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A text that may be a path or JSON (`as_json`), and what it is if it is neither."""

    text: str
    plain: str
    as_json: bool


Element = None | bool | int | float | str | PathText | JsonText | Doubtful


def read_elements(values: Sequence[JsonValue], spend: Spend) -> list[Element]:
    """Read all elements of an array; raise `Failed` where Jayway fails, `ComparisonError` for a number too large."""
    spend(len(values))
    return [_read(value, spend) for value in values]


def _read(value: JsonValue, spend: Spend) -> Element:
    if isinstance(value, str):
        return _read_text(value, spend) if len(value) > 1 or value in ("@", "$") else value
    if isinstance(value, (list, dict)):
        raise Failed("an array is looked into that has arrays or objects in it, with which Jayway fails")
    if isinstance(value, float) and not math.isfinite(value):
        raise ComparisonError
    return value


def _read_text(text: str, spend: Spend) -> Element:
    first = text[0] if text[0] > " " else text.strip(_BLANKS)[:1]
    if first in ("@", "$"):
        path = text.strip(_BLANKS)
        if len(path) == 1:
            return PathText()
        if path[1] in ".[":
            return Doubtful(text, _plain(text, spend), as_json=False)
    elif first in ("[", "{"):
        spend(len(text) // _CHARACTERS_OF_JSON_PER_NODE)
        stripped = text.strip(_BLANKS)
        if len(stripped) > 1 and stripped.endswith(_BRACKETS[first]):
            known = _is_json(stripped)
            if known is None:
                return Doubtful(text, _plain(text, spend), as_json=True)
            if known:
                return JsonText(text)
    return _plain(text, spend)


def _is_json(text: str) -> bool | None:
    """Tell whether json-smart reads a text in brackets or braces; None if that is not plain."""
    inner = text[1:-1].strip(" \t\r\n")
    if not inner:
        return True
    if text[0] == "{":
        return None if ":" in inner or inner[0] in ",}" else False
    return True if all(_PLAIN_WORDS.fullmatch(part.strip(" \t\r\n")) for part in inner.split(",")) else None


def _plain(text: str, spend: Spend) -> str:
    """Remove quotes around a text, and resolve its backslashes."""
    if text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    escapes = text.count("\\")
    if not escapes:
        return text
    spend(escapes // _ESCAPES_PER_NODE + len(text) // _CHARACTERS_PER_NODE)
    resolved = _ESCAPE.sub(_resolve, text)
    # Java joins two escaped halves of one character by itself.
    return resolved.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _resolve(escape: re.Match[str]) -> str:
    code = escape[2]
    if code is None:
        return _ESCAPED.get(escape[1], escape[1]) if escape[1] else "\\"
    if len(code) < _CODE_LENGTH:
        return ""
    if not _HEX.fullmatch(code):
        raise Failed("a text of an array has \\u without four hexadecimal digits, with which Jayway fails")
    return chr(int(code, 16) & 0xFFFF)


def same(left: object, right: Element, spend: Spend) -> bool:
    """Tell whether a value (or element) equals an element; raise `Failed` where that cannot be told."""
    if isinstance(left, (PathText, list, dict)) or isinstance(right, PathText):
        return False
    if isinstance(left, Doubtful) or isinstance(right, Doubtful):
        return _same_doubtful(left, right)
    if isinstance(left, JsonText) or isinstance(right, JsonText):
        return left == right
    return equal(left, right, spend)  # type: ignore[arg-type] # it was one of the kinds that remain


def _same_doubtful(left: object, right: Element) -> bool:
    if isinstance(left, Doubtful) and isinstance(right, Doubtful):
        if left.as_json and right.as_json and left.text == right.text:
            return True  # both are JSON, or both are texts
        doubt = left.plain == right.plain
    elif isinstance(left, Doubtful):
        doubt = right == left.plain or (isinstance(right, JsonText) and right.text == left.text)
    elif isinstance(right, Doubtful):
        doubt = left == right.plain or (isinstance(left, JsonText) and left.text == right.text)
    else:
        doubt = False
    if doubt:
        refuse_doubt()
    return False


def refuse_doubt() -> NoReturn:
    """Raise for a result that hangs on whether Jayway takes a text for a path or for JSON."""
    raise Failed("a text of an array looks like a path or like JSON, and as what Jayway compares it cannot be told")
