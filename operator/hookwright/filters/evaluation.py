"""From a path to a function: closures over the tree, which find in a document what Jayway would.

Rules that are Jayway's own and nobody's standard:

- a filter on an object tests the object itself, on an array each element; after a definite path to anything else it
  is an error, which finds nothing;
- a slice that has a start and an end counts negative places one by one, so `[-1:1]` is the last and then the first
  element, and `[1:-1]` is empty;
- `..name` goes through objects and arrays in the order of the document, a node before what is below it; `..` with
  something else than a name looks at arrays and objects alike (see `_scan_filter`);
- null is a value: it exists, and equals null.

An evaluation spends a `Budget` of nodes. No function here calls itself along the document, so depth is no danger; the
expression's own depth is bounded by its length.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

from hookwright.filters.budget import Budget, EvaluationError
from hookwright.filters.comparison import COMPARE, MISSING, Missing
from hookwright.filters.java_numbers import ComparisonError
from hookwright.filters.nodes import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Exists,
    Index,
    Indices,
    Name,
    Path,
    Query,
    Scan,
    Segment,
    Slice,
    Where,
    Wildcard,
)
from hookwright.filters.values import JsonValue

_STEPS_PER_NODE = 4  # so many steps of a path inside a filter, or places in a list of them, count as one node

Get = Callable[[JsonValue], JsonValue | Missing]
Search = Callable[[JsonValue, Budget], list[JsonValue]]


class _Run:
    """One evaluation: the document, what was found in it, and where to count the nodes that are looked at."""

    __slots__ = ("document", "found", "spend")

    def __init__(self, document: JsonValue, budget: Budget) -> None:
        self.document = document
        self.found: list[JsonValue] = []
        self.spend = budget.spend


_Visit = Callable[[JsonValue, _Run], None]
_Test = Callable[[JsonValue, _Run], bool]


def compile_getter(steps: Sequence[Name | Index]) -> Get:
    """Make the function that follows a definite path: it gives the one value, or MISSING."""
    keys = tuple(step.name if isinstance(step, Name) else step.index for step in steps)

    def get(node: JsonValue) -> JsonValue | Missing:
        for key in keys:
            if isinstance(key, str):
                if not isinstance(node, dict) or key not in node:
                    return MISSING
                node = node[key]
            else:
                if not isinstance(node, list) or not -len(node) <= key < len(node):
                    return MISSING
                node = node[key]
        return node

    return get


def compile_search(path: Path) -> Search:
    """Make the function that finds everything a path leads to, in Jayway's order; it may raise `EvaluationError`."""
    visit = _compile_segments(path.segments)

    def search(document: JsonValue, budget: Budget) -> list[JsonValue]:
        if document is None:
            return []  # for Jayway null is no document
        run = _Run(document, budget)
        try:
            run.spend(1)  # nothing is begun with a budget that is spent
            visit(document, run)
        except ComparisonError as error:
            raise EvaluationError("a number in the document is too large to be compared") from error
        return run.found

    return search


def _collect(node: JsonValue, run: _Run) -> None:
    run.found.append(node)


def _compile_segments(segments: Sequence[Segment]) -> _Visit:
    """Make one function of the segments, from the last to the first: each hands what it selects to the next."""
    visit: _Visit = _collect
    before = (None, *segments[:-1])
    for segment, previous in zip(reversed(segments), reversed(before), strict=False):
        if isinstance(segment, Scan):
            continue  # made with the segment after it
        visit = _compile_scan(segment, visit) if isinstance(previous, Scan) else _compile_segment(segment, visit)
    return visit


def _compile_segment(segment: Segment, then: _Visit) -> _Visit:
    match segment:
        case Name():
            return _visit_name(segment.name, then)
        case Index():
            return _visit_elements(lambda length: _places((segment.index,), length), then, cost=1)
        case Indices():
            cost = 1 + len(segment.indices) // _STEPS_PER_NODE
            return _visit_elements(lambda length: _places(segment.indices, length), then, cost=cost)
        case Slice():
            return _visit_elements(lambda length: _slice_places(segment, length), then, cost=1)
        case Wildcard():
            return _visit_children(then)
        case Where():
            return _visit_filtered(segment.condition, then)
        case Scan():
            raise AssertionError  # `_compile_segments` leaves none
        case _:
            assert_never(segment)


def _visit_name(name: str, then: _Visit) -> _Visit:
    def visit(node: JsonValue, run: _Run) -> None:
        if isinstance(node, dict) and name in node:
            run.spend(1)
            then(node[name], run)

    return visit


def _visit_elements(places: Callable[[int], Iterable[int]], then: _Visit, *, cost: int) -> _Visit:
    """Make the function that hands on elements; choosing the places of one array counts as `cost` nodes."""

    def visit(node: JsonValue, run: _Run) -> None:
        if isinstance(node, list):
            run.spend(cost)
            for place in places(len(node)):
                run.spend(1)
                then(node[place], run)

    return visit


