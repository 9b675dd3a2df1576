"""What is compared in a filter: literals, arrays of them, regular expressions, and where a path ends."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import NoReturn, cast

from hookwright.filters.grammar.cursor import BLANK, QUOTES, Cursor, ListLiteral, Word, quote
from hookwright.filters.patterns import FLAGS, MAX_STATES, Pattern, PatternRefusal, compile_pattern
from hookwright.filters.values import JsonValue

OPERATOR_CHARS = "=!<>~"

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]-?[0-9]{1,3})?")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE]-?[0-9]{1,3})?")
_MAX_DIGITS = 17  # Jayway keeps a longer number in an array as it was written
_WORD = re.compile(r"[^ ()\[\]&|=!<>~'\",]+")
_FLAGS = re.compile(f"[{FLAGS}]*")
_CONSTANTS = {"true": True, "false": False, "null": None}
# What Jayway reads as a path or as JSON when it stands in an array.
_NO_TEXT = re.compile(r"\s*(?:[@$](?:[.\[].*)?|\[.*\]|\{.*\})\s*", re.DOTALL)


def read_literal(cursor: Cursor) -> Word:
    """Read a string, a number, true, false, null, an array or a regular expression."""
    if cursor.here in QUOTES:
        return cursor.read_string()
    if cursor.here == "[":
        return _read_list(cursor)
    if cursor.here == "/":
        return _read_pattern(cursor)
    word = cursor.match(_WORD)
    if word in _CONSTANTS:
        cursor.take(len(word))
        return _CONSTANTS[word]
    if not _NUMBER.fullmatch(word):
        _refuse_word(cursor, word)
    cursor.take(len(word))
    number = Decimal(word)
    return number or number.copy_abs()  # BigDecimal has no sign on zero


def _refuse_word(cursor: Cursor, word: str) -> NoReturn:
    if cursor.here == "{":
        cursor.refuse("objects are no literals here: compare their members")
    if word.lower() in ("true", "false", "null", "none"):
        plain = word.lower().replace("none", "null")
        why = "JSON's words are true, false and null"
        cursor.refuse(why, rewrite=cursor.replaced(cursor.at, cursor.at + len(word), plain))
    if word[:1] in tuple("0123456789-+."):
        cursor.refuse(f"{word} is no number that is taken, such as 42, -1, 1.5 or 1e3")
    if not word:
        cursor.refuse(f"{cursor.here} cannot stand here")
    if cursor.text.startswith("(", cursor.at + len(word)):
        cursor.refuse("a function stands at the end of a path, as in @.list.length()")
    cursor.refuse(
        "a word without quotes is an error in Jayway",
        rewrite=cursor.replaced(cursor.at, cursor.at + len(word), quote(word)),
    )


def _read_list(cursor: Cursor) -> ListLiteral:
    opened = cursor.at
    values: list[JsonValue] = []
    cursor.take()
    cursor.skip_blanks()
    while not cursor.sees("]"):
        values.append(_read_item(cursor))
        cursor.skip_blanks()
        if cursor.sees(","):
            cursor.take()
            cursor.skip_blanks()
            if cursor.sees("]"):
                cursor.refuse("there is one comma too many", rewrite=cursor.replaced(cursor.at - 1, cursor.at, ""))
        elif not cursor.sees("]"):
            cursor.refuse(
                "this array is not closed" if cursor.ended else "a comma must stand between two values", at=opened
            )
    cursor.take()
    return ListLiteral(values=tuple(values))


def _read_item(cursor: Cursor) -> JsonValue:
    start = cursor.at
    if cursor.ended:
        cursor.refuse("this array is not closed")
    if cursor.here in QUOTES:
        return _read_item_text(cursor)
    word = cursor.match(_WORD)
    if word in _CONSTANTS:
        cursor.take(len(word))
        return _CONSTANTS[word]
    if _JSON_NUMBER.fullmatch(word) and len(word) <= _MAX_DIGITS:
        cursor.take(len(word))
        return cast("int | float", json.loads(word))
    if not word or word[0] in "0123456789-+.":
        cursor.refuse("an array here has texts in quotes, numbers such as 42 and 1.5, true, false and null")
    why = "a text in an array must be in quotes"
    return cursor.refuse(why, rewrite=cursor.replaced(start, start + len(word), quote(word)))


def _read_item_text(cursor: Cursor) -> str:
    start = cursor.at
    text = cursor.read_string()
    raw = cursor.text[start + 1 : cursor.at - 1]
    if "\\" in raw or not raw.isprintable():
        cursor.refuse("Jayway resolves a backslash in an array twice: compare with == outside of the array", at=start)
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        cursor.refuse("Jayway removes the inner quotes of a text in an array: compare with ==", at=start)
    if _NO_TEXT.fullmatch(text):
        cursor.refuse("Jayway takes this text in an array for a path or for JSON: compare with ==", at=start)
    return text


def _read_pattern(cursor: Cursor) -> Pattern:
    start = cursor.at
    stop = cursor.find_unescaped("/", start + 1)
    if stop < 0:
        cursor.refuse("the regular expression is not closed: / must stand at both ends")
    text = cursor.text[start + 1 : stop]
    if cursor.depth > 1 and any(char in text for char in "[]'\""):
        why = "in a filter within a filter, Jayway looks for brackets and quotes in regular expressions too"
        cursor.refuse(why)
    cursor.at = stop + 1
    flags = cursor.match(_FLAGS)
    cursor.take(len(flags))
    try:
        pattern = compile_pattern(text, flags)
    except PatternRefusal as refusal:
        at, to = start + 1 + refusal.at, start + 1 + refusal.stop
        rewrite = None if refusal.instead is None else cursor.replaced(at, to, refusal.instead)
        cursor.refuse(f"in this regular expression, {refusal.why}", at=at, rewrite=rewrite)
    cursor.states += pattern.size
    if cursor.states > MAX_STATES:
        why = f"the regular expressions repeat too much: written out, all together have more than {MAX_STATES} parts"
        cursor.refuse(why, at=start)
    return pattern


def find_query_end(cursor: Cursor) -> int:
    """Give the place after a path in a filter, where Jayway ends it: at a blank, an operator or a parenthesis.

    It jumps over brackets, but not over one that directly follows another: that one it reads letter by letter.
    """
    begin, at = cursor.at, cursor.at + 1
    while at < cursor.end:
        if cursor.text[at] == "[":
            at = find_bracket_end(cursor, at)
            if cursor.text[at : at + 1] == "[":
                _check_second_bracket(cursor, at)
                at += 1
                continue
        char = cursor.text[at : at + 1]
        if char in ("", BLANK, *OPERATOR_CHARS) or (char == ")" and not _closes_function(cursor, at, begin)):
            break
        if char in "&|" and cursor.text[at + 1 : at + 2] == char:
            cursor.refuse(
                f"Jayway takes {char}{char} as part of the path before it: a blank must stand between",
                at=at,
                rewrite=cursor.replaced(at, at, BLANK),
            )
        at += 1
    return at


def find_bracket_end(cursor: Cursor, opened: int) -> int:
    """Give the place after the bracket that closes the one at `opened`, quoted strings left aside."""
    depth, at = 0, opened
    while at < cursor.end:
        char = cursor.text[at]
        if char in QUOTES:
            at = cursor.find_unescaped(char, at + 1)
            if at < 0:
                break
        depth += (char == "[") - (char == "]")
        at += 1
        if depth == 0:
            return at
    return cursor.refuse("the bracket is not closed", at=opened)


def _check_second_bracket(cursor: Cursor, opened: int) -> None:
    stop = find_bracket_end(cursor, opened)
    if any(char in " )(" + OPERATOR_CHARS + "&|[\\" for char in cursor.text[opened + 1 : stop]):
        cursor.refuse(
            "Jayway misreads a second bracket in a row that has other characters than letters: put a dot before it",
            at=opened,
            rewrite=cursor.replaced(opened, opened, "."),
        )


def _closes_function(cursor: Cursor, at: int, begin: int) -> bool:
    return cursor.text[at - 1] == "(" and "." in cursor.text[begin + 1 : at - 1]
