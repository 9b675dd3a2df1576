"""What one segment of a path does: it hands what it selects to the function of the segments after it.

No function here calls itself along the document, so depth is no danger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from hookwright.filters.comparison import Spend
from hookwright.filters.conditions import Test
from hookwright.filters.failures import NotFound, OutOfBounds, Unusable
from hookwright.filters.nodes import Slice
from hookwright.filters.values import JsonValue


class Run:
    """One evaluation: the document, what was found in it, and where to count the nodes that are looked at."""

    __slots__ = ("document", "found", "spend")

    def __init__(self, document: JsonValue, spend: Spend) -> None:
        self.document = document
        self.found: list[JsonValue] = []
        self.spend = spend


Visit = Callable[[JsonValue, Run], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How missing members are treated: whether the path is definite up to a segment, and whether each must be there.

    `ends`: the segment is the last one.
    """

    definite: bool
    strict: bool
    ends: bool = False


def collect(node: JsonValue, run: Run) -> None:
    """Keep what the whole path leads to."""
    run.found.append(node)


def visit_name(name: str, then: Visit, rules: Rules) -> Visit:
    """Make the function for one name."""
    missing_object = rules.definite
    missing_member = rules.strict or (rules.definite and not rules.ends)

    def visit(node: JsonValue, run: Run) -> None:
        if isinstance(node, dict):
            if name in node:
                run.spend(1)
                then(node[name], run)
            elif missing_member:
                raise NotFound
        elif missing_object:
            raise NotFound

    return visit


def visit_names(names: Sequence[str], then: Visit, rules: Rules) -> Visit:
    """Make the function for several names before the end of a path: one after the other, those that are there."""
    visits = [visit_name(name, then, replace(rules, definite=False)) for name in names]
    missing_object = rules.definite

    def visit(node: JsonValue, run: Run) -> None:
        run.spend(1)
        if isinstance(node, dict):
            for one in visits:
                one(node, run)
        elif missing_object:
            raise NotFound

    return visit


def gather_names(names: Sequence[str], then: Visit, rules: Rules) -> Visit:
    """Make the function for several names at the end of a path: one object of those that are there, be it empty."""
    missing_object, missing_member = rules.definite, rules.strict

    def visit(node: JsonValue, run: Run) -> None:
        if isinstance(node, dict):
            run.spend(1 + len(names))
            gathered = {name: node[name] for name in names if name in node}
            if missing_member and len(gathered) < len(set(names)):
                raise NotFound
            then(gathered, run)
        elif missing_object:
            raise NotFound

    return visit


def visit_elements(places: Callable[[int], Iterable[int]], then: Visit, rules: Rules, *, cost: int) -> Visit:
    """Make the function that hands on elements; choosing the places of one array counts as `cost` nodes."""
    missing_array = rules.definite

    def visit(node: JsonValue, run: Run) -> None:
        if isinstance(node, list):
            run.spend(cost)
            for place in places(len(node)):
                run.spend(1)
                try:
                    then(node[place], run)
                except OutOfBounds:
                    continue
        elif missing_array:
            raise NotFound

    return visit


def places_of(indices: Sequence[int], length: int) -> Iterable[int]:
    """Give those of the indices that an array of that length has."""
    return [index for index in indices if -length <= index < length]


def slice_places(piece: Slice, length: int) -> Iterable[int]:
    """Give the places of a slice as Jayway counts them; negative ones count from the end."""
    if piece.stop is None:
        return range(length)[piece.start :]
    if piece.start is None:
        return range(length)[: piece.stop]
    return range(max(piece.start, -length), min(piece.stop, length))


def visit_children(then: Visit, rules: Rules) -> Visit:
    """Make the function for `*`."""
    passed_over = (OutOfBounds,) if rules.strict else (OutOfBounds, NotFound)

    def visit(node: JsonValue, run: Run) -> None:
        if isinstance(node, list):
            run.spend(len(node))
            for child in node:
                try:
                    then(child, run)
                except passed_over:
                    continue
        elif isinstance(node, dict):
            run.spend(len(node))
            for child in node.values():
                then(child, run)

    return visit


def _children(node: JsonValue) -> Sequence[JsonValue]:
    if isinstance(node, dict):
        return tuple(node.values())
    return node if isinstance(node, list) else ()


def visit_filtered(test: Test, then: Visit, rules: Rules, *, cost: int) -> Visit:
    """Make the function for a filter; testing one item counts as `cost` nodes."""
    needs_container = rules.definite

    def visit(node: JsonValue, run: Run) -> None:
        if isinstance(node, dict):
            run.spend(cost)
            if test(node, run):
                then(node, run)
        elif isinstance(node, list):
            run.spend(cost * len(node))
            for element in node:
                if test(element, run):
                    try:
                        then(element, run)
                    except OutOfBounds:
                        continue
        elif needs_container:
            raise Unusable

    return visit


def scan(at_node: Visit) -> Visit:
    """Make the function that applies another one to a node and all below it, each node before its children."""

    def visit(node: JsonValue, run: Run) -> None:
        waiting = [node]
        while waiting:
            node = waiting.pop()
            if isinstance(node, (dict, list)):
                at_node(node, run)
                children = _children(node)
                run.spend(len(children))
                waiting.extend(reversed(children))

    return visit


def scan_names(wanted: Sequence[str], visit: Visit) -> Visit:
    """Make the function for names after `..`: it looks at objects that have all of the names."""

    def at_names(node: JsonValue, run: Run) -> None:
        if isinstance(node, dict) and all(name in node for name in wanted):
            visit(node, run)

    return at_names


def scan_elements(then: Visit, *, only: int | None, needed: str | None = None) -> Visit:
    """Make the function for places after `..` that do not end the path: all elements are gone on with.

    `only`: but of the objects among them only the one at that place. `needed`: a member that all the others must have.
    """

    def visit(node: JsonValue, run: Run) -> None:
        if isinstance(node, list):
            run.spend(len(node))
            for place, element in enumerate(node):
                if only is None or place == only or not isinstance(element, dict):
                    then(element, run)
                elif needed is not None and needed not in element:
                    raise NotFound

    return visit


def scan_filtered(test: Test, then: Visit, rules: Rules, *, cost: int) -> Visit:
    """Make the function for a filter after `..`: it must hold for an array itself, and then for its elements.

    If it does not end the path, all elements of such an array are gone on with.
    """
    filtered = visit_filtered(test, then, rules, cost=cost)

    def visit(node: JsonValue, run: Run) -> None:
        run.spend(cost)
        if not test(node, run):
            return
        if rules.ends or isinstance(node, dict):
            filtered(node, run)
        elif isinstance(node, list):
            run.spend(len(node))
            for element in node:
                then(element, run)

    return visit
