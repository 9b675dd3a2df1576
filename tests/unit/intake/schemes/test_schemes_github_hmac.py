"""GITHUB_HMAC: only who knows the secret is let in, and only with the body that was signed."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemes_samples import RAW_SECRETS

from hookwright.errors import NotAuthentic, Unreadable
from hookwright.intake.schemes import SCHEMES
from hookwright.kinds import Authentication, AuthenticationConfiguration
from hookwright.providers.github import dialect
from hookwright.reasons import CONTENT_TYPE_UNSUPPORTED, SIGNATURE_MISMATCH, SIGNATURE_MISSING
from support.objects import DELIVERY_ID, SECRET, make_request

SCHEME = SCHEMES[Authentication.GITHUB_HMAC](AuthenticationConfiguration())
# GitHub, "Validating webhook deliveries": the values to test an implementation with.
BODY = b"Hello, World!"
DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
SIGNATURE = f"sha256={DIGEST}"
SHA1 = hmac.new(SECRET, BODY, hashlib.sha1).hexdigest()


def refusal(request, secrets=(SECRET,)):
    with pytest.raises(NotAuthentic) as refused:
        SCHEME.verify(request, list(secrets))
    return refused.value


def test_documented_vector_is_authentic():
    """GitHub's own example of key, body and signature is authentic."""
    assert dialect.sign(BODY, SECRET) == SIGNATURE
    SCHEME.verify(make_request(body=BODY, secret=None, x_hub_signature_256=SIGNATURE), [SECRET])


def test_header_name_is_githubs():
    """The signature is read from X-Hub-Signature-256."""
    assert dialect.SIGNATURE_HEADER == "x-hub-signature-256"


@pytest.mark.parametrize(
    "given_signature",
    [
        "",
        " ",
        "sha256=",
        DIGEST,
        SIGNATURE[:-1],
        SIGNATURE + "0",
        SIGNATURE + SIGNATURE,
        f"{SIGNATURE}, {SIGNATURE}",
        f"sha256={DIGEST.upper()}",
        f"SHA256={DIGEST}",
        f" {SIGNATURE}",
        f"{SIGNATURE} ",
        f"{SIGNATURE}\n",
        f"sha256= {DIGEST}",
        f"sha1={SHA1}",
        f"sha1={DIGEST}",
        f"sha256={SHA1}",
        "sha256=" + "g" * 64,
        "sha256=" + "٣" * 64,
        [SIGNATURE, SIGNATURE],
        [SIGNATURE, "sha256=" + "0" * 64],
    ],
)
def test_malformed_or_doubled_signature_is_missing(given_signature):
    """A signature of any other form than sha256= and 64 small hexadecimal digits, once, is no signature."""
    request = make_request(body=BODY, x_hub_signature_256=given_signature)
    assert refusal(request).reason == SIGNATURE_MISSING.name


def test_absent_signature_is_missing():
    """A delivery that is not signed is refused."""
    assert refusal(make_request(body=BODY, secret=None)).reason == SIGNATURE_MISSING.name


def test_sha1_alone_is_not_enough():
    """The older SHA-1 header does not count, however right it is."""
    request = make_request(body=BODY, secret=None, x_hub_signature=f"sha1={SHA1}")
    assert refusal(request).reason == SIGNATURE_MISSING.name


@pytest.mark.parametrize(
    "secrets",
    [
        [b"another object's secret"],
        [SECRET + b"\n"],
        [SECRET.lower()],
        [b"one", b"two", b"three"],
        [],
    ],
)
def test_signature_by_another_secret_does_not_match(secrets):
    """A well-formed signature that none of the live secrets makes is refused."""
    assert refusal(make_request(body=BODY), secrets).reason == SIGNATURE_MISMATCH.name


def test_wrong_digest_does_not_match():
    """A signature of the right form and another value is refused."""
    request = make_request(body=BODY, x_hub_signature_256="sha256=" + "0" * 64)
    assert refusal(request).reason == SIGNATURE_MISMATCH.name


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_live_secret_counts(place):
    """Of several live secrets each one lets its holder in."""
    secrets = [b"first", b"second", b"third"]
    SCHEME.verify(make_request(body=BODY, secret=secrets[place]), secrets)


def test_raw_bytes_are_verified():
    """The signature is that of the bytes as they came: the same JSON in other bytes is not authentic."""
    signed = make_request(body=b'{"a": 1}')
    sent = make_request(body=b'{"a":1}', x_hub_signature_256=signed.header("x-hub-signature-256"))
    assert refusal(sent).reason == SIGNATURE_MISMATCH.name


def test_refusal_tells_nothing_of_secret_and_signature():
    """What is said of a refusal holds neither secret nor signature nor body."""
    error = refusal(make_request(body=BODY, x_hub_signature_256="sha256=" + "0" * 64))
    assert not any(text in str(error) for text in (SECRET.decode(), DIGEST, "0000", "Hello"))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300), secret=RAW_SECRETS)