def _places(indices: Sequence[int], length: int) -> Iterable[int]:
    """Give those of the indices that an array of that length has."""
    return [index for index in indices if -length <= index < length]


def _slice_places(piece: Slice, length: int) -> Iterable[int]:
    """Give the places of a slice as Jayway counts them; negative ones count from the end."""
    if piece.stop is None:
        return range(length)[piece.start :]
    if piece.start is None:
        return range(length)[: piece.stop]
    return range(max(piece.start, -length), min(piece.stop, length))


def _visit_children(then: _Visit) -> _Visit:
    def visit(node: JsonValue, run: _Run) -> None:
        children = _children(node)
        run.spend(len(children))
        for child in children:
            then(child, run)

    return visit


def _children(node: JsonValue) -> Sequence[JsonValue]:
    if isinstance(node, dict):
        return tuple(node.values())
    return node if isinstance(node, list) else ()


def _visit_filtered(condition: Condition, then: _Visit) -> _Visit:
    test, cost = compile_test(condition), _cost(condition)

    def visit(node: JsonValue, run: _Run) -> None:
        if isinstance(node, dict):
            run.spend(cost)
            if test(node, run):
                then(node, run)
        elif isinstance(node, list):
            run.spend(cost * len(node))
            for element in node:
                if test(element, run):
                    then(element, run)

    return visit


def _compile_scan(segment: Segment, then: _Visit) -> _Visit:
    """Make the function that applies a segment to a node and all below it, each node before its children."""
    at_node = _scan_filter(segment, then) if isinstance(segment, Where) else _compile_segment(segment, then)

    def visit(node: JsonValue, run: _Run) -> None:
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if isinstance(node, (dict, list)):
                at_node(node, run)
                children = _children(node)
                run.spend(len(children))
                waiting.extend(reversed(children))

    return visit


def _scan_filter(where: Where, then: _Visit) -> _Visit:
    """Make the function for a filter after `..`, which must first hold for the array itself, then for each element."""
    test, cost = compile_test(where.condition), _cost(where.condition)
    visit_filtered = _visit_filtered(where.condition, then)

    def visit(node: JsonValue, run: _Run) -> None:
        run.spend(cost)
        if test(node, run):
            visit_filtered(node, run)

    return visit


def _cost(condition: Condition) -> int:
    """Give the number of nodes that testing one item counts as: one for each test, more if its paths are long."""
    match condition:
        case AllOf() | AnyOf():
            return sum(_cost(part) for part in condition.conditions)
        case Exists():
            return 1 + len(condition.query.steps) // _STEPS_PER_NODE
        case Comparison():
            queries = [side for side in (condition.left, condition.right) if isinstance(side, Query)]
            return 1 + sum(len(query.steps) for query in queries) // _STEPS_PER_NODE
        case _:
            assert_never(condition)


def compile_test(condition: Condition) -> _Test:
    """Make the function that tells whether a condition holds for an item."""
    match condition:
        case Exists():
            return _test_existence(condition)
        case Comparison():
            return _test_comparison(condition)
        case AllOf():
            tests = tuple(compile_test(part) for part in condition.conditions)
            return lambda item, run: all(test(item, run) for test in tests)
        case AnyOf():
            tests = tuple(compile_test(part) for part in condition.conditions)
            return lambda item, run: any(test(item, run) for test in tests)
        case _:
            assert_never(condition)


def _test_existence(exists: Exists) -> _Test:
    get, negated = compile_getter(exists.query.steps), exists.negated
    return lambda item, _run: (get(item) is MISSING) is negated


def _test_comparison(comparison: Comparison) -> _Test:
    compare, right = COMPARE[comparison.operator], comparison.right
    left_of = _operand(comparison.left)
    if isinstance(right, Query):
        right_of = _operand(right)
        return lambda item, run: compare(left_of(item, run), right_of(item, run), run.spend)
    if isinstance(right, str) and comparison.operator in ("==", "!="):
        return _test_text(left_of, right, wanted=comparison.operator == "==")
    literal = right
    return lambda item, run: compare(left_of(item, run), literal, run.spend)


def _test_text(left_of: Callable[[JsonValue, _Run], JsonValue | Missing], text: str, *, wanted: bool) -> _Test:
    """Make the test that nearly every filter has: a value against a string literal."""
    equal = COMPARE["=="]

    def test(item: JsonValue, run: _Run) -> bool:
        left = left_of(item, run)
        return (left == text if isinstance(left, str) else equal(left, text, run.spend)) is wanted

    return test


def _operand(query: Query) -> Callable[[JsonValue, _Run], JsonValue | Missing]:
    get, from_document = compile_getter(query.steps), query.from_document

    def operand(item: JsonValue, run: _Run) -> JsonValue | Missing:
        value = get(run.document if from_document else item)
        if isinstance(value, float) and not math.isfinite(value):
            raise ComparisonError
        return value

    return operand
