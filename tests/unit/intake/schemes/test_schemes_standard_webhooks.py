"""STANDARD_WEBHOOKS: id, time and body as they were signed, now, by who knows the key in the secret."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from schemes_samples import BODY, DELIVERY_ID, SENDERS, TIME, make_scheme, refusal, send

from hookwright.intake.schemes.standard_webhooks import MAX_SIGNATURES
from hookwright.kinds import Authentication
from hookwright.reasons import SIGNATURE_MISMATCH, SIGNATURE_MISSING, TIMESTAMP_MISSING, TIMESTAMP_OUT_OF_WINDOW
from support.objects import NOON

SENDER = SENDERS["Standard Webhooks"]
SCHEME = make_scheme(Authentication.STANDARD_WEBHOOKS)
SECRET = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = base64.b64decode(SECRET.removeprefix(b"whsec_"))
OTHER = b"whsec_" + base64.b64encode(b"another key, of another endpoint")
# The specification's own example, made with its Python library 1.1.0.
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
VECTOR_TIME = datetime.fromtimestamp(1614265330, UTC)


def sign(*, delivery_id=DELIVERY_ID, time=TIME, body=BODY, secret=SECRET):
    return SENDER.prove(body, secret, delivery_id, time)["webhook_signature"]


def say(**headers):
    """Give a signed request with headers in place of what is right."""
    return send(**{**SENDER.prove(BODY, SECRET, DELIVERY_ID, TIME), **headers})


def test_documented_vector_is_authentic():
    """The specification's example of secret, id, time, body and signature is authentic at its time."""
    request = send(
        VECTOR_BODY,
        at=VECTOR_TIME,
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        webhook_timestamp="1614265330",
        webhook_signature=VECTOR_SIGNATURE,
    )
    SCHEME.verify(request, [SECRET])
    assert SCHEME.delivery_id(request) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


# ── the time ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("tolerance", [None, 1, 300, 3600])
@pytest.mark.parametrize("side", [-1, 1])
def test_window_has_sharp_edges(tolerance, side):
    """A message of exactly toleranceSeconds ago, or ahead, is taken; one of a second more is not."""
    members = {} if tolerance is None else {"toleranceSeconds": tolerance}
    scheme = make_scheme(Authentication.STANDARD_WEBHOOKS, **members)
    edge = int(TIME) + side * (tolerance or 300)
    for time, taken in ((edge, True), (edge + side, False), (edge - side, True)):
        request = say(webhook_timestamp=str(time), webhook_signature=sign(time=str(time)))
        if taken:
            scheme.verify(request, [SECRET])
        else:
            assert refusal(scheme, request, [SECRET]) == TIMESTAMP_OUT_OF_WINDOW.name


def test_fractions_of_now_count():
    """Half a second behind the edge is behind it: the window is measured from the moment of arrival."""
    request = send(at=NOON + timedelta(seconds=300.5), **SENDER.prove(BODY, SECRET, DELIVERY_ID, TIME))
    assert refusal(SCHEME, request, [SECRET]) == TIMESTAMP_OUT_OF_WINDOW.name


@pytest.mark.parametrize(
    "time",
    [
        "",
        " ",
        "soon",
        f" {TIME}",
        f"{TIME} ",
        f"{TIME}\n",
        f"+{TIME}",
        f"-{TIME}",
        f"0{TIME}",
        f"00{TIME}",
        f"{TIME}.0",
        f"{TIME}.",
        f"{TIME}e0",
        "1_777_636_800",
        TIME + "000",
        "9" * 12,
        "9" * 5000,
        "0x69f49440",
        "nan",
        "inf",
        "1e9",
        "2026-05-01T12:00:00Z",
        TIME.replace("7", "\N{ARABIC-INDIC DIGIT SEVEN}"),
        "".join(chr(0xFF10 + int(digit)) for digit in TIME),
        [TIME, TIME],
        [],
    ],
)
def test_time_is_written_in_one_way(time):
    """What is no plain number of seconds is no time, even where it is signed and means the right one."""
    text = time if isinstance(time, str) else TIME
    request = say(webhook_timestamp=time, webhook_signature=sign(time=text))
    assert refusal(SCHEME, request, [SECRET]) == TIMESTAMP_MISSING.name


@pytest.mark.parametrize("time", ["0", "1", str(int(TIME) - 301), str(int(TIME) + 301), "9" * 11])
def test_time_of_another_day_is_refused(time):
    """A signed message of another time is a recording, or of a clock that is wrong."""
    request = say(webhook_timestamp=time, webhook_signature=sign(time=time))
    assert refusal(SCHEME, request, [SECRET]) == TIMESTAMP_OUT_OF_WINDOW.name


