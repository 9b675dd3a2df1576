"""BASIC: user and password together, neither to be guessed alone."""

from __future__ import annotations

import base64

import pytest
from schemes_samples import make_scheme, refusal, send

from hookwright.kinds import Authentication
from hookwright.reasons import TOKEN_MISMATCH, TOKEN_MISSING

SCHEME = make_scheme(Authentication.BASIC, username="Aladdin")
SECRET = b"open sesame"


def login(text, *, word="Basic", scheme=None):
    return send(authorization=f"{word} {base64.b64encode(text).decode()}")


@pytest.mark.parametrize("word", ["Basic", "basic", "BASIC", "Basic  "])
def test_documented_example_is_authentic(word):
    """RFC 7617's own example, whatever the capitals of its word."""
    SCHEME.verify(send(authorization=f"{word} QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), [SECRET])


@pytest.mark.parametrize(
    "password", [b"a:b", b":", b"::a:", "pässword".encode(), b"\xff\x00\xfe", b" ", b"x" * 4000, b"secret\n"]
)
def test_password_may_be_any_bytes(password):
    """Colons, blanks, newlines and bytes that are no text are parts of a password like others."""
    secrets = [b"other", password]
    if password.strip():
        SCHEME.verify(login(b"Aladdin:" + password), secrets)
    else:
        assert refusal(SCHEME, login(b"Aladdin:" + password), secrets) == TOKEN_MISMATCH.name


def test_user_may_be_any_text():
    """A user's name beyond ASCII is compared as UTF-8 (RFC 7617, 2.1)."""
    scheme = make_scheme(Authentication.BASIC, username="Jürgen Ökrös")
    scheme.verify(login("Jürgen Ökrös:x".encode()), [b"x"])
    assert refusal(scheme, login("Jürgen Ökrös:x".encode("latin-1")), [b"x"]) == TOKEN_MISMATCH.name


@pytest.mark.parametrize(
    "text",
    [
        b"Aladdin:open sesam",
        b"Aladdin:open sesame\n",
        b"Aladdin:",
        b"Aladdin",
        b"",
        b":",
        b":open sesame",
        b"aladdin:open sesame",
        b"Aladdin :open sesame",
        b"Aladdin: open sesame",
        b"Jafar:open sesame",
        b"Aladdin:x:open sesame",
        b"open sesame:Aladdin",
        "Aladdin:öpen sesame".encode(),
        b"\xff\xfe",
    ],
)
def test_wrong_user_and_wrong_password_are_the_same(text):
    """Whichever of the two is wrong, the reason is the same."""
    request = login(text) if text else send(authorization="Basic  Og==")
    assert refusal(SCHEME, request, [SECRET]) == TOKEN_MISMATCH.name


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Basic\tQWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Basic Aladdin:open sesame",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=",
        "Basic QWxhZGRpbjpv cGVuIHNlc2FtZQ==",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==QQ==",
        "Basic QWxhZGRpbjpvcGVuIHNlc2Ft-_==",
        "Basic \N{FULLWIDTH LATIN CAPITAL LETTER Q}WxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Basic \udcff",
        "Basic =",
        "Basic ====",
        ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="] * 2,
        [],
    ],
)
def test_what_is_no_user_and_password_is_missing(authorization):
    """Another way to authenticate, what is no base64, or the header twice: there is no password."""
    assert refusal(SCHEME, send(authorization=authorization), [SECRET, b""]) == TOKEN_MISSING.name


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_live_password_counts(place):
    """Of several live passwords each one lets in, for the one user."""
    secrets = [b"first", b"second", b"third"]
    SCHEME.verify(login(b"Aladdin:" + secrets[place]), secrets)
    assert refusal(SCHEME, login(b"first:" + secrets[place]), secrets) == TOKEN_MISMATCH.name
