"""From jsonpath-ng's tree to ours: an allow-list of its nodes, with the words put back for the placeholders."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from jsonpath_ng import jsonpath as ng
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext import filter as ng_filter
from jsonpath_ng.ext.parser import ExtendedJsonPathParser

from hookwright.filters.grammar import Refusal, Translation
from hookwright.filters.nodes import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Exists,
    Index,
    Indices,
    Name,
    Operator,
    Path,
    Query,
    Scalar,
    Scan,
    Segment,
    Slice,
    Where,
    Wildcard,
)

_OPERATORS: dict[str, Operator] = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def parse(translation: Translation) -> Path:
    """Parse a translated expression; raise `Refusal` for what jsonpath-ng refuses and for nodes not known here."""
    try:
        tree = _parser().parse(translation.text)
    except JSONPathError as error:
        raise Refusal(f"it cannot be read as a path ({error})", at=0) from error
    root, *segments = _TreeReader(translation.values).read_path(tree)
    if not isinstance(root, ng.Root):
        raise _unknown(root)
    return Path(segments=tuple(_narrow(segment) for segment in segments))


@cache
def _parser() -> ExtendedJsonPathParser:
    """Give the one parser: it loads its tables once, writes no files, and must not be shared between threads."""
    return ExtendedJsonPathParser()


def _unknown(node: object) -> Refusal:
    return Refusal(f"it has a part that is not taken ({type(node).__name__})", at=0)


def _narrow(segment: Segment | ng.JSONPath) -> Segment:
    """Give the segment if it is one of ours: a root or `@` inside a path is not."""
    if isinstance(segment, ng.JSONPath):
        raise _unknown(segment)
    return segment


class _TreeReader:
    """Reads jsonpath-ng's nodes, which nest to the left or right as its grammar has it, into flat paths."""

    def __init__(self, values: tuple[Scalar, ...]) -> None:
        self._values = values

    def read_path(self, node: ng.JSONPath) -> Iterator[Segment | ng.JSONPath]:
        """Give the segments from left to right; the root and the current node come as they are."""
        match node:
            case ng.Child():
                yield from self.read_path(node.left)
                yield from self.read_path(node.right)
            case ng.Descendants():
                yield from self.read_path(node.left)
                yield Scan()
                yield from self.read_path(node.right)
            case ng.Root() | ng.This():
                yield node
            case _:
                yield self._read_segment(node)

    def _read_segment(self, node: ng.JSONPath) -> Segment:
        match node:
            case ng.Fields(fields=(placeholder,)):
                return Name(name=self._name(placeholder))
            case ng.Index(indices=(index,)):
                return Index(index=index)
            case ng.Index(indices=indices):
                return Indices(indices=tuple(indices))
            case ng.Slice(start=start, end=stop, step=None):
                return Slice(start=start, stop=stop)
            case ng.Wildcard():
                return Wildcard()
            case ng_filter.Filter():
                return Where(condition=self._all_of(node.expressions))
            case _:
                raise _unknown(node)

    def _all_of(self, nodes: list[ng.JSONPath]) -> Condition:
        conditions = tuple(self._read_condition(node) for node in nodes)
        return conditions[0] if len(conditions) == 1 else AllOf(conditions=conditions)

    def _read_condition(self, node: ng.JSONPath) -> Condition:
        match node:
            case ng_filter.And():
                return self._all_of(node.operands)
            case ng_filter.Or():
                return AnyOf(conditions=tuple(self._read_condition(operand) for operand in node.operands))
            case ng_filter.Expression(op=None | "!"):
                return Exists(query=self._read_query(node.target), negated=node.op == "!")
            case ng_filter.Expression() if node.op in _OPERATORS:
                left = self._read_query(node.target)
                return Comparison(left=left, operator=_OPERATORS[node.op], right=self._read_operand(node.value))
            case _:
                raise _unknown(node)

    def _read_operand(self, value: object) -> Query | Scalar:
        return self._read_query(value) if isinstance(value, ng.JSONPath) else self._value(value)

    def _read_query(self, node: ng.JSONPath) -> Query:
        root, *segments = self.read_path(node)
        if not isinstance(root, (ng.Root, ng.This)):
            raise _unknown(root)
        steps = tuple(segment for segment in segments if isinstance(segment, (Name, Index)))
        if len(steps) != len(segments):
            raise _unknown(node)
        return Query(from_document=isinstance(root, ng.Root), steps=steps)

    def _value(self, placeholder: object) -> Scalar:
        """Give the word for which a placeholder stands; jsonpath-ng hands quoted placeholders over as they are."""
        if not isinstance(placeholder, str) or not placeholder.startswith("k"):
            raise _unknown(placeholder)
        return self._values[int(placeholder[1:])]

    def _name(self, placeholder: object) -> str:
        name = self._value(placeholder)
        if not isinstance(name, str):
            raise _unknown(name)
        return name
