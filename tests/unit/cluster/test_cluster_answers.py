"""Refusals, and the lines of a watch: whatever comes is read or refused, and never more than a line is held."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.cluster.answers import (
    MAX_DEPTH,
    MAX_MESSAGE,
    Lines,
    read_event,
    read_json,
    read_object,
    read_refusal,
)
from hookwright.errors import ClusterError


def test_refusal_has_status_reason_and_message():
    """A Kubernetes Status object becomes an error with its status, reason and words."""
    text = json.dumps({"kind": "Status", "message": 'jobs "x" already exists', "reason": "AlreadyExists", "code": 409})
    error = read_refusal(409, text.encode())
    assert (error.status, error.reason, error.message) == (409, "AlreadyExists", 'jobs "x" already exists')


@pytest.mark.parametrize("text", [b"", b"<html>Bad Gateway</html>", b"[]", b"5", b"null", b"{}", b"\xff", b'"x"'])
def test_refusal_of_a_stranger_is_named_by_its_status(text):
    """What a proxy says instead of the API server is not repeated."""
    error = read_refusal(502, text)
    assert (error.status, error.reason, error.message) == (502, "", "the API server answers 502")


def test_long_refusal_is_cut():
    """A message is no longer than status has room for."""
    assert len(read_refusal(422, json.dumps({"message": "m" * 10_000}).encode()).message) == MAX_MESSAGE


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(max_size=5), st.lists).map(json.dumps).map(str.encode))
def test_any_answer_makes_a_refusal(text):
    """Whatever stands in the body of a refusal, it becomes one."""
    assert read_refusal(500, text).status == 500


# ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"a", b"bb", b"\n", b"\n\n", b" ", b"c\nd"]), max_size=30), st.data())
def test_lines_do_not_depend_on_how_the_stream_is_cut(parts, data):
    """However a stream is cut, its lines are the same, and blank ones are left out."""
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    lines = Lines()
    found = [
        line
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for line in lines.feed(stream[start:end])
    ]
    assert found + lines.end() == [line for line in stream.split(b"\n") if line.strip()]
    assert lines.end() == []


def test_line_may_be_as_long_as_the_bound_and_no_longer():
    """What is held of an unfinished line is bounded, however small the pieces are."""
    lines = Lines(limit=10)
    for _ in range(10):
        assert lines.feed(b"x") == []
    assert lines.feed(b"\n") == [b"x" * 10]
    for _ in range(10):
        assert lines.feed(b"x") == []
    with pytest.raises(ClusterError) as broken:
        lines.feed(b"x")
    assert broken.value.transient


def test_bound_is_for_each_line():
    """A stream may be longer than any line."""
    lines = Lines(limit=10)
    assert sum(len(lines.feed(b"x" * 9 + b"\n")) for _ in range(1000)) == 1000


# ── events ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_event_has_type_and_object():
    """A line of a watch is its type and its object."""
    obj = {"kind": "Secret", "metadata": {"name": "a"}}
    assert read_event(json.dumps({"type": "ADDED", "object": obj}).encode()) == ("ADDED", obj)


@pytest.mark.parametrize(
    ("status", "code"),
    [({"code": 410, "message": "old"}, 410), ({"message": "x"}, 500), ({}, 500), (None, 500), ("x", 500)],
)
def test_error_event_is_raised_with_its_code(status, code):
    """An ERROR event is the error that its Status names; what names none is the server's."""
    with pytest.raises(ClusterError) as refused:
        read_event(json.dumps({"type": "ERROR", "object": status}).encode())
    assert refused.value.status == code


_JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "object", "metadata"]), inner),
)


@settings(deadline=None)
@given(st.binary(max_size=40) | _JSON.map(lambda found: json.dumps(found).encode()))
def test_any_line_is_an_event_or_refused(line):
    """Whatever a line holds, it is an event whose object has metadata, or a ClusterError."""
    try:
        _, found = read_event(line)
    except ClusterError:
        return
    assert isinstance(found["metadata"], dict)


def test_line_that_is_nested_without_end_is_refused():
    """JSON that is too deep is no event."""
    with pytest.raises(ClusterError):
        read_event(b"[" * 1_000_000)


def test_refused_line_is_not_shown():
    """The error of a line that is cut does not hold the line, which may be a Secret."""
    with pytest.raises(ClusterError) as refused:
        read_event(b'{"type":"ADDED","object":{"data":{"token":"aHVzaA=="}')
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


# ── objects ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def nest(levels, inside="1"):
    return '{"a":' * levels + inside + "}" * levels


@pytest.mark.parametrize("levels", [1200, 9000])
def test_object_that_nests_deeply_hides_no_other(levels):
    """A free-form field of as many levels as the API server takes costs its own depths, and nobody else's object."""
    items = f'{{"metadata":{{"name":"x"}},"spec":{nest(levels)}}},{{"metadata":{{"name":"y"}},"spec":{{"b":"}}]"}}}}'
    found = read_object(b'{"metadata":{"continue":"c"},"items":[%s]}' % items.encode())
    first, second = found["items"]
    assert (first["metadata"], found["metadata"]) == ({"name": "x"}, {"continue": "c"})
    assert second == {"metadata": {"name": "y"}, "spec": {"b": "}]"}}
    line = b'{"type":"ADDED","object":{"metadata":{"name":"x"},"spec":%s}}' % nest(levels).encode()
    assert read_event(line)[1]["metadata"] == {"name": "x"}


JSON = st.recursive(
    st.none() | st.integers() | st.text('ab\\"[]{}é\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"{', max_size=3), inner, max_size=3),
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_what_is_not_too_deep_is_left_as_it_is(document):
    """Strings with brackets, quotes and backslashes in them do not confuse whoever counts levels."""
    text = json.dumps({"deep": 0, "rest": document}).replace('"deep": 0', '"deep": ' + nest(2000))
    found = read_json(text.encode())
    assert found["rest"] == document
    depth, inner = 0, found["deep"]
    while inner is not None:
        depth, inner = depth + 1, inner["a"]
    assert depth == MAX_DEPTH - 1


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"null", b"5", b"{}", b'{"metadata":null}', b"[" * 5000])
def test_what_is_no_object_is_refused(text):
    """What a proxy says with status 200 is no object: trying again may help."""
    with pytest.raises(ClusterError) as refused:
        read_object(text)
    assert refused.value.transient
