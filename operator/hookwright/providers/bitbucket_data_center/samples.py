"""What Bitbucket Data Center sends, in samples.

Source: Atlassian, "Event payload" of Bitbucket Data Center.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from hookwright.providers.bitbucket_data_center.dialect import PING, PUSH
from hookwright.providers.sample import BEFORE, MERGE, Happening, Payload, Samples, Sent
from hookwright.scm import BRANCHES, EventType

_SHOWN = 11  # the characters of a commit's id that people see
_DATE = "2026-11-30T09:00:00+0000"
_PERSON = {
    "name": "ada",
    "emailAddress": "ada@example.com",
    "id": 13581,
    "displayName": "Ada",
    "active": True,
    "slug": "ada",
    "type": "NORMAL",
}
_NAMES = {
    EventType.PULL_REQUEST_CREATED: ("pr:opened", "OPEN"),
    EventType.PULL_REQUEST_UPDATED: ("pr:from_ref_updated", "OPEN"),
    EventType.PULL_REQUEST_MERGED: ("pr:merged", "MERGED"),
    EventType.PULL_REQUEST_CLOSED: ("pr:declined", "DECLINED"),
}


def _repository(happening: Happening, full_name: str) -> Payload:
    key, _, slug = full_name.rpartition("/")
    path = f"{key.lower()}/{slug}.git"
    return {
        "slug": slug,
        "id": 84 if full_name == happening.repository else 85,
        "name": slug,
        "scmId": "git",
        "state": "AVAILABLE",
        "forkable": True,
        "project": {"key": key, "id": 84, "name": key, "public": False, "type": "NORMAL"},
        "public": False,
        "links": {
            "clone": [
                {"href": f"ssh://git@{happening.host}:7999/{path}", "name": "ssh"},
                {"href": f"https://{happening.host}/scm/{path}", "name": "http"},
            ],
            "self": [{"href": f"https://{happening.host}/projects/{key}/repos/{slug}/browse"}],
        },
    }


def _push(happening: Happening) -> Sent:
    kind = "BRANCH" if happening.tag is None else "TAG"
    change = {
        "ref": {"id": happening.ref, "displayId": happening.tag or happening.branch, "type": kind},
        "refId": happening.ref,
        "fromHash": happening.before,
        "toHash": happening.sha,
        "type": "UPDATE" if happening.tag is None else "ADD",
    }
    commit = {
        "id": happening.sha,
        "displayId": happening.sha[:_SHOWN],
        "author": _PERSON,
        "committer": _PERSON,
        "message": happening.message,
        "parents": [],
    }
    payload = {
        "eventKey": PUSH,
        "date": _DATE,
        "actor": _PERSON,
        "repository": _repository(happening, happening.repository),
        "changes": [change],
        "commits": [commit],
        "toCommit": commit,
    }
    return Sent(name=PUSH, payload=payload)


def _end(happening: Happening, full_name: str, branch: str, sha: str) -> Payload:
    return {
        "id": BRANCHES + branch,
        "displayId": branch,
        "latestCommit": sha,
        "type": "BRANCH",
        "repository": _repository(happening, full_name),
    }


def _pull_request(event: EventType) -> Callable[[Happening], Sent]:
    name, state = _NAMES[event]

    def make(happening: Happening) -> Sent:
        repository = _repository(happening, happening.repository)
        page = repository["links"]["self"][0]["href"].replace("/browse", f"/pull-requests/{happening.pull_request}")
        pull_request = {
            "id": happening.pull_request,
            "version": 0,
            "title": happening.message.partition("\n")[0],
            "state": state,
            "open": state == "OPEN",
            "closed": state != "OPEN",
            "fromRef": _end(happening, happening.head_repository, happening.head, happening.sha),
            "toRef": _end(happening, happening.repository, happening.branch, BEFORE),
            "author": {"user": _PERSON, "role": "AUTHOR", "approved": False, "status": "UNAPPROVED"},
            "reviewers": [],
            "links": {"self": [{"href": page}]},
        }
        if event is EventType.PULL_REQUEST_MERGED:
            pull_request["properties"] = {"mergeCommit": {"displayId": MERGE[:_SHOWN], "id": MERGE}}
        payload = {"eventKey": name, "date": _DATE, "actor": _PERSON, "pullRequest": pull_request}
        if event is EventType.PULL_REQUEST_UPDATED:
            payload["previousFromHash"] = BEFORE
        return Sent(name=name, payload=payload)

    return make


def _test(_: Happening) -> Sent:
    return Sent(name=PING, payload={"test": True})


def _make_headers(*, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Atlassian HttpClient 4.2.0 / Bitbucket-8.19.1 (8019001) / Default",
        "X-Event-Key": name,
        "X-Request-Id": delivery_id,
    }
    if secret is not None:
        headers["X-Hub-Signature"] = "sha256=" + hmac.digest(secret, body, "sha256").hex()
    return headers


SAMPLES = Samples(
    host="bitbucket.example.com",
    events={EventType.PUSH: _push, **{event: _pull_request(event) for event in _NAMES}},
    make_headers=_make_headers,
    test=_test,
)
