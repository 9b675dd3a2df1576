from __future__ import annotations

import pytest

from hookwright.errors import InvalidExpression
from hookwright.filters import MAX_NODES, bind, compile_filter, decide, matches

DOCUMENT = {
    "ref": "refs/heads/main",
    "number": 42,
    "ratio": 1.0,
    "big": 12345678901234567890,
    "yes": True,
    "nil": None,
    "empty": [],
    "tags": ["a", "b", None, 7, ["x"], {"k": "v"}],
    "object": {"k": "v"},
    "nulls": [None, None],
}


@pytest.mark.parametrize(
    ("json_path", "match_equals", "matched"),
    [
        ("$.ref", "refs/heads/main", True),
        ("$.ref", "refs/heads/{Branch}", True),
        ("$.ref", "refs/heads/Main", False),
        ("$.ref", " refs/heads/main", False),
        ("$.number", "42", True),
        ("$.number", "42.0", False),
        ("$.ratio", "1.0", True),
        ("$.ratio", "1", False),
        ("$.big", "12345678901234567890", True),
        ("$.yes", "true", True),
        ("$.yes", "True", False),
        ("$.nil", "null", False),
        ("$.nil", "None", False),
        ("$.nil", "", False),
        ("$.tags", '["a","b"]', False),
        ("$.object", '{"k":"v"}', False),
        ("$.nothing", "x", False),
        ("$.nothing.deeper", "x", False),
        ("$.tags[*]", "b", True),
        ("$.tags[*]", "7", True),
        ("$.tags[*]", "null", False),
        ("$.tags[*]", "x", False),
        ("$.ref", None, True),
        ("$.empty", None, True),
        ("$.nil", None, False),
        ("$.nothing", None, False),
        ("$.nulls[*]", None, False),
        ("$.tags[1:3]", None, True),
        ("$.empty[*]", None, False),
    ],
)
def test_a_filter_matches_by_text(json_path, match_equals, matched):
    """A value equals by its text; of several any counts; without matchEquals anything but null does."""
    filters = [compile_filter(json_path, match_equals)]
    decision = decide(filters, DOCUMENT, {"Branch": "main"})
    assert decision.matched is matched
    assert decision.results[0].matched is matched
    assert matches(filters, DOCUMENT, {"Branch": "main"}) is matched


def test_every_filter_must_match():
    """One filter that does not match is enough, and each of them is reported."""
    filters = [compile_filter("$.ref", "nope"), compile_filter("$.number", "42")]
    decision = decide(filters, DOCUMENT, {})
    assert not decision.matched
    assert [result.matched for result in decision.results] == [False, True]
    assert not matches(filters, DOCUMENT, {})


def test_no_filters_match_everything():
    """A Webhook without filters takes every payload, null included."""
    assert decide([], None, {}).matched
    assert matches([], None, {})


def test_a_result_tells_what_was_expected_and_found():
    """A result has the filter as written, the expected text and the values that were found."""
    [result] = decide([compile_filter("$.tags[0:2]", "{Tag}")], DOCUMENT, {"Tag": "b"}).results
    assert (result.json_path, result.match_equals, result.expected) == ("$.tags[0:2]", "{Tag}", "b")
    assert result.found == ("a", "b")
    assert result.error is None


def test_an_unknown_key_is_reported_with_what_was_found():
    """A placeholder without a value matches nothing; the result says so and still shows the values."""
    filters = [compile_filter("$.ref", "refs/heads/{Branch}")]
    [result] = decide(filters, DOCUMENT, {}).results
    assert (result.matched, result.expected, result.found) == (False, None, ("refs/heads/main",))
    assert "Branch" in result.error
    assert not matches(filters, DOCUMENT, {})


def test_a_document_that_is_too_large_is_reported():
    """A path that leads past the bound matches nothing, and its result says why."""
    filters = [compile_filter("$..a", None)]
    document = [{"a": 1}, [0] * MAX_NODES]
    [result] = decide(filters, document, {}).results
    assert not result.matched
    assert str(MAX_NODES) in result.error
    assert not matches(filters, document, {})


def test_binding_replaces_placeholders_once():
    """A bound test keeps the values that it was given."""
    values = {"Branch": "main"}
    passes = bind([compile_filter("$.ref", "refs/heads/{Branch}")], values)
    values["Branch"] = "dev"
    assert passes(DOCUMENT)
    assert not passes({"ref": "refs/heads/dev"})


def test_a_refused_path_is_refused_with_the_filter():
    """A filter with a path that is not taken is not compiled."""
    with pytest.raises(InvalidExpression):
        compile_filter("$.a.len()", "2")
