"""Lengths, codings and what is signed, whatever is written there: read in one way, or refused in one way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.errors import InvalidSpec, NotAuthentic
from hookwright.intake.schemes.hmac_header import BODY, TIMESTAMP, HmacHeader
from hookwright.intake.wire import is_ambiguous, read_length
from hookwright.kinds import AuthenticationConfiguration
from support.objects import NOON, SECRET, make_request

LINES = st.text(max_size=25) | st.from_regex(r"[ +\-]?[0-9]{1,25}[ .]?", fullmatch=True) | st.just("9" * 5_000)
CODINGS = st.text(max_size=20) | st.sampled_from(
    ["chunked", "Chunked", "gzip, chunked", "chunked, chunked", "identity"]
)
PIECES = st.sampled_from([BODY, TIMESTAMP, "{", "}", "{}", "{x}", "{Body}", "v0:", ":", ".", "\n", "é"])
CONTENTS = st.text(max_size=40) | st.lists(PIECES, max_size=8).map("".join)


@given(lines=st.none() | st.lists(LINES, max_size=3))
def test_length_is_digits_or_nothing(lines):
    """A length is what one line of ASCII digits says; anything else announces none, and nothing raises."""
    length = read_length(lines)
    if length is None:
        line = lines[0] if lines is not None and len(lines) == 1 else ""
        assert not (line.isascii() and line.isdigit() and len(line) <= 18)
    else:
        assert lines == [lines[0]]
        assert lines[0].lstrip("0") == str(length).lstrip("0")


@given(length=st.integers(0, 10**18 - 1))
def test_every_length_that_can_be_is_read(length):
    """Each length of at most 18 digits is read as it is written."""
    assert read_length([str(length)]) == length


@given(codings=st.none() | st.lists(CODINGS, max_size=3))
def test_only_chunked_alone_is_clear(codings):
    """Of all Transfer-Encodings, only one line that says `chunked` and nothing else leaves no doubt; so does none."""
    headers = {"content-length": ["3"]} | ({} if codings is None else {"transfer-encoding": codings})
    assert is_ambiguous(headers) == (codings is not None and [one.lower() for one in codings] != ["chunked"])


@given(content=CONTENTS, timed=st.booleans())
def test_signed_content_is_taken_or_refused_by_name(content, timed):
    """Any text can be what is signed, if its placeholders stand in it once each; else that member is refused."""
    # Not validated: shorter and longer texts than the kind takes must do no harm either.
    configuration = AuthenticationConfiguration.model_construct(
        header="X-Signature", signed_content=content, timestamp_header="X-Time" if timed else None
    )
    # None at all stands for the default.
    right = not content or (content.count(BODY), content.count(TIMESTAMP)) == (1, int(timed))
    scheme = make_scheme(configuration)
    if isinstance(scheme, InvalidSpec):
        assert scheme.field == "spec.authenticationConfiguration.signedContent"
        # A placeholder that is not known is refused too.
        assert not right or "{" in content.replace(BODY, "").replace(TIMESTAMP, "")
        return
    assert right
    request = make_request({"ref": "refs/heads/main"}, secret=None)
    proof = scheme.prove(request.body, SECRET, delivery_id="", now=NOON)
    headers = {**request.headers, **{name: [value] for name, value in proof.items()}}
    scheme.verify(replace(request, headers=headers), [SECRET])
    with pytest.raises(NotAuthentic):
        scheme.verify(replace(request, headers=headers, body=request.body + b" "), [SECRET])


def make_scheme(configuration: AuthenticationConfiguration) -> HmacHeader | InvalidSpec:
    """Make the scheme, or give the one error that there may be."""
    try:
        return HmacHeader(configuration)
    except InvalidSpec as error:
        return error
