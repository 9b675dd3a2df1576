"""From a body to a document: JSON and nothing else, and never any other error than Unreadable."""

from __future__ import annotations

import json
import tracemalloc
from urllib.parse import parse_qsl, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.errors import Unreadable
from hookwright.intake.payload import FORM, read_media_type, read_payload
from hookwright.providers.github import dialect
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


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "utf-16", "nonsense", '"utf-8"'])
def test_charset_does_not_matter(charset):
    """JSON is UTF-8, whatever is declared beside it."""
    declared = f"application/json; charset={charset}"
    assert read_payload(make_request(body='{"a":"ü"}'.encode(), content_type=declared)) == {"a": "ü"}
    error = refusal(make_request(body='{"a":"ü"}'.encode("latin-1"), content_type=declared))
    assert error.reason == BODY_UNREADABLE.name


@pytest.mark.parametrize("content_type", ["", [], ["application/json", "application/json"], ["application/json", "x"]])
def test_missing_and_doubled_content_type_is_named(content_type):
    """Who declares no content type, or two, learns that."""
    assert "missing, or there twice" in refusal(make_request(content_type=content_type)).message


@pytest.mark.parametrize(
    ("content_type", "media_type"),
    [
        ("Application/JSON ; charset=utf-8", "application/json"),
        ("text/plain", "text/plain"),
        (";", ""),
        ("", ""),
        ([], ""),
        (["application/json"] * 2, ""),
    ],
)
def test_media_type_is_read_without_its_parameters(content_type, media_type):
    """The media type is in small letters, and empty where it cannot be told."""
    assert read_media_type(make_request(content_type=content_type)) == media_type


# ── GitHub's form ─────────────────────────────────────────────────────────────────────────────────────────────────


def read_form(body, content_type=FORM):
    return read_payload(make_request(body=body, content_type=content_type), forms=True)


def refuse_form(body, content_type=FORM):
    with pytest.raises(Unreadable) as refused:
        read_form(body, content_type)
    return refused.value


@pytest.mark.parametrize("event", dialect.sample_events())
def test_form_of_github_is_read(event):
    """What GitHub sends as a form is the document that it sends as JSON."""
    document = dialect.make_sample(event)
    body = b"payload=" + quote_plus(json.dumps(document, ensure_ascii=False)).encode()
    assert read_form(body) == document


@pytest.mark.parametrize(
    "content_type",
    [
        FORM,
        "Application/X-WWW-Form-Urlencoded",
        f"{FORM}; charset=utf-8",
        f"{FORM};charset=iso-8859-1",
        f" {FORM} ;",
    ],
)
def test_content_type_of_a_form_is_taken(content_type):
    """Case and parameters do not matter: what is escaped is UTF-8, as GitHub has it."""
    assert read_form(b"payload=%22%C3%BC%22", content_type) == "ü"


@pytest.mark.parametrize("content_type", [f"{FORM}x", "multipart/form-data; boundary=x", [FORM, FORM], [], "x/form"])
def test_other_content_types_are_no_form(content_type):
    """A form that is not declared as one, or twice, is not read."""
    assert refuse_form(b"payload=%7B%7D", content_type).reason == CONTENT_TYPE_UNSUPPORTED.name


