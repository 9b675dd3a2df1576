"""Functions and operators that are words: what they find, and what ends an evaluation. Jayway is asked elsewhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.filters import Budget, EvaluationError, compile_expression, compile_filter, decide
from hookwright.filters.elements import Doubtful, JsonText, PathText, read_elements
from hookwright.filters.java_numbers import double_text, int_value


def find(text, document):
    return compile_expression(text).find(document)


@pytest.mark.parametrize(
    ("text", "document", "found"),
    [
        ("$.l.length()", {"l": [1, 2, 3]}, [3]),
        ("$.l.sum()", {"l": [1, 2, 3]}, [6.0]),
        ("$.l.sum()", {"l": [10**400]}, [float("inf")]),
        ("$.l.max()", {"l": [-1, -2]}, [5e-324]),
        ("$.l.stddev()", {"l": [2, 4, "x"]}, [1.0]),
        ("$.t.length()", {"t": "text"}, [None]),
        ('$.concat($.a, "-", 1.50)', {"a": "x"}, ["x-1.5"]),
        ("$.concat($.b)", {"b": [True, None, {"k": "/"}, ["/\u2028"]]}, ['true{k=/}["\\/\\u2028"]']),
        ("$.concat($.b)", {"b": [10**5000]}, ["1" + "0" * 5000]),
        ("$['a','b','c']", {"b": 1, "a": 2}, [{"a": 2, "b": 1}]),
        ("$..x.length()", {"a": {"x": [1, 2]}, "x": {"k": 0}}, [3]),
    ],
)  # fmt: skip
def test_functions_give_one_value(text, document, found):
    """A function gives a whole number for lengths, a double for sums, as in Java, and null for what has none."""
    assert json.dumps(find(text, document)) == json.dumps(found)


@pytest.mark.parametrize(
    ("text", "document", "why"),
    [
        ("$.l.min()", {"l": ["x"]}, "min() needs numbers"),
        ("$.l.first()", {"l": []}, "no such element"),
        ("$.l.last()", {"l": [1]}, "never reaches the first"),
        ("$.l.first()", {"l": "x"}, "needs an array"),
        ("$[?('x' in @.l)]", {"l": [[1]]}, "arrays or objects in it"),
        ("$[?(@.l empty true)]", {"l": {}}, "`empty` of an object"),
        ("$[?('x' in @.l)]", {"l": ["\\uzzzz"]}, "hexadecimal"),
        ("$[?(@.a in @.l)]", {"l": ["@.a b"], "a": "@.a b"}, "cannot be told"),
        ("$[?(@.l =~ /.*x.*/)]", {"l": ["[{x:1}]"]}, "cannot be told"),
        ("$[?('x' in @.l)]", {"l": [float("inf")]}, "too large"),
    ],
)
def test_what_fails_in_jayway_says_so_and_does_not_match(text, document, why):
    """Where Jayway raises, nothing is found, the filter does not match, and its result says why."""
    assert find(text, document) == []
    with pytest.raises(EvaluationError):
        compile_expression(text).search(document, Budget())
    [result] = decide([compile_filter(text, None)], document, {}).results
    assert not result.matched
    assert why in result.error


def test_an_element_that_a_function_does_not_find_is_passed_over():
    """Under a step into an array an empty array is passed over, where an array alone it would end the evaluation."""
    assert find("$[*].first()", [[], [1]]) == [1]


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        ("@.nope nin ['a']", True),
        ("@.a nin @.nope", False),
        ("!(@.a in @.nope)", False),
        ("!(@.a in @.o)", True),
        ("@.s size 2", True),
        ("@.l size 2.9", True),
        ("@.o size -1", True),
        ("@.l contains '1'", True),
        ("@.l contains 'b'", True),
        ("@.l[?(@ == 1)] empty false", True),
        ("@.l[*]", True),
        ("@.nope[*]", False),
        ("@.l[*].x", True),
        ("@.d[*].x", False),
        ("@.d[0]['x','y']", False),
        ("@.l =~ /B/i", True),
        ("@.nope =~ /.+/", False),
        ("@.t =~ /true/", True),
        ("@.f =~ /1\\.0E\\+22/", True),
    ],
)
def test_operators_have_jayways_odd_sides(condition, passes):
    """What is missing, what is no array, kinds and sizes are judged as Jayway judges them."""
    document = {"a": "a", "l": [1, "'b'"], "s": "\U0001f600", "o": {"k": 1}, "d": [{"x": 1}, {}], "t": True, "f": 1e22}
    assert bool(find(f"$[?({condition})]", document)) is passes


def test_elements_are_read_as_jayway_reads_them():
    """Quotes and backslashes of an element are resolved; what is a path or JSON, or may be, is no text."""
    texts = [
        "a",
        "'a'",
        '"a',
        "\\n\\u0041\\x\\",
        "@",
        " $ ",
        "$a",
        "@.a",
        "[a, 1]",
        "{ }",
        "{a}",
        "[",
        "[1.2.3]",
        "\\ud83d\\ude00",
    ]
    assert read_elements(texts, lambda _nodes: None) == [
        "a",
        "a",
        '"a',
        "\nAx\\",
        PathText(),
        PathText(),
        "$a",
        Doubtful("@.a", "@.a", as_json=False),
        JsonText("[a, 1]"),
        JsonText("{ }"),
        "{a}",
        "[",
        Doubtful("[1.2.3]", "[1.2.3]", as_json=True),
        "\U0001f600",
    ]  # fmt: skip


SCALARS = st.integers() | st.floats() | st.text("@$.[]{}'\"\\u0ax,:", max_size=8) | st.none() | st.booleans()


@settings(deadline=None)
@given(
    st.lists(SCALARS, max_size=4),
    st.sampled_from(["in", "nin", "contains", "subsetof", "anyof", "noneof", "empty", "size"]),
)
def test_no_element_makes_an_operator_raise(values, operator):
    """Whatever stands in an array, an operator has an answer, or the evaluation has none."""
    for condition in (f"$.l {operator} $.l", "$.l =~ /.*a.*/"):
        assert len(compile_expression(f"$[?({condition})]").find({"l": values})) <= 1


@pytest.mark.parametrize(
    ("number", "text"),
    [(1.0, "1.0"), (0.001, "0.001"), (1e7, "1.0E7"), (1.25e-7, "1.25E-7"), (-0.0, "-0.0"), (123456.789, "123456.789")],
)
def test_doubles_are_written_as_java_writes_them(number, text):
    """From a thousandth to ten millions a double is written plainly, else with an exponent."""
    assert double_text(number) == text


@pytest.mark.parametrize(("number", "whole"), [(2.9, 2), (-2.9, -2), (2**31, -(2**31)), (2**32 + 1, 1)])
def test_sizes_are_32_bits(number, whole):
    """A number that is a size loses its fraction, and all but 32 bits."""
    assert int_value(number) == whole