def test_recorded_message_cannot_be_given_another_time():
    """The time is signed: a recording with a new time does not fit."""
    request = say(webhook_timestamp=str(int(TIME) - 1))
    assert refusal(SCHEME, request, [SECRET]) == SIGNATURE_MISMATCH.name


# ── the id ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a", "msg_1", "x" * 128, "9b2cafe8-ad7a-47e7-9d73-0a6d8f2a9f9c", "a/b?c=d&e", "-"])
def test_id_is_that_of_the_message(name):
    """Any word without a dot, of at most 128 characters, names the message."""
    request = say(webhook_id=name, webhook_signature=sign(delivery_id=name))
    SCHEME.verify(request, [SECRET])
    assert SCHEME.delivery_id(request) == name


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "x" * 129, "a.b", ".", "a\tb", "ü", "a\0", ["a", "a"], ["a", "b"], []]
)
def test_message_without_an_id_of_its_own_is_refused(name):
    """An id that cannot be remembered lets a recording in again; one with a dot can be cut at another place."""
    text = name if isinstance(name, str) else "a"
    request = say(webhook_id=name, webhook_signature=sign(delivery_id=text))
    assert refusal(SCHEME, request, [SECRET]) == SIGNATURE_MISSING.name
    assert SCHEME.delivery_id(request) is None


def test_signed_content_cannot_be_cut_elsewhere():
    """What was signed with a dot in its body is no other message with that part of the body as its time."""
    body = f"{TIME}.{{}}".encode()
    shifted = send(
        b"{}",
        webhook_id=f"msg_1.{TIME}",
        webhook_timestamp=TIME,
        webhook_signature=sign(delivery_id="msg_1", body=body),
    )
    assert refusal(SCHEME, shifted, [SECRET]) == SIGNATURE_MISSING.name


# ── the signatures ────────────────────────────────────────────────────────────────────────────────────────────────

RIGHT = sign()
WRONG = sign(secret=OTHER)
ED25519 = "v1a," + base64.b64encode(b"s" * 64).decode()


@pytest.mark.parametrize(
    "signatures",
    [
        RIGHT,
        f"{WRONG} {RIGHT}",
        f"{RIGHT} {WRONG}",
        f"{ED25519} {RIGHT}",
        f"{RIGHT} {ED25519}",
        f"v2,{RIGHT[3:]} v1 v1, , x {RIGHT}",
        f"  {RIGHT}  ",
        f"{RIGHT} {RIGHT}",
        " ".join([WRONG] * (MAX_SIGNATURES - 1) + [RIGHT]),
    ],
)
def test_one_right_signature_among_others_is_enough(signatures):
    """While a secret is replaced both sign; other versions, and what is none, are passed over."""
    SCHEME.verify(say(webhook_signature=signatures), [SECRET])


@pytest.mark.parametrize(
    "signatures",
    [
        "",
        " ",
        RIGHT[3:],
        f"v1 {RIGHT[3:]}",
        f"V1,{RIGHT[3:]}",
        f"v1a,{RIGHT[3:]}",
        f"v11,{RIGHT[3:]}",
        f"v1,,{RIGHT[3:]}",
        f"v1,{RIGHT[3:]},",
        f"{RIGHT},{RIGHT}",
        f"{RIGHT}\n",
        f"{RIGHT}\t{RIGHT}",
        f"v1,{RIGHT[3:-1]}",
        f"{RIGHT}=",
        f"{RIGHT}{RIGHT[3:]}",
        f"v1,{RIGHT[3:].replace('/', '_').replace('+', '-')[:-2]}-=",
        "v1," + base64.b64decode(RIGHT[3:]).hex(),
        "v1," + base64.b64encode(base64.b64decode(RIGHT[3:])[:-1]).decode(),
        ED25519,
        "v1," + "\N{FULLWIDTH EQUALS SIGN}" * 44,
        [RIGHT, RIGHT],
        [RIGHT, WRONG],
        [],
    ],
)
def test_header_without_a_signature_is_missing(signatures):
    """A header in which no word is `v1,` and a digest in base64 is as good as none; so is one that came twice."""
    assert refusal(SCHEME, say(webhook_signature=signatures), [SECRET]) == SIGNATURE_MISSING.name


