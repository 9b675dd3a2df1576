"""STANDARD_WEBHOOKS beside the specification's own Python library: both accept, or both refuse."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import webhooks

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes import SCHEMES
from hookwright.kinds import Authentication, AuthenticationConfiguration
from support.objects import NOON

SCHEME = SCHEMES[Authentication.STANDARD_WEBHOOKS](AuthenticationConfiguration())
TIME = int(NOON.timestamp())
KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a receiver has in its hands."""

    id: str | None = "msg_1"
    time: str | None = str(TIME)
    signatures: str | None = None
    body: bytes = b'{"type": "a.b"}'
    secret: str = SECRET

    @property
    def headers(self):
        named = {"webhook-id": self.id, "webhook-timestamp": self.time, "webhook-signature": self.signatures}
        return {name: value for name, value in named.items() if value is not None}


def sign(message, key=KEY, *, time=None):
    digest = hmac.digest(key, f"{message.id}.{time or message.time}.".encode() + message.body, "sha256")
    return "v1," + base64.b64encode(digest).decode()


def signed(**changes):
    message = Message(**changes)
    return replace(message, signatures=sign(message))


@pytest.fixture(autouse=True, scope="module")
def _noon():
    """Let the library's clock stand where ours does."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return NOON.astimezone(tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(webhooks, "datetime", Clock)
        yield


def ours(message):
    request = Request(
        method="POST",
        path="/",
        headers={name: [value] for name, value in message.headers.items()},
        body=message.body,
        received_at=NOON,
    )
    secret = message.secret.encode()
    try:
        SCHEME.verify(request, [secret])
    except NotAuthentic:
        return False
    assert SCHEME.check_secret(secret) is None
    return True


def theirs(message):
    """Whether the library accepts a message; its other exceptions are refusals too, since nothing is accepted."""
    try:
        webhooks.Webhook(message.secret).verify(message.body, message.headers, json_parse=False)
    except (webhooks.WebhookVerificationError, webhooks.EmptyWebhookSecretError, ValueError):
        return False
    return True


# ── the same ──────────────────────────────────────────────────────────────────────────────────────────────────────

BODIES = st.text(max_size=60).map(str.encode)
IDS = st.from_regex(r"[!-\-/-~]{1,128}", fullmatch=True)
KEYS = st.binary(min_size=1, max_size=64).filter(lambda key: key.strip(b"\0"))
PADDED, BARE = (lambda text: text), (lambda text: text.rstrip("="))


@settings(max_examples=150, deadline=None)
@given(
    name=IDS,
    time=st.integers(TIME - 302, TIME + 302),
    body=BODIES,
    key=KEYS,
    prefix=st.sampled_from(["whsec_", ""]),
    write=st.sampled_from([PADDED, BARE]),
    before=st.lists(st.sampled_from(["v1a,c2ln", "v2,c2ln", "v1,c2ln"]), max_size=15),
)
def test_what_is_signed_is_judged_alike(name, time, body, key, prefix, write, before):  # noqa: PLR0917 - a message's parts
    """A signed message of any id, body, key and time is accepted by both, within the window and at its edges."""
    secret = prefix + write(base64.b64encode(key).decode())
    message = Message(id=name, time=str(time), body=body, secret=secret)
    message = replace(message, signatures=" ".join([*before, sign(message, key)]))
    assert ours(message) == theirs(message) == (abs(time - TIME) <= 300)


@settings(max_examples=150, deadline=None)
@given(body=BODIES, key=KEYS, other=KEYS, data=st.data())
def test_what_is_forged_is_judged_alike(body, key, other, data):
    """A message of which one part is another's is accepted by both, or by none."""
    message = Message(body=body, secret="whsec_" + base64.b64encode(key).decode())
    message = replace(message, signatures=sign(message, key))
    change = data.draw(
        st.sampled_from(["id", "time", "body", "secret", "signature", "nothing", "no id", "no time", "no signature"])
    )
    forged = {
        "id": {"id": data.draw(IDS)},
        "time": {"time": str(data.draw(st.integers(TIME - 400, TIME + 400)))},
        "body": {"body": data.draw(BODIES)},
        "secret": {"secret": "whsec_" + base64.b64encode(other).decode()},
        "signature": {"signatures": sign(message, other)},
        "nothing": {},
        "no id": {"id": None},
        "no time": {"time": None},
        "no signature": {"signatures": None},
    }[change]
    message = replace(message, **forged)
    assert ours(message) == theirs(message)


