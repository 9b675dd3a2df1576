"""HMAC: whatever the sender's way of signing is, it is verified as the object's owner has described it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schemes_samples import BODY, RAW_SECRETS, TIME, make_scheme, refusal, send

from hookwright.errors import InvalidSpec, Unreadable
from hookwright.kinds import Authentication
from hookwright.reasons import (
    CONTENT_TYPE_UNSUPPORTED,
    SIGNATURE_MISMATCH,
    SIGNATURE_MISSING,
    TIMESTAMP_MISSING,
    TIMESTAMP_OUT_OF_WINDOW,
)

SECRET = b"It's a Secret to Everybody"
ALGORITHMS = ["SHA1", "SHA256", "SHA384", "SHA512"]
FIELD = "spec.authenticationConfiguration"
TIMED = {"header": "X-S", "timestampHeader": "X-T"}


def make_hmac(**members):
    return make_scheme(Authentication.HMAC, **{"header": "X-S", **members})


def digest(body=BODY, algorithm="SHA256", secret=SECRET):
    return hmac.digest(secret, body, algorithm.lower())


# ── what others have documented ───────────────────────────────────────────────────────────────────────────────────

# Slack, "Verifying requests from Slack".
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack."
    b"com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc"
    b"887a14d10d2c447fce8b6703c"
)
SLACK = {
    "header": "X-Slack-Signature",
    "prefix": "v0=",
    "timestampHeader": "X-Slack-Request-Timestamp",
    "signedContent": "v0:{timestamp}:{body}",
}


def test_slacks_vector_is_authentic():
    """Slack's example is authentic at its time."""
    request = send(
        SLACK_BODY,
        at=datetime.fromtimestamp(1531420618, UTC),
        content_type="application/x-www-form-urlencoded",
        x_slack_signature="v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        x_slack_request_timestamp="1531420618",
    )
    make_scheme(Authentication.HMAC, **SLACK).verify(request, [b"8f742231b10e8888abcd99yyyzzz85a5"])


def test_bitbuckets_vector_is_authentic():
    """Bitbucket's example ("Manage webhooks", testing the payload validation) is authentic."""
    scheme = make_scheme(Authentication.HMAC, header="X-Hub-Signature", prefix="sha256=")
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    scheme.verify(send(b"Hello World!", x_hub_signature=signature), [SECRET])


@pytest.mark.parametrize(
    ("algorithm", "signature"),
    [
        ("SHA1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        ("SHA256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "SHA384",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            "SHA512",
            (
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1"
                "a34d4a6b4b636e070a38bce737"
            ),
        ),
    ],
)
def test_vectors_of_the_rfcs_are_authentic(algorithm, signature):
    """The second test case of RFC 2202 and RFC 4231 is authentic, in each algorithm and encoding."""
    body, secret = b"what do ya want for nothing?", b"Jefe"
    make_hmac(algorithm=algorithm).verify(send(body, x_s=signature), [secret])
    encoded = base64.b64encode(bytes.fromhex(signature)).decode()
    make_hmac(algorithm=algorithm, encoding="BASE64").verify(send(body, x_s=encoded), [secret])


# ── how a signature is written ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("other", ALGORITHMS)
@pytest.mark.parametrize("encoding", ["HEX", "BASE64"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "v0=", "t=1,v1=", "="])
def test_algorithm_encoding_and_prefix_are_those_that_were_named(algorithm, other, encoding, prefix):
    """A signature is right by the one algorithm, in the one encoding, behind the one prefix; any other is none."""
    members = {"algorithm": algorithm, "encoding": encoding} | ({"prefix": prefix} if prefix else {})
    scheme = make_hmac(**members)
    raw = digest(algorithm=other)
    written = {"HEX": raw.hex(), "BASE64": base64.b64encode(raw).decode()}
    right = send(x_s=prefix + written[encoding])
    if algorithm == other:
        scheme.verify(right, [SECRET])
    else:
        assert refusal(scheme, right, [SECRET]) == SIGNATURE_MISSING.name
    swapped = send(x_s=prefix + written["HEX" if encoding == "BASE64" else "BASE64"])
    # 64 hexadecimals can be read as base64, of 48 bytes.
    alike = (encoding, algorithm, other) == ("BASE64", "SHA384", "SHA256")
    assert refusal(scheme, swapped, [SECRET]) == (SIGNATURE_MISMATCH if alike else SIGNATURE_MISSING).name
    if prefix:
        for wrong in ("", prefix[:-1], prefix.upper() + "x", " " + prefix, prefix + " ", prefix * 2):
            assert refusal(scheme, send(x_s=wrong + written[encoding]), [SECRET]) == SIGNATURE_MISSING.name


