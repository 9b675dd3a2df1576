"""The segments of a path: dots, brackets, `..`, `*`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn

from hookwright.filters.grammar.conditions import read_filter
from hookwright.filters.grammar.cursor import (
    BLANK,
    DOT_NAME,
    MAX_INDEX,
    QUOTES,
    Cursor,
    Translation,
    quote,
)
from hookwright.filters.grammar.functions import read_call
from hookwright.filters.grammar.operands import find_bracket_end

_INDICES = re.compile(r"-?[0-9]+(?: *, *-?[0-9]+)*")
_SLICE = re.compile(r"(-?[0-9]+)?:(-?[0-9]+)?")
_OPERATOR = re.compile(r"[=<>~]")
_JOINT = re.compile(r" [-+*/|&]+ ")
_EXPLAIN_JOINT = "Jayway neither computes with paths nor joins them: give a filter for each path"
# What nobody means as part of a name.
_NOT_IN_NAMES = re.compile(r"[]|&*,)'\"]")
# What somebody may have meant as a name in brackets.
_LOOSE_WORD = re.compile(r"[^\[\]'\",]+")


Kind = Literal["name", "names", "places", "wildcard", "filter", "call"]


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A segment that was read: what it is, where it began, and whether `..` stood before it."""

    kind: Kind
    at: int
    scanned: bool


def translate(text: str) -> Translation:
    """Read a whole expression; raise `Refusal` for what is not taken."""
    # Blanks at the end do not count for Jayway, those at the start do.
    cursor = Cursor(text, end=len(text.rstrip(BLANK)))
    if cursor.ended:
        cursor.refuse("it is empty", rewrite="$")
    _PathReader(cursor).read()
    return cursor.translation()


def _read_argument(cursor: Cursor, *, first: bool) -> Translation:
    """Read a path among the arguments of a function, where `@` is the document too."""
    cursor.write("$")
    cursor.take()
    reader = _PathReader(cursor)
    reader.read_segments()
    if first:
        reader.check_wildcards()
    return cursor.translation()


def _read_query(cursor: Cursor) -> None:
    """Read a path inside a filter, beginning with `@` or `$`."""
    cursor.write(cursor.here)
    cursor.take()
    _PathReader(cursor).read_segments()


