from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hookwright
from hookwright.errors import InvalidExpression
from hookwright.filters import MAX_LENGTH, MAX_NODES, EvaluationError, compile_expression, compile_filter

PUSH = {
    "ref": "refs/heads/main",
    "commits": [{"id": "1", "by": "a"}, {"id": "2"}, {"id": "3", "by": "b"}],
    "base": None,
}


def refusal_of(text: str) -> str:
    with pytest.raises(InvalidExpression) as refused:
        compile_expression(text)
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "definite", "found"),
    [
        ("$.ref", True, ["refs/heads/main"]),
        ("ref", True, ["refs/heads/main"]),
        ("$.base", True, [None]),
        ("$.base.x", True, []),
        ("$.commits[-1].id", True, ["3"]),
        ("$.commits[9]", True, []),
        ("$.commits[*].by", False, ["a", "b"]),
        ("$..id", False, ["1", "2", "3"]),
        ("$.commits[?(@.by == 'b' || @.id == '2')].id", False, ["2", "3"]),
        ("$.nothing[*]", False, []),
    ],
)
def test_find_gives_the_values(text, definite, found):
    """A path finds its values in the order of the document; what is missing is an empty list, null is a value."""
    expression = compile_expression(text)
    assert expression.text == text
    assert expression.definite is definite
    assert expression.find(PUSH) == found


