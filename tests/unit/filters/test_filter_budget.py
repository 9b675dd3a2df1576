"""The budget of nodes that all expressions share for one document: what counts, how much, and when it is spent."""

from __future__ import annotations

import pytest

from hookwright.filters import MAX_NODES, Budget, EvaluationError, bind, compile_expression, compile_filter, decide

PLACES = [{"n": place, "s": str(place)} for place in range(100)]
LONG = "x" * 64_000
LONG_NUMBER = 10**4299


def cost_of(text, document):
    """Give the number of nodes that an evaluation counts."""
    budget = Budget()
    compile_expression(text).search(document, budget)
    return MAX_NODES - budget.left


def make_push(commits=2000, body_bytes=5 * 1024 * 1024):
    """Make a push as large as GitHub's largest, in a body of about that many bytes, most of it names of files."""
    person = {"name": "Mona", "email": "mona@example.com", "username": "mona", "date": "2026-05-01T12:00:00Z"}
    names = body_bytes // commits // 50
    each = {
        "id": "0" * 40,
        "tree_id": "1" * 40,
        "distinct": True,
        "message": "A change",
        "timestamp": "2026-05-01T12:00:00Z",
        "url": "https://example.com/" + "0" * 40,
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": ["x" * 46] * (names - 15),
    }
    head = {**each, "modified": ["src/main.py"]}
    return {"ref": "refs/heads/main", "commits": [*[each] * (commits - 1), head], "head_commit": head, "pusher": person}


def test_definite_paths_cost_nothing():
    """A path that leads to one value is bounded by its own length, and works with a budget that is spent."""
    budget = Budget(-1)
    assert compile_expression("$[7].n").search(PLACES, budget) == [7]
    assert budget.left == -1


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("$[*]", 1 + 100),
        ("$[*].n", 1 + 100 + 100),
        ("$[*].none", 1 + 100),
        ("$[0:10]", 1 + 1 + 10),
        ("$..none", 1 + 300),
        ("$..n", 1 + 300 + 100),
        ("$[?(@.s == 'x')]", 1 + 100),
        ("$[?(@.s == 'x' || @.s == 'y' || @.none)]", 1 + 300),
        ("$[?(@.n.a.b.c.d.e.f.g == 'x')]", 1 + 300),
        ("$[?($[1].n.a.b == @.n.a.b.c)]", 1 + 300),
        ("$.length()", 1),
        ("$[*].n.length()", 1 + 100 + 100),
        ("$[0]['n','s']", 1 + 1 + 1 + 3),
        ("$[?(@.s in ['x','y'])]", 1 + 100),
    ],
)
def test_nodes_are_counted(text, nodes):
    """Each value that is visited counts, as does each test of a filter, and paths in it by their steps."""
    assert cost_of(text, PLACES) == nodes


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("$.l[?($.a == $.b)]", {"a": LONG, "b": LONG[:-1] + "y", "l": [0]}),
        ("$.l[?($.a == $.b)]", {"a": [LONG], "b": [LONG[:-1] + "y"], "l": [0]}),
        ("$.l[?($.a == $.b)]", {"a": {LONG: 1}, "b": {LONG + "y": 1}, "l": [0]}),
        ("$.l[?($.a < $.b)]", {"a": LONG, "b": LONG, "l": [0]}),
        ("$.l[?($.a contains $.b)]", {"a": LONG, "b": "y", "l": [0]}),
        ("$.l[?($.a size 1)]", {"a": LONG, "l": [0]}),
        ("$[?(@.a =~ /y*/)]", {"a": LONG}),
        ("$[?('x' in @.a)]", {"a": [LONG + "\\", *"abc"]}),
        ("$[?('x' in @.a)]", {"a": [f"[{LONG}]"]}),
        ("$[?(@.a subsetof @.a)]", {"a": [*map(str, range(50))]}),
        ("$.sum($.a)", {"a": [1] * 1000}),
        ("$.concat($.a)", {"a": [LONG]}),
        ("$.concat($.a)", {"a": [[["x"] * 1000]]}),
        ("$.concat($.a)", {"a": LONG_NUMBER}),
        ("$.l[?($.a == $.b)]", {"a": 1, "b": "1" * 16_000, "l": [0]}),
        ("$[?(@ == 1)]", [LONG_NUMBER] * 3),
        ("$[?(@ < 1)]", [LONG_NUMBER] * 3),
        ("$.l[?($.a == $.b)]", {"a": "1", "b": 10**4200, "l": [0] * 2}),
        ("$[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]" + ".none", [[]]),
    ],
)
def test_what_takes_long_counts_as_many_nodes(text, document):
    """Comparing long texts and reading long numbers costs by their length, inside of arrays and objects too."""
    assert cost_of(text, document) > (20 if "0,0" in text else 600)


def test_long_numbers_among_the_results_count():
    """Giving a long number its text costs as comparing it does."""
    document = [LONG_NUMBER] * 1000
    budget = Budget()
    assert not bind([compile_filter("$[*]", "1")], {})(document, budget)
    assert budget.spent
    [result] = decide([compile_filter("$[*]", "1")], document, {}).results
    assert (result.matched, str(MAX_NODES) in result.error) == (False, True)


def test_expressions_share_a_budget():
    """What one expression has spent another does not have, and a spent budget stays spent."""
    budget = Budget(250)
    assert len(compile_expression("$[*].n").find(PLACES, budget)) == 100
    assert not budget.spent
    assert compile_expression("$[*].s").find(PLACES, budget) == []
    assert budget.spent
    left = budget.left
    with pytest.raises(EvaluationError):
        compile_expression("$[0:1]").search(PLACES, budget)
    assert budget.left == left - 1


def test_equal_expressions_are_evaluated_once():
    """An expression that stands there twice costs only its results the second time, and gives the same."""
    budget = Budget()
    first = compile_expression("$..n").find(PLACES, budget)
    left = budget.left
    assert compile_expression("$..n").find(PLACES, budget) == first
    assert left - budget.left == 1 + len(first)


def test_filters_share_a_budget():
    """Filters that each fit do not all fit together: nothing matches, and the results say where it ended."""
    filters = [compile_filter(f"$[{start}:100].n", None) for start in (0, 1)]
    budget = Budget(250)
    assert not bind(filters, {})(PLACES, budget)
    assert budget.spent
    assert [result.error is None for result in decide(filters, PLACES, {}, Budget(250)).results] == [True, False]
    assert bind(filters, {})(PLACES)


@pytest.mark.parametrize(
    "texts",
    [
        ["$.ref", "$.head_commit.id", "$.pusher.name", "$.commits[-1].modified[0]", "$.commits[0].author.name"] * 11,
        ["$.commits[*].modified[*]", "$.commits[*].added[*]", "$.commits[*].removed[*]", "$.commits[*].message"],
        ["$.commits[?(@.author.name=='Mona')].message", "$.commits[*].modified[*]", "$.commits[-3:].id"],
        ["$..username"],
        ["$.commits..username", "$.head_commit..name"],
    ],
)
def test_usual_expressions_fit_the_largest_push(texts):
    """In 5 MB with 2,000 commits usual filters and parameters find what is there, with a third of the budget left."""
    document, budget = make_push(), Budget()
    for text in texts:
        compile_expression(text).search(document, budget)
    assert budget.left > MAX_NODES / 3