def test_whatever_is_signed_is_authentic(body, secret):
    """Any body signed with any secret verifies."""
    SCHEME.verify(make_request(body=body, secret=secret), [secret])


@settings(max_examples=150, deadline=None)
@given(body=st.binary(min_size=1, max_size=300), secret=RAW_SECRETS, data=st.data())
def test_one_flipped_bit_of_the_body_is_not_authentic(body, secret, data):
    """A body with any single bit turned does not fit the signature of the body that was signed."""
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    forged = bytearray(body)
    forged[bit // 8] ^= 1 << bit % 8
    request = make_request(body=bytes(forged), x_hub_signature_256=dialect.sign(body, secret))
    assert refusal(request, [secret]).reason == SIGNATURE_MISMATCH.name


@settings(max_examples=100, deadline=None)
@given(bit=st.integers(0, 255))
def test_one_flipped_bit_of_the_signature_is_not_authentic(bit):
    """A signature with any single bit turned is refused."""
    forged = bytearray.fromhex(DIGEST)
    forged[bit // 8] ^= 1 << bit % 8
    request = make_request(body=BODY, x_hub_signature_256=f"sha256={forged.hex()}")
    assert refusal(request).reason == SIGNATURE_MISMATCH.name


@settings(max_examples=100, deadline=None)
@given(secret=RAW_SECRETS, other=RAW_SECRETS, body=st.binary(max_size=60))
def test_other_secret_never_verifies(secret, other, body):
    """A body signed with one secret does not verify with another (HMAC pads short keys with zeros, so those aside)."""
    if secret.rstrip(b"\0") == other.rstrip(b"\0"):
        return
    assert refusal(make_request(body=body, secret=secret), [other]).reason == SIGNATURE_MISMATCH.name


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded; charset=utf-8",
        " application/x-www-form-urlencoded ;",
    ],
)
def test_form_of_gitea_is_unreadable(content_type):
    """Gitea signs the JSON and sends a form: it is told to send JSON, instead of looking for a wrong secret."""
    request = make_request(body=b"payload=%7B%7D", content_type=content_type, x_gitea_event="push")
    with pytest.raises(Unreadable) as refused:
        SCHEME.verify(request, [SECRET])
    assert refused.value.reason == CONTENT_TYPE_UNSUPPORTED.name


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/x-www-form-urlencoded"},
        {"x_gitea_event": "push"},
        {"x_gitea_event": "push", "content_type": "application/x-www-form-urlencoded-x"},
        {"x_gitea_event": "push", "content_type": ["application/x-www-form-urlencoded"] * 2},
    ],
)
def test_raw_bytes_of_all_others_are_verified(headers):
    """GitHub's form, and Gitea's JSON, are verified as they came."""
    SCHEME.verify(make_request(body=b"payload=%7B%7D", **headers), [SECRET])
    request = make_request(body=b"payload=%7B%7D", secret=b"another", **headers)
    assert refusal(request).reason == SIGNATURE_MISMATCH.name


def test_delivery_id_is_githubs():
    """The id is that of X-GitHub-Delivery."""
    assert SCHEME.delivery_id(make_request()) == DELIVERY_ID


@pytest.mark.parametrize("taken", ["a", "x" * 128, "!~", "4f6e-1", "a/b?c=d&e"])
def test_words_of_others_are_delivery_ids_too(taken):
    """Any printable ASCII word of at most 128 characters is an id."""
    assert SCHEME.delivery_id(make_request(x_github_delivery=taken)) == taken


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\n", "a\tb", "x" * 129, "ü", "a\0b", "\x7f", ["a", "a"], ["a", "b"]])
def test_malformed_doubled_and_long_delivery_ids_are_not_taken(bad):
    """What is no printable ASCII word, came twice or is too long is no id, so that the delivery is one of its own."""
    assert SCHEME.delivery_id(make_request(x_github_delivery=bad)) is None


def test_absent_delivery_id_is_none():
    """A delivery without the header has no id of the sender."""
    assert SCHEME.delivery_id(make_request(without=["x-github-delivery"])) is None


@pytest.mark.parametrize(
    ("event", "ping"), [("ping", True), ("push", False), ("Ping", False), (["ping", "ping"], False)]
)
def test_ping_is_told_by_the_event_header(event, ping):
    """Only the event `ping`, sent once, is a ping."""
    assert SCHEME.is_ping(make_request(x_github_event=event)) is ping


def test_event_is_that_of_the_header():
    """The sender's name for what happened is that of X-GitHub-Event."""
    assert SCHEME.event(make_request(x_github_event="release")) == "release"
