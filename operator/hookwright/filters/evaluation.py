"""From a path to a function: closures over the tree, which find in a document what Jayway would.

Rules that are Jayway's own and nobody's standard:

- a filter on an object tests the object itself, on an array each element; after a definite path to anything else it
  is an error, which finds nothing;
- a slice that has a start and an end counts negative places one by one, so `[-1:1]` is the last and then the first
  element, and `[1:-1]` is empty;
- several names at the end of a path make one object, before the end they are taken one after the other;
- `..name` goes through objects and arrays in the order of the document, a node before what is below it; `..` with
  something else than a name looks at arrays and objects alike, and what follows has rules of its own (see `scans`);
- null is a value: it exists, and equals null.

Where a part of a path is missing, Jayway raises an exception as long as the path is definite up to there. It matters in
filters and functions only, where a missing value is not an empty list; elsewhere nothing is found either way.

An evaluation spends a `Budget` of nodes. No function here calls itself along the document, so depth is no danger; the
expression's own depth is bounded by its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from hookwright.filters.budget import Budget, EvaluationError
from hookwright.filters.comparison import MISSING
from hookwright.filters.conditions import ConditionCompiler, Read, Test, cost_of
from hookwright.filters.failures import Failed, NotFound, OutOfBounds, Unusable
from hookwright.filters.functions import APPLY
from hookwright.filters.getters import compile_getter
from hookwright.filters.java_numbers import ComparisonError
from hookwright.filters.nodes import (
    Call,
    Condition,
    Count,
    Index,
    Indices,
    Name,
    Names,
    Path,
    Scan,
    Segment,
    Slice,
    Where,
    Wildcard,
)
from hookwright.filters.values import JsonValue
from hookwright.filters.visits import (
    Rules,
    Run,
    Visit,
    collect,
    gather_names,
    places_of,
    scan,
    scan_elements,
    scan_filtered,
    scan_names,
    slice_places,
    visit_children,
    visit_elements,
    visit_filtered,
    visit_name,
    visit_names,
)

_STEPS_PER_NODE = 4  # so many places in a list of them count as one node

Search = Callable[[JsonValue, Budget], list[JsonValue]]


def compile_search(path: Path) -> Search:
    """Make the function that finds everything a path leads to, in Jayway's order; it may raise `EvaluationError`."""
    # Where something is missing nothing is found; only a function could have found something before that.
    visit = _compile_segments(path.segments, Rules(definite=isinstance(path.segments[-1], Call), strict=False))

    def search(document: JsonValue, budget: Budget) -> list[JsonValue]:
        if document is None:
            return []  # for Jayway null is no document
        run = Run(document, budget.spend)
        try:
            run.spend(1)  # nothing is begun with a budget that is spent
            visit(document, run)
        except ComparisonError as error:
            raise EvaluationError("a number in the document is too large to be compared") from error
        except OutOfBounds as error:
            raise EvaluationError("the array has no such element") from error
        except Failed as error:
            raise EvaluationError(str(error)) from error
        except Unusable:
            return []
        return run.found

    return search


def _compile_path(path: Path, strict: bool) -> Read:  # noqa: FBT001 - the signature of `CompilePath`
    """Make the function that reads a path in a filter or an argument: one value, or a list if it is indefinite."""
    if path.steps is not None:
        get = compile_getter(path.steps)
        return lambda node, _run: get(node)
    visit, definite = _compile_segments(path.segments, Rules(definite=True, strict=strict)), path.definite

    def read(node: JsonValue, run: Run) -> JsonValue:
        inner = Run(run.document, run.spend)
        visit(node, inner)
        if not definite:
            return inner.found
        if not inner.found:
            raise NotFound
        return inner.found[-1]

    # A run is what it is asked for in `conditions`, which knows no more of it.
    return read  # type: ignore[return-value] # takes Run, which is what it is always given


def _compile_segments(segments: Sequence[Segment], rules: Rules) -> Visit:
    """Make one function of the segments, from the last to the first: each hands what it selects to the next."""
    visit: Visit = collect
    definite = [rules.definite]
    for segment in segments:
        definite.append(definite[-1] and isinstance(segment, (Name, Index, Call)))
    for place in range(len(segments) - 1, -1, -1):
        segment = segments[place]
        if isinstance(segment, Scan):
            continue  # made with the segment after it
        here = replace(rules, definite=definite[place], ends=place == len(segments) - 1)
        if place and isinstance(segments[place - 1], Scan):
            visit = scan(_at_scanned(segment, segments[place + 1 :], visit, here))
        else:
            visit = _compile_segment(segment, visit, here)
    return visit