@pytest.mark.parametrize(
    ("text", "rewrite"),
    [
        ("$.'ref'", "$['ref']"),
        ("$.ref[", "$.ref"),
        ("$.key with blank", "$['key with blank']"),
        (" $.ref", "$.ref"),
        ("'$.ref'", "$.ref"),
        (".ref", "$.ref"),
        ("$.ref\t", "$.ref"),
        ("$ .ref", "$.ref"),
        ("$.commits[id]", "$.commits['id']"),
        ("$.commits[:]", "$.commits[*]"),
        ("$.commits[]", "$.commits[*]"),
        ("$.commits[0 : 2]", "$.commits[0:2]"),
        ("$.commits[0:2:1]", "$.commits[0:2]"),
        ("$['commits']x", "$['commits'].x"),
        ("$...id", "$..id"),
        ("$.+1", "$['+1']"),
        ("+1", "$['+1']"),
        ("$..a/b", "$..['a/b']"),
        ("$.commits[?@.by=='a']", "$.commits[?(@.by=='a')]"),
        ("$.commits[?@.by[0]==']']", "$.commits[?(@.by[0]==']')]"),
        ("$.commits[?(@.by) && (@.id)]", "$.commits[?((@.by) && (@.id))]"),
        ("$.commits[?(@.by = 'a')]", "$.commits[?(@.by == 'a')]"),
        ("$.commits[?(@.by ~ /a/)]", "$.commits[?(@.by =~ /a/)]"),
        ("$.commits[?(@.by =~ 'a/b')]", "$.commits[?(@.by =~ /a\\/b/)]"),
        ("$.commits[?(@.by =~ /a{/)]", "$.commits[?(@.by =~ /a\\{/)]"),
        ("$.commits[?(@.by =~ /\\Bx/)]", "$.commits[?(@.by =~ /(?:(?<!\\w)(?!\\w)|(?<=\\w)(?=\\w))x/)]"),
        ("$.commits[?(@.by =~ /(?>a)/)]", "$.commits[?(@.by =~ /(?:a)/)]"),
        ("$.commits[?(!@.by == 'a')]", "$.commits[?(!(@.by == 'a'))]"),
        ("$.commits[?(@.by in 'a')]", "$.commits[?(@.by == 'a')]"),
        ("$.commits[?(@.by in[1])]", "$.commits[?(@.by in [1])]"),
        ("$.commits[?(@.by in [a, b])]", "$.commits[?(@.by in ['a', 'b'])]"),
        ("$.commits[?(@.by in ['a',])]", "$.commits[?(@.by in ['a'])]"),
        ("$.commits[?(@.list anyof 'a')]", "$.commits[?(@.list anyof ['a'])]"),
        ("$.commits[?(@.list contains ['a'])]", "$.commits[?(@.list anyof ['a'])]"),
        ("$['a',\"b\"]", "$['a','b']"),
        ("$.commits[@.by=='a'].id", "$.commits[?(@.by=='a')].id"),
        ("$.commits[@['by'] == 'a'].id", "$.commits[?(@['by'] == 'a')].id"),
        ("$.commits[?(@.by == 'a' and @.id)]", "$.commits[?(@.by == 'a' && @.id)]"),
        ("$.commits[?(@.by OR @.id)]", "$.commits[?(@.by || @.id)]"),
        ("$.commits[?(@.by =~ 'a\\/b/c')]", "$.commits[?(@.by =~ /a\\/b\\/c/)]"),
        ("$.commits.first().id", "$.commits[0].id"),
        ("$.commits.last().id", "$.commits[-1].id"),
        ("$.commits.index(1).id", "$.commits[1].id"),
        ("$.commits.first(1)", "$.commits.first()"),
        ("$.commits.append(1)", "$.commits"),
        ("$.commits.Length()", "$.commits.length()"),
        ("$.length($.commits)", "$.commits.length()"),
        ("$.length( )", "$.length()"),
        ("$.concat('a')", '$.concat("a")'),
        ('$.concat("a,(")', '$.concat("a\\u002c\\u0028")'),
        ("$.concat($.ref )", "$.concat($.ref)"),
        ("$.sum($.commits[*].n)", "$.sum($.commits[0:].n)"),
        ("$..commits[*].n.sum()", "$..commits[0:].n.sum()"),
        ("$..n.sum(1)", "$.sum($..n,1)"),
        ("$.commits[?(@.by == octo-cat)]", "$.commits[?(@.by == 'octo-cat')]"),
        ("$.commits[?(@.by == True)]", "$.commits[?(@.by == true)]"),
        ("$.commits[?(@.by&&@.id)]", "$.commits[?(@.by &&@.id)]"),
        ("$.commits[?(@.by == 'a' & @.id)]", "$.commits[?(@.by == 'a' && @.id)]"),
        ("$.commits[?($.ref)]", "$.commits[?(@.ref)]"),
        ("$.commits[?(@['a']['b c'] == 1)]", "$.commits[?(@['a'].['b c'] == 1)]"),
        ("$.'commits'[?@.by=a]", "$['commits'][?(@.by=='a')]"),
    ],
)
def test_a_refusal_gives_a_rewrite_that_works(text, rewrite):
    """A mistake that can be mended comes with the mended expression, also where several are in one."""
    assert refusal_of(text).endswith(f'Write "{rewrite}"')
    compile_expression(rewrite)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("$.list.`len`", 8, "back-ticks"),
        ("$.list.nope()", 8, "length"),
        ("$..length()", 4, "directly"),
        ("$..x.first()", 6, "whole payload"),
        ("$..[0].length()", 8, "wrongly"),
        ("$.list.index($.n)", 13, "whole number"),
        ("$.list.index(1.5)", 13, "whole number"),
        ('$.list.sum("1")', 11, "numbers and paths"),
        ("$.list.concat(true)", 15, "argument"),
        ("$.concat($.a[?(@.b)])", 13, "filters"),
        ("$.concat($.a,)", 14, "argument"),
        ("$.concat($.a", 13, "filters"),
        ('$.concat("a"', 13, "closed"),
        ("$[?(@.sum(1) == 1)]", 11, "no arguments"),
        ("$[?(@.keys())]", 7, "member"),
        ("$..*.a", 6, "documents before"),
        ("$..[?(@.a)].*", 13, "documents before"),
        ("$[?(['a'] == @.b)]", 11, "equals nothing"),
        ("$[?('a')]", 5, "compared"),
        ("$[?(@.a all ['x'])]", 9, "subsetof"),
        ("$[?(@.a type 'x')]", 9, "compare the value"),
        ("$[?(@.a like 'x')]", 9, "no operator"),
        ("$[?(@.a size 'x')]", 9, "number"),
        ("$[?(@.a empty 1)]", 9, "true or false"),
        ("$[?(@.a < [1])]", 9, "no array"),
        ("$[?(@.a == /x/)]", 9, "=~"),
        ("$[?(/x/ =~ /x/)]", 9, "one side"),
        ("$[?(@.a in ['[x]'])]", 13, "JSON"),
        ("$[?(@.a in ['@'])]", 13, "path"),
        ("$[?(@.a in ['a\\\\b'])]", 13, "twice"),
        ("$[?(@.a in ['\"x\"'])]", 13, "inner quotes"),
        ("$[?(@.a in ['x)]", 13, "not closed"),
        ("$[?(@.a in ['x' 'y'])]", 12, "comma"),
        ("$[?(@.a =~ /x)]", 12, "/ must stand"),
        ("$[?(@.a =~ /(a)\\1/)]", 16, "back-references"),
        ("$[?(@.a =~ /[a&&b]/)]", 15, "&&"),
        ("$[?(@.a =~ /\\p{L}/)]", 13, "Unicode"),
        ("$[?(@.a =~ /x/U)]", 14, "Unicode"),
        ("$[?(@.a =~ /a{1001}/)]", 14, "1000"),
        ("$[?(@.a =~ /(?:a{99}){99}/)]", 13, "repeats too much"),
        ("$[?(@.a =~ /a{999}/ || @.a =~ /b{800}/ || @.a =~ /c{300}/)]", 50, "all together"),
        ("$[?(length(@.a) == 1)]", 5, "end of a path"),
        ("$.a[b'c'd]", 4, "in quotes"),
        ("$[?(@.l[?(@ =~ /[a]/)])]", 16, "filter within a filter"),
        ("$.a + 1", 5, "computes"),
        ("$.a == 'x'", 5, "filter"),
        ("$[::2]", 3, "step"),
        ("$[(@.length-1)]", 2, "[-1]"),
        ("$[2147483648]", 3, "2147483647"),
        ("$[?(!@.a == 1)]", 6, "forgets"),
        ("$[?(@.a == 1e+3)]", 12, "1e3"),
        ("$[?(@.a == 'x)]", 12, "not closed"),
        ("$['a", 3, "not closed"),
        ("$[0", 2, "not closed"),
        ("$[?(@.a", 2, "not closed"),
        ("$[?(@.a == 'x') x]", 17, "closing bracket"),
        ("$[?()]", 5, "condition"),
        ("$[?(@.a @.b)]", 9, "&&"),
        ("$['\\ud83d']", 3, "surrogate"),
        ("$['\\u12']", 3, "hexadecimal"),
        ("$['\ud83d']", 3, "surrogate"),
    ],
)
def test_a_refusal_names_place_and_reason(text, place, reason):
    """What is not taken is refused at the character where it stands, with the reason."""
    message = refusal_of(text)
    assert f"is refused at character {place}: " in message
    assert reason in message


