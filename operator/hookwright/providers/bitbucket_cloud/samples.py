"""What Bitbucket Cloud sends, in samples. Its tests of a URL look like what they test.

Source: Atlassian, "Event payloads" of Bitbucket Cloud.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from hookwright.providers.bitbucket_cloud.dialect import PUSH
from hookwright.providers.sample import BEFORE, MERGE, Happening, Payload, Samples, Sent
from hookwright.scm import EventType

SHORT = 12  # the characters of a commit's id in pull requests
_PERSON = {
    "display_name": "Ada",
    "type": "user",
    "uuid": "{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}",
    "account_id": "557058:c0b72ad0-1cb5-4018-9cdc-0cde8492c443",
    "nickname": "ada",
}
_NAMES = {
    EventType.PULL_REQUEST_CREATED: ("pullrequest:created", "OPEN"),
    EventType.PULL_REQUEST_UPDATED: ("pullrequest:updated", "OPEN"),
    EventType.PULL_REQUEST_MERGED: ("pullrequest:fulfilled", "MERGED"),
    EventType.PULL_REQUEST_CLOSED: ("pullrequest:rejected", "DECLINED"),
}


def _repository(happening: Happening, full_name: str) -> Payload:
    workspace, _, slug = full_name.rpartition("/")
    return {
        "type": "repository",
        "full_name": full_name,
        "links": {"html": {"href": happening.web(full_name)}},
        "name": slug,
        "scm": "git",
        "is_private": True,
        "owner": {"type": "team", "username": workspace},
        "workspace": {"type": "workspace", "slug": workspace},
        "uuid": "{673a6070-3421-46c9-9d48-90745f7bfe8e}",
    }


def _around(happening: Happening) -> Payload:
    return {"repository": _repository(happening, happening.repository), "actor": _PERSON}


def _ref(happening: Happening, sha: str) -> Payload:
    target = {
        "type": "commit",
        "hash": sha,
        "date": "2026-11-30T09:00:00+00:00",
        "author": {"type": "author", "raw": "Ada <ada@example.com>", "user": _PERSON},
        "message": happening.message,
        "parents": [],
    }
    kind = "branch" if happening.tag is None else "tag"
    return {"name": happening.tag or happening.branch, "type": kind, "target": target}


def _push(happening: Happening) -> Sent:
    change: Payload = {
        "old": _ref(happening, BEFORE) if happening.tag is None else None,
        "new": _ref(happening, happening.sha),
        "truncated": False,
        "created": happening.tag is not None,
        "forced": False,
        "closed": False,
        "commits": [],
    }
    return Sent(name=PUSH, payload={"push": {"changes": [change]}, **_around(happening)})


def _end(happening: Happening, full_name: str, branch: str, sha: str) -> Payload:
    commit = {"hash": sha[:SHORT], "type": "commit"}
    return {"branch": {"name": branch}, "commit": commit, "repository": _repository(happening, full_name)}


def _pull_request(event: EventType) -> Callable[[Happening], Sent]:
    name, state = _NAMES[event]

    def make(happening: Happening) -> Sent:
        page = f"{happening.web(happening.repository)}/pull-requests/{happening.pull_request}"
        merged = event is EventType.PULL_REQUEST_MERGED
        pull_request = {
            "type": "pullrequest",
            "id": happening.pull_request,
            "title": happening.message.partition("\n")[0],
            "description": "",
            "state": state,
            "author": _PERSON,
            "source": _end(happening, happening.head_repository, happening.head, happening.sha),
            "destination": _end(happening, happening.repository, happening.branch, BEFORE),
            "merge_commit": {"hash": MERGE[:SHORT]} if merged else None,
            "close_source_branch": False,
            "closed_by": _PERSON if state != "OPEN" else None,
            "reason": "",
            "links": {"html": {"href": page}},
        }
        return Sent(name=name, payload={"pullrequest": pull_request, **_around(happening)})

    return make


def _make_headers(*, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Bitbucket-Webhooks/2.0",
        "X-Event-Key": name,
        "X-Hook-UUID": "{c6a1b7e2-0000-4000-8000-000000000001}",
        "X-Request-UUID": delivery_id,
        "X-Attempt-Number": "1",
    }
    if secret is not None:
        headers["X-Hub-Signature"] = "sha256=" + hmac.digest(secret, body, "sha256").hex()
    return headers


SAMPLES = Samples(
    host="bitbucket.org",
    events={EventType.PUSH: _push, **{event: _pull_request(event) for event in _NAMES}},
    make_headers=_make_headers,
)
