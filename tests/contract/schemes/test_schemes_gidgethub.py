"""GITHUB_HMAC, and GitHub's bodies, beside gidgethub: both accept and read the same, or both refuse."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import quote_plus

import gidgethub
import pytest
from gidgethub import sansio
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.errors import NotAuthentic, Unreadable
from hookwright.intake.payload import read_payload
from hookwright.intake.schemes import SCHEMES
from hookwright.kinds import Authentication, AuthenticationConfiguration
from hookwright.providers.github import dialect
from support.objects import SECRET, make_request

SCHEME = SCHEMES[Authentication.GITHUB_HMAC](AuthenticationConfiguration())
FORM = "application/x-www-form-urlencoded"
TEXT_SECRET = SECRET.decode()
REFUSED = "refused"


def ours(body, secret, **headers):
    """Give the document, or that it is refused."""
    request = make_request(body=body, secret=None, **headers)
    try:
        SCHEME.verify(request, [secret.encode()])
        return read_payload(request, forms=SCHEME.reads_forms)
    except (NotAuthentic, Unreadable):
        return REFUSED


def theirs(body, secret, **headers):
    """Give the document, or that it is refused: by whatever exception, since nothing is accepted then."""
    given = {"content-type": "application/json", "x-github-event": "push", "x-github-delivery": "1"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        return sansio.Event.from_http(given, body, secret=secret).data
    except (gidgethub.GitHubException, ValueError, TypeError, KeyError, LookupError, RecursionError):
        return REFUSED


def sign(body, secret, algorithm="sha256"):
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


# ── the same ──────────────────────────────────────────────────────────────────────────────────────────────────────

SECRETS = st.text(min_size=1, max_size=40).filter(lambda text: text.strip(" \t\r\n\v\f\0"))
NUMBERS = st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(document=DOCUMENTS, secret=SECRETS, form=st.booleans(), ascii_only=st.booleans())
def test_what_is_signed_is_read_alike(document, secret, form, ascii_only):
    """A signed document is accepted by both, as JSON and as a form, and is the same to both."""
    text = json.dumps(document, ensure_ascii=ascii_only)
    body = ("payload=" + quote_plus(text) if form else text).encode()
    headers = {"x_hub_signature_256": sign(body, secret)} | ({"content_type": FORM} if form else {})
    assert ours(body, secret, **headers) == theirs(body, secret, **headers) == document


@settings(max_examples=150, deadline=None)
@given(
    body=st.sampled_from([b"{", b"{}}", b'"\xff"', b"nul", b"\0", b" "]) | DOCUMENTS.map(json.dumps).map(str.encode),
    secret=SECRETS,
    other=SECRETS,
    change=st.sampled_from(["nothing", "secret", "body", "cut", "longer", "capitals", "no prefix", "empty"]),
)
def test_what_is_forged_is_judged_alike(body, secret, other, change):
    """A signature of another secret or body, or of another form, is accepted by both, or by none."""
    right = sign(body, secret)
    signature = {
        "nothing": right,
        "secret": sign(body, other),
        "body": sign(body + b" ", secret),
        "cut": right[:-1],
        "longer": right + "0",
        "capitals": "sha256=" + right.removeprefix("sha256=").upper(),
        "no prefix": right.removeprefix("sha256="),
        "empty": "sha256=",
    }[change]
    assert ours(body, secret, x_hub_signature_256=signature) == theirs(body, secret, x_hub_signature_256=signature)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=80) | st.from_regex(r"sha(1|256|512)=[0-9a-f]{0,64}", fullmatch=True))
def test_signature_made_by_chance_is_refused_by_both(signature):
    """No text that is not made with the secret is accepted by anybody."""
    assert ours(b"{}", TEXT_SECRET, x_hub_signature_256=signature) == REFUSED
    assert theirs(b"{}", TEXT_SECRET, x_hub_signature_256=signature) == REFUSED


@pytest.mark.parametrize("event", dialect.sample_events())
@pytest.mark.parametrize("form", [False, True])
def test_samples_are_read_alike(event, form):
    """What GitHub sends is the same document to both."""
    text = json.dumps(dialect.make_sample(event), ensure_ascii=False)
    body = ("payload=" + quote_plus(text) if form else text).encode()
    headers = {"x_hub_signature_256": sign(body, TEXT_SECRET)} | ({"content_type": FORM} if form else {})
    assert ours(body, TEXT_SECRET, **headers) == theirs(body, TEXT_SECRET, **headers) == dialect.make_sample(event)


# ── where we differ on purpose ────────────────────────────────────────────────────────────────────────────────────

# What they accept and we refuse: why, the body, and the headers beside a right signature.
STRICTER = {
    "a body of nothing is no JSON": (b"", {}),
    "NaN is no JSON": (b"NaN", {}),
    "Infinity is no JSON": (b'{"a": -Infinity}', {}),
    "half of a surrogate pair is no text": (b'"\\ud800"', {}),
    "more than 200 levels are refused": (b"[" * 201 + b"1" + b"]" * 201, {}),
    "JSON is UTF-8, whatever charset is declared": (
        '"ü"'.encode("latin-1"),
        {"content_type": "application/json; charset=latin-1"},
    ),
    "of two fields named payload nobody knows which counts": (b"payload=1&payload=2", {"content_type": FORM}),
    "a % that escapes nothing is a mistake": (b"payload=%22100%%22", {"content_type": FORM}),
    "a form is ASCII": ('payload="ü"'.encode(), {"content_type": FORM}),
    "a form has no more than sixteen fields": (b"a=1&" * 16 + b"payload=1", {"content_type": FORM}),
}
# What we read and they refuse.
LOOSER = {
    "other types of JSON are JSON too": (b"{}", {"content_type": "application/vnd.github.v3+json"}),
    "JSON is UTF-8, whatever charset is declared": (b"{}", {"content_type": "application/json; charset=nonsense"}),
}
# What is another document to them.
DIFFERENT = {
    "JSON is UTF-8, whatever charset is declared": (
        '"ü"'.encode(),
        {"content_type": "application/json; charset=latin-1"},
        "ü",
        "Ã¼",
    ),
}


@pytest.mark.parametrize(("body", "headers"), STRICTER.values(), ids=STRICTER)
def test_here_we_are_stricter(body, headers):
    """What gidgethub reads and we do not, each for its reason."""
    headers = headers | {"x_hub_signature_256": sign(body, TEXT_SECRET)}
    assert ours(body, TEXT_SECRET, **headers) == REFUSED
    assert theirs(body, TEXT_SECRET, **headers) != REFUSED


@pytest.mark.parametrize(("body", "headers"), LOOSER.values(), ids=LOOSER)
def test_here_we_are_looser(body, headers):
    """What we read and gidgethub does not, each for its reason."""
    headers = headers | {"x_hub_signature_256": sign(body, TEXT_SECRET)}
    assert ours(body, TEXT_SECRET, **headers) != REFUSED
    assert theirs(body, TEXT_SECRET, **headers) == REFUSED


@pytest.mark.parametrize(("body", "headers", "to_us", "to_them"), DIFFERENT.values(), ids=DIFFERENT)
def test_here_we_read_something_else(body, headers, to_us, to_them):
    """What is one document to us and another to gidgethub, each for its reason."""
    headers = headers | {"x_hub_signature_256": sign(body, TEXT_SECRET)}
    assert (ours(body, TEXT_SECRET, **headers), theirs(body, TEXT_SECRET, **headers)) == (to_us, to_them)


def test_sha1_is_no_signature_to_us():
    """The older SHA-1 is enough to gidgethub, in either header; we want the scheme HMAC for that, by name."""
    older = sign(b"{}", TEXT_SECRET, "sha1")
    for header in ("x_hub_signature", "x_hub_signature_256"):
        assert theirs(b"{}", TEXT_SECRET, **{header: older}) == {}
        assert ours(b"{}", TEXT_SECRET, **{header: older}) == REFUSED
    named = AuthenticationConfiguration.model_validate(
        {"header": "X-Hub-Signature", "algorithm": "SHA1", "prefix": "sha1="}
    )
    request = make_request(body=b"{}", secret=None, x_hub_signature=older)
    SCHEMES[Authentication.HMAC](named).verify(request, [SECRET])


def test_empty_secret_is_none_to_us():
    """An empty secret is one to gidgethub, although anybody can sign with it."""
    signature = "sha256=" + hmac.new(b"", b"{}", hashlib.sha256).hexdigest()
    assert theirs(b"{}", "", x_hub_signature_256=signature) == {}
    assert ours(b"{}", "", x_hub_signature_256=signature) == REFUSED


def test_no_error_of_others_comes_out_of_ours():
    """A signature beyond ASCII is a TypeError to gidgethub, and a refusal to us."""
    with pytest.raises(TypeError):
        sansio.validate_event(b"{}", signature="sha256=ü", secret=TEXT_SECRET)
    assert ours(b"{}", TEXT_SECRET, x_hub_signature_256="sha256=ü") == REFUSED
