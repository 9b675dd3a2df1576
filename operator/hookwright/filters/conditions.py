"""From a filter's condition to a function that tests an item.

Jayway has two ways to look at a path in a filter: as an operand, which is missing if nothing is found, and as a test
for existence, for which every member along the way must be there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, assert_never

from hookwright.filters.comparison import MISSING, Compare, Missing, Spend, Value
from hookwright.filters.failures import NotFound
from hookwright.filters.getters import compile_getter
from hookwright.filters.java_numbers import ComparisonError
from hookwright.filters.nodes import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Exists,
    Not,
    Operand,
    Path,
    Query,
    Regex,
)
from hookwright.filters.operators import OPERATE, matches
from hookwright.filters.values import JsonValue

_STEPS_PER_NODE = 4  # so many steps of a path inside a filter count as one node


class Run(Protocol):
    """What a test needs of the evaluation that it is part of: the document, and where to count nodes."""

    document: JsonValue
    spend: Spend


Read = Callable[[JsonValue, Run], JsonValue | Missing]
"""Gives what a path leads to from a value; raises `NotFound`, or gives MISSING, for nothing."""

CompilePath = Callable[[Path, bool], Read]
"""Makes a `Read`; the flag tells whether every member must be there."""

Test = Callable[[JsonValue, Run], bool]
_Operand = Callable[[JsonValue, Run], Value]


def cost_of(condition: Condition) -> int:
    """Give the number of nodes that testing one item counts as: one for each test, more if its paths are long."""
    match condition:
        case AllOf() | AnyOf():
            return sum(cost_of(part) for part in condition.conditions)
        case Not():
            return cost_of(condition.condition)
        case Exists():
            return 1 + len(condition.query.path.segments) // _STEPS_PER_NODE
        case Comparison():
            queries = [side for side in (condition.left, condition.right) if isinstance(side, Query)]
            return 1 + sum(len(query.path.segments) for query in queries) // _STEPS_PER_NODE
        case _:
            assert_never(condition)


class ConditionCompiler:
    """Makes the tests of a filter; `strict` is what Jayway calls REQUIRE_PROPERTIES."""

    def __init__(self, compile_path: CompilePath, *, strict: bool) -> None:
        self._compile_path = compile_path
        self._strict = strict

    def compile(self, condition: Condition) -> Test:
        """Make the function that tells whether a condition holds for an item."""
        match condition:
            case Exists():
                return self._test_existence(condition)
            case Comparison():
                return self._test_comparison(condition)
            case Not():
                test = self.compile(condition.condition)
                return lambda item, run: not test(item, run)
            case AllOf():
                tests = tuple(self.compile(part) for part in condition.conditions)
                return lambda item, run: all(test(item, run) for test in tests)
            case AnyOf():
                tests = tuple(self.compile(part) for part in condition.conditions)
                return lambda item, run: any(test(item, run) for test in tests)
            case _:
                assert_never(condition)

    def _test_existence(self, exists: Exists) -> Test:
        steps, negated = exists.query.path.steps, exists.negated
        if steps is not None:
            get = compile_getter(steps)
            return lambda item, _run: (get(item) is MISSING) is negated
        read = self._compile_path(exists.query.path, True)

        def test(item: JsonValue, run: Run) -> bool:
            try:
                read(item, run)
            except NotFound:
                return negated
            return not negated

        return test

    def _test_comparison(self, comparison: Comparison) -> Test:
        left, operator, right = comparison.left, comparison.operator, comparison.right
        for pattern, other in ((left, right), (right, left)):
            if isinstance(pattern, Regex):
                return self._test_pattern(pattern, self._operand(other))
        if isinstance(right, Constant) and isinstance(right.value, str) and operator in ("==", "!="):
            return _test_text(self._operand(left), right.value, wanted=operator == "==")
        compare, left_of, right_of = OPERATE[operator], self._operand(left), self._operand(right)
        if isinstance(right, Constant):
            literal = right.value
            if operator in ("in", "nin") and isinstance(literal, list):
                texts = [one for one in literal if isinstance(one, str)]
                if len(texts) == len(literal):
                    return _test_texts(left_of, texts, compare, wanted=operator == "in")
            return lambda item, run: compare(left_of(item, run), literal, run.spend)
        return lambda item, run: compare(left_of(item, run), right_of(item, run), run.spend)

    @staticmethod
    def _test_pattern(regex: Regex, value_of: _Operand) -> Test:
        pattern = regex.pattern
        return lambda item, run: matches(pattern, value_of(item, run), run.spend)

    def _operand(self, operand: Operand) -> _Operand:
        match operand:
            case Query():
                return self._query(operand)
            case Constant():
                literal = operand.value
                return lambda _item, _run: literal
            case Regex():
                raise AssertionError  # the grammar has one on one side only
            case _:
                assert_never(operand)

    def _query(self, query: Query) -> _Operand:
        from_document, steps = query.from_document, query.path.steps
        if steps is None:
            return _operand_of(self._compile_path(query.path, self._strict), from_document=from_document)
        get = compile_getter(steps)

        def value_of(item: JsonValue, run: Run) -> Value:
            value = get(run.document if from_document else item)
            if isinstance(value, float) and not math.isfinite(value):
                raise ComparisonError
            return value

        return value_of


def _operand_of(read: Read, *, from_document: bool) -> _Operand:
    """Make the operand of a path that is more than names and indices."""

    def value_of(item: JsonValue, run: Run) -> Value:
        try:
            value = read(run.document if from_document else item, run)
        except NotFound:
            return MISSING
        if isinstance(value, float) and not math.isfinite(value):
            raise ComparisonError
        return value

    return value_of


def _test_texts(left_of: _Operand, texts: list[str], compare: Compare, *, wanted: bool) -> Test:
    """Make the test whether a value is in an array of texts."""
    plain = frozenset(texts)
    literal: list[JsonValue] = [*texts]

    def test(item: JsonValue, run: Run) -> bool:
        left = left_of(item, run)
        return (left in plain) is wanted if isinstance(left, str) else compare(left, literal, run.spend)

    return test


def _test_text(left_of: _Operand, text: str, *, wanted: bool) -> Test:
    """Make the test that nearly every filter has: a value against a string literal."""
    equal = OPERATE["=="]

    def test(item: JsonValue, run: Run) -> bool:
        left = left_of(item, run)
        return (left == text if isinstance(left, str) else equal(left, text, run.spend)) is wanted

    return test
