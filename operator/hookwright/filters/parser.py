"""jsonpath-ng's parser with what its grammar lacks: Jayway's functions, operators, literals on the left, `!( … )`.

Three rules are added to its grammar, made of words that its lexer has already:

    jsonpath   : NAMED_OPERATOR                            a back-ticked placeholder: a function, or a literal
    expression : jsonpath FILTER_OP NAMED_OPERATOR jsonpath    any operator, between any two operands
    operand    : FILTER_OP operand                         the opposite of a condition

The table of the grammar is made when the first expression is read, in about 20 ms, and kept nowhere but in memory.
"""

from __future__ import annotations

from functools import cache
from typing import Protocol

from jsonpath_ng.ext.parser import ExtendedJsonPathParser
from jsonpath_ng.jsonpath import JSONPath

NEGATION = "!="
RELATION = "=="
"""What stands for `!`, and what stands before the placeholder of an operator: any words that jsonpath-ng's lexer takes
for a comparison."""


class Placeholder(JSONPath):
    """A back-ticked placeholder: a function at the end of a path, or a literal."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


class Relation(JSONPath):
    """Two operands and the placeholder of the operator between them."""

    def __init__(self, left: JSONPath, key: str, right: JSONPath) -> None:
        super().__init__()
        self.left = left
        self.key = key
        self.right = right


class Negation(JSONPath):
    """The opposite of conditions that hold together."""

    def __init__(self, conditions: list[JSONPath]) -> None:
        super().__init__()
        self.conditions = conditions


class _Production(Protocol):
    """A rule that was found: what its words stand for, and place 0 for what the whole stands for."""

    def __getitem__(self, place: int) -> object: ...
    def __setitem__(self, place: int, value: object) -> None: ...


class _Parser(ExtendedJsonPathParser):
    # No module has this name, so the table is made of the rules of both classes.
    _ply_table_module = "hookwright.filters.no_such_table"

    def p_jsonpath_named_operator(self, p: _Production) -> None:
        "jsonpath : NAMED_OPERATOR"  # noqa: D300, D403, D415 - the rule, as PLY wants it
        p[0] = Placeholder(str(p[1]))

    def p_expression_relation(self, p: _Production) -> None:
        "expression : jsonpath FILTER_OP NAMED_OPERATOR jsonpath"  # noqa: D300, D403, D415 - the rule, as PLY wants it
        p[0] = Relation(p[1], str(p[3]), p[4])  # type: ignore[arg-type] # PLY knows no types

    def p_operand_negation(self, p: _Production) -> None:
        "operand : FILTER_OP operand"  # noqa: D300, D403, D415 - the rule, as PLY wants it
        p[0] = [Negation(p[2])]  # type: ignore[arg-type] # PLY knows no types


@cache
def get_parser() -> ExtendedJsonPathParser:
    """Give the one parser: it writes no files, and must not be shared between threads."""
    return _Parser()
