"""What holds of every scheme that verifies a secret, whatever is sent."""

from __future__ import annotations

import base64
import hmac
import sys
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from schemes_samples import (
    BODY,
    DELIVERY_ID,
    SENDERS,
    TIME,
    every_sender,
    every_signer,
    key_of,
    make_scheme,
    refusal,
    send,
)

from hookwright.errors import InvalidSpec, NotAuthentic, Unreadable
from hookwright.intake.judge import judge
from hookwright.intake.schemes import SCHEMES
from hookwright.intake.schemes.scheme import is_one_of
from hookwright.kinds import Authentication
from hookwright.reasons import CATALOGUE
from support.objects import NEW_ID, make_route

BODIES = st.binary(max_size=200)
IDS = st.from_regex(r"[!-\-/-~]{1,128}", fullmatch=True)
TIMES = st.integers(int(TIME) - 300, int(TIME) + 300).map(str)
# Whatever Python holds for text, halves of surrogate pairs too: more than a server shows.
ANY_TEXT = st.text(st.characters(), max_size=40) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1"))
MISSING_OR_MISMATCH = {
    "SignatureMissing",
    "SignatureMismatch",
    "TokenMissing",
    "TokenMismatch",
    "TimestampMissing",
    "TimestampOutOfWindow",
}


