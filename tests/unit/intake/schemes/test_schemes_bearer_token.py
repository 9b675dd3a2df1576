"""BEARER_TOKEN: the secret itself in Authorization."""

from __future__ import annotations

import pytest
from schemes_samples import make_scheme, refusal, send

from hookwright.kinds import Authentication
from hookwright.reasons import TOKEN_MISMATCH, TOKEN_MISSING

SCHEME = make_scheme(Authentication.BEARER_TOKEN)
SECRET = b"mF_9.B5f-4.1JqM"


@pytest.mark.parametrize(
    "authorization",
    ["Bearer mF_9.B5f-4.1JqM", "bearer mF_9.B5f-4.1JqM", "BEARER   mF_9.B5f-4.1JqM ", "bEARER mF_9.B5f-4.1JqM"],
)
def test_right_token_is_authentic(authorization):
    """RFC 6750's own example; capitals do not count in the word, nor blanks behind it."""
    SCHEME.verify(send(authorization=authorization), [b"other", SECRET])


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer    ",
        " Bearer mF_9.B5f-4.1JqM",
        "Bearer\tmF_9.B5f-4.1JqM",
        "Bearer:mF_9.B5f-4.1JqM",
        "BearermF_9.B5f-4.1JqM",
        "mF_9.B5f-4.1JqM",
        "Token mF_9.B5f-4.1JqM",
        "Basic mF_9.B5f-4.1JqM",
        "Bearer\xa0mF_9.B5f-4.1JqM",
        "Bearer mF_9.B5f-4.1JqM\xa0",
        "\N{FULLWIDTH LATIN CAPITAL LETTER B}earer mF_9.B5f-4.1JqM",
        "Bearer \ud800",
        ["Bearer mF_9.B5f-4.1JqM"] * 2,
        ["Bearer mF_9.B5f-4.1JqM", "Basic YTpi"],
        [],
    ],
)
def test_what_is_no_bearer_token_is_missing(authorization):
    """Another way to authenticate, no token, what is not ASCII, or the header twice: there is no token."""
    assert refusal(SCHEME, send(authorization=authorization), [SECRET, b""]) == TOKEN_MISSING.name


@pytest.mark.parametrize(
    "token",
    [
        "mF_9.B5f-4.1JqN",
        "MF_9.B5F-4.1JQM",
        "mF_9.B5f-4.1Jq",
        "mF_9.B5f-4.1JqM=",
        '"mF_9.B5f-4.1JqM"',
        "token=mF_9.B5f-4.1JqM",
        "mF_9.B5f-4.1JqM, Bearer mF_9.B5f-4.1JqM",
        "mF_9.B5f-4.1JqM mF_9.B5f-4.1JqM",
        "x" * 16_000,
        "\0",
    ],
)
def test_other_tokens_do_not_match(token):
    """What is not the secret, byte for byte, is refused."""
    assert refusal(SCHEME, send(authorization=f"Bearer {token}"), [SECRET]) == TOKEN_MISMATCH.name


def test_other_headers_carry_no_token():
    """The token is looked for in Authorization alone: not in a proxy's header, the URL or the body (RFC 6750, 2.2)."""
    request = send(b"access_token=mF_9.B5f-4.1JqM", proxy_authorization="Bearer mF_9.B5f-4.1JqM", x_authorization="x")
    assert refusal(SCHEME, request, [SECRET]) == TOKEN_MISSING.name


@pytest.mark.parametrize("secret", [SECRET + b"\n", b" " + SECRET, b"\xff", "ü".encode()])
def test_secret_that_no_header_can_carry_is_said(secret):
    """A newline at the end, or what is not ASCII, is named in status."""
    assert "newline" in SCHEME.check_secret(secret)


def test_id_is_that_of_nobody():
    """Which header is an id only the object's owner knows."""
    assert SCHEME.delivery_id(send(x_github_delivery="1", idempotency_key="2", webhook_id="3")) is None