def test_form_is_read_only_where_it_is_allowed():
    """A scheme that reads no forms refuses them; one that does reads JSON as well."""
    request = make_request(body=b"payload=%7B%7D", content_type=FORM)
    assert refusal(request).reason == CONTENT_TYPE_UNSUPPORTED.name
    assert read_payload(make_request(body=b"{}"), forms=True) == {}
    assert refuse_form(b"payload=%7B%7D", "application/json").reason == BODY_UNREADABLE.name


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b"payload=%7b%7D", {}),
        (b"payload={}", {}),
        (b"%70ayload=%7B%7D", {}),
        (b"payload=%7B%22a%22%3A+%22b+c%2Bd%22%7D", {"a": "b c+d"}),
        (b"payload=%22a%2526b%22", "a%26b"),
        (b'payload="a=b"', "a=b"),
        (b"payload=%22=3D%3D3D%22", "=3D=3D"),
        (b"payload=%22%F0%9F%98%80%22", "😀"),
        (b"a=1&payload=1&b=2", 1),
        (b"payload=1&PAYLOAD=2&payload%5B%5D=3&payload+=4&+payload=5", 1),
        (b"&&payload=1&", 1),
        (b"a&" * 15 + b"payload=1", 1),
    ],
)
def test_field_is_found_as_forms_are_written(body, document):
    """The one field is found among others, whatever is escaped and whatever need not be."""
    assert read_form(body) == document


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "0 fields named payload"),
        (b"payload", "not JSON"),
        (b"payload=", "not JSON"),
        (b"{}", "0 fields named payload"),
        (b"x=%7B%7D", "0 fields named payload"),
        (b"payload=1&payload=1", "2 fields named payload"),
        (b"payload=1&payload=2", "2 fields named payload"),
        (b"payload=1&%70ayload=2", "2 fields named payload"),
        (b"payload=1&payload", "2 fields named payload"),
        (b"payload=1;payload=2", "not JSON"),
        (b"payload=%", "no form"),
        (b"payload=%2", "no form"),
        (b"payload=%zz", "no form"),
        (b"payload=%%20", "no form"),
        (b"payload=%u0041", "no form"),
        (b"payload=1&x=100%", "no form"),
        (b"%=1&payload=1", "no form"),
        (b"payload=\xc3\xbc", "no form"),
        (b"payload=1\xff", "no form"),
        (b"payload=%ff", "not JSON"),
        (b"payload=%22%C3%22", "not JSON"),
        (b"payload=%22%ED%A0%80%22", "not JSON"),
        (b"payload=%EF%BB%BF%7B%7D", "not JSON"),
        (b"payload=%257B%257D", "not JSON"),
        (b"payload=NaN", "not JSON"),
        (b"payload=" + b"%5B" * 201 + b"1" + b"%5D" * 201, "not JSON"),
        (b"a=1&" * 16 + b"payload=1", "at most 16 fields"),
        (b"&" * 5_000_000, "at most 16 fields"),
    ],
)
def test_broken_form_says_what_is_wrong(body, told):
    """No such field, two, broken escapes, other bytes than ASCII, too many fields: all are unreadable."""
    error = refuse_form(body)
    assert error.reason == BODY_UNREADABLE.name
    assert told in error.message


def test_message_about_a_form_never_repeats_it():
    """What a form holds stands in no message."""
    for body in (b"payload=hush", b"payload=%22hush%ff", b"hush=1", b"payload=hush%", b"payload=1&payload=hush"):
        assert "hush" not in refuse_form(body).message


@pytest.mark.parametrize("piece", [b"%20", b"+", b"=", b"%3D", b"a"])
def test_form_takes_no_more_memory_than_a_few_of_its_own(piece):
    """A form of escapes alone is read with a few times its own size, as any other."""
    size = 1 << 20
    body = b"payload=%22" + piece * (size // len(piece)) + b"%22"
    request = make_request(body=body, content_type=FORM)
    tracemalloc.start()
    try:
        read_payload(request, forms=True)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 12 * size


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from(["+", "%20"]), st.booleans())
def test_form_holds_what_was_sent(document, blank, ascii_only):
    """Any document that is sent as a form is the document that is judged."""
    body = urlencode({"a": "b=c", "payload": json.dumps(document, ensure_ascii=ascii_only)}).replace("+", blank)
    assert read_form(body.encode()) == document


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=60)
    | st.text(alphabet='payload=&%+;0123456789abcdefABCDEF{}[]"', max_size=60).map(
        lambda text: b"payload=" + text.encode()
    )
    | st.lists(st.sampled_from([b"payload", b"=", b"&", b"%7B", b"%7D", b"1", b"%", b"+"]), max_size=12).map(b"".join)
)
def test_arbitrary_bytes_are_a_form_or_unreadable(body):
    """Whatever is sent as a form is read as the standard library reads it, or is unreadable, and nothing else."""
    try:
        document = read_form(body)
    except Unreadable as error:
        assert error.reason == BODY_UNREADABLE.name  # noqa: PT017 - either is right
    else:
        (value,) = [value for name, value in parse_qsl(body.decode(), keep_blank_values=True) if name == "payload"]
        assert document == json.loads(value)
