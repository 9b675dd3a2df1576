"""Senders of every scheme that verifies a secret: how each proves itself, for what holds of all of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st

from hookwright.errors import NotAuthentic
from hookwright.intake.request import Request
from hookwright.intake.schemes import SCHEMES, Scheme
from hookwright.kinds import Authentication, AuthenticationConfiguration
from support.objects import NOON

TIME = str(int(NOON.timestamp()))
BODY = b'{"ref": "refs/heads/main"}'
DELIVERY_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
NOTHING = b" \t\r\n\v\f\0"

RAW_SECRETS = st.binary(min_size=1, max_size=100).filter(lambda secret: secret.strip(NOTHING))
TOKENS = st.from_regex(rb"[!-~](?:[ -~]{0,40}[!-~])?", fullmatch=True)
STANDARD_SECRETS = (
    st.binary(min_size=1, max_size=64)
    .filter(lambda key: key.strip(b"\0"))
    .flatmap(lambda key: st.sampled_from([b"whsec_", b""]).map(lambda prefix: prefix + base64.b64encode(key)))
)


def make_scheme(name: str, **members) -> Scheme:
    """Give a scheme for these members of authenticationConfiguration, by their names in YAML."""
    return SCHEMES[name](AuthenticationConfiguration.model_validate(members))


def send(body: bytes = BODY, *, at=NOON, client=None, **headers: str | Sequence[str]) -> Request:
    """Give a request with JSON; headers are named with `_` for `-`, several values make several lines."""
    lines = {"content_type": "application/json", **headers}
    return Request(
        method="POST",
        path="/hooks/token",
        headers={
            name.replace("_", "-"): [values] if isinstance(values, str) else list(values)
            for name, values in lines.items()
        },
        body=body,
        received_at=at,
        client=client,
    )


def refusal(scheme: Scheme, request: Request, secrets: Sequence[bytes]) -> str:
    """Give the reason for which a request is refused."""
    with pytest.raises(NotAuthentic) as refused:
        scheme.verify(request, secrets)
    return refused.value.reason


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Somebody who knows the secret. `prove` gives the headers for body, secret, id and time.

    `signature` names the header with the proof. `signs` are the headers that it covers too; without `signs_body` the
    proof is the secret itself.
    """

    scheme: Authentication
    prove: Callable[[bytes, bytes, str, str], Mapping[str, str]]
    signature: str
    secrets: st.SearchStrategy[bytes]
    members: Mapping[str, object] = field(default_factory=dict)
    signs: tuple[str, ...] = ()
    signs_body: bool = True
    # Capitals of hexadecimals are the same signature.
    any_case: bool = False

    def make_scheme(self) -> Scheme:
        """Give the scheme that verifies what it sends."""
        return make_scheme(self.scheme, **self.members)

    def send(self, body: bytes, secret: bytes, *, delivery_id: str = DELIVERY_ID, time: str = TIME, **more) -> Request:
        """Give a request that proves itself, with `more` in place of headers."""
        return send(body, **{**self.prove(body, secret, delivery_id, time), **more})


def key_of(sender: Sender, secret: bytes) -> bytes:
    """Give what two secrets have in common that are the same to a sender: HMAC fills short keys up with NUL."""
    if sender.scheme == Authentication.STANDARD_WEBHOOKS:
        secret = base64.b64decode(secret.removeprefix(b"whsec_"))
    return secret.rstrip(b"\0") if sender.signs_body else secret


def _github(body, secret, _id, _time):
    return {"x_hub_signature_256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


def _standard(body, secret, delivery_id, time):
    key = base64.b64decode(secret.removeprefix(b"whsec_"))
    digest = hmac.digest(key, f"{delivery_id}.{time}.".encode() + body, "sha256")
    return {
        "webhook_id": delivery_id,
        "webhook_timestamp": time,
        "webhook_signature": "v1," + base64.b64encode(digest).decode(),
    }


def _gitea(body, secret, _id, _time):
    return {"x_gitea_signature": hmac.new(secret, body, hashlib.sha256).hexdigest()}


def _shop(body, secret, _id, _time):
    return {"x_shop_hmac": "v1:" + base64.b64encode(hmac.digest(secret, body, "sha512")).decode()}


def _slack(body, secret, _id, time):
    digest = hmac.new(secret, f"v0:{time}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x_slack_signature": "v0=" + digest, "x_slack_request_timestamp": time}


def _stamped(body, secret, _id, time):
    digest = base64.b64encode(hmac.digest(secret, f"{time}.".encode() + body, "sha1")).decode()
    return {"x_sig": digest, "x_time": time}


SENDERS = {
    "GitHub": Sender(
        scheme=Authentication.GITHUB_HMAC, prove=_github, signature="x_hub_signature_256", secrets=RAW_SECRETS
    ),
    "Standard Webhooks": Sender(
        scheme=Authentication.STANDARD_WEBHOOKS,
        prove=_standard,
        signature="webhook_signature",
        signs=("webhook_id", "webhook_timestamp"),
        secrets=STANDARD_SECRETS,
    ),
    "Gitea": Sender(
        scheme=Authentication.HMAC,
        members={"header": "X-Gitea-Signature"},
        prove=_gitea,
        signature="x_gitea_signature",
        secrets=RAW_SECRETS,
        any_case=True,
    ),
    "base64 and a prefix": Sender(
        scheme=Authentication.HMAC,
        members={"header": "X-Shop-Hmac", "algorithm": "SHA512", "encoding": "BASE64", "prefix": "v1:"},
        prove=_shop,
        signature="x_shop_hmac",
        secrets=RAW_SECRETS,
    ),
    "Slack": Sender(
        scheme=Authentication.HMAC,
        members={
            "header": "X-Slack-Signature",
            "prefix": "v0=",
            "timestampHeader": "X-Slack-Request-Timestamp",
            "signedContent": "v0:{timestamp}:{body}",
        },
        prove=_slack,
        signature="x_slack_signature",
        signs=("x_slack_request_timestamp",),
        secrets=RAW_SECRETS,
        any_case=True,
    ),
    "a time and no words": Sender(
        scheme=Authentication.HMAC,
        members={"header": "X-Sig", "algorithm": "SHA1", "encoding": "BASE64", "timestampHeader": "X-Time"},
        prove=_stamped,
        signature="x_sig",
        signs=("x_time",),
        secrets=RAW_SECRETS,
    ),
    "GitLab": Sender(
        scheme=Authentication.GITLAB_TOKEN,
        prove=lambda _body, secret, _id, _time: {"x_gitlab_token": secret.decode()},
        signature="x_gitlab_token",
        secrets=TOKENS,
        signs_body=False,
    ),
    "bearer": Sender(
        scheme=Authentication.BEARER_TOKEN,
        prove=lambda _body, secret, _id, _time: {"authorization": "Bearer " + secret.decode()},
        signature="authorization",
        secrets=TOKENS,
        signs_body=False,
    ),
    "user and password": Sender(
        scheme=Authentication.BASIC,
        members={"username": "hook"},
        prove=lambda _body, secret, _id, _time: {
            "authorization": "Basic " + base64.b64encode(b"hook:" + secret).decode()
        },
        signature="authorization",
        secrets=RAW_SECRETS,
        signs_body=False,
    ),
}
SIGNERS = {name: sender for name, sender in SENDERS.items() if sender.signs_body}
every_sender = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
every_signer = pytest.mark.parametrize("sender", SIGNERS.values(), ids=SIGNERS)