def test_defaults_are_sha256_and_hexadecimals():
    """Where nothing is named, the signature is that of SHA-256 over the body, in hexadecimals without a prefix."""
    make_hmac().verify(send(x_s=digest().hex()), [SECRET])


@pytest.mark.parametrize("write", [str.upper, str.lower, str.swapcase, lambda text: text[:9].upper() + text[9:]])
def test_hexadecimals_may_be_capitals(write):
    """Some senders write capitals, which are the same signature; in the prefix they count."""
    make_hmac(prefix="sha256=").verify(send(x_s="sha256=" + write(digest().hex())), [SECRET])
    assert refusal(make_hmac(prefix="sha256="), send(x_s="SHA256=" + digest().hex()), [SECRET]) == "SignatureMissing"


HEX = digest().hex()


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        HEX[:-1],
        HEX[:-2],
        HEX + "0",
        HEX + "00",
        HEX * 2,
        HEX + " ",
        " " + HEX,
        HEX + "\n",
        "0x" + HEX,
        f"{HEX}, {HEX}",
        " ".join(HEX[i : i + 2] for i in range(0, 64, 2)),
        ":".join(HEX[i : i + 2] for i in range(0, 64, 2)),
        "g" * 64,
        "٣" * 64,
        "0" * 16_000,
        "\0" * 64,
        [HEX, HEX],
        [HEX, ""],
        [],
    ],
)
def test_malformed_hexadecimals_are_no_signature(signature):
    """What is not exactly the hexadecimals of a digest, once, is none."""
    assert refusal(make_hmac(), send(x_s=signature), [SECRET]) == SIGNATURE_MISSING.name


BASE64 = base64.b64encode(digest()).decode()


@pytest.mark.parametrize(
    "signature",
    [
        "",
        BASE64[:-1],
        BASE64 + "=",
        BASE64 + "==",
        BASE64[:-1] + "==",
        BASE64 + BASE64,
        BASE64 + "\n",
        " " + BASE64,
        BASE64[:20] + "\n" + BASE64[20:],
        BASE64[:20] + "=" + BASE64[20:],
        BASE64[:20] + "*" + BASE64[20:],
        BASE64[:-3] + "-_=",
        base64.b64encode(digest()[:-1]).decode(),
        base64.b64encode(digest() + b"\0").decode(),
        base64.b64encode(HEX.encode()).decode(),
        "=" * 44,
        BASE64[:-2] + "\N{CYRILLIC CAPITAL LETTER A}=",
        [BASE64, BASE64],
        [],
    ],
)
def test_malformed_base64_is_no_signature(signature):
    """Wrong padding, another alphabet, blanks or another length: there is no signature."""
    assert refusal(make_hmac(encoding="BASE64"), send(x_s=signature), [SECRET]) == SIGNATURE_MISSING.name


def test_signature_has_one_form_in_base64():
    """The last character has bits that say nothing: of the forms with the same digest one is taken."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(BASE64[-2])
    others = [f"{BASE64[:-2]}{alphabet[n]}=" for n in range(last - last % 4, last - last % 4 + 4) if n != last]
    assert {base64.b64decode(other) for other in others} == {digest()}
    for other in others:
        assert refusal(make_hmac(encoding="BASE64"), send(x_s=other), [SECRET]) == SIGNATURE_MISSING.name


# ── what is signed, and when ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "timed", "signed"),
    [
        (None, False, BODY),
        ("{body}", False, BODY),
        ("a{body}b", False, b"a" + BODY + b"b"),
        ("é:{body}", False, "é:".encode() + BODY),
        ("x{y{body}", False, b"x{y" + BODY),
        (None, True, TIME.encode() + b"." + BODY),
        ("{timestamp}{body}", True, TIME.encode() + BODY),
        ("{body}{timestamp}", True, BODY + TIME.encode()),
        ("v0:{timestamp}:{body}", True, b"v0:" + TIME.encode() + b":" + BODY),
    ],
)
def test_content_is_what_the_owner_describes(content, timed, signed):
    """Text stands for itself, {body} for the body and {timestamp} for the header's value, as it came."""
    members = (TIMED if timed else {}) | ({"signedContent": content} if content is not None else {})
    scheme = make_hmac(**members)
    time = {"x_t": TIME} if timed else {}
    scheme.verify(send(x_s=digest(signed).hex(), **time), [SECRET])
    assert refusal(scheme, send(x_s=digest(signed + b" ").hex(), **time), [SECRET]) == SIGNATURE_MISMATCH.name


