"""Bitbucket Cloud's payloads."""

from __future__ import annotations

from support.payloads import NEW, OLD, drop, put

ADA = {
    "display_name": "Ada",
    "type": "user",
    "uuid": "{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}",
    "account_id": "557058:c0b72ad0-1cb5-4018-9cdc-0cde8492c443",
    "nickname": "ada",
    "links": {"html": {"href": "https://bitbucket.org/%7Ba54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3%7D/"}},
}


def make_repository(workspace="octo"):
    return {
        "type": "repository",
        "full_name": f"{workspace}/hello",
        "links": {
            "self": {"href": f"https://api.bitbucket.org/2.0/repositories/{workspace}/hello"},
            "html": {"href": f"https://bitbucket.org/{workspace}/hello"},
        },
        "name": "Hello World",
        "scm": "git",
        "is_private": True,
        "owner": {"type": "team", "username": workspace},
        "workspace": {"type": "workspace", "slug": workspace},
        "uuid": f"{{673a6070-3421-46c9-9d48-{workspace}}}",
    }


def make_ref(name, sha, message="Say hello\n", kind="branch"):
    return {
        "name": name,
        "type": kind,
        "target": {
            "type": "commit",
            "hash": sha,
            "date": "2026-11-30T09:00:00+00:00",
            "author": {"type": "author", "raw": "Ada <ada@example.invalid>", "user": ADA},
            "message": message,
            "parents": [],
        },
        "links": {"html": {"href": f"https://bitbucket.org/octo/hello/branch/{name}"}},
    }


def make_change(old, new):
    return {
        "old": old,
        "new": new,
        "truncated": False,
        "created": old is None,
        "forced": False,
        "closed": new is None,
        "links": {},
        "commits": [],
    }


def make_push(*changes):
    return {"push": {"changes": list(changes)}, "repository": make_repository(), "actor": ADA}


UPDATE = make_change(make_ref("main", OLD), make_ref("main", NEW))
CREATE = make_change(None, make_ref("new", NEW))
DELETE = make_change(make_ref("old", OLD), None)
ADD_TAG = make_change(None, make_ref("v1.0", NEW, kind="tag"))

PUSH = make_push(UPDATE)
NEW_BRANCH = make_push(CREATE)
BRANCH_DELETED = make_push(DELETE)
ANNOTATED_TAG = make_push(make_change(None, make_ref("v1.0", NEW, kind="annotated_tag")))
MOVED_TAG = make_push(make_change(make_ref("v1.0", OLD, kind="tag"), make_ref("v1.0", NEW, kind="tag")))
PUSH_OF_APP = drop(PUSH, "actor.account_id")
PUSH_OF_FOUR = make_push(UPDATE, DELETE, CREATE, ADD_TAG)

PULL_REQUEST = {
    "pullrequest": {
        "type": "pullrequest",
        "id": 12,
        "title": "Be kinder",
        "description": "",
        "state": "OPEN",
        "author": ADA,
        "source": {
            "branch": {"name": "feature/kind"},
            "commit": {"hash": NEW[:12], "type": "commit"},
            "repository": make_repository(),
        },
        "destination": {
            "branch": {"name": "main"},
            "commit": {"hash": OLD[:12], "type": "commit"},
            "repository": make_repository(),
        },
        "merge_commit": None,
        "close_source_branch": False,
        "closed_by": None,
        "reason": "",
        "links": {"html": {"href": "https://bitbucket.org/octo/hello/pull-requests/12"}},
    },
    "repository": make_repository(),
    "actor": ADA,
}
MERGED_ONE = put(PULL_REQUEST, {"pullrequest.state": "MERGED", "pullrequest.merge_commit": {"hash": "4" * 12}})
CLOSED = put(PULL_REQUEST, {"pullrequest.state": "DECLINED", "pullrequest.reason": "no"})
FROM_FORK = put(PULL_REQUEST, {"pullrequest.source.repository": make_repository("mallory")})
FROM_FORK_THAT_IS_GONE = put(PULL_REQUEST, {"pullrequest.source.repository": None})