def _compile_segment(segment: Segment, then: Visit, rules: Rules) -> Visit:  # noqa: C901, PLR0911 - one for each kind
    match segment:
        case Name():
            return visit_name(segment.name, then, rules)
        case Names():
            return gather_names(segment.names, then, rules) if rules.ends else visit_names(segment.names, then, rules)
        case Index():
            return visit_elements(lambda length: places_of((segment.index,), length), then, rules, cost=1)
        case Indices():
            cost = 1 + len(segment.indices) // _STEPS_PER_NODE
            return visit_elements(lambda length: places_of(segment.indices, length), then, rules, cost=cost)
        case Slice():
            return visit_elements(lambda length: slice_places(segment, length), then, rules, cost=1)
        case Wildcard():
            return visit_children(then, rules)
        case Where():
            return visit_filtered(_compile_test(segment.condition, rules), then, rules, cost=cost_of(segment.condition))
        case Call():
            return _visit_result(segment, then, strict=rules.strict)
        case Count():
            return _visit_count(segment, then, strict=rules.strict)
        case Scan():
            raise AssertionError  # `_compile_segments` leaves none
        case _:
            assert_never(segment)


def _compile_test(condition: Condition, rules: Rules) -> Test:
    test = ConditionCompiler(_compile_path, strict=rules.strict).compile(condition)

    def passes(item: JsonValue, run: Run) -> bool:
        try:
            return test(item, run)
        except Unusable:
            return False

    return passes  # type: ignore[return-value] # as in `_compile_path`


def _visit_result(call: Call, then: Visit, *, strict: bool) -> Visit:
    """Make the function that hands on what a function gives; paths in its parentheses lead from the document."""
    apply = APPLY[call.function]
    arguments = [_compile_path(one, strict) if isinstance(one, Path) else _constant(one) for one in call.arguments]

    def visit(node: JsonValue, run: Run) -> None:
        values: list[JsonValue] = []
        for read in arguments:
            run.spend(1)
            value = read(run.document, run)
            if value is MISSING:
                raise NotFound
            values.append(value)
        then(apply(node, values, run.spend), run)

    return visit


def _visit_count(count: Count, then: Visit, *, strict: bool) -> Visit:
    """Make the function for the length of a path, which Jayway also follows from the document, for nothing."""
    of_document, read = _compile_path(count.argument, strict), _compile_path(count.path, strict)

    def visit(node: JsonValue, run: Run) -> None:
        of_document(run.document, run)  # for what it raises
        if node is None:
            raise Failed("null is counted as if it were a document, with which Jayway fails")
        found = read(node, run)
        then(len(found) if isinstance(found, list) else None, run)

    return visit


def _constant(value: JsonValue) -> Read:
    return lambda _node, _run: value


def _at_scanned(segment: Segment, rest: Sequence[Segment], then: Visit, rules: Rules) -> Visit:
    """Make the function for one node below `..`.

    A name is looked for where it is. A place chooses elements if it ends the path; if not, all elements are gone on
    with, but for a name at the end after one index. A filter must first hold for an array itself; if it does not end
    the path, all elements are gone on with.
    """
    match segment:
        case Name():
            # It is looked for where it is, so it is nowhere missing.
            return visit_name(segment.name, then, replace(rules, definite=False, strict=False))
        case Names():
            return scan_names(segment.names if rules.ends else (), _compile_segment(segment, then, rules))
        case Index() | Indices() | Slice() if rest:
            if len(rest) > 1 or not isinstance(rest[0], (Name, Wildcard)):
                return scan_elements(then, only=None)
            needed = rest[0].name if rules.strict and isinstance(rest[0], Name) else None
            return scan_elements(then, only=segment.index if isinstance(segment, Index) else -1, needed=needed)
        case Where(condition=condition):
            return scan_filtered(_compile_test(condition, rules), then, rules, cost=cost_of(condition))
        case _:
            return _compile_segment(segment, then, rules)
