"""Whether a payload passes a Webhook's filters, and why not.

Every filter must match. A filter matches if the text of a value that its path finds equals matchEquals, after its
placeholders were replaced; without matchEquals, if its path finds a value that is not null. Objects, arrays and null
have no text, so they never equal one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hookwright.filters.evaluation import EvaluationError
from hookwright.filters.expressions import Expression, compile_expression
from hookwright.filters.templates import Template, UnknownKey, parse_template
from hookwright.filters.values import JsonValue, render_value


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


def decide(filters: Sequence[Filter], document: JsonValue, values: Mapping[str, str]) -> Decision:
    """Apply every filter to a payload; `values` are the placeholders' keys and values. No filters match everything."""
    results = tuple(_apply(one, document, values) for one in filters)
    return Decision(matched=all(result.matched for result in results), results=results)


def matches(filters: Sequence[Filter], document: JsonValue, values: Mapping[str, str]) -> bool:
    """Tell what `decide` would, stopping at the first filter that does not match."""
    return bind(filters, values)(document)


def bind(filters: Sequence[Filter], values: Mapping[str, str]) -> Callable[[JsonValue], bool]:
    """Replace the placeholders once, and give the function that tells whether a payload passes.

    It never raises, and tells what `decide` would: a filter with an unknown key lets nothing pass.
    """
    tests = tuple(_bind(one, values) for one in filters)

    return lambda document: all(test(document) for test in tests)


def _bind(one: Filter, values: Mapping[str, str]) -> Callable[[JsonValue], bool]:
    find = one.json_path.find
    if one.match_equals is None:
        return lambda document: _is_something(find(document))
    try:
        expected = one.match_equals.expand(values)
    except UnknownKey:
        return lambda _document: False
    return lambda document: _has_text(find(document), expected)


def _apply(one: Filter, document: JsonValue, values: Mapping[str, str]) -> FilterResult:
    found: tuple[JsonValue, ...] = ()
    expected: str | None = None
    error: str | None = None
    try:
        found = tuple(one.json_path.search(document))
        expected = None if one.match_equals is None else one.match_equals.expand(values)
    except (EvaluationError, UnknownKey) as refused:
        error = refused.message
    matched = error is None and (_is_something(found) if expected is None else _has_text(found, expected))
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


def _has_text(found: Sequence[JsonValue], expected: str) -> bool:
    """Tell whether there is a value with the expected text."""
    return any(value == expected if isinstance(value, str) else render_value(value) == expected for value in found)