class _PathReader:
    """Reads segment after segment."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._steps: list[_Step] = []

    def read(self) -> None:
        """Read a whole expression."""
        cursor = self._cursor
        cursor.write("$")
        if cursor.here in "$@":  # `@` is the document too, where nothing else is meant
            cursor.take()
        else:
            self._read_bare_start()
        self.read_segments()

    def read_segments(self) -> None:
        """Read what follows the root, to the end."""
        while not self._cursor.ended:
            self._read_segment()
        self._check_scans()

    def _add(self, kind: Kind, at: int, *, scanned: bool) -> None:
        self._steps.append(_Step(kind=kind, at=at, scanned=scanned))

    def _read_bare_start(self) -> None:
        """Read the first segment of a path without `$.`, which Jayway puts before it."""
        cursor = self._cursor
        if len(cursor.text) > 1 and cursor.here in QUOTES and cursor.text.endswith(cursor.here):
            cursor.refuse("the whole expression is in quotes", rewrite=cursor.text[1:-1])
        if cursor.here.isspace():
            cursor.refuse("a path must not begin with a blank", rewrite=cursor.text.strip())
        if cursor.sees("."):
            why = "a dot at the start means `..` to Jayway, which looks at every depth: write `$` before it"
            cursor.refuse(why, rewrite="$" + cursor.text)
        self._read_step(scanning=False)

    def _read_segment(self) -> None:
        cursor = self._cursor
        if cursor.sees("["):
            self._read_bracket(scanning=False)
            return
        if not cursor.sees("."):
            self._refuse_junk()
        scanning = cursor.sees("..")
        cursor.take(2 if scanning else 1)
        if cursor.ended:
            cursor.refuse("a path must not end with a dot", at=cursor.at - 1, rewrite=cursor.text.rstrip(". "))
        if cursor.sees("."):
            cursor.refuse("there is one dot too many", rewrite=cursor.replaced(cursor.at, cursor.at + 1, ""))
        if scanning:
            cursor.write("..")
        self._read_step(scanning=scanning)

    def _read_step(self, *, scanning: bool) -> None:
        """Read what follows a dot or two: a name, `*`, or a bracket."""
        cursor = self._cursor
        if cursor.sees("["):
            self._read_bracket(scanning=scanning)
        elif cursor.sees("*"):
            self._add("wildcard", cursor.at, scanned=scanning)
            cursor.take()
            cursor.write("[*]")
        else:
            self._read_dot_name(scanning=scanning)

    def _read_dot_name(self, *, scanning: bool) -> None:
        cursor = self._cursor
        start = cursor.at
        name = cursor.match(DOT_NAME)
        cursor.take(len(name))
        if name and (cursor.ended or cursor.here in ".["):
            self._add("name", start, scanned=scanning)
            self._write_names([name])
        elif cursor.here == "(":
            if scanning:
                cursor.refuse("a function directly after `..` fails in Jayway: name what it is of", at=start)
            self._add("call", start, scanned=False)
            read_call(cursor, name, start, _read_argument)
        else:
            self._refuse_name(start)

    def _refuse_name(self, start: int) -> NoReturn:
        """Refuse what stands after a dot and is no plain name: it needs brackets, or is something else altogether."""
        cursor = self._cursor
        rest = cursor.text[start : cursor.end]
        name = _up_to(" .[(", rest)
        if "`" in name:
            cursor.refuse("functions in back-ticks are jsonpath-ng's own; Jayway has none", at=start)
        if rest[len(name) : len(name) + 1] == BLANK:
            name = _up_to(".[", rest).rstrip(BLANK)
        if name != name.strip():
            why = "only a blank may stand at the end, no tab and no line break"
            cursor.refuse(why, at=start, rewrite=cursor.replaced(start, start + len(name), name.strip()))
        if operator := _OPERATOR.search(name):
            why = "a comparison must stand in a filter, such as [?(@.a == 'x')], or be given as matchEquals"
            cursor.refuse(why, at=start + operator.start())
        if joint := _JOINT.search(name):
            cursor.refuse(_EXPLAIN_JOINT, at=start + joint.start() + 1)
        if len(name) > 1 and name[0] in QUOTES and name.endswith(name[0]):
            why = "a name in quotes must be in brackets, for Jayway takes the quotes after a dot as part of the name"
            cursor.refuse(why, at=start, rewrite=self._in_brackets(start, len(name), name[1:-1]))
        why = "a name with other characters than letters, digits and _ - @ $ : must be in brackets and quotes"
        is_name = name and not _NOT_IN_NAMES.search(name)
        cursor.refuse(why, at=start, rewrite=self._in_brackets(start, len(name), name) if is_name else None)

    def _in_brackets(self, start: int, length: int, name: str) -> str:
        """Give the whole text with a name after a dot put in brackets, which take the place of the dot."""
        before, after = self._cursor.text[:start], self._cursor.text[start + length :]
        if not before:
            before = "$"
        elif not before.endswith(".."):
            before = before.removesuffix(".")
        return f"{before}[{quote(name)}]{after}"

    def _refuse_junk(self) -> NoReturn:
        """Refuse what stands after a bracket, after `*`, or after the root without a dot between."""
        cursor = self._cursor
        if cursor.here == BLANK:
            compact = cursor.text[: cursor.at] + cursor.text[cursor.at :].lstrip(BLANK)
            cursor.refuse("a blank must not stand between two segments", rewrite=compact)
        if cursor.here in "+-*/|&=<>!~":
            cursor.refuse(_EXPLAIN_JOINT)
        cursor.refuse("a dot or a bracket must follow", rewrite=cursor.replaced(cursor.at, cursor.at, "."))

    def _read_bracket(self, *, scanning: bool) -> None:
        cursor = self._cursor
        opened = cursor.at
        cursor.take()
        cursor.skip_blanks()
        here = cursor.here
        if not here:
            cursor.refuse("the bracket is not closed", at=opened, rewrite=cursor.text[:opened] or "$")
        if here in QUOTES:
            names = self._read_bracket_names(opened)
            self._add("name" if len(names) == 1 else "names", opened, scanned=scanning)
            return
        if here == "*":
            self._add("wildcard", opened, scanned=scanning)
            cursor.take()
            cursor.write("[*]")
        elif here.isdecimal() or here in "-:":
            self._add("places", opened, scanned=scanning)
            self._read_places(opened)
        elif here == "?":
            self._add("filter", opened, scanned=scanning)
            read_filter(cursor, opened, _read_query)
        else:
            self._refuse_bracket(opened)
        self._close_bracket(opened)

    def _close_bracket(self, opened: int) -> None:
        cursor = self._cursor
        cursor.skip_blanks()
        if not cursor.sees("]"):
            cursor.refuse("a closing bracket must stand here", at=opened if cursor.ended else cursor.at)
        cursor.take()

    def _read_bracket_names(self, opened: int) -> list[str]:
        """Read one name in quotes, or several, which must all have the same quotes."""
        cursor = self._cursor
        mark = cursor.here
        names = [cursor.read_string()]
        cursor.skip_blanks()
        while cursor.sees(","):
            cursor.take()
            cursor.skip_blanks()
            if cursor.here != mark:
                self._refuse_names(opened, mark)
            names.append(cursor.read_string())
            cursor.skip_blanks()
        self._close_bracket(opened)
        self._write_names(names)
        return names

    def _refuse_names(self, opened: int, mark: str) -> NoReturn:
        cursor = self._cursor
        start = cursor.at
        if cursor.here and cursor.here in QUOTES:
            name = cursor.read_string()
            rewrite = cursor.replaced(start, cursor.at, f"{mark}{name}{mark}") if mark not in name else None
            cursor.refuse("the names in one bracket must have the same quotes", at=start, rewrite=rewrite)
        cursor.refuse("a name in quotes must follow the comma", at=opened if cursor.ended else start)

    def _write_names(self, names: list[str]) -> None:
        cursor = self._cursor
        cursor.write("[")
        for place, name in enumerate(names):
            cursor.write("," if place else "")
            cursor.write_name(name)
        cursor.write("]")

    def _read_places(self, opened: int) -> None:
        """Read an index, a list of indices or a slice: all that begins with a digit, `-` or `:`."""
        cursor = self._cursor
        stop = cursor.text.find("]", cursor.at, cursor.end)
        if stop < 0:
            cursor.refuse("the bracket is not closed", at=opened)
        content = cursor.text[cursor.at : stop].rstrip(BLANK)
        if _INDICES.fullmatch(content):
            places = ",".join(str(self._place(place)) for place in content.split(","))
        elif (ends := _SLICE.fullmatch(content)) and content != ":":
            places = ":".join("" if end is None else str(self._place(end)) for end in ends.groups())
        else:
            self._refuse_places(content, stop)
        cursor.take(len(content))
        cursor.write(f"[{places}]")

    def _place(self, digits: str) -> int:
        place = int(digits)
        if abs(place) > MAX_INDEX:
            self._cursor.refuse(f"an index must not exceed {MAX_INDEX}")
        return place

    def _refuse_places(self, content: str, stop: int) -> NoReturn:
        cursor = self._cursor
        squeezed = content.replace(BLANK, "")
        if content == ":" or squeezed == "::":
            cursor.refuse("a slice needs a start or an end", rewrite=cursor.replaced(cursor.at, stop, "*"))
        if squeezed.count(":") > 1:
            start, end, step = [*squeezed.split(":"), ""][:3]
            rewrite = cursor.replaced(cursor.at, stop, f"{start}:{end}") if step in ("", "1") else None
            cursor.refuse("a slice has no step in Jayway: list the indices, as in [0,2,4]", rewrite=rewrite)
        if squeezed != content:
            cursor.refuse(
                "no blank may be in a slice or in a number", rewrite=cursor.replaced(cursor.at, stop, squeezed)
            )
        cursor.refuse("this is no index, no list of indices such as [0,1] and no slice such as [0:2]")

    def _refuse_bracket(self, opened: int) -> NoReturn:
        """Refuse a bracket that holds none of the things that may be in brackets."""
        cursor = self._cursor
        if cursor.sees("("):
            cursor.refuse("scripts in brackets are not taken; the last element is [-1]", at=opened)
        if cursor.sees("]"):
            cursor.refuse("the bracket is empty", at=opened, rewrite=cursor.replaced(opened, cursor.at + 1, "[*]"))
        stop = find_bracket_end(cursor, opened)
        if cursor.sees("@"):
            inner = cursor.text[cursor.at : stop - 1]
            cursor.refuse("a filter begins with ?(", at=opened, rewrite=cursor.replaced(opened, stop, f"[?({inner})]"))
        word = cursor.text[cursor.at : stop - 1].rstrip(BLANK)
        rewrite = None
        if _LOOSE_WORD.fullmatch(word):
            rewrite = cursor.replaced(opened, stop, f"[{quote(word)}]")
        cursor.refuse("a name in brackets must be in quotes", at=opened, rewrite=rewrite)

    def _check_scans(self) -> None:
        """Refuse a member at the end directly after `..*` or `..[?(…)]`.

        There Jayway keeps the array index of the last evaluation in the compiled path.
        """
        steps = self._steps
        turned = bool(steps) and steps[0].scanned and steps[-1].kind == "call"
        if turned:
            self._check_turned()
        ended = steps[:-1] if turned else steps
        match ended:
            case [
                *_,
                _Step(kind="wildcard" | "filter", scanned=True),
                _Step(kind="name" | "wildcard", scanned=False) as last,
            ]:
                self._cursor.refuse(
                    "a name or * at the end must not follow * or a filter after `..`: "
                    "Jayway's result depends on the documents before this one",
                    at=last.at,
                )

    def _check_turned(self) -> None:
        """Refuse what goes wrong with a function of a path that begins with `..`, which becomes its only argument."""
        cursor, call = self._cursor, self._steps[-1]
        path, dot = cursor.text[: call.at], call.at - 1
        if self._steps[-2].scanned and self._steps[-2].kind not in ("name", "names"):
            cursor.refuse("a function must follow a name after `..`: Jayway counts wrongly after all else", at=call.at)
        name, _, inner = cursor.text[call.at : cursor.end].removesuffix(")").partition("(")
        if name in ("first", "last", "index", "keys"):
            why = f"of a path that begins with `..`, Jayway makes {name}() a function of the whole payload"
            cursor.refuse(why, at=call.at)
        if inner:
            is_whole = cursor.text.startswith("$..") and not cursor.depth
            rewrite = f"$.{name}({path.removesuffix('.')},{inner})" if is_whole and dot else None
            cursor.refuse("of a path that begins with `..`, Jayway forgets the arguments", at=call.at, rewrite=rewrite)
        self.check_wildcards()

    def check_wildcards(self) -> None:
        """Refuse `*` where a path is an argument: Jayway removes the first one when it has evaluated the function."""
        cursor = self._cursor
        for place, step in enumerate(self._steps):
            if step.kind == "wildcard" and (place or step.scanned):  # it never removes what stands first
                stop = cursor.text.index("]", step.at) + 1 if cursor.text[step.at] == "[" else step.at + 1
                rewrite = None if step.scanned else cursor.replaced(step.at, stop, "[0:]")
                why = "Jayway forgets a * in a function's argument after an evaluation: elements of an array are [0:]"
                cursor.refuse(why, at=step.at, rewrite=rewrite)


def _up_to(marks: str, text: str) -> str:
    """Give what of `text` stands before the first of the marks."""
    stops = (text.find(mark) for mark in marks)
    return text[: min((stop for stop in stops if stop >= 0), default=len(text))]