def test_body_is_never_read_for_placeholders():
    """A body with a placeholder in it is signed as it is."""
    body = b"{timestamp}{body}{}"
    make_hmac(**TIMED).verify(send(body, x_s=digest(TIME.encode() + b"." + body).hex(), x_t=TIME), [SECRET])


@pytest.mark.parametrize(
    ("members", "field", "told"),
    [
        ({"signedContent": "{payload}"}, "signedContent", "{payload} is unknown"),
        ({"signedContent": "{Body}"}, "signedContent", "{Body} is unknown"),
        ({"signedContent": "{}{body}"}, "signedContent", "{} is unknown"),
        ({"signedContent": "nothing"}, "signedContent", "{body} must stand in it, once"),
        ({"signedContent": "{body}{body}"}, "signedContent", "{body} must stand in it, once"),
        ({"signedContent": "{timestamp}{body}"}, "signedContent", "needs a timestampHeader; name it"),
        ({**TIMED, "signedContent": "{body}"}, "signedContent", "a time that is not signed proves nothing"),
        ({**TIMED, "signedContent": "{timestamp}{timestamp}{body}"}, "signedContent", "once"),
        ({**TIMED, "signedContent": "{timestamp}"}, "signedContent", "{body} must stand in it"),
        ({"timestampHeader": "x-s"}, "timestampHeader", "x-s: carries the signature; name the header"),
    ],
)
def test_content_that_proves_nothing_is_refused(members, field, told):
    """What is signed holds the body, and the time where there is one: the message has field, value and remedy."""
    with pytest.raises(InvalidSpec) as refused:
        make_hmac(**members)
    assert (refused.value.field, refused.value.code) == (
        f"{FIELD}.{field}",
        "InvalidWebhookAuthenticationParametersException",
    )
    assert refused.value.message.startswith(f"{FIELD}.{field}: ")
    assert told in refused.value.message


@pytest.mark.parametrize("tolerance", [None, 1, 3600])
@pytest.mark.parametrize("side", [-1, 1])
def test_window_has_sharp_edges(tolerance, side):
    """A delivery of exactly toleranceSeconds ago, or ahead, is taken; one of a second more is not."""
    scheme = make_hmac(**TIMED, **({} if tolerance is None else {"toleranceSeconds": tolerance}))
    edge = int(TIME) + side * (tolerance or 300)
    for time in (edge, edge + side):
        request = send(x_s=digest(f"{time}.".encode() + BODY).hex(), x_t=str(time))
        if time == edge:
            scheme.verify(request, [SECRET])
        else:
            assert refusal(scheme, request, [SECRET]) == TIMESTAMP_OUT_OF_WINDOW.name


@pytest.mark.parametrize(
    "time", ["", "+" + TIME, "-" + TIME, "0" + TIME, TIME + "000", " " + TIME, "x", [TIME] * 2, []]
)
def test_time_is_written_in_one_way(time):
    """What is no plain number of seconds, once, is no time, even where it is signed."""
    text = time if isinstance(time, str) else TIME
    request = send(x_s=digest(f"{text}.".encode() + BODY).hex(), x_t=time)
    assert refusal(make_hmac(**TIMED), request, [SECRET]) == TIMESTAMP_MISSING.name


