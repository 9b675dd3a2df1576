"""GitLab's payloads."""

from __future__ import annotations

from support.payloads import MERGED, NEW, OLD, TAG, ZEROS, put

ADA = {"id": 4, "name": "Ada", "username": "ada", "avatar_url": None, "email": "[REDACTED]"}


def make_project(path="group/sub/hello", number=15):
    return {
        "id": number,
        "name": "Hello World",
        "description": "",
        "web_url": f"https://gitlab.example/{path}",
        "avatar_url": None,
        "git_ssh_url": f"git@gitlab.example:{path}.git",
        "git_http_url": f"https://gitlab.example/{path}.git",
        "namespace": "Sub Group",
        "visibility_level": 0,
        "path_with_namespace": path,
        "default_branch": "main",
        "homepage": f"https://gitlab.example/{path}",
        "url": f"git@gitlab.example:{path}.git",
        "ssh_url": f"git@gitlab.example:{path}.git",
        "http_url": f"https://gitlab.example/{path}.git",
    }


REPOSITORY = {
    "name": "Hello World",
    "url": "git@gitlab.example:group/sub/hello.git",
    "description": "",
    "homepage": "https://gitlab.example/group/sub/hello",
    "git_http_url": "https://gitlab.example/group/sub/hello.git",
    "git_ssh_url": "git@gitlab.example:group/sub/hello.git",
    "visibility_level": 0,
}


def make_commit(sha, message, added=(), modified=(), removed=()):
    return {
        "id": sha,
        "message": message,
        "title": message.partition("\n")[0],
        "timestamp": "2026-11-30T09:00:00+00:00",
        "url": f"https://gitlab.example/group/sub/hello/-/commit/{sha}",
        "author": {"name": "Ada", "email": "ada@example.invalid"},
        "added": list(added),
        "modified": list(modified),
        "removed": list(removed),
    }


PUSH = {
    "object_kind": "push",
    "event_name": "push",
    "before": OLD,
    "after": NEW,
    "ref": "refs/heads/main",
    "ref_protected": True,
    "checkout_sha": NEW,
    "message": None,
    "user_id": 4,
    "user_name": "Ada",
    "user_username": "ada",
    "user_email": "",
    "user_avatar": None,
    "project_id": 15,
    "project": make_project(),
    "commits": [  # the oldest first
        make_commit("6" * 40, "Begin", added=["src/hello.py"], removed=["old.txt"]),
        make_commit(NEW, "Say hello\n\nto all", modified=["src/hello.py", "README.md"]),
    ],
    "total_commits_count": 2,
    "push_options": {},
    "repository": REPOSITORY,
}
PUSH_OF_MANY = put(
    PUSH,
    {
        "commits": [*(make_commit(f"{n:040x}", f"{n}", added=[f"{n}.txt"]) for n in range(1, 20)), PUSH["commits"][1]],
        "total_commits_count": 24,
    },
)
REWOUND = put(PUSH, {"commits": [], "total_commits_count": 0})
NEW_BRANCH = put(PUSH, {"ref": "refs/heads/new", "before": ZEROS, "commits": [], "total_commits_count": 0})
BRANCH_DELETED = put(PUSH, {"after": ZEROS, "checkout_sha": None, "commits": [], "total_commits_count": 0})
ANNOTATED_TAG = put(
    PUSH,
    {
        "object_kind": "tag_push",
        "event_name": "tag_push",
        "before": ZEROS,
        "after": TAG,
        "ref": "refs/tags/v1.0",
        "message": "The first",
        "commits": [],
        "total_commits_count": 0,
    },
)
# A tag may come with its commit.
MOVED_TAG = put(
    ANNOTATED_TAG,
    {
        "before": OLD,
        "commits": [make_commit(NEW, "Move", added=["new.txt"], removed=["old.txt"], modified=["README.md"])],
        "total_commits_count": 1,
    },
)
TAG_DELETED = put(ANNOTATED_TAG, {"before": TAG, "after": ZEROS, "checkout_sha": None})

MERGE_REQUEST = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "user": ADA,
    "project": make_project(),
    "repository": REPOSITORY,
    "object_attributes": {
        "id": 99,
        "iid": 12,
        "target_branch": "main",
        "source_branch": "feature/kind",
        "source_project_id": 15,
        "target_project_id": 15,
        "author_id": 4,
        "title": "Be kinder",
        "state": "opened",
        "draft": False,
        "merge_status": "unchecked",
        "merge_commit_sha": None,
        "squash_commit_sha": None,
        "url": "https://gitlab.example/group/sub/hello/-/merge_requests/12",
        "source": make_project(),
        "target": make_project(),
        "last_commit": {
            "id": NEW,
            "message": "Be kind\n",
            "title": "Be kind",
            "timestamp": "2026-11-30T09:00:00+00:00",
            "url": f"https://gitlab.example/group/sub/hello/-/commit/{NEW}",
            "author": {"name": "Ada", "email": "[REDACTED]"},
        },
        "action": "open",
    },
    "labels": [],
    "changes": {},
}
UPDATED = put(MERGE_REQUEST, {"object_attributes.action": "update", "object_attributes.oldrev": OLD})
LABELLED = put(
    MERGE_REQUEST, {"object_attributes.action": "update", "changes": {"labels": {"previous": [], "current": []}}}
)
REOPENED = put(MERGE_REQUEST, {"object_attributes.action": "reopen"})
CLOSED = put(MERGE_REQUEST, {"object_attributes.action": "close", "object_attributes.state": "closed"})
MERGED_ONE = put(
    MERGE_REQUEST,
    {
        "object_attributes.action": "merge",
        "object_attributes.state": "merged",
        "object_attributes.merge_commit_sha": MERGED,
    },
)
SQUASHED = put(
    MERGED_ONE, {"object_attributes.merge_commit_sha": None, "object_attributes.squash_commit_sha": "8" * 40}
)
FROM_FORK = put(
    MERGE_REQUEST,
    {"object_attributes.source_project_id": 66, "object_attributes.source": make_project("mallory/hello", 66)},
)

RELEASE = {
    "id": 1,
    "created_at": "2026-11-30 09:00:00 UTC",
    "description": "notes",
    "name": "The first",
    "released_at": "2026-11-30 09:00:00 UTC",
    "tag": "v1.0",
    "object_kind": "release",
    "project": make_project(),
    "url": "https://gitlab.example/group/sub/hello/-/releases/v1.0",
    "action": "create",
    "assets": {"count": 0, "links": [], "sources": []},
    "commit": {"id": NEW, "message": "Say hello", "title": "Say hello", "url": "https://gitlab.example/"},
}

JOB = {
    "object_kind": "build",
    "ref": "main",
    "tag": False,
    "before_sha": OLD,
    "sha": NEW,
    "build_id": 1977,
    "build_name": "test",
    "build_stage": "test",
    "build_status": "created",
    "pipeline_id": 2366,
    "project_id": 15,
    "project_name": "Group / Sub Group / Hello World",
    "user": ADA,
    "commit": {"id": 2366, "name": None, "sha": NEW, "message": "Say hello", "status": "created"},
    "repository": REPOSITORY,
    "project": make_project(),
    "environment": None,
}

JOB_OF_MERGE_REQUEST = put(JOB, {"ref": "refs/merge-requests/12/head"})
