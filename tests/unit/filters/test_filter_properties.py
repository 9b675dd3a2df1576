"""Properties of filters on arbitrary expressions and documents."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonpath_ng.ext import parse as parse_ng

from hookwright.errors import InvalidExpression
from hookwright.filters import bind, compile_expression, compile_filter, decide, render_value

NAMES = st.sampled_from(["a", "b", "c", "key with blank", "x-y", "ü"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(["a", "b", "1", "1.0"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)

SEGMENTS = st.one_of(
    st.sampled_from([".a", ".b", ".c", "['key with blank']", ".x-y", "['ü']"]),
    st.sampled_from(["[0]", "[1]", "[-1]", "[0,1]", "[*]", ".*", "[0:2]", "[1:]", "[:-1]", "[-1:]", "[-2:1]"]),
    st.sampled_from(["..a", "..b", "..*", "..[0]", "['a','b']", "..['b','a']"]),
    st.sampled_from(["[?(@.a in @.b)]", "[?(!(@[*] contains 'a'))]", "[?(@..a size 1)]", "[?(@.a =~ /a|1.*/)]"]),
    st.sampled_from(["[?(@.a[*])]", "[?(@.b[?(@.a)] empty false)]", "[?(@.a subsetof @.b || @ anyof ['a',1])]"]),
    st.sampled_from(["[?(@.a == 'a')]", "[?(@.a)]", "[?(@.a != @.b)]", "[?(@ > 1 || !@.b)]", "[?(@.a <= $.a && @.b)]"]),
)
FUNCTIONS = st.sampled_from(
    ["", "", ".length()", ".sum()", ".concat()", ".first()", ".index(1)", ".keys()", ".max($.a)"]
)
PATHS = st.tuples(st.lists(SEGMENTS, max_size=4), FUNCTIONS).map(lambda parts: "$" + "".join(parts[0]) + parts[1])

# What the letters of expressions are made of, so that arbitrary texts come near to real ones.
SCRAPS = st.sampled_from(
    [
        "@.a",
        "[?(",
        ")]",
        "'a'",
        "-1",
        "==",
        "&&",
        "||",
        "..",
        "\\u",
        "null",
        "1.5",
        " in ",
        "=~",
        "/a/",
        "['a']",
        ".sum(",
        "\x00",
        "ü",
        "😀",
        "\ud800",
        *"$@.[]?()*a'\"0:,=!&| \\/`\t\n",
    ]
)
TEXTS = st.text(max_size=160) | st.lists(SCRAPS, max_size=40).map("".join)


def compile_or_none(text):
    try:
        return compile_expression(text)
    except InvalidExpression:
        return None


@settings(deadline=None)
@given(TEXTS)
def test_compiling_raises_nothing_but_invalid_expression(text):
    """Any text is compiled or refused; nothing else is raised."""
    with suppress(InvalidExpression):
        assert compile_expression(text).text == text


@settings(deadline=None)
@given(PATHS, JSON)
def test_find_never_raises(text, document):
    """Whatever the document, an expression finds a list; a definite one finds one value at most."""
    expression = compile_or_none(text)
    assume(expression is not None)
    found = expression.find(document)
    assert isinstance(found, list)
    assert not expression.definite or len(found) <= 1


@settings(deadline=None)
@given(PATHS, JSON)
def test_find_leaves_the_document_as_it_was(text, document):
    """Looking into a document does not change it."""
    expression = compile_or_none(text)
    assume(expression is not None)
    before = json.dumps(document)
    expression.find(document)
    assert json.dumps(document) == before


PLAIN_SEGMENTS = st.sampled_from(
    [
        ".a",
        ".b",
        "['key with blank']",
        ".x-y",
        "[0]",
        "[-1]",
        "[-9]",
        "[0,1]",
        "[*]",
        ".*",
        "[0:2]",
        "[1:]",
        "[:-1]",
        "[-2:]",
    ]
)


@settings(deadline=None)
@given(
    st.lists(PLAIN_SEGMENTS, max_size=4).map(lambda segments: "$" + "".join(segments)),
    JSON.filter(lambda d: d is not None),
)
def test_plain_paths_find_what_jsonpath_ng_finds(text, document):
    """Names, indices, wildcards and slices that count from one end only mean the same to jsonpath-ng."""
    theirs = [match.value for match in parse_ng(text).find(document)]
    assert json.dumps(compile_expression(text).find(document)) == json.dumps(theirs)


CONDITIONS = st.sampled_from(
    [
        "@.a == 'a'",
        "@.a",
        "@.a == 'a' && @.b",
        "@.a == 'a' || @.b == 'b' && @.c",
        "(@.a == 'a' || @.b == 'b') && @.c",
        "@.a != 'b'",
        "!@.a",
        "@.a == null",
    ]
)
TEXT_ITEMS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["a", "b", None]), max_size=3)


@settings(deadline=None)
@given(CONDITIONS, st.lists(TEXT_ITEMS, max_size=5))
def test_filters_on_arrays_of_texts_find_what_jsonpath_ng_finds(condition, items):
    """On arrays of objects that hold texts, conditions mean the same to jsonpath-ng, precedence included."""
    text = f"$[?({condition})]"
    theirs = [match.value for match in parse_ng(text).find(items)]
    assert compile_expression(text).find(items) == theirs


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(PATHS, st.none() | st.sampled_from(["a", "1", "1.0", "true", "{Key}", "{Nope}", ""])), max_size=5
    ),
    JSON,
)
def test_the_quick_answer_agrees_with_the_decision(specs, document):
    """`bind` passes exactly the payloads for which `decide` says that all filters match."""
    filters = [compile_filter(path, equals) for path, equals in specs if compile_or_none(path)]
    values = {"Key": "a"}
    assert bind(filters, values)(document) is decide(filters, document, values).matched


@given(SCALARS)
def test_a_text_of_a_value_is_its_json(value):
    """What is rendered is JSON's own text, but for strings, which stand without quotes."""
    text = render_value(value)
    if isinstance(value, str):
        assert text == value
    elif text is not None:
        assert text == json.dumps(value)