def flip(text, bit):
    """Turn one of the seven bits of a character."""
    changed = bytearray(text.encode())
    changed[bit // 7] ^= 1 << bit % 7
    return changed.decode()


def flips(text):
    return st.integers(0, len(text) * 7 - 1).map(lambda bit: flip(text, bit))


@every_sender
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whoever_knows_a_secret_is_let_in(sender, data):
    """Any body, id and time within the window verify with any secret, wherever it stands among the live ones."""
    secret, body = data.draw(sender.secrets), data.draw(BODIES)
    request = sender.send(body, secret, delivery_id=data.draw(IDS), time=data.draw(TIMES))
    others = data.draw(st.lists(sender.secrets, max_size=3))
    place = data.draw(st.integers(0, len(others)))
    sender.make_scheme().verify(request, [*others[:place], secret, *others[place:]])


@every_sender
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_another_secret_never_verifies(sender, data):
    """What was made with one secret is refused where others are live."""
    secret, others = data.draw(sender.secrets), data.draw(st.lists(sender.secrets, max_size=3))
    assume(key_of(sender, secret) not in [key_of(sender, other) for other in others])
    reason = refusal(sender.make_scheme(), sender.send(BODY, secret), others)
    assert reason.endswith("Mismatch")


@every_signer
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_of_the_body_is_refused(sender, data):
    """A body with any single bit turned does not fit."""
    secret, body = data.draw(sender.secrets), data.draw(st.binary(min_size=1, max_size=200))
    bit = data.draw(st.integers(0, len(body) * 8 - 1))
    forged = bytearray(body)
    forged[bit // 8] ^= 1 << bit % 8
    request = send(bytes(forged), **sender.prove(body, secret, DELIVERY_ID, TIME))
    assert refusal(sender.make_scheme(), request, [secret]) == "SignatureMismatch"


@every_sender
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_of_the_proof_is_refused(sender, data):
    """A signature or a token with any single bit of its text turned is refused."""
    secret = data.draw(sender.secrets)
    proof = sender.prove(BODY, secret, DELIVERY_ID, TIME)[sender.signature]
    forged = data.draw(flips(proof))
    # The name of the way to authenticate may be written in any case, and so may hexadecimals.
    loose = sender.any_case or sender.signature == "authorization"
    assume(not (loose and forged.lower() == proof.lower()))
    if sender.scheme == Authentication.BASIC:
        assume(decoded(forged) != decoded(proof))
    request = sender.send(BODY, secret, **{sender.signature: forged})
    assert refusal(sender.make_scheme(), request, [secret]) in MISSING_OR_MISMATCH


def decoded(text):
    """Give user and password; the last character of base64 has bits that say nothing."""
    try:
        return base64.b64decode(text.partition(" ")[2], validate=True)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("sender", "header"),
    [(sender, header) for sender in SENDERS.values() for header in sender.signs],
    ids=lambda value: value if isinstance(value, str) else "",
)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_of_what_is_signed_too_is_refused(sender, header, data):
    """An id or a time with any single bit turned is refused."""
    secret, delivery_id = data.draw(sender.secrets), data.draw(IDS)
    signed = sender.prove(BODY, secret, delivery_id, TIME)
    request = send(BODY, **{**signed, header: data.draw(flips(signed[header]))})
    assert refusal(sender.make_scheme(), request, [secret]) in MISSING_OR_MISMATCH


@every_sender
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_header_raises_anything_else(sender, data):
    """Whatever stands in the headers that a scheme looks at, it is refused, and by no other error."""
    secret = data.draw(sender.secrets)
    honest = sender.prove(BODY, secret, DELIVERY_ID, TIME)
    lines = st.lists(ANY_TEXT, max_size=3)
    forged = {name: data.draw(lines | st.just([value])) for name, value in honest.items()}
    assume(any(forged[name] != [value] for name, value in honest.items()))
    more = data.draw(
        st.fixed_dictionaries({}, optional={"content_type": lines, "x_gitea_event": lines, "x_event_key": lines})
    )
    request, scheme = send(BODY, **forged, **more), sender.make_scheme()
    with pytest.raises((NotAuthentic, Unreadable)) as refused:
        scheme.verify(request, [secret])
    assert refused.value.reason in CATALOGUE
    scheme.delivery_id(request)
    scheme.event(request)
    scheme.is_ping(request)


@pytest.mark.parametrize("name", list(Authentication))
@settings(max_examples=40, deadline=None)
@given(secret=st.binary(max_size=80))
def test_any_secret_can_be_judged(name, secret):
    """Whatever is at the key of a Secret, a scheme says what is wrong with it, never repeats it, and does not fail."""
    members = {"HMAC": {"header": "X-S"}, "BASIC": {"username": "u"}, "IP": {"allowedIPRange": "192.0.2.0/24"}}
    scheme = make_scheme(name, **members.get(name, {}))
    # What is said of these is all that is ever said.
    said = {scheme.check_secret(known) for known in (b"", b"a\n", b"secret", b"whsec_c2VjcmV0")}
    assert scheme.check_secret(secret) in said | {None}


# ── secrets of a form that cannot be ──────────────────────────────────────────────────────────────────────────────


@every_sender
@pytest.mark.parametrize("secret", [b"", b"\n", b" \t\r\n", b"\0", b"\0" * 64, b" \0\n"])
def test_nothing_is_no_secret(sender, secret):
    """An empty secret, or one of blanks and NUL, lets nobody in, although anybody could sign with it."""
    scheme = sender.make_scheme()
    proof = sender.prove(BODY, b"" if sender.scheme == Authentication.STANDARD_WEBHOOKS else secret, DELIVERY_ID, TIME)
    assert scheme.check_secret(secret) is not None
    assert refusal(scheme, send(BODY, **proof), [secret]) in MISSING_OR_MISMATCH
    for empty in ("", " ", "sha256=", "v1,", "v0=", "v1:", "Bearer", "Bearer ", "Basic", "Basic ", "Basic Og=="):
        request = sender.send(BODY, b"c2VjcmV0", **{sender.signature: empty})
        assert refusal(scheme, request, [secret]) in MISSING_OR_MISMATCH


@every_sender
def test_secret_of_the_wrong_form_does_not_stand_in_the_way(sender):
    """Beside one that cannot be used, the other live secrets still let their holders in."""
    secret = b"whsec_c2VjcmV0" if sender.scheme == Authentication.STANDARD_WEBHOOKS else b"secret"
    sender.make_scheme().verify(sender.send(BODY, secret), [b"", b"\xff\xfe", secret, b"\n"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("GitHub", "SignatureMismatch"),
        ("Gitea", "SignatureMismatch"),
        ("Slack", "SignatureMismatch"),
        ("user and password", "TokenMismatch"),
        ("GitLab", "SecretUnusable"),
        ("bearer", "SecretUnusable"),
    ],
)
def test_newline_at_the_end_of_a_secret_is_explained(name, reason):
    """A Secret made with `echo` fits nothing that is sent; its owner is told of the newline, by remedy or status."""
    verdict = judge_newline(SENDERS[name], b"secret")
    assert verdict.reason.name == reason
    told = SENDERS[name].make_scheme().check_secret(b"secret\n") or verdict.reason.remedy
    assert "newline" in told


def test_newline_behind_base64_does_not_matter():
    """The secret of STANDARD_WEBHOOKS may have been made with `echo`: base64 has no newline of its own."""
    assert judge_newline(SENDERS["Standard Webhooks"], b"whsec_c2VjcmV0").authentic


def judge_newline(sender, secret):
    configuration = {"secretTokenRef": {"name": "hello-webhook"}, **sender.members}
    route = make_route(authentication=sender.scheme.value, authenticationConfiguration=configuration, filters=[])
    return judge(sender.send(BODY, secret), route, [secret + b"\n"], new_id=lambda: NEW_ID)


# ── by construction ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given_one", "found"), [(b"a", True), (b"b", True), (b"c", True), (b"d", False), (b"", False)]
)
def test_every_candidate_is_compared(given_one, found, monkeypatch):
    """The right candidate ends nothing: time does not tell which one it was, nor how long the secret is."""
    compared = []

    def record(candidate, given_bytes):
        compared.append((candidate, given_bytes))
        return candidate == given_bytes

    monkeypatch.setattr(hmac, "compare_digest", record)
    assert is_one_of(given_one, iter([b"a", b"b", b"c", b""])) is found
    # What the caller gave is second: by that one's length the time of CPython's function goes.
    assert compared == [(b"a", given_one), (b"b", given_one), (b"c", given_one), (b"", given_one)]