def test_time_cannot_borrow_from_the_body():
    """A zero of the body does not become one of the time, where nothing stands between the two."""
    scheme = make_hmac(**TIMED, signedContent="{body}{timestamp}")
    signature = digest(b"10" + TIME.encode()).hex()
    scheme.verify(send(b"10", x_s=signature, x_t=TIME), [SECRET])
    assert refusal(scheme, send(b"1", x_s=signature, x_t="0" + TIME), [SECRET]) == TIMESTAMP_MISSING.name


@settings(max_examples=80, deadline=None)
@given(
    algorithm=st.sampled_from(ALGORITHMS),
    encoding=st.sampled_from(["HEX", "BASE64"]),
    prefix=st.none() | st.from_regex(r"[!-~]{1,32}", fullmatch=True),
    before=st.text(alphabet=st.characters(exclude_characters="{}", codec="utf-8"), max_size=20),
    timed=st.booleans(),
    body=st.binary(max_size=100),
    secret=RAW_SECRETS,
)
def test_every_combination_verifies_what_it_signs(  # noqa: PLR0917 - all that an owner may describe
    algorithm, encoding, prefix, before, timed, body, secret
):
    """Whatever an owner may describe, what is signed in that way is authentic, and nothing is once it is changed."""
    members = {"algorithm": algorithm, "encoding": encoding, "signedContent": before + "{body}"}
    signed = before.encode() + body
    if timed:
        members |= {**TIMED, "signedContent": before + "{body}@{timestamp}"}
        signed += b"@" + TIME.encode()
    if prefix is not None:
        members["prefix"] = prefix
    scheme = make_hmac(**members)
    raw = hmac.digest(secret, signed, algorithm.lower())
    text = (prefix or "") + (raw.hex() if encoding == "HEX" else base64.b64encode(raw).decode())
    scheme.verify(send(body, x_s=text, x_t=TIME), [secret])
    assert refusal(scheme, send(body + b"x", x_s=text, x_t=TIME), [secret]) == SIGNATURE_MISMATCH.name


# ── who sends ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_name_of_the_header_has_no_case():
    """However the owner writes the header's name, it is the same header."""
    for name in ("X-S", "x-s", "X-s"):
        make_scheme(Authentication.HMAC, header=name).verify(send(x_s=HEX), [SECRET])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_live_secret_counts(place):
    """Of several live secrets each one lets its holder in."""
    secrets = [b"first", b"second", b"third"]
    make_hmac().verify(send(x_s=digest(secret=secrets[place]).hex()), secrets)


def test_giteas_form_is_unreadable():
    """Gitea signs the JSON and sends a form: it is told to send JSON, instead of looking for a wrong secret."""
    scheme = make_scheme(Authentication.HMAC, header="X-Gitea-Signature")
    signature = hmac.new(SECRET, b"{}", hashlib.sha256).hexdigest()
    form = {"content_type": "application/x-www-form-urlencoded", "x_gitea_signature": signature}
    with pytest.raises(Unreadable) as refused:
        scheme.verify(send(b"payload=%7B%7D", x_gitea_event="push", **form), [SECRET])
    assert refused.value.reason == CONTENT_TYPE_UNSUPPORTED.name
    assert refusal(scheme, send(b"payload=%7B%7D", **form), [SECRET]) == SIGNATURE_MISMATCH.name


@pytest.mark.parametrize(
    ("headers", "event", "ping"),
    [
        ({"x_gitea_event": "push"}, "push", False),
        ({"x_event_key": "repo:refs_changed"}, "repo:refs_changed", False),
        ({"x_event_key": "diagnostics:ping"}, "diagnostics:ping", True),
        ({"x_github_event": "ping", "x_gitea_event": "push"}, "ping", True),
        ({"x_github_event": ["push", "ping"], "x_gitea_event": "push"}, None, False),
        ({}, None, False),
    ],
)
def test_event_is_that_of_whichever_git_host(headers, event, ping):
    """The first event header that a Git host sends says what happened; doubled, it says nothing."""
    assert make_hmac().event(send(**headers)) == event
    assert make_hmac().is_ping(send(**headers)) is ping


def test_id_is_that_of_nobody():
    """Which header is an id only the object's owner knows, who names it in spec.deliveryIdHeader."""
    assert make_hmac().delivery_id(send(x_gitea_delivery="1", x_github_delivery="1", webhook_id="2")) is None
