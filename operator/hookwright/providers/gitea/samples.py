"""What Gitea sends, in samples: the form of its payloads is GitHub's, but for what is here.

Source: deliveries of a Gitea 1.25.4 (tests/contract/gitea).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from hookwright.providers.github import samples as github
from hookwright.providers.sample import Happening, Payload, Samples, Sent
from hookwright.scm import EventType

_PUSH_HAS_NO = {"created", "deleted", "forced", "base_ref"}
_OTHERS_HAVE_NO = {"organization", "before", "after"}


def _as_github(event: EventType, happening: Happening, without: set[str]) -> Payload:
    payload = github.EVENTS[event](happening).payload
    return {name: value for name, value in payload.items() if name not in without}


def _push(happening: Happening) -> Sent:
    payload = _as_github(EventType.PUSH, happening, _PUSH_HAS_NO | {"organization"})
    return Sent(name="push", payload=payload | {"total_commits": len(payload["commits"])})


def _pull_request(event: EventType) -> Callable[[Happening], Sent]:
    def make(happening: Happening) -> Sent:
        payload = _as_github(event, happening, _OTHERS_HAVE_NO)
        if event is EventType.PULL_REQUEST_UPDATED:
            payload["action"] = "synchronized"
        if event is not EventType.PULL_REQUEST_MERGED:
            payload["pull_request"]["merge_commit_sha"] = None
        return Sent(name="pull_request", payload=payload)

    return make


def _release(event: EventType) -> Callable[[Happening], Sent]:
    def make(happening: Happening) -> Sent:
        payload = _as_github(event, happening, _OTHERS_HAVE_NO)
        return Sent(name="release", payload=payload | {"action": "published"})

    return make


def _test(happening: Happening) -> Sent:
    """Give what "Test Delivery" sends: a push that changes nothing."""
    payload = _push(happening).payload
    return Sent(name="push", payload=payload | {"before": payload["after"]})


def _make_headers(*, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "Go-http-client/1.1"}
    for sender in ("GitHub", "Gitea", "Gogs"):
        headers |= {f"X-{sender}-Delivery": delivery_id, f"X-{sender}-Event": name, f"X-{sender}-Event-Type": name}
    if secret is not None:
        signature = hmac.digest(secret, body, "sha256").hex()
        headers |= {
            "X-Gitea-Signature": signature,
            "X-Gogs-Signature": signature,
            "X-Hub-Signature": "sha1=" + hmac.digest(secret, body, "sha1").hex(),
            "X-Hub-Signature-256": f"sha256={signature}",
        }
    return headers


SAMPLES = Samples(
    host="gitea.example.com",
    events={
        EventType.PUSH: _push,
        **{event: _pull_request(event) for event in EventType if event.is_pull_request},
        EventType.RELEASED: _release(EventType.RELEASED),
        EventType.PRERELEASED: _release(EventType.PRERELEASED),
    },
    make_headers=_make_headers,
    test=_test,
)
