"""The tree of an expression, in the terms of Jayway's evaluation: what grammar and parser make, what is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Scalar = None | bool | str | Decimal
"""A literal of a filter. Numbers are decimals, because Jayway compares the text that was written (`1.0`, `1e3`)."""

Operator = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, kw_only=True)
class Name:
    """The member of that name."""

    name: str


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
class Query:
    """A definite path inside a filter, from the item that is tested (`@`) or from the document (`$`)."""

    from_document: bool
    steps: tuple[Name | Index, ...]


@dataclass(frozen=True, kw_only=True)
class Exists:
    """Whether the query finds something, be it null; `negated`: whether it does not."""

    query: Query
    negated: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A value compared with a literal or with another value."""

    left: Query
    operator: Operator
    right: Query | Scalar


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


Condition = Exists | Comparison | AllOf | AnyOf
Segment = Name | Index | Indices | Slice | Wildcard | Scan | Where


@dataclass(frozen=True, kw_only=True)
class Path:
    """A whole expression: its segments from the document on."""

    segments: tuple[Segment, ...]

    @property
    def steps(self) -> tuple[Name | Index, ...] | None:
        """The segments if each of them leads to one value at most, which makes the path definite; else None."""
        steps = tuple(segment for segment in self.segments if isinstance(segment, (Name, Index)))
        return steps if len(steps) == len(self.segments) else None
