"""What stands in a filter: `[?( … )]` with comparisons, existence, `&&`, `||`, `!` and parentheses.

Only the words and their neighbours are checked here: which may follow which, and where Jayway needs a blank. The
structure, parentheses and precedence, is jsonpath-ng's to find.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum, auto
from typing import NoReturn

from hookwright.filters.grammar.cursor import (
    BLANK,
    DOT_NAME,
    MAX_INDEX,
    QUOTES,
    Cursor,
    explain_function,
    outside_strings,
    quote,
)

_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_OPERATOR_CHARS = "=!<>~"
_OPERATOR_RUN = re.compile(r"[=!<>~]+")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE]-?[0-9]{1,3})?")
_WORD = re.compile(r"[^ ()\[\]&|=!<>~'\",]+")
_INDEX = re.compile(r"-?[0-9]+")
# A second bracket in a row is read by Jayway letter by letter, so only letters without a meaning may be in it.
_PLAIN_NAME = re.compile(r"[\w\-@$:./]*")
# Jayway's operators that are words, and what says the same.
_INSTEAD_OF_OPERATOR = {
    "in": "write @.a == 'x' || @.a == 'y'",
    "nin": "write @.a != 'x' && @.a != 'y'",
    "contains": "let the path lead to the elements, as in $.list[*], and give the text as matchEquals",
    "size": "ask for the elements, as in @.list[1] && !@.list[2] for two",
    "empty": "ask for the first element, as in !@.list[0]",
    "all": "compare the elements, as in @.list[0] == 'x'",
    "type": "compare the value with ==",
    "matches": "compare the value with ==",
    "subsetof": "compare the elements, as in @.list[0] == 'x'",
    "anyof": "compare the elements, as in @.list[0] == 'x'",
    "noneof": "compare the elements, as in @.list[0] != 'x'",
}
_CONSTANTS = {"true": True, "false": False, "null": None}


class _Seen(Enum):
    """What the last word was, as far as it matters for the next one."""

    START = auto()  # nothing yet, an opening parenthesis, `&&` or `||`
    NOT = auto()
    LEFT = auto()  # a query that may be compared
    NEGATED = auto()  # a query after `!`
    OPERATOR = auto()
    RIGHT = auto()  # a query after an operator
    LITERAL = auto()
    CLOSED = auto()


_QUERIES = (_Seen.LEFT, _Seen.NEGATED, _Seen.RIGHT)
_COMPLETE = (*_QUERIES, _Seen.LITERAL, _Seen.CLOSED)


def read_filter(cursor: Cursor, opened: int) -> None:
    """Read a filter from its `?` to its last parenthesis; `opened` is the place of its bracket."""
    _FilterReader(cursor, opened).read()


class _FilterReader:
    def __init__(self, cursor: Cursor, opened: int) -> None:
        self._cursor = cursor
        self._opened = opened
        self._seen = _Seen.START
        self._depth = 0
        self._query_at = 0  # where the last query began

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
            if self._depth == 0:
                break
        cursor.skip_blanks()
        if not cursor.sees("]"):
            self._refuse_second_group(question)
        cursor.write("]")

    def _read_word(self, *, after_blank: bool) -> None:
        cursor = self._cursor
        if cursor.here in "&|":
            self._read_connective(after_blank=after_blank)
        elif cursor.here == "(":
            self._open()
        elif cursor.here == ")":
            self._close()
        elif cursor.here == "!" and not cursor.sees("!="):
            self._negate()
        elif cursor.here in _OPERATOR_CHARS:
            self._read_operator()
        elif cursor.here in "@$":
            self._read_operand_query()
        else:
            self._read_literal()

    def _open(self) -> None:
        if self._seen is _Seen.NOT:
            self._cursor.refuse("`!` before a parenthesis is not taken: turn the comparisons round, as in @.a != 'x'")
        self._expect_start("a parenthesis")
        self._depth += 1
        self._cursor.take()
        self._cursor.write("(")

    def _close(self) -> None:
        if self._seen not in _COMPLETE:
            self._cursor.refuse("a condition must stand before the parenthesis")
        self._check_existence()
        self._depth -= 1
        self._seen = _Seen.CLOSED
        self._cursor.take()
        self._cursor.write(")")

    def _read_connective(self, *, after_blank: bool) -> None:
        cursor = self._cursor
        connective = cursor.here * 2
        if not cursor.sees(connective):
            cursor.refuse(
                f"one {cursor.here} does not join conditions: write {connective}",
                rewrite=cursor.replaced(cursor.at, cursor.at + 1, connective),
            )
        if self._seen not in _COMPLETE:
            cursor.refuse(f"a condition must stand before {connective}")
        if self._seen in _QUERIES and not after_blank:
            cursor.refuse(
                f"Jayway takes {connective} as part of the path before it: a blank must stand between",
                rewrite=cursor.replaced(cursor.at, cursor.at, BLANK),
            )
        self._check_existence()
        self._seen = _Seen.START
        cursor.take(2)
        cursor.write(connective)

    def _negate(self) -> None:
        self._expect_start("`!`")
        self._seen = _Seen.NOT
        self._cursor.take()
        self._cursor.write("!")

    def _read_operator(self) -> None:
        cursor = self._cursor
        operator = cursor.match(_OPERATOR_RUN)
        if operator not in _OPERATORS:
            self._refuse_operator(operator)
        if self._seen is _Seen.NEGATED:
            cursor.refuse("Jayway forgets the `!` of a comparison: use the opposite operator", at=self._query_at)
        if self._seen is not _Seen.LEFT:
            cursor.refuse(f"a path such as @.name must stand before {operator}")
        self._seen = _Seen.OPERATOR
        cursor.take(len(operator))
        cursor.write(operator)

    def _refuse_operator(self, operator: str) -> NoReturn:
        cursor = self._cursor
        stop = cursor.at + len(operator)
        if operator == "=~":
            cursor.refuse("regular expressions are not taken: compare with ==, as in @.a == 'x' || @.a == 'y'")
        instead = {"=": "==", "===": "==", "!==": "!=", "<>": "!=", "=<": "<=", "=>": ">="}.get(operator)
        rewrite = cursor.replaced(cursor.at, stop, instead) if instead else None
        cursor.refuse(f"there is no operator {operator} here, but == != < <= > >=", rewrite=rewrite)

    def _read_operand_query(self) -> None:
        cursor = self._cursor
        is_right = self._seen is _Seen.OPERATOR
        if not is_right and self._seen is not _Seen.NOT:
            self._expect_start("a path")
        self._query_at = cursor.at
        _read_query(cursor)
        if is_right:
            self._seen = _Seen.RIGHT
        else:
            self._seen = _Seen.NEGATED if self._seen is _Seen.NOT else _Seen.LEFT

    def _check_existence(self) -> None:
        """Refuse a bare `$.x`, which Jayway looks for in the item that is tested, as if it were `@.x`."""
        cursor, at = self._cursor, self._query_at
        if self._seen in (_Seen.LEFT, _Seen.NEGATED) and cursor.text[at] == "$":
            why = "Jayway looks for a bare `$` path in the item that is tested: write @, or compare its value"
            cursor.refuse(why, at=at, rewrite=cursor.replaced(at, at + 1, "@"))

    def _read_literal(self) -> None:
        cursor = self._cursor
        start = cursor.at
        value = _scan_literal(cursor)
        if self._seen is not _Seen.OPERATOR:
            self._refuse_misplaced_literal(start)
        cursor.write_value(value)
        if cursor.here and cursor.here not in " )&|":
            cursor.refuse("a blank, a parenthesis, && or || must follow a literal")
        self._seen = _Seen.LITERAL

    def _refuse_misplaced_literal(self, start: int) -> NoReturn:
        cursor = self._cursor
        if self._seen is _Seen.START:
            cursor.refuse(
                "a condition must begin with a path: write the literal on the right, as in @.a == 'x'", at=start
            )
        cursor.refuse("&& or || must stand between two conditions", at=start)

    def _expect_start(self, what: str) -> None:
        if self._seen is not _Seen.START:
            self._cursor.refuse(f"{what} cannot stand here: && or || must stand between two conditions")

    def _refuse_without_parentheses(self, question: int) -> NoReturn:
        cursor = self._cursor
        depth = 0

        def closes(char: str) -> bool:
            nonlocal depth
            depth += (char == "[") - (char == "]")
            return depth < 0

        stop = outside_strings(cursor, closes, question + 1)
        inner = cursor.text[question + 1 : stop].strip(BLANK)
        rewrite = cursor.replaced(question + 1, stop, f"({inner})") if stop > 0 and inner else None
        cursor.refuse("a filter must be in parentheses", at=self._opened, rewrite=rewrite)

    def _refuse_second_group(self, question: int) -> NoReturn:
        """Refuse `[?(a) && (b)]`: Jayway wants one pair of parentheses around everything."""
        cursor = self._cursor
        if cursor.here in ("&", "|"):
            self._refuse_without_parentheses(question)
        cursor.refuse("a closing bracket must follow the filter's last parenthesis")


def _read_query(cursor: Cursor) -> None:
    """Read a definite path inside a filter, beginning with `@` or `$`."""
    cursor.write(cursor.here)
    cursor.take()
    bracketed = False  # whether the step before was a bracket
    while cursor.here and cursor.here in ".[":
        dotted = cursor.here == "."
        if dotted:
            cursor.take()
        if cursor.sees("["):
            _read_query_bracket(cursor, plain=bracketed and not dotted)
            bracketed = True
        else:
            _read_query_name(cursor)
            bracketed = False
    if cursor.here and cursor.here not in " )&|" + _OPERATOR_CHARS:
        cursor.refuse("a path in a filter goes on here with what is not taken: a dot, a bracket or a blank may follow")


def _read_query_name(cursor: Cursor) -> None:
    name = cursor.match(DOT_NAME)
    if cursor.sees(".") or cursor.sees("*"):
        _refuse_many(cursor)
    if not name:
        cursor.refuse("a name must stand here; one with other characters than letters, digits, _ - must be in [' ']")
    after = cursor.text[cursor.at + len(name) : cursor.at + len(name) + 1]
    if after == "(":
        cursor.refuse(explain_function(name))
    cursor.take(len(name))
    cursor.write("[")
    cursor.write_value(name)
    cursor.write("]")


def _read_query_bracket(cursor: Cursor, *, plain: bool) -> None:
    """Read a name or an index in brackets; `plain`: directly after another bracket."""
    opened = cursor.at
    cursor.take()
    cursor.write("[")
    if cursor.here and cursor.here in QUOTES:
        name = cursor.read_string()
        if plain and not _PLAIN_NAME.fullmatch(cursor.text[opened + 2 : cursor.at - 1]):
            cursor.refuse(
                "Jayway misreads a second bracket in a row that has other characters than letters: put a dot before it",
                at=opened,
                rewrite=cursor.replaced(opened, opened, "."),
            )
        cursor.write_value(name)
    elif index := cursor.match(_INDEX):
        if abs(int(index)) > MAX_INDEX:
            cursor.refuse(f"an index must not exceed {MAX_INDEX}")
        cursor.take(len(index))
        cursor.write(str(int(index)))
    elif cursor.here == BLANK:
        cursor.refuse("no blank may be in a bracket inside a filter")
    else:
        _refuse_many(cursor)
    if not cursor.sees("]"):
        _refuse_many(cursor)
    cursor.take()
    cursor.write("]")


def _refuse_many(cursor: Cursor) -> NoReturn:
    cursor.refuse(
        "a path in a filter must lead to one value, by names and single indices: "
        "Jayway compares the list that any other gives, and a list equals no literal"
    )


def _scan_literal(cursor: Cursor) -> str | bool | Decimal | None:
    """Read a string, a number, true, false or null."""
    if cursor.here in QUOTES:
        return cursor.read_string()
    word = cursor.match(_WORD)
    if word in _CONSTANTS:
        cursor.take(len(word))
        return _CONSTANTS[word]
    if not _NUMBER.fullmatch(word):
        _refuse_word(cursor, word)
    cursor.take(len(word))
    return _number(word)


def _number(text: str) -> Decimal:
    """Read a number as Java's BigDecimal does: exactly, and without a sign on zero."""
    number = Decimal(text)
    return number or number.copy_abs()


def _refuse_word(cursor: Cursor, word: str) -> NoReturn:
    if cursor.here in ("/", "[", "{"):
        cursor.refuse("regular expressions, arrays and objects are no literals here: compare with ==, joined by ||")
    if instead := _INSTEAD_OF_OPERATOR.get(word.lower()):
        cursor.refuse(f"the operator {word} is not taken: {instead}")
    if word.lower() in ("true", "false", "null", "none"):
        plain = word.lower().replace("none", "null")
        why = "JSON's words are true, false and null"
        cursor.refuse(why, rewrite=cursor.replaced(cursor.at, cursor.at + len(word), plain))
    if word[:1] in tuple("0123456789-+."):
        cursor.refuse(f"{word} is no number that is taken, such as 42, -1, 1.5 or 1e3")
    if not word:
        cursor.refuse(f"{cursor.here} cannot stand here")
    cursor.refuse(
        "a word without quotes is an error in Jayway",
        rewrite=cursor.replaced(cursor.at, cursor.at + len(word), quote(word)),
    )
