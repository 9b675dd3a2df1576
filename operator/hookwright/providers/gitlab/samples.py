"""What GitLab sends, in samples. Its tests of a URL look like what they test.

Source: GitLab, "Webhook events".
"""

from __future__ import annotations

from collections.abc import Callable

from hookwright.providers.sample import BEFORE, MERGE, TIME, Happening, Payload, Samples, Sent
from hookwright.scm import EventType

_PROJECT, _FORK = 15, 66
_PERSON = {"id": 4, "name": "Ada", "username": "ada", "avatar_url": None, "email": "[REDACTED]"}
_ACTIONS = {
    EventType.PULL_REQUEST_CREATED: "open",
    EventType.PULL_REQUEST_UPDATED: "update",
    EventType.PULL_REQUEST_REOPENED: "reopen",
    EventType.PULL_REQUEST_CLOSED: "close",
    EventType.PULL_REQUEST_MERGED: "merge",
}
_STATES = {EventType.PULL_REQUEST_CLOSED: "closed", EventType.PULL_REQUEST_MERGED: "merged"}


def _project(happening: Happening, path: str) -> Payload:
    page = happening.web(path)
    return {
        "id": _PROJECT if path == happening.repository else _FORK,
        "name": happening.name,
        "web_url": page,
        "git_ssh_url": f"git@{happening.host}:{path}.git",
        "git_http_url": f"{page}.git",
        "namespace": path.rpartition("/")[0],
        "visibility_level": 0,
        "path_with_namespace": path,
        "default_branch": happening.branch,
    }


def _around(happening: Happening) -> Payload:
    page = happening.web(happening.repository)
    repository = {"name": happening.name, "homepage": page, "git_http_url": f"{page}.git", "visibility_level": 0}
    return {"project": _project(happening, happening.repository), "repository": repository}


def _commit(happening: Happening) -> Payload:
    return {
        "id": happening.sha,
        "message": happening.message,
        "title": happening.message.partition("\n")[0],
        "timestamp": TIME,
        "url": f"{happening.web(happening.repository)}/-/commit/{happening.sha}",
        "author": {"name": "Ada", "email": "[REDACTED]"},
    }


def _push(happening: Happening) -> Sent:
    kind = "push" if happening.tag is None else "tag_push"
    commit = _commit(happening) | {"added": [], "modified": list(happening.files), "removed": []}
    payload = {
        "object_kind": kind,
        "event_name": kind,
        "before": happening.before,
        "after": happening.sha,
        "ref": happening.ref,
        "checkout_sha": happening.sha,
        "message": None,
        "user_id": _PERSON["id"],
        "user_name": "Ada",
        "user_username": "ada",
        "project_id": _PROJECT,
        **_around(happening),
        "commits": [commit],
        "total_commits_count": 1,
    }
    return Sent(name="Push Hook" if happening.tag is None else "Tag Push Hook", payload=payload)


def _merge_request(event: EventType) -> Callable[[Happening], Sent]:
    def make(happening: Happening) -> Sent:
        number = happening.pull_request
        attributes = {
            "id": 99,
            "iid": number,
            "target_branch": happening.branch,
            "source_branch": happening.head,
            "source_project_id": _FORK if happening.fork else _PROJECT,
            "target_project_id": _PROJECT,
            "author_id": _PERSON["id"],
            "title": happening.message.partition("\n")[0],
            "state": _STATES.get(event, "opened"),
            "draft": False,
            "merge_commit_sha": MERGE if event is EventType.PULL_REQUEST_MERGED else None,
            "squash_commit_sha": None,
            "url": f"{happening.web(happening.repository)}/-/merge_requests/{number}",
            "source": _project(happening, happening.head_repository),
            "target": _project(happening, happening.repository),
            "last_commit": _commit(happening),
            "action": _ACTIONS[event],
        }
        if event is EventType.PULL_REQUEST_UPDATED:
            attributes["oldrev"] = BEFORE
        kind = "merge_request"
        around = {"user": _PERSON, **_around(happening), "labels": [], "changes": {}}
        payload = {"object_kind": kind, "event_type": kind, **around, "object_attributes": attributes}
        return Sent(name="Merge Request Hook", payload=payload)

    return make


def _release(happening: Happening) -> Sent:
    payload = {
        "object_kind": "release",
        "id": 1,
        "created_at": "2026-11-30 09:00:00 UTC",
        "description": happening.message,
        "name": f"Release {happening.released}",
        "released_at": "2026-11-30 09:00:00 UTC",
        "tag": happening.released,
        "project": _project(happening, happening.repository),
        "url": f"{happening.web(happening.repository)}/-/releases/{happening.released}",
        "action": "create",
        "assets": {"count": 0, "links": [], "sources": []},
        "commit": _commit(happening),
    }
    return Sent(name="Release Hook", payload=payload)


def _job(happening: Happening) -> Sent:
    payload = {
        "object_kind": "build",
        "ref": happening.branch,
        "tag": False,
        "before_sha": BEFORE,
        "sha": happening.sha,
        "build_id": 1977,
        "build_name": "test",
        "build_stage": "test",
        "build_status": "created",
        "pipeline_id": 2366,
        "project_id": _PROJECT,
        "user": _PERSON,
        "commit": {"id": 2366, "sha": happening.sha, "message": happening.message, "status": "created"},
        **_around(happening),
    }
    return Sent(name="Job Hook", payload=payload)


def _make_headers(*, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:  # noqa: ARG001 - GitLab signs nothing
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitLab/17.11.0",
        "X-Gitlab-Event": name,
        "X-Gitlab-Webhook-UUID": "5a0c7b6e-0000-4000-8000-000000000001",
        "X-Gitlab-Instance": f"https://{SAMPLES.host}",
        "X-Gitlab-Event-UUID": delivery_id,
        "Idempotency-Key": delivery_id,
    }
    return headers | ({"X-Gitlab-Token": secret.decode("ascii")} if secret is not None else {})


SAMPLES = Samples(
    host="gitlab.example.com",
    events={
        EventType.PUSH: _push,
        **{event: _merge_request(event) for event in _ACTIONS},
        EventType.RELEASED: _release,
        EventType.WORKFLOW_JOB_QUEUED: _job,
    },
    make_headers=_make_headers,
)