@pytest.mark.parametrize("before", [MAX_SIGNATURES, 60, 3000])
@pytest.mark.parametrize("word", [WRONG, "", "x", ED25519])
def test_signatures_behind_the_sixteenth_are_not_looked_at(before, word):
    """A header full of signatures costs no more than sixteen of them."""
    signatures = " ".join([word] * before + [RIGHT])
    reason = refusal(SCHEME, say(webhook_signature=signatures), [SECRET])
    assert reason == (SIGNATURE_MISMATCH if word == WRONG else SIGNATURE_MISSING).name


def test_signature_in_other_characters_is_refused():
    """Base64 has a last character with bits that say nothing: only the one form of a signature is taken."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(RIGHT[-2])
    for other in range(last - last % 4, last - last % 4 + 4):
        same = f"{RIGHT[:-2]}{alphabet[other]}="
        assert base64.b64decode(same[3:]) == base64.b64decode(RIGHT[3:])
        if other != last:
            assert refusal(SCHEME, say(webhook_signature=same), [SECRET]) == SIGNATURE_MISMATCH.name


# ── the secrets ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_live_secret_counts(place):
    """Of several live secrets each one lets its holder in, beside those that are none."""
    secrets = [OTHER, b"whsec_not base64", b"whsec_Zm9vYmFy"]
    secrets[place] = SECRET
    SCHEME.verify(say(), secrets)
    assert refusal(SCHEME, say(), [one for one in secrets if one != SECRET]) == SIGNATURE_MISMATCH.name


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (SECRET, KEY),
        (SECRET.removeprefix(b"whsec_"), KEY),
        (SECRET + b"\n", KEY),
        (b" \t" + SECRET + b"\r\n", KEY),
        (b"whsec_" + base64.b64encode(KEY + b"x"), KEY + b"x"),
        # The specification's own libraries do not want the padding either.
        (b"whsec_" + base64.b64encode(KEY + b"x").rstrip(b"="), KEY + b"x"),
        (b"whsec_" + base64.b64encode(KEY + b"x").rstrip(b"=") + b"=", KEY + b"x"),
        (SECRET + b"==", KEY),
        (b"whsec_" + base64.b64encode(b"\0\0k"), b"\0\0k"),
        (b"whsec_" + base64.b64encode(b"k" * 1000), b"k" * 1000),
    ],
)
def test_secret_is_the_key_in_base64(secret, key):
    """The key is what base64 holds: with whsec_ or without, with padding or without, whatever blanks are around it."""
    assert SCHEME.check_secret(secret) is None
    digest = hmac.digest(key, f"{DELIVERY_ID}.{TIME}.".encode() + BODY, "sha256")
    SCHEME.verify(say(webhook_signature="v1," + base64.b64encode(digest).decode()), [secret])


@pytest.mark.parametrize(
    "secret",
    [
        b"",
        b"\n",
        b"whsec_",
        b"whsec_\n",
        b"whsec_ MfKQ",
        b"whsec_not base64",
        b"whsec_MfKQ9",
        b"whsec_====",
        b"whsec_MfKQ=MfKQ",
        b"whsec_Mf\nKQ",
        b"whsec_M-K_",
        b"whsec_whsec_MfKQ",
        b"WHSEC_MfKQ",
        b"whsk_MfKQ",
        b"It's a Secret to Everybody",
        b"whsec_AAAA",
        "whsec_Müll".encode(),
        b"\xff\xfe",
    ],
)
def test_what_is_no_key_is_said_and_fits_nothing(secret):
    """A secret of another form is named in status, without being repeated, and lets nobody in."""
    wrong = SCHEME.check_secret(secret)
    assert "whsec_" in wrong
    assert "base64" in wrong
    for key in (b"", secret, secret.removeprefix(b"whsec_")):
        digest = hmac.digest(key, f"{DELIVERY_ID}.{TIME}.".encode() + BODY, "sha256")
        request = say(webhook_signature="v1," + base64.b64encode(digest).decode())
        assert refusal(SCHEME, request, [secret]) == SIGNATURE_MISMATCH.name


def test_body_that_is_no_text_is_verified():
    """The bytes are verified, whatever they are."""
    SCHEME.verify(SENDER.send(b"\xff\x00\xfe", SECRET), [SECRET])


def test_events_of_git_hosts_are_read():
    """GitLab's signing tokens come with GitLab's event header."""
    assert SCHEME.event(say(x_gitlab_event="Push Hook")) == "Push Hook"
    assert SCHEME.reads_forms is False