@pytest.mark.parametrize("text", ["$.a[b'c'd]", "$.a[ref, x]", "$.a[b[c]]"])
def test_what_cannot_be_a_name_comes_without_a_rewrite(text):
    """A rewrite never drops a part of what was written."""
    assert "Write" not in refusal_of(text)


def test_an_expression_is_compiled_once():
    """The same text gives the same compiled expression, with whatever matchEquals."""
    first, second = (compile_filter("$.commits[?(@.by == 'once')]", text) for text in ("a", "b"))
    assert first.json_path is second.json_path


@pytest.mark.parametrize("text", ["$" + ".a" * 75, "$" + "[" * 75 + "]" * 75, "a" * 10_000_000])
def test_a_long_expression_is_refused(text):
    """More than 150 characters are refused, without reading them and without repeating them all."""
    message = refusal_of(text)
    assert str(MAX_LENGTH) in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "text",
    [
        "$" + "[" * 74 + "]" * 75,
        "$[?" + "(" * 140,
        "$[?(" + "!" * 140,
        "$" + "." * 149,
        "[?(" * 50,
        "$" + "['" * 70,
        "$[?(@" + "[0" * 70,
        "'" * 150,
        "$[?(@ =~ /" + "(" * 130 + "/)]",
        "$[?(@ =~ /" + "(?!" * 40 + "/)]",
        "$[?(@ in " + "[" * 130,
        "$.sum(" * 20,
    ],
)
def test_nesting_is_refused_calmly(text):
    """Nothing but InvalidExpression comes of brackets without end."""
    refusal_of(text)


