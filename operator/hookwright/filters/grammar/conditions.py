"""What stands in a filter: `[?( … )]` with comparisons, existence, `&&`, `||`, `!` and parentheses.

Only the words and their neighbours are checked here: which may follow which, and where Jayway needs a blank. The
structure, parentheses and precedence, is jsonpath-ng's to find.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, auto
from typing import NoReturn

from hookwright.filters.grammar.cursor import BLANK, Cursor, ListLiteral, Word
from hookwright.filters.grammar.operands import OPERATOR_CHARS, find_bracket_end, find_query_end, read_literal
from hookwright.filters.nodes import OPERATORS
from hookwright.filters.parser import NEGATION, RELATION
from hookwright.filters.patterns import Pattern

_OPERATOR_RUN = re.compile(r"[=!<>~]+")
_OPERATOR_WORD = re.compile(r"[A-Za-z]+")
_SLASH = re.compile(r"(\\.)|/")  # or what is escaped already
_LISTS = ("subsetof", "anyof", "noneof")
_ORDERS = ("<", "<=", ">", ">=")
# Operators that no text can use: Jayway takes them, and then nothing passes.
_INSTEAD_OF_OPERATOR = {
    "all": "turn it round, as in ['x'] subsetof @.list",
    "type": "compare the value",
    "matches": "compare the value, or use =~ /regular expression/",
    "exists": "the path alone asks for existence, and ! before it for absence",
}


class _Seen(Enum):
    """What the last word was, as far as it matters for the next one."""

    START = auto()  # nothing yet, an opening parenthesis, `&&` or `||`
    NOT = auto()  # `!` before a path
    LEFT = auto()  # a path or a literal that may be compared
    NEGATED = auto()  # a path after `!`
    OPERATOR = auto()
    RIGHT = auto()  # what stands after an operator
    CLOSED = auto()


_COMPLETE = (_Seen.LEFT, _Seen.NEGATED, _Seen.RIGHT, _Seen.CLOSED)


class QueryText:
    """A path as an operand: it is not known here what it leads to."""


Operand = Word | QueryText
ReadQuery = Callable[[Cursor], None]


def read_filter(cursor: Cursor, opened: int, read_query: ReadQuery) -> None:
    """Read a filter from its `?` to its last parenthesis; `opened` is the place of its bracket."""
    cursor.depth += 1
    _FilterReader(cursor, opened, read_query).read()
    cursor.depth -= 1


class _FilterReader:
    def __init__(self, cursor: Cursor, opened: int, read_query: ReadQuery) -> None:
        self._cursor = cursor
        self._opened = opened
        self._read_query = read_query
        self._seen = _Seen.START
        self._parentheses = 0
        self._left_at = 0  # where the last left operand began
        self._left: Operand = None
        self._operator = ""
        self._operator_at = 0
        self._negation_at: int | None = None  # of a `!` before a path that is compared

    def read(self) -> None:
        cursor = self._cursor
        question = cursor.at
        cursor.take()
        cursor.skip_blanks()
        if not cursor.sees("("):
            self._refuse_without_parentheses(question)
        cursor.write("[?")
        while True:
            blank = cursor.skip_blanks()
            if cursor.ended:
                cursor.refuse("the filter's parenthesis is not closed", at=self._opened)
            self._read_word(after_blank=blank)
            if self._parentheses == 0:
                break
        cursor.skip_blanks()
        if not cursor.sees("]"):
            self._refuse_second_group(question)
        cursor.write("]")

    def _read_word(self, *, after_blank: bool) -> None:
        cursor = self._cursor
        if cursor.here in "&|":
            self._read_connective()
        elif cursor.here == "(":
            self._open()
        elif cursor.here == ")":
            self._close()
        elif cursor.here == "!" and not cursor.sees("!="):
            self._negate()
        elif cursor.here in OPERATOR_CHARS:
            self._read_operator(cursor.match(_OPERATOR_RUN))
        elif self._seen in (_Seen.LEFT, _Seen.NEGATED) and (word := cursor.match(_OPERATOR_WORD)):
            self._read_word_operator(word, after_blank=after_blank)
        else:
            self._read_operand()

    def _open(self) -> None:
        self._expect_start("a parenthesis")
        self._parentheses += 1
        self._cursor.take()
        self._cursor.write("(")

    def _close(self) -> None:
        if self._seen not in _COMPLETE:
            self._cursor.refuse("a condition must stand before the parenthesis")
        self._check_existence()
        self._parentheses -= 1
        self._seen = _Seen.CLOSED
        self._cursor.take()
        self._cursor.write(")")

    def _read_connective(self) -> None:
        cursor = self._cursor
        connective = cursor.here * 2
        if not cursor.sees(connective):
            cursor.refuse(
                f"one {cursor.here} does not join conditions: write {connective}",
                rewrite=cursor.replaced(cursor.at, cursor.at + 1, connective),
            )
        if self._seen not in _COMPLETE:
            cursor.refuse(f"a condition must stand before {connective}")
        self._check_existence()
        self._seen = _Seen.START
        cursor.take(2)
        cursor.write(connective)

    def _negate(self) -> None:
        """Read a `!`: before a path it asks for absence, before all else it turns the condition round."""
        cursor = self._cursor
        self._expect_start("`!`")
        self._negation_at = cursor.at
        cursor.take()
        cursor.skip_blanks()
        if cursor.here and cursor.here in "@$":
            self._seen = _Seen.NOT
            cursor.write("!")
        else:
            cursor.write(f" {NEGATION} ")

    def _read_operator(self, operator: str) -> None:
        if operator not in OPERATORS:
            self._refuse_operator(operator)
        self._take_operator(operator, len(operator))

    def _read_word_operator(self, word: str, *, after_blank: bool) -> None:
        cursor = self._cursor
        operator = word.lower()
        stop = cursor.at + len(word)
        if instead := _INSTEAD_OF_OPERATOR.get(operator):
            cursor.refuse(f"with the operator {word} nothing passes in Jayway: {instead}")
        self._check_connective()
        if operator not in OPERATORS:
            known = ", ".join(sorted(one for one in OPERATORS if one.isalpha()))
            cursor.refuse(f"there is no operator {word}, but == != < <= > >= =~ and {known}")
        if not after_blank:
            cursor.refuse(f"a blank must stand before {word}", rewrite=cursor.replaced(cursor.at, cursor.at, BLANK))
        if cursor.text[stop : stop + 1] != BLANK:
            cursor.refuse(f"a blank must stand after {word}", at=stop, rewrite=cursor.replaced(stop, stop, BLANK))
        self._take_operator(operator, len(word))

    def _take_operator(self, operator: str, length: int) -> None:
        cursor = self._cursor
        if self._seen not in (_Seen.LEFT, _Seen.NEGATED):
            cursor.refuse(f"a path such as @.name, or a literal, must stand before {operator}")
        if self._seen is not _Seen.NEGATED:
            self._negation_at = None
        self._operator, self._operator_at = operator, cursor.at
        self._seen = _Seen.OPERATOR
        cursor.take(length)
        cursor.write(f" {RELATION} ")
        cursor.write_word(operator)
        cursor.write(" ")

    def _refuse_operator(self, operator: str) -> NoReturn:
        cursor = self._cursor
        stop = cursor.at + len(operator)
        instead = {"=": "==", "<>": "!=", "=<": "<=", "=>": ">=", "~": "=~", "~=": "=~"}.get(operator)
        rewrite = cursor.replaced(cursor.at, stop, instead) if instead else None
        cursor.refuse(f"there is no operator {operator} here, but == != < <= > >= =~", rewrite=rewrite)

    def _read_operand(self) -> None:
        cursor = self._cursor
        start = cursor.at
        is_right = self._seen is _Seen.OPERATOR
        if not is_right and self._seen is not _Seen.NOT:
            self._expect_start("a value")
        operand: Operand
        if cursor.here in "@$":
            self._read_path()
            operand = QueryText()
        else:
            operand = read_literal(cursor)
            cursor.write_word(operand)
            if cursor.here and cursor.here not in " )&|" + ("" if is_right else OPERATOR_CHARS):
                cursor.refuse("a blank, a parenthesis, && or || must follow a literal")
        if is_right:
            self._finish_comparison(operand, start)
        else:
            self._left, self._left_at = operand, start
            self._seen = _Seen.NEGATED if self._seen is _Seen.NOT else _Seen.LEFT

    def _read_path(self) -> None:
        """Read a path up to where Jayway ends it."""
        cursor = self._cursor
        end, cursor.end = cursor.end, find_query_end(cursor)
        self._read_query(cursor)
        cursor.end = end

    def _finish_comparison(self, right: Operand, start: int) -> None:
        cursor = self._cursor
        self._seen = _Seen.RIGHT
        if self._negation_at is not None:
            at = self._negation_at + 1
            rewrite = cursor.replaced(at, cursor.at, f"({cursor.text[at : cursor.at]})")
            cursor.refuse("Jayway forgets the `!` of a comparison", at=self._left_at, rewrite=rewrite)
        why, instead = _judge_operands(self._left, self._operator, right, cursor.text[start : cursor.at])
        if why is not None:
            better = cursor.replaced(self._operator_at, cursor.at, instead) if instead else None
            cursor.refuse(why, at=self._operator_at, rewrite=better)

    def _check_existence(self) -> None:
        """Refuse a bare literal; and a bare `$.x`, which Jayway looks for in the item, as if it were `@.x`."""
        cursor, at = self._cursor, self._left_at
        if self._seen not in (_Seen.LEFT, _Seen.NEGATED):
            return
        if not isinstance(self._left, QueryText):
            cursor.refuse("a literal must be compared with something", at=at)
        if cursor.text[at] == "$":
            why = "Jayway looks for a bare `$` path in the item that is tested: write @, or compare its value"
            cursor.refuse(why, at=at, rewrite=cursor.replaced(at, at + 1, "@"))

    def _check_connective(self) -> None:
        """Refuse `and` and `or`."""
        cursor = self._cursor
        word = cursor.match(_OPERATOR_WORD)
        if sign := {"and": "&&", "or": "||"}.get(word.lower()):
            rewrite = cursor.replaced(cursor.at, cursor.at + len(word), sign)
            cursor.refuse(f"{word} does not join conditions: write {sign}", rewrite=rewrite)

    def _expect_start(self, what: str) -> None:
        if self._seen is not _Seen.START:
            self._check_connective()
            self._cursor.refuse(f"{what} cannot stand here: && or || must stand between two conditions")

    def _refuse_without_parentheses(self, question: int) -> NoReturn:
        cursor = self._cursor
        stop = find_bracket_end(cursor, self._opened) - 1
        inner = cursor.text[question + 1 : stop].strip(BLANK)
        rewrite = cursor.replaced(question + 1, stop, f"({inner})") if inner else None
        cursor.refuse("a filter must be in parentheses", at=self._opened, rewrite=rewrite)

    def _refuse_second_group(self, question: int) -> NoReturn:
        """Refuse `[?(a) && (b)]`: Jayway wants one pair of parentheses around everything."""
        cursor = self._cursor
        if cursor.here in ("&", "|"):
            self._refuse_without_parentheses(question)
        cursor.refuse("a closing bracket must follow the filter's last parenthesis")


def _judge_operands(left: Operand, operator: str, right: Operand, text: str) -> tuple[str | None, str | None]:  # noqa: C901, PLR0911 - one early return for each thing that never passes
    """Say why a comparison is refused, if it is, and what to write from its operator on; `text` is its right side."""
    if operator == "=~":
        if isinstance(left, Pattern) != isinstance(right, Pattern):
            return None, None
        instead = None
        if isinstance(right, str) and not isinstance(left, Pattern):
            instead = f"=~ /{_SLASH.sub(lambda found: found[1] or chr(92) + '/', text[1:-1])}/"
        return "=~ needs a regular expression on one side, between slashes: in quotes it matches nothing", instead
    if isinstance(left, Pattern) or isinstance(right, Pattern):
        return f"a regular expression is compared by =~, not by {operator}", None
    if isinstance(left, ListLiteral) and operator not in (*_LISTS, "contains", "size", "empty"):
        return f"an array before {operator} equals nothing in Jayway", None
    if operator in ("in", "nin") and not isinstance(right, (ListLiteral, QueryText)):
        return f"{operator} needs an array after it, or a path to one", f"{'==' if operator == 'in' else '!='} {text}"
    if operator in _LISTS and not all(isinstance(side, (ListLiteral, QueryText)) for side in (left, right)):
        return f"{operator} needs arrays on both sides", f"{operator} [{text}]" if isinstance(left, QueryText) else None
    if operator in (*_ORDERS, "contains", "size", "empty") and isinstance(right, ListLiteral):
        return f"{operator} takes no array after it", f"anyof {text}" if operator == "contains" else None
    if operator == "size" and not isinstance(right, (Decimal, QueryText)):
        return "size needs a number after it, as in @.list size 2", None
    if operator == "empty" and not isinstance(right, (bool, QueryText)):
        return "empty needs true or false after it, as in @.list empty true", None
    return None, None
