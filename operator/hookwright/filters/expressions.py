"""An expression, compiled: what it finds in a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from hookwright.errors import InvalidExpression
from hookwright.filters.budget import Budget, EvaluationError
from hookwright.filters.comparison import MISSING
from hookwright.filters.evaluation import Search, compile_search
from hookwright.filters.getters import Get, compile_getter
from hookwright.filters.grammar import Refusal, translate
from hookwright.filters.nodes import Path
from hookwright.filters.tree import parse
from hookwright.filters.values import JsonValue

# AWS's limit, which the schema has too. It also bounds the work of reading an expression.
MAX_LENGTH = 150

_MAX_REWRITES = 5  # an expression with so many mistakes needs a manual, not a suggestion


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A JSONPath expression that means here what it means to Jayway JsonPath without options.

    `text` is the expression as given. `definite` is Jayway's word for a path that leads to one value at most.
    """

    text: str
    definite: bool
    _search: Search = field(repr=False, compare=False)

    def find(self, document: JsonValue, budget: Budget | None = None) -> list[JsonValue]:
        """Give the values found, in Jayway's order; a definite path gives one at most. Never raises.

        An evaluation that fails (see `search`) finds nothing.
        """
        try:
            return self.search(document, budget)
        except EvaluationError:
            return []

    def search(self, document: JsonValue, budget: Budget | None = None) -> list[JsonValue]:
        """Give the values found; raise `EvaluationError` where there is no result to give, saying why.

        `budget` is shared by all that looks for something in this document; None is a budget for this path alone.
        """
        return self._search(document, Budget() if budget is None else budget)


@lru_cache(maxsize=4096)  # the same few expressions stand in most Webhooks, and parsing one takes half a millisecond
def compile_expression(text: str) -> Expression:
    """Compile an expression; raise `InvalidExpression` for one that is not treated exactly as Jayway treats it.

    The message says what is not taken, at which place and why, and gives an expression that is taken instead where
    one can be told. To be called from one thread only: the parser is shared.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidExpression(
            f"JSONPath {_show(text[:40])}… is refused: it has {len(text)} characters, {MAX_LENGTH} are allowed"
        )
    try:
        path = _read(text)
    except Refusal as refusal:
        raise InvalidExpression(_explain(text, refusal)) from refusal
    steps = path.steps
    search = _search_once(text, compile_search(path)) if steps is None else _search_definite(compile_getter(steps))
    return Expression(text=text, definite=path.definite, _search=search)


def _read(text: str) -> Path:
    return parse(translate(text))


def _search_definite(getter: Get) -> Search:
    def search(document: JsonValue, _budget: Budget) -> list[JsonValue]:
        value = MISSING if document is None else getter(document)  # for Jayway null is no document
        return [] if value is MISSING else [value]

    return search


def _search_once(text: str, search: Search) -> Search:
    """Make the search that is done only once with one budget, hence once for one document.

    What was found before counts again, because whoever asks looks at it again.
    """

    def search_once(document: JsonValue, budget: Budget) -> list[JsonValue]:
        if budget.found is None:
            budget.found = {}
        found = budget.found.get(text)
        if found is None:
            budget.found[text] = found = search(document, budget)
        else:
            budget.spend(1 + len(found))
        return found

    return search_once


def _explain(text: str, refusal: Refusal) -> str:
    message = f"JSONPath {_show(text)} is refused at character {refusal.at + 1}: {refusal.message}"
    rewrite = _find_rewrite(refusal)
    return message if rewrite is None else f"{message}. Write {_show(rewrite)}"


def _find_rewrite(refusal: Refusal) -> str | None:
    """Follow a refusal's rewrite, and the rewrites of that, to an expression that is taken."""
    for _ in range(_MAX_REWRITES):
        rewrite = refusal.rewrite
        if rewrite is None or len(rewrite) > MAX_LENGTH:
            return None
        try:
            _read(rewrite)
        except Refusal as next_refusal:
            refusal = next_refusal
        else:
            return rewrite
    return None


def _show(text: str) -> str:
    """Give a text in double quotes, with escapes only if it has characters that cannot be seen."""
    return f'"{text}"' if text.isprintable() else repr(text)
