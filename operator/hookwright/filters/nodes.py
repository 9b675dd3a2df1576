"""The tree of an expression, in the terms of Jayway's evaluation: what grammar and parser make, what is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from hookwright.filters.patterns import Pattern
from hookwright.filters.values import JsonValue

Scalar = None | bool | str | Decimal
"""A literal of a filter. Numbers are decimals, because Jayway compares the text that was written (`1.0`, `1e3`)."""

Operator = Literal[
    "==", "!=", "===", "!==", "<", "<=", ">", ">=", "=~",
    "in", "nin", "contains", "size", "empty", "subsetof", "anyof", "noneof",
]  # fmt: skip
OPERATORS: frozenset[str] = frozenset(get_args(Operator))

FunctionName = Literal[
    "length", "size", "min", "max", "sum", "avg", "stddev", "concat", "keys", "first", "last", "index"
]
FUNCTIONS: frozenset[str] = frozenset(get_args(FunctionName))


@dataclass(frozen=True, kw_only=True)
class Name:
    """The member of that name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Names:
    """The members of those names: at the end of a path one object of them, before that one after the other."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Index:
    """The element at that place; negative counts from the end."""

    index: int


@dataclass(frozen=True, kw_only=True)
class Indices:
    """The elements at those places, in this order, doubles included."""

    indices: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The elements from `start` to before `stop`; at least one of the two is given."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, kw_only=True)
class Wildcard:
    """All members or elements."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """`..`: the segment after it, applied to the node and to everything below it."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function of the value; it ends a path. Paths among its arguments lead from the document on."""

    function: FunctionName
    arguments: tuple[Path | str | int | float, ...]


@dataclass(frozen=True, kw_only=True)
class Count:
    """The number of values that `path` leads to from here; it is a path of its own.

    `path` has one segment more than `argument`, which must have a result from the document on.
    """

    path: Path
    argument: Path


@dataclass(frozen=True, kw_only=True)
class Query:
    """A path inside a filter, from the item that is tested (`@`) or from the document (`$`)."""

    from_document: bool
    path: Path


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A literal: a scalar, or an array of JSON values."""

    value: Scalar | list[JsonValue]


@dataclass(frozen=True, kw_only=True)
class Regex:
    """A regular expression, on one side of `=~`."""

    pattern: Pattern


@dataclass(frozen=True, kw_only=True)
class Exists:
    """Whether the query finds something, be it null; `negated`: whether it does not."""

    query: Query
    negated: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A value set against another one."""

    left: Operand
    operator: Operator
    right: Operand


@dataclass(frozen=True, kw_only=True)
class Not:
    """The opposite of a condition."""

    condition: Condition


@dataclass(frozen=True, kw_only=True)
class AllOf:
    """`&&` of two or more conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class AnyOf:
    """`||` of two or more conditions."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class Where:
    """A filter: an object is tested itself, of an array each element is."""

    condition: Condition


Operand = Query | Constant | Regex
Condition = Exists | Comparison | Not | AllOf | AnyOf
Segment = Name | Names | Index | Indices | Slice | Wildcard | Scan | Where | Call | Count


@dataclass(frozen=True, kw_only=True)
class Path:
    """A whole expression: its segments from the document on."""

    segments: tuple[Segment, ...]

    @property
    def steps(self) -> tuple[Name | Index, ...] | None:
        """The segments if all of them are single names and indices; else None."""
        steps = tuple(segment for segment in self.segments if isinstance(segment, (Name, Index)))
        return steps if len(steps) == len(self.segments) else None

    @property
    def definite(self) -> bool:
        """Whether it leads to one value at most, as Jayway sees it: several names at its end make one object."""
        *before, last = self.segments or (Name(name=""),)
        return isinstance(last, (Name, Names, Index, Call, Count)) and all(
            isinstance(one, (Name, Index)) for one in before
        )
