"""From jsonpath-ng's tree to ours: an allow-list of its nodes, with the words put back for the placeholders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from jsonpath_ng import jsonpath as ng
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext import filter as ng_filter

from hookwright.filters.grammar import CallText, ListLiteral, Refusal, Translation, Word
from hookwright.filters.nodes import (
    OPERATORS,
    AllOf,
    AnyOf,
    Call,
    Comparison,
    Condition,
    Constant,
    Count,
    Exists,
    Index,
    Indices,
    Name,
    Names,
    Not,
    Operand,
    Operator,
    Path,
    Query,
    Regex,
    Scan,
    Segment,
    Slice,
    Where,
    Wildcard,
)
from hookwright.filters.parser import Negation, Placeholder, Relation, get_parser
from hookwright.filters.patterns import Pattern


def parse(translation: Translation) -> Path:
    """Parse a translated expression; raise `Refusal` for what jsonpath-ng refuses and for nodes not known here."""
    try:
        tree = get_parser().parse(translation.text)
    except JSONPathError as error:
        raise Refusal(f"it cannot be read as a path ({error})", at=0) from error
    root, *segments = _TreeReader(translation.values).read_path(tree)
    if not isinstance(root, ng.Root):
        raise _unknown(root)
    return _turn_scan_of_call(Path(segments=tuple(_narrow(segment) for segment in segments)))


def _turn_scan_of_call(path: Path) -> Path:
    """Turn `$..x.sum()` into `$.sum($..x)`, as Jayway does with a function of a path that begins with `..`."""
    match path.segments:
        case (Scan(), *_, Call() as call):
            found = Path(segments=path.segments[:-1])
            if call.function not in ("length", "size"):
                return Path(segments=(Call(function=call.function, arguments=(found,)),))
            # The length of a path in parentheses is the number of all elements and members of what it leads to.
            children = Path(segments=(*found.segments, Wildcard()))
            return Path(segments=(Count(path=children, argument=found),))
        case _:
            return path


def _unknown(node: object) -> Refusal:
    return Refusal(f"it has a part that is not taken ({type(node).__name__})", at=0)


def _narrow(segment: Segment | ng.JSONPath) -> Segment:
    """Give the segment if it is one of ours: a root or `@` inside a path is not."""
    if isinstance(segment, ng.JSONPath):
        raise _unknown(segment)
    return segment


class _TreeReader:
    """Reads jsonpath-ng's nodes, which nest to the left or right as its grammar has it, into flat paths."""

    def __init__(self, values: tuple[Word, ...]) -> None:
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

    def _read_segment(self, node: ng.JSONPath) -> Segment:  # noqa: PLR0911 - one for each kind
        match node:
            case ng.Fields(fields=(placeholder,)):
                return Name(name=self._name(placeholder))
            case ng.Fields(fields=placeholders):
                return Names(names=tuple(self._name(placeholder) for placeholder in placeholders))
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
            case Placeholder():
                return self._call(node)
            case _:
                raise _unknown(node)

    def _call(self, node: Placeholder) -> Call:
        call = self._value(node.key)
        if not isinstance(call, CallText):
            raise _unknown(call)
        arguments = (parse(one) if isinstance(one, Translation) else one for one in call.arguments)
        return Call(function=call.function, arguments=tuple(arguments))

    def _all_of(self, nodes: list[ng.JSONPath]) -> Condition:
        conditions = tuple(self._read_condition(node) for node in nodes)
        return conditions[0] if len(conditions) == 1 else AllOf(conditions=conditions)

    def _read_condition(self, node: ng.JSONPath) -> Condition:
        match node:
            case ng_filter.And():
                return self._all_of(node.operands)
            case ng_filter.Or():
                return AnyOf(conditions=tuple(self._read_condition(operand) for operand in node.operands))
            case Negation():
                return Not(condition=self._all_of(node.conditions))
            case ng_filter.Expression(op=None | "!"):
                return Exists(query=self._read_query(node.target), negated=node.op == "!")
            case Relation():
                left, right = self._read_operand(node.left), self._read_operand(node.right)
                return Comparison(left=left, operator=self._operator(node.key), right=right)
            case _:
                raise _unknown(node)

    def _operator(self, key: str) -> Operator:
        operator = self._value(key)
        if operator not in OPERATORS:
            raise _unknown(operator)
        return cast("Operator", operator)

    def _read_operand(self, node: ng.JSONPath) -> Operand:
        if not isinstance(node, Placeholder):
            return self._read_query(node)
        match self._value(node.key):
            case Pattern() as pattern:
                return Regex(pattern=pattern)
            case ListLiteral() as literal:
                return Constant(value=list(literal.values))
            case CallText() as call:
                raise _unknown(call)
            case scalar:
                return Constant(value=scalar)

    def _read_query(self, node: ng.JSONPath) -> Query:
        root, *segments = self.read_path(node)
        if not isinstance(root, (ng.Root, ng.This)):
            raise _unknown(root)
        path = _turn_scan_of_call(Path(segments=tuple(_narrow(segment) for segment in segments)))
        return Query(from_document=isinstance(root, ng.Root), path=path)

    def _value(self, placeholder: object) -> Word:
        """Give the word for which a placeholder stands; jsonpath-ng hands placeholders over as they are."""
        if not isinstance(placeholder, str) or not placeholder.startswith("k"):
            raise _unknown(placeholder)
        return self._values[int(placeholder[1:])]

    def _name(self, placeholder: object) -> str:
        name = self._value(placeholder)
        if not isinstance(name, str):
            raise _unknown(name)
        return name