def test_the_deepest_expressions_work():
    """As many segments, parentheses and `..` as fit into 150 characters are compiled and evaluated."""
    assert compile_expression("$" + "[0]" * 49).find([]) == []
    assert compile_expression("$" + "..a" * 49).find({"a": {"a": 1}}) == []
    assert compile_expression("$[?" + "(" * 70 + "@" + ")" * 70 + "]").find([1]) == [1]
    assert compile_expression("$[?(" + "@ ||" * 35 + "@)]").find([1]) == [1]
    assert compile_expression("$[?(" + "!(" * 45 + "@" + ")" * 45 + ")]").find([1]) == []
    assert compile_expression("$[?(@ =~ /" + "(" * 65 + "x" + ")" * 65 + "/)]").find(["x"]) == ["x"]
    assert compile_expression("$[?(@ =~ /" + "(?=" * 33 + "x" + ")" * 33 + "x/)]").find(["x"]) == ["x"]
    assert compile_expression("$" + "[?(@" * 24 + ")]" * 24).find([{}]) == [{}]


def test_a_document_with_too_many_nodes_finds_nothing():
    """An evaluation ends after MAX_NODES nodes: it finds nothing, and says why to who asks."""
    expression = compile_expression("$..a")
    document = [[{"a": 1}], [0] * MAX_NODES]
    assert expression.find(document) == []
    with pytest.raises(EvaluationError, match=str(MAX_NODES)):
        expression.search(document)
    assert expression.find(document[:1]) == [1]


@pytest.mark.parametrize(
    "text",
    [
        "$..a",
        "$..*",
        "$..a..a..a..a",
        "$..a..*",
        "$..[?(@.a == 'x' && @.b)]",
        "$..a[*]..b",
        "$..[0:9]",
        "$..[?(@ == $)]",
    ],
)
def test_repeated_scans_are_bounded(text):
    """No path takes longer than the bound allows on a document in which everything leads everywhere."""
    document: object = []
    for _ in range(190):
        document = {"a": document, "b": [document]}
    assert len(compile_expression(text).find(document)) <= MAX_NODES


def test_depth_is_no_danger():
    """A document deeper than Python's stack is searched, and compared, like any other."""
    document: object = "x"
    for _ in range(100_000):
        document = [document]
    assert compile_expression("$..a").find(document) == []
    assert compile_expression("$[?(@ == @)]").find(document) == [document[0]]


def test_a_number_beyond_a_double_ends_the_evaluation():
    """Where Jayway fails on a number that no double can hold, nothing is found, and the reason is given."""
    expression = compile_expression("$[?(@.a != 1)]")
    assert expression.find([{"a": 2}, {"a": float("inf")}]) == []
    with pytest.raises(EvaluationError, match="too large"):
        expression.search([{"a": float("inf")}])


def test_compiling_leaves_no_trace(tmp_path):
    """The parser writes no file, prints nothing and raises no warning."""
    source = Path(hookwright.__file__).parents[1]
    code = "from hookwright.filters import compile_expression as c; c('$.a[?(@.b == 1 && @.c || !@.d)]..e[0,1][1:]')"
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
