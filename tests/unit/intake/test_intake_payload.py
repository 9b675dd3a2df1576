"""From a body to a document: JSON and nothing else, and never any other error than Unreadable."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.errors import Unreadable
from hookwright.intake.payload import read_payload
from hookwright.reasons import BODY_UNREADABLE, CONTENT_TYPE_UNSUPPORTED
from support.objects import make_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def read_body(body):
    return read_payload(make_request(body=body))


def refusal(request):
    with pytest.raises(Unreadable) as refused:
        read_payload(request)
    return refused.value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1',
        b'{"a":1}}',
        b'{"a":1} {"a":1}',
        b"{'a':1}",
        b'{"a":1,}',
        b"{a:1}",
        b"// comment\n{}",
        b"NaN",
        b'{"a":NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b'{"a":"\xc3"}',
        b'{"a":"\xed\xa0\x80"}',
        '{"a":"ü"}'.encode("utf-16"),
        '{"a":"ü"}'.encode("latin-1"),
        b'{"a":"\\ud800"}',
        b'{"a":"\x00"}',
        b'{"a":"\n"}',
        b'{"a":01}',
        b'{"a":+1}',
        b"True",
        b"payload=%7B%7D",
    ],
)
def test_what_is_not_json_is_refused(body):
    """Broken JSON, NaN, Infinity, bytes that are not UTF-8, a byte order mark and an empty body are refused."""
    assert refusal(make_request(body=body)).reason == BODY_UNREADABLE.name


@pytest.mark.parametrize(
    ("open_", "leaf", "close"),
    [(b"[", b"1", b"]"), (b'{"a":', b"1", b"}"), (b"[", b'"x"', b"]"), (b'{"a":', b"[]", b"}")],
)
def test_nesting_is_bounded(open_, leaf, close):
    """A value inside 200 arrays and objects is read; one inside 201 is refused, however it is nested."""
    assert read_body(open_ * 200 + leaf + close * 200)
    error = refusal(make_request(body=open_ * 201 + b"1" + close * 201))
    assert error.reason == BODY_UNREADABLE.name


def test_depth_of_a_body_that_never_ends_is_no_crash():
    """A megabyte of opening brackets is refused as quickly as anything else."""
    assert refusal(make_request(body=b"[" * (1 << 20))).reason == BODY_UNREADABLE.name


def test_of_doubled_keys_the_last_counts():
    """A name that stands twice in an object has its last value, as in the JSONPath reference implementation."""
    assert read_body(b'{"ref":"first","a":1,"ref":"last"}') == {"ref": "last", "a": 1}


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**64, -(2**64) - 1, 10**400, 7**4000])
def test_integers_are_exact(number):
    """Integers come out as they were sent, far beyond what a double holds."""
    assert read_body(str(number).encode()) == number


def test_integer_of_too_many_digits_is_unreadable():
    """A number with more digits than Python turns into one is refused, and is no crash."""
    assert refusal(make_request(body=b"9" * 100_000)).reason == BODY_UNREADABLE.name


@pytest.mark.parametrize("scalar", [b"null", b"true", b'"text"', b"42", b"1.5", b"[]"])
def test_document_may_be_any_json(scalar):
    """A body need not be an object."""
    assert read_body(scalar) == json.loads(scalar)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        " application/json ",
        "application/vnd.x+json",
        "application/cloudevents+json; charset=utf-8",
    ],
)
def test_json_content_types_are_taken(content_type):
    """application/json and application/…+json are JSON, whatever their case and parameters."""
    assert read_payload(make_request(content_type=content_type))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/json",
        "text/plain+json",
        "application/jsonp",
        "application/json-seq",
        "application/xml; application/json",
        "",
        "json",
        ["application/json", "application/json"],
        [],
    ],
)
def test_other_content_types_are_refused(content_type):
    """A body that is not declared as JSON, or declared twice or not at all, is refused whatever is in it."""
    assert refusal(make_request(content_type=content_type)).reason == CONTENT_TYPE_UNSUPPORTED.name


def test_refusal_of_a_content_type_names_it_and_the_remedy():
    """Who sends forms learns what to choose instead."""
    message = refusal(make_request(content_type="application/x-www-form-urlencoded")).message
    assert "application/x-www-form-urlencoded" in message
    assert "choose application/json" in message


def test_long_content_type_is_cut():
    """What a stranger wrote into a header is not repeated at length."""
    assert len(refusal(make_request(content_type="x" * 10_000)).message) < 200


@pytest.mark.parametrize("body", [b'{"token": "hush', b"hush", b'{"a": hush}', b'{"hush": 1, hush}', b'"hush\xff"'])
def test_message_says_where_and_never_repeats_the_text(body):
    """A parser's message names line and column, and nothing of the payload."""
    message = refusal(make_request(body=body)).message
    assert "hush" not in message
    assert "line 1 column" in message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet='{}[]",:\\u0123456789eE.-+naflstru ', max_size=40).map(str.encode))
def test_arbitrary_bytes_raise_nothing_else(body):
    """Whatever bytes are sent, they are a document or unreadable."""
    try:
        read_body(body)
    except Unreadable as error:
        assert error.reason == BODY_UNREADABLE.name  # noqa: PT017 - either is right


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_json_is_read_as_it_was_written(document):
    """What was sent as JSON is what is judged."""
    assert read_body(json.dumps(document).encode()) == document


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_content_type_is_taken_or_refused(content_type):
    """No content type, however odd, raises anything but Unreadable."""
    try:
        read_payload(make_request(content_type=content_type))
    except Unreadable as error:
        assert error.reason == CONTENT_TYPE_UNSUPPORTED.name  # noqa: PT017 - either is right
