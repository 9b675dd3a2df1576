"""Filters of Webhooks: which payloads count. Pure; knows of Hookwright only errors, reasons and `scm`.

    decide(filters, document, values)      every filter must match; says what each one found
      Filter: Expression, Template         jsonPath and matchEquals
      Budget                               how many nodes all expressions of a delivery may look at
      compile_expression                   grammar (Jayway's letters) → tree (jsonpath-ng) → evaluation (closures)
        patterns                           regular expressions, in time that no text can stretch
    groups                                 the filters of BuildTriggers: which events of a Git host count

The dialect is Jayway JsonPath's, in which AWS states its filters: an expression that is not treated exactly as Jayway
treats it is refused when it is compiled. Jayway's own results are in `tests/contract/jayway`.
"""

from hookwright.filters.budget import MAX_NODES, Budget, EvaluationError
from hookwright.filters.decisions import (
    Decision,
    Filter,
    FilterResult,
    Matches,
    bind,
    compile_filter,
    decide,
    matches,
    render_found,
)
from hookwright.filters.expressions import MAX_LENGTH, Expression, compile_expression
from hookwright.filters.templates import Template, UnknownKey, parse_template
from hookwright.filters.values import JsonValue, render_value

__all__ = [
    "MAX_LENGTH",
    "MAX_NODES",
    "Budget",
    "Decision",
    "EvaluationError",
    "Expression",
    "Filter",
    "FilterResult",
    "JsonValue",
    "Matches",
    "Template",
    "UnknownKey",
    "bind",
    "compile_expression",
    "compile_filter",
    "decide",
    "matches",
    "parse_template",
    "render_found",
    "render_value",
]
