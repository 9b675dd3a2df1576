"""What GitHub sends, in samples. GitHub Enterprise Server sends the same from a host of its own.

Source: GitHub, "Webhook events and payloads".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hookwright.providers.github.dialect import PING, make_headers
from hookwright.providers.sample import BEFORE, MERGE, TIME, Happening, Payload, Samples, Sent
from hookwright.scm import EventType

_PERSON = {"login": "ada", "id": 583231, "type": "User", "site_admin": False}
_ACTIONS = {
    EventType.PULL_REQUEST_CREATED: "opened",
    EventType.PULL_REQUEST_UPDATED: "synchronize",
    EventType.PULL_REQUEST_REOPENED: "reopened",
    EventType.PULL_REQUEST_CLOSED: "closed",
    EventType.PULL_REQUEST_MERGED: "closed",
}


def _repository(happening: Happening, full_name: str) -> Payload:
    owner, _, name = full_name.rpartition("/")
    page = happening.web(full_name)
    return {
        "id": 1296269,
        "name": name,
        "full_name": full_name,
        "private": False,
        "owner": {"login": owner, "id": 1, "type": "Organization"},
        "html_url": page,
        "fork": full_name != happening.repository,
        "clone_url": f"{page}.git",
        "ssh_url": f"git@{happening.host}:{full_name}.git",
        "default_branch": happening.branch,
    }


def _around(happening: Happening) -> Payload:
    return {
        "repository": _repository(happening, happening.repository),
        "organization": {"login": happening.owner, "id": 1},
        "sender": _PERSON,
    }


def _push(happening: Happening) -> Sent:
    person = {"name": "Ada", "email": "ada@example.com", "username": "ada"}
    commit = {
        "id": happening.sha,
        "distinct": True,
        "message": happening.message,
        "timestamp": TIME,
        "url": f"{happening.web(happening.repository)}/commit/{happening.sha}",
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": list(happening.files),
    }
    payload = {
        "ref": happening.ref,
        "before": happening.before,
        "after": happening.sha,
        **_around(happening),
        "pusher": {"name": "ada", "email": "ada@example.com"},
        "created": happening.tag is not None,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "commits": [commit] if happening.tag is None else [],
        "head_commit": commit,
    }
    return Sent(name="push", payload=payload)


def _pull_request(event: EventType) -> Callable[[Happening], Sent]:
    def make(happening: Happening) -> Sent:
        page = f"{happening.web(happening.repository)}/pull/{happening.pull_request}"
        merged = event is EventType.PULL_REQUEST_MERGED
        pull_request = {
            "id": 279147437,
            "html_url": page,
            "number": happening.pull_request,
            "state": "closed" if _ACTIONS[event] == "closed" else "open",
            "title": happening.message,
            "user": _PERSON,
            "body": None,
            "draft": False,
            "merged": merged,
            "merge_commit_sha": MERGE,
            "head": _end(happening, happening.head_repository, happening.head, happening.sha),
            "base": _end(happening, happening.repository, happening.branch, BEFORE),
        }
        payload = {
            "action": _ACTIONS[event],
            "number": happening.pull_request,
            "pull_request": pull_request,
            **_around(happening),
        }
        if event is EventType.PULL_REQUEST_UPDATED:
            payload |= {"before": BEFORE, "after": happening.sha}
        return Sent(name="pull_request", payload=payload)

    return make


def _end(happening: Happening, full_name: str, branch: str, sha: str) -> Payload:
    repository = _repository(happening, full_name)
    owner = repository["owner"]
    return {"label": f"{owner['login']}:{branch}", "ref": branch, "sha": sha, "user": owner, "repo": repository}


def _release(action: str) -> Callable[[Happening], Sent]:
    def make(happening: Happening) -> Sent:
        release = {
            "id": 17372790,
            "tag_name": happening.released,
            "target_commitish": happening.branch,
            "name": f"Release {happening.released}",
            "draft": False,
            "prerelease": action == "prereleased",
            "author": _PERSON,
            "body": happening.message,
        }
        return Sent(name="release", payload={"action": action, "release": release, **_around(happening)})

    return make


def _job(happening: Happening) -> Sent:
    job = {
        "id": 2832853555,
        "run_id": 940463255,
        "workflow_name": "CI",
        "head_branch": happening.branch,
        "head_sha": happening.sha,
        "name": "test",
        "status": "queued",
        "conclusion": None,
        "labels": ["self-hosted"],
        "steps": [],
    }
    return Sent(name="workflow_job", payload={"action": "queued", "workflow_job": job, **_around(happening)})


def _ping(happening: Happening) -> Sent:
    hook = {"type": "Repository", "id": 292430182, "name": "web", "active": True, "events": ["push"]}
    return Sent(name=PING, payload={"zen": "Design for failure.", "hook_id": 1, "hook": hook, **_around(happening)})


EVENTS: Mapping[EventType, Callable[[Happening], Sent]] = {
    EventType.PUSH: _push,
    **{event: _pull_request(event) for event in _ACTIONS},
    EventType.RELEASED: _release("released"),
    EventType.PRERELEASED: _release("prereleased"),
    EventType.WORKFLOW_JOB_QUEUED: _job,
}


def _make_headers(*, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
    return make_headers(event=name, delivery_id=delivery_id, body=body, secret=secret)


def _make_enterprise_headers(*, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
    own = {"X-GitHub-Enterprise-Host": ENTERPRISE.host, "X-GitHub-Enterprise-Version": "3.15.0"}
    return _make_headers(name=name, delivery_id=delivery_id, body=body, secret=secret) | own


SAMPLES = Samples(host="github.com", events=EVENTS, make_headers=_make_headers, test=_ping)
ENTERPRISE = Samples(host="github.example.com", events=EVENTS, make_headers=_make_enterprise_headers, test=_ping)
