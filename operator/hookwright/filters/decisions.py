"""Whether a payload passes a Webhook's filters, and why not.

Every filter must match. A filter matches if the text of a value that its path finds equals matchEquals, after its
placeholders were replaced; without matchEquals, if its path finds a value that is not null. Objects, arrays and null
have no text, so they never equal one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hookwright.filters.budget import Budget, EvaluationError
from hookwright.filters.expressions import Expression, compile_expression
from hookwright.filters.templates import Template, UnknownKey, parse_template
from hookwright.filters.values import JsonValue, render_value, weigh


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter of a Webhook, compiled: where to look, and what to find there (None: anything but null)."""

    json_path: Expression
    match_equals: Template | None


@dataclass(frozen=True, kw_only=True)
class FilterResult:
    """What one filter made of one payload.

    `json_path` and `match_equals` are as written, `expected` is `match_equals` with its placeholders replaced, `found`
    are the values that the path found. `error` says why the filter could not be decided, and then it does not match.
    """

    json_path: str
    match_equals: str | None
    expected: str | None
    found: tuple[JsonValue, ...]
    matched: bool
    error: str | None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether all filters matched, and what each of them found, in their order."""

    matched: bool
    results: tuple[FilterResult, ...]


def compile_filter(json_path: str, match_equals: str | None) -> Filter:
    """Compile a filter as written in a spec; raise `InvalidExpression` for a path that is refused."""
    template = None if match_equals is None else parse_template(match_equals)
    return Filter(json_path=compile_expression(json_path), match_equals=template)


def decide(
    filters: Sequence[Filter], document: JsonValue, values: Mapping[str, str], budget: Budget | None = None
) -> Decision:
    """Apply every filter to a payload; `values` are the placeholders' keys and values. No filters match everything.

    All filters share `budget`; None is a new one.
    """
    budget = Budget() if budget is None else budget
    results = tuple(_apply(one, document, values, budget) for one in filters)
    return Decision(matched=all(result.matched for result in results), results=results)


def matches(filters: Sequence[Filter], document: JsonValue, values: Mapping[str, str]) -> bool:
    """Tell what `decide` would, stopping at the first filter that does not match."""
    return bind(filters, values)(document)


class Matches(Protocol):
    """Tells whether a payload passes filters, within a budget (None: a new one).

    Never raises. What is told with a budget that is then spent says nothing about the payload.
    """

    def __call__(self, document: JsonValue, budget: Budget | None = None, /) -> bool:
        """Tell whether every filter matches."""


def bind(filters: Sequence[Filter], values: Mapping[str, str]) -> Matches:
    """Replace the placeholders once, and give the function that tells whether a payload passes.

    It tells what `decide` would: a filter with an unknown key lets nothing pass.
    """
    tests = tuple(_bind(one, values) for one in filters)

    def passes(document: JsonValue, budget: Budget | None = None, /) -> bool:
        budget = Budget() if budget is None else budget
        try:
            for test in tests:
                if not test(document, budget):
                    return False
        except EvaluationError:
            return False
        return True

    return passes


def _bind(one: Filter, values: Mapping[str, str]) -> Callable[[JsonValue, Budget], bool]:
    """Make the test of one filter; it may raise `EvaluationError`."""
    search = one.json_path.search
    if one.match_equals is None:
        return lambda document, budget: _is_something(search(document, budget))
    try:
        expected = one.match_equals.expand(values)
    except UnknownKey:
        return lambda _document, _budget: False
    return lambda document, budget: _has_text(search(document, budget), expected, budget)


def _apply(one: Filter, document: JsonValue, values: Mapping[str, str], budget: Budget) -> FilterResult:
    found: tuple[JsonValue, ...] = ()
    expected: str | None = None
    error: str | None = None
    matched = False
    try:
        found = tuple(one.json_path.search(document, budget))
        expected = None if one.match_equals is None else one.match_equals.expand(values)
        matched = _is_something(found) if expected is None else _has_text(found, expected, budget)
    except (EvaluationError, UnknownKey) as refused:
        error = refused.message
    return FilterResult(
        json_path=one.json_path.text,
        match_equals=None if one.match_equals is None else one.match_equals.text,
        expected=expected,
        found=found,
        matched=matched,
        error=error,
    )


def _is_something(found: Sequence[JsonValue]) -> bool:
    """Tell whether there is a value that is not null."""
    return any(value is not None for value in found)


def _has_text(found: Sequence[JsonValue], expected: str, budget: Budget) -> bool:
    """Tell whether there is a value with the expected text."""
    return expected in found or any(text == expected for text in render_found(found, budget))


def render_found(found: Sequence[JsonValue], budget: Budget) -> Iterator[str]:
    """Give the texts of those of the values that have one, in their order; may raise `EvaluationError`."""
    for value in found:
        if isinstance(value, str):
            yield value
        else:
            cost = weigh(value)
            if cost:
                budget.spend(cost)
            text = render_value(value)
            if text is not None:
                yield text