TIMES = st.from_regex(r"[0-9+\-. e_]{0,14}", fullmatch=True) | st.sampled_from(["0", "nan", "inf", "-inf", "x", ""])


@settings(max_examples=200, deadline=None)
@given(name=st.text(max_size=12), time=TIMES, signatures=st.text(alphabet="v1a, =/+ABCabc", max_size=60))
def test_what_is_no_message_is_refused_by_both(name, time, signatures):
    """Headers made by chance, unsigned, are accepted by nobody."""
    message = Message(id=name, time=time, signatures=signatures)
    assert ours(message) is theirs(message) is False


# ── where we differ on purpose ────────────────────────────────────────────────────────────────────────────────────


def respell(signature):
    """Give another text of base64 with the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet.index(signature[-2])
    return f"{signature[:-2]}{alphabet[last ^ 1]}="


def read_as(time):
    """Give a message whose time is signed as the library reads it."""
    message = Message(time=time)
    return replace(message, signatures=sign(message, time=str(TIME)))


RIGHT = signed()
# What they accept and we refuse.
STRICTER = {
    "an id with a dot can be cut elsewhere, which the specification warns of": signed(id="msg.1"),
    "an id with a blank is no word that a duplicate is known by": signed(id="msg 1"),
    "an id of more than 128 characters is not remembered": signed(id="m" * 129),
    "an id beyond ASCII is not shown by the server": signed(id="müll"),
    "a time with a fraction is no whole number of seconds": read_as(f"{TIME}.5"),
    "a time with an exponent is none": read_as(f"{TIME}e0"),
    "a time with a sign is none": read_as(f"+{TIME}"),
    "a time with zeros before it is none": read_as(f"0{TIME}"),
    "a time with blanks around it is none": read_as(f" {TIME} "),
    "a time with underscores is none": read_as(f"{TIME:_}"),
    "a time in other digits is none": read_as("".join(chr(0x660 + int(digit)) for digit in str(TIME))),
    "a signature has one form in base64": replace(RIGHT, signatures=respell(RIGHT.signatures)),
    "what is not base64 is not skipped in it": replace(RIGHT, signatures=RIGHT.signatures.replace("=", "*=")),
    "no more than sixteen signatures are looked at": replace(
        RIGHT, signatures=" ".join(["v1,c2ln"] * 16 + [RIGHT.signatures])
    ),
    "what is not base64 in a secret is a mistake, and not to be skipped": replace(
        RIGHT, secret="whsec_ " + SECRET.removeprefix("whsec_")
    ),
    "what is behind the padding of a secret is a mistake, and not to be skipped": replace(
        RIGHT, secret=SECRET + "=surplus"
    ),
    "a key of NUL is the empty key to HMAC": replace(
        Message(secret="whsec_AAAA"), signatures=sign(Message(), b"\0\0\0")
    ),
}
# What we accept and they refuse, mostly by an exception that is not their own.
LOOSER = {
    "a body is bytes": signed(body=b"\xff\xfe"),
    "a word without a comma is no signature, and passed over": replace(RIGHT, signatures="v1 " + RIGHT.signatures),
    "a word with two commas is no signature, and passed over": replace(RIGHT, signatures="v9,a,b " + RIGHT.signatures),
    "blanks between signatures do not matter": replace(RIGHT, signatures="  " + RIGHT.signatures),
    "a signature that is not base64 is none, and passed over": replace(RIGHT, signatures="v1,x " + RIGHT.signatures),
    "blanks before a secret do not matter": replace(RIGHT, secret=" " + SECRET),
}


@pytest.mark.parametrize("message", STRICTER.values(), ids=STRICTER)
def test_here_we_are_stricter(message):
    """What the library accepts and we do not, each for its reason."""
    assert (ours(message), theirs(message)) == (False, True)


@pytest.mark.parametrize("message", LOOSER.values(), ids=LOOSER)
def test_here_we_are_looser(message):
    """What we accept and the library does not, each for its reason."""
    assert (ours(message), theirs(message)) == (True, False)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (replace(RIGHT, signatures="v1"), ValueError),
        (replace(RIGHT, signatures="v1,x"), ValueError),
        (signed(body=b"\xff"), UnicodeDecodeError),
    ],
)
def test_no_error_of_others_comes_out_of_ours(message, error):
    """Where the library lets a foreign exception out, we refuse or accept."""
    with pytest.raises(error):
        webhooks.Webhook(message.secret).verify(message.body, message.headers, json_parse=False)
    assert ours(message) in (True, False)
