"""GITLAB_TOKEN: the secret itself in a header, compared as it is."""

from __future__ import annotations

import pytest
from schemes_samples import make_scheme, refusal, send

from hookwright.kinds import Authentication
from hookwright.reasons import TOKEN_MISMATCH, TOKEN_MISSING

SCHEME = make_scheme(Authentication.GITLAB_TOKEN)
SECRET = b"glsec-4 words, one secret"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_live_secret_counts(place):
    """Of several live secrets each one lets its holder in."""
    secrets = [b"first", b"second", b"third"]
    SCHEME.verify(send(x_gitlab_token=secrets[place].decode()), secrets)


@pytest.mark.parametrize(
    "token", ["", [], [SECRET.decode()] * 2, [SECRET.decode(), ""], "glücklich", "\udcff", "a\xa0"]
)
def test_absent_doubled_and_unreadable_tokens_are_missing(token):
    """A token that did not come once, is empty or not ASCII is none."""
    assert refusal(SCHEME, send(x_gitlab_token=token), [SECRET, b"", b"\xff"]) == TOKEN_MISSING.name


def test_request_without_the_header_is_refused():
    """A delivery of a hook without a secret token is refused."""
    assert refusal(SCHEME, send(), [SECRET]) == TOKEN_MISSING.name


@pytest.mark.parametrize(
    "token",
    [
        SECRET.decode().upper(),
        SECRET.decode() + " ",
        " " + SECRET.decode(),
        SECRET.decode()[:-1],
        SECRET.decode() + "x",
        SECRET.decode() * 2,
        f"{SECRET.decode()}, {SECRET.decode()}",
        f"Bearer {SECRET.decode()}",
        "x" * 16_000,
        "\0",
    ],
)
def test_other_tokens_do_not_match(token):
    """What is not the secret, byte for byte, is refused, however long."""
    assert refusal(SCHEME, send(x_gitlab_token=token), [SECRET]) == TOKEN_MISMATCH.name


@pytest.mark.parametrize("secret", [b"x", b"two words", b'!"#$%&()~', b"x" * 300])
def test_printable_secrets_can_be_sent(secret):
    """Whatever a header can carry is a secret."""
    assert SCHEME.check_secret(secret) is None
    SCHEME.verify(send(x_gitlab_token=secret.decode()), [secret])


@pytest.mark.parametrize(
    "secret", [SECRET + b"\n", SECRET + b"\r\n", SECRET + b" ", b" " + SECRET, b"a\nb", b"a\tb", b"a\0", "ü".encode()]
)
def test_secret_that_no_header_can_carry_is_said(secret):
    """A newline at the end, or what is not ASCII, is named in status: no delivery could ever match."""
    wrong = SCHEME.check_secret(secret)
    assert "newline" in wrong
    assert SECRET.decode() not in wrong
    assert refusal(SCHEME, send(x_gitlab_token=secret.decode().strip()), [secret]).startswith("Token")


@pytest.mark.parametrize("secret", [b"", b"\n", b"\0\0"])
def test_blank_secret_is_said(secret):
    """A secret of nothing is named as what it is."""
    assert SCHEME.check_secret(secret) is not None


def test_delivery_id_is_gitlabs():
    """The id is that of Idempotency-Key, which all attempts share; the id of the event is none."""
    request = send(idempotency_key="f5e5f430-f57b-4e6e-9fac-d9128cd7232f", x_gitlab_event_uuid="13792a34", x_gitlab="1")
    assert SCHEME.delivery_id(request) == "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
    assert SCHEME.delivery_id(send(x_gitlab_event_uuid="13792a34", x_github_delivery="1")) is None
    assert SCHEME.delivery_id(send(idempotency_key=["a", "a"])) is None


def test_event_is_gitlabs():
    """The sender's name for what happened is that of X-Gitlab-Event, once; GitLab sends no pings."""
    assert SCHEME.event(send(x_gitlab_event="Push Hook")) == "Push Hook"
    assert SCHEME.event(send(x_gitlab_event=["Push Hook", "Push Hook"])) is None
    assert SCHEME.event(send()) is None
    assert SCHEME.is_ping(send(x_gitlab_event="Push Hook")) is False
