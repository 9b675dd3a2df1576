"""Bitbucket Data Center's payloads."""

from __future__ import annotations

from support.payloads import MERGED, NEW, OLD, TAG, ZEROS, put

ADA = {
    "name": "ada",
    "emailAddress": "ada@example.invalid",
    "id": 13581,
    "displayName": "Ada",
    "active": True,
    "slug": "ada",
    "type": "NORMAL",
}


def make_repository(key="OCTO"):
    return {
        "slug": "hello",
        "id": 84 if key == "OCTO" else 85,
        "name": "Hello World",
        "scmId": "git",
        "state": "AVAILABLE",
        "statusMessage": "Available",
        "forkable": True,
        "project": {"key": key, "id": 84, "name": "Octo", "public": False, "type": "NORMAL"},
        "public": False,
        "links": {
            "clone": [
                {"href": f"ssh://git@bitbucket.example:7999/{key.lower()}/hello.git", "name": "ssh"},
                {"href": f"https://bitbucket.example/scm/{key.lower()}/hello.git", "name": "http"},
            ],
            "self": [{"href": f"https://bitbucket.example/projects/{key}/repos/hello/browse"}],
        },
    }


def make_commit(sha, message):
    return {"id": sha, "displayId": sha[:11], "author": ADA, "committer": ADA, "message": message, "parents": []}


def make_change(ref, old, new, kind="UPDATE"):
    name = ref.split("/", 2)[2]
    return {
        "ref": {"id": ref, "displayId": name, "type": "TAG" if "/tags/" in ref else "BRANCH"},
        "refId": ref,
        "fromHash": old,
        "toHash": new,
        "type": kind,
    }


def make_push(*changes):
    return {
        "eventKey": "repo:refs_changed",
        "date": "2026-11-30T09:00:00+0000",
        "actor": ADA,
        "repository": make_repository(),
        "changes": list(changes),
        "commits": [make_commit(NEW, "Say hello")],
        "toCommit": make_commit(NEW, "Say hello"),
    }


UPDATE = make_change("refs/heads/main", OLD, NEW)
CREATE = make_change("refs/heads/new", ZEROS, "7" * 40, "ADD")
DELETE = make_change("refs/heads/old", OLD, ZEROS, "DELETE")
ADD_TAG = make_change("refs/tags/v1.0", ZEROS, TAG, "ADD")

PUSH = make_push(UPDATE)
NEW_BRANCH = make_push(CREATE)
BRANCH_DELETED = make_push(DELETE)
ANNOTATED_TAG = make_push(ADD_TAG)
MOVED_TAG = make_push(make_change("refs/tags/v1.0", OLD, NEW))
PUSH_OF_FOUR = make_push(UPDATE, DELETE, CREATE, ADD_TAG)
# Versions before 8.
PUSH_OF_OLD = {key: value for key, value in PUSH.items() if key not in {"commits", "toCommit"}}


def make_end(ref, sha, repository):
    return {
        "id": ref,
        "displayId": ref.split("/", 2)[2],
        "latestCommit": sha,
        "type": "BRANCH",
        "repository": repository,
    }


PULL_REQUEST = {
    "eventKey": "pr:opened",
    "date": "2026-11-30T09:00:00+0000",
    "actor": ADA,
    "pullRequest": {
        "id": 12,
        "version": 0,
        "title": "Be kinder",
        "state": "OPEN",
        "open": True,
        "closed": False,
        "createdDate": 1796029200000,
        "updatedDate": 1796029200000,
        "fromRef": make_end("refs/heads/feature/kind", NEW, make_repository()),
        "toRef": make_end("refs/heads/main", OLD, make_repository()),
        "locked": False,
        "author": {"user": ADA, "role": "AUTHOR", "approved": False, "status": "UNAPPROVED"},
        "reviewers": [],
        "participants": [],
        "links": {"self": [{"href": "https://bitbucket.example/projects/OCTO/repos/hello/pull-requests/12"}]},
    },
}
UPDATED = put(PULL_REQUEST, {"eventKey": "pr:from_ref_updated", "previousFromHash": OLD})
CLOSED = put(PULL_REQUEST, {"eventKey": "pr:declined", "pullRequest.state": "DECLINED", "pullRequest.open": False})
DELETED = put(PULL_REQUEST, {"eventKey": "pr:deleted"})
MERGED_ONE = put(
    PULL_REQUEST,
    {
        "eventKey": "pr:merged",
        "pullRequest.state": "MERGED",
        "pullRequest.properties": {"mergeCommit": {"displayId": MERGED[:11], "id": MERGED}},
    },
)
FROM_FORK = put(PULL_REQUEST, {"pullRequest.fromRef": make_end("refs/heads/main", NEW, make_repository("~MALLORY"))})
PING = {"test": True}