@every_sender
def test_schemes_compare_in_constant_time(sender, monkeypatch):
    """Each live secret is compared by `hmac.compare_digest`, also after the right one."""
    secrets = [b"d2hzZWM" + bytes([letter]) for letter in b"AQgw"]
    compared = []
    compare = hmac.compare_digest

    def record(candidate, given_bytes):
        compared.append(candidate)
        return compare(candidate, given_bytes)

    monkeypatch.setattr(hmac, "compare_digest", record)
    sender.make_scheme().verify(sender.send(BODY, secrets[0]), secrets)
    assert len(compared) == len(set(compared)) == len(secrets)


@every_sender
def test_no_scheme_keeps_a_secret(sender):
    """After a delivery nothing holds the secret, and nothing that is printed shows it."""
    secret = bytearray(b"whsec_" if sender.scheme == Authentication.STANDARD_WEBHOOKS else b"")
    secret = bytes(secret + b"bm9ib2R5IGtub3dz")
    scheme, request = sender.make_scheme(), sender.send(BODY, secret)
    before = sys.getrefcount(secret)
    scheme.verify(request, [secret])
    scheme.check_secret(secret)
    assert sys.getrefcount(secret) == before
    assert secret.decode() not in repr(vars(scheme))


@every_sender
def test_refusals_tell_nothing(sender):
    """What is said of a refusal holds neither secret nor proof nor body."""
    secret, other = b"d2hhdCBpcyBzZWNyZXQ=", b"c29tZXRoaW5nIGVsc2U="
    request = sender.send(BODY, other)
    with pytest.raises(NotAuthentic) as refused:
        sender.make_scheme().verify(request, [secret])
    proof = request.header(sender.signature.replace("_", "-"))
    for hidden in (secret.decode(), other.decode(), proof, proof[-12:], "refs/heads"):
        assert hidden not in str(refused.value)


# ── which header it is ────────────────────────────────────────────────────────────────────────────────────────────


@every_sender
def test_header_of_a_similar_name_is_not_taken(sender):
    """A name with `_` or `.` for `-`, or with a blank, is another header: nothing is evened out."""
    name = sender.signature.replace("_", "-")
    similar = {f"{name} ", f" {name}", f"{name}:", f"x-{name}", name.replace("-", "_"), name.replace("-", ".")} - {name}
    request = sender.send(BODY, b"c2VjcmV0")
    for other in similar:
        lines = dict(request.headers)
        lines[other] = lines.pop(name)
        assert refusal(sender.make_scheme(), replace(request, headers=lines), [b"c2VjcmV0"]).endswith("Missing")


@every_sender
@pytest.mark.parametrize("second", ["", "x", "the same"])
def test_doubled_header_is_none(sender, second):
    """A proof that comes twice proves nothing, whatever the second one is: who wrote which is not known."""
    right = sender.prove(BODY, b"c2VjcmV0", DELIVERY_ID, TIME)[sender.signature]
    lines = [right, right if second == "the same" else second]
    for given_lines in (lines, lines[::-1]):
        request = sender.send(BODY, b"c2VjcmV0", **{sender.signature: given_lines})
        assert refusal(sender.make_scheme(), request, [b"c2VjcmV0"]).endswith("Missing")


@every_sender
def test_proof_beyond_ascii_is_malformed(sender):
    """A proof with a letter that is not ASCII is refused as malformed: the server shows none such either."""
    right = sender.prove(BODY, b"c2VjcmV0", DELIVERY_ID, TIME)[sender.signature]
    for forged in (
        right + "ü",
        "ü" + right,
        right + "\udcff",
        right.replace("1", "\N{FULLWIDTH DIGIT ONE}").replace("c", "\N{CYRILLIC SMALL LETTER ES}") + "\xa0",
    ):
        request = sender.send(BODY, b"c2VjcmV0", **{sender.signature: forged})
        assert refusal(sender.make_scheme(), request, [b"c2VjcmV0"]).endswith("Missing")


def test_every_scheme_has_a_sender_here():
    """No scheme that verifies a secret is left out of these tests."""
    needing = {name for name in Authentication if name not in ("IP", "UNAUTHENTICATED")}
    assert {sender.scheme for sender in SENDERS.values()} == needing
    assert all(sender.make_scheme().needs_secret for sender in SENDERS.values())
    assert set(SCHEMES) == set(Authentication)


def test_member_that_cannot_be_is_a_problem_of_the_route():
    """What a scheme's own rules refuse stands in the route with AWS's code and the field."""
    configuration = {"secretTokenRef": {"name": "a"}, "header": "X-S", "signedContent": "{payload}"}
    route = make_route(authentication="HMAC", authenticationConfiguration=configuration)
    assert isinstance(route.problem, InvalidSpec)
    assert route.problem.code == "InvalidWebhookAuthenticationParametersException"
    assert route.problem.field == "spec.authenticationConfiguration.signedContent"
