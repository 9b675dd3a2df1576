"""How GitHub's deliveries speak: headers, signatures, events, and what a delivery looks like to a receiver.

GitHub Enterprise Server speaks the same.

Source: GitHub, "Webhook events and payloads" and "Validating webhook deliveries".
"""

from __future__ import annotations

import hmac
import json
from importlib import resources
from typing import Any

from hookwright.providers.dialect import Dialect
from hookwright.providers.github.events import understand
from hookwright.scm import EventType

EVENT_HEADER = "x-github-event"
DELIVERY_HEADER = "x-github-delivery"
SIGNATURE_HEADER = "x-hub-signature-256"
SIGNATURE_PREFIX = "sha256="
PING = "ping"

DIALECT = Dialect(
    event_headers=(EVENT_HEADER,),
    delivery_headers=(DELIVERY_HEADER,),
    events=frozenset(EventType),
    understand=understand,
    pull_request_ref="refs/pull/{number}/head",
)


def sign(body: bytes, secret: bytes) -> str:
    """Give the value of `X-Hub-Signature-256` for `body`."""
    return SIGNATURE_PREFIX + hmac.digest(secret, body, "sha256").hex()


def make_headers(*, event: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
    """Give the headers with which GitHub sends `body`; without a secret it does not sign."""
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery_id,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Hook-Installation-Target-ID": "79929171",
        "X-GitHub-Hook-Installation-Target-Type": "repository",
    }
    if secret is not None:
        headers["X-Hub-Signature-256"] = sign(body, secret)
    return headers


def sample_events() -> list[str]:
    """Name the events of which there is a sample."""
    files = resources.files(__package__).iterdir()
    return sorted(file.name.removesuffix(".json") for file in files if file.name.endswith(".json"))


def make_sample(event: str, *, repository: str | None = None, branch: str | None = None) -> dict[str, Any]:
    """Give a sample payload of `event`, as if it had happened in `repository` (owner/name) on `branch`.

    Raises:
        KeyError: there is no sample of this event.
    """
    if event not in sample_events():
        raise KeyError(event)
    text = resources.files(__package__).joinpath(f"{event}.json").read_text(encoding="utf-8")
    payload: dict[str, Any] = json.loads(text)
    old_repository = payload["repository"]["full_name"]
    if repository is not None:
        owner, _, name = repository.rpartition("/")
        text = text.replace(old_repository, json.dumps(repository)[1:-1])
        payload = json.loads(text)
        payload["repository"] |= {"name": name}
        payload["repository"]["owner"] |= {"name": owner, "login": owner}
    if branch is not None and "ref" in payload:
        payload["ref"] = f"refs/heads/{branch}"
    return payload
