"""Functions at the end of a path: `.length()`, `.sum($..x, 1)`, `.concat($.a, "-", $.b)`.

Jayway finds the ends of a function's arguments by counting brackets, whether in quotes or not, and forgets a path after
a `)`; so texts and paths that it would cut in pieces are refused.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn, Protocol, cast

from hookwright.filters.grammar.cursor import BLANK, MAX_INDEX, QUOTES, CallText, Cursor, Translation
from hookwright.filters.nodes import FUNCTIONS, FunctionName

_TEXT = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_BREAKS_TEXT = re.compile(r"[\[\](){},]")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE]-?[0-9]{1,3})?(?=[ ,)])")
_MAX_DIGITS = 17  # Jayway keeps a longer number as it was written
_PATH = re.compile(r"""(?:[^\[\](){},"'\\]|\[(?:'[^'\[\](){}"\\]*'|"[^"\[\](){}\\]*"|[^\[\](){}"'\\])*\])+""")
_WITHOUT_ARGUMENTS: Final = ("length", "size", "keys", "first", "last")
_ELEMENT: Final = {"first": "0", "last": "-1"}

Argument = Translation | str | int | float


class ReadPath(Protocol):
    """Reads a path that is an argument, from its `$` to the end of the cursor."""

    def __call__(self, cursor: Cursor, *, first: bool) -> Translation:
        """Give its translation; `first` tells whether it is the first argument."""


def read_call(cursor: Cursor, name: str, start: int, read_path: ReadPath) -> None:
    """Read a function from its parenthesis on; `start` is the place of its name, which must end the path."""
    dot = start - 1 if cursor.text[start - 1 : start] == "." else start
    if name not in FUNCTIONS:
        _refuse_name(cursor, name, start, dot)
    function = cast("FunctionName", name)
    if cursor.depth and name == "keys":
        cursor.refuse("keys() in a filter is an error in Jayway: test for a member, as in [?(@.name)]", at=start)
    opened = cursor.at
    cursor.take()
    arguments = () if cursor.sees(")") else _read_arguments(cursor, name, read_path)
    cursor.take()
    _check_arguments(cursor, function, arguments, opened)
    if not cursor.ended:
        _refuse_rest(cursor, name, arguments, dot)
    cursor.write(".")
    cursor.write_word(CallText(function=function, arguments=arguments))


def _refuse_name(cursor: Cursor, name: str, start: int, dot: int) -> NoReturn:
    if name == "append":
        why = "append() changes the payload itself in Jayway, so its result depends on what was asked before"
        cursor.refuse(why, at=start, rewrite=cursor.text[:dot] or None)
    if not name:
        cursor.refuse("parentheses may stand in a filter or after a function only", at=start)
    near = f".{name.lower()}()" if name.lower() in FUNCTIONS else None
    rewrite = cursor.replaced(dot, cursor.at + 2, near) if near and cursor.sees("()") else None
    known = ", ".join(sorted(FUNCTIONS))
    cursor.refuse(f"there is no function {name}(), but {known}", at=start, rewrite=rewrite)


def _read_arguments(cursor: Cursor, name: str, read_path: ReadPath) -> tuple[Argument, ...]:
    arguments: list[Argument] = []
    opened = cursor.at - 1
    while True:
        cursor.skip_blanks()
        if cursor.sees(")") and not arguments:
            cursor.refuse("the parentheses are empty", rewrite=cursor.replaced(opened, cursor.at + 1, "()"))
        arguments.append(_read_argument(cursor, name, read_path, first=not arguments))
        cursor.skip_blanks()
        if cursor.sees(")"):
            return tuple(arguments)
        if not cursor.sees(","):
            why = "a comma or a parenthesis must follow an argument"
            cursor.refuse(
                why if not cursor.ended else f"the parenthesis of {name}() is not closed", at=min(cursor.at, cursor.end)
            )
        cursor.take()


def _read_argument(cursor: Cursor, name: str, read_path: ReadPath, *, first: bool) -> Argument:
    if cursor.depth:
        cursor.refuse(f"{name}() takes no arguments in a filter, as Jayway ends the path at the parenthesis")
    if cursor.here == '"':
        return _read_text(cursor)
    if cursor.here == "'":
        stop = cursor.find_unescaped("'", cursor.at + 1)
        inner = cursor.text[cursor.at + 1 : stop]
        rewrite = cursor.replaced(cursor.at, stop + 1, f'"{inner}"') if stop >= 0 and '"' not in inner else None
        cursor.refuse("a text among arguments is in double quotes", rewrite=rewrite)
    if number := cursor.match(_NUMBER):
        if len(number) > _MAX_DIGITS:
            cursor.refuse(f"a number among arguments has {_MAX_DIGITS} characters at most")
        cursor.take(len(number))
        value = json.loads(number)
        return cast("int | float", value)
    if cursor.here and cursor.here in "$@":
        return _read_path(cursor, read_path, first=first)
    return cursor.refuse('an argument is a text in double quotes, a number or a path with $, as in ("x", 1, $.a)')


def _read_text(cursor: Cursor) -> str:
    start = cursor.at
    text = cursor.match(_TEXT)
    if not text:
        cursor.refuse('the quote " is not closed')
    if '\\"' in text or _BREAKS_TEXT.search(text):
        escaped = _BREAKS_TEXT.sub(lambda char: f"\\u{ord(char[0]):04x}", text.replace('\\"', "\\u0022"))
        why = "Jayway takes brackets, commas and quotes in this text for those of the arguments"
        cursor.refuse(why, rewrite=cursor.replaced(start, start + len(text), escaped))
    try:
        found = json.loads(text)
        found.encode()
    except ValueError:
        cursor.refuse("this is no text of JSON")
    cursor.take(len(text))
    return str(found)


def _read_path(cursor: Cursor, read_path: ReadPath, *, first: bool) -> Translation:
    start = cursor.at
    text = cursor.match(_PATH)
    rest = text.rstrip(BLANK)
    stop = start + len(rest)
    after = cursor.text[start + len(text) : start + len(text) + 1]
    if after not in (",", ")"):
        why = "a path among arguments must be without filters, functions, and brackets or quotes in names"
        cursor.refuse(why, at=start + len(text))
    if rest != text:
        cursor.refuse("no blank may follow a path here", rewrite=cursor.replaced(stop, start + len(text), ""))
    inner = Cursor(cursor.text, at=start, end=stop)
    translation = read_path(inner, first=first)
    cursor.take(len(text))
    return translation


def _check_arguments(cursor: Cursor, name: FunctionName, arguments: tuple[Argument, ...], opened: int) -> None:
    stop = cursor.at
    if name in _WITHOUT_ARGUMENTS and arguments:
        inner = cursor.text[opened + 1 : stop - 1]
        rewrite = cursor.replaced(opened, stop, "()")
        if name in ("length", "size") and len(arguments) == 1 and isinstance(arguments[0], Translation):
            rewrite = f"{inner}.{name}()"
        cursor.refuse(f"{name}() takes nothing in its parentheses", at=opened, rewrite=rewrite)
    if name == "index":
        if len(arguments) != 1 or not isinstance(arguments[0], int) or abs(arguments[0]) > MAX_INDEX:
            cursor.refuse("index() takes one whole number, as in .index(0)", at=opened)
    elif name != "concat" and any(isinstance(one, str) for one in arguments):
        cursor.refuse(f"{name}() takes numbers and paths", at=opened)


def _refuse_rest(cursor: Cursor, name: str, arguments: tuple[Argument, ...], dot: int) -> NoReturn:
    """Refuse what follows a function: without arguments, Jayway takes its parenthesis for a name."""
    place = _ELEMENT.get(name) if not arguments else str(arguments[0])
    if cursor.here not in ("", *"." + "[" + QUOTES):
        cursor.refuse("only a function may end with a parenthesis, and it ends the path")
    rewrite = None
    if place is not None and name in ("first", "last", "index"):
        rewrite = cursor.replaced(dot, cursor.at, f"[{place}]")
    cursor.refuse(f"{name}() must be the end of the path", rewrite=rewrite)
