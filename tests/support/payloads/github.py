"""GitHub's payloads, of what npm's examples lack."""

from __future__ import annotations

from support.payloads import MERGED, NEW, OLD, TAG, ZEROS, drop, put

ADA = {"login": "ada", "id": 583231, "type": "User", "site_admin": False}


def make_repository(owner="octo", name="hello"):
    return {
        "id": 1296269 if owner == "octo" else 7,
        "name": name,
        "full_name": f"{owner}/{name}",
        "private": False,
        "owner": {"login": owner, "id": 1, "type": "Organization"},
        "html_url": f"https://github.com/{owner}/{name}",
        "fork": owner != "octo",
        "url": f"https://api.github.com/repos/{owner}/{name}",
        "git_url": f"git://github.com/{owner}/{name}.git",
        "ssh_url": f"git@github.com:{owner}/{name}.git",
        "clone_url": f"https://github.com/{owner}/{name}.git",
        "default_branch": "main",
    }


def make_commit(sha, message="Say hello", added=(), removed=(), modified=()):
    person = {"name": "Ada", "email": "ada@example.invalid", "username": "ada"}
    return {
        "id": sha,
        "tree_id": "5" * 40,
        "distinct": True,
        "message": message,
        "timestamp": "2026-11-30T09:00:00Z",
        "url": f"https://github.com/octo/hello/commit/{sha}",
        "author": person,
        "committer": person,
        "added": list(added),
        "removed": list(removed),
        "modified": list(modified),
    }


AROUND = {
    "repository": make_repository(),
    "organization": {"login": "octo", "id": 1, "url": "https://api.github.com/orgs/octo"},
    "sender": ADA,
}

PUSH = {
    "ref": "refs/heads/main",
    "before": OLD,
    "after": NEW,
    **AROUND,
    "pusher": {"name": "ada", "email": "ada@example.invalid"},
    "created": False,
    "deleted": False,
    "forced": False,
    "base_ref": None,
    "compare": "https://github.com/octo/hello/compare/111111111111...222222222222",
    "commits": [
        make_commit("6" * 40, "Begin", added=["src/hello.py"], removed=["old.txt"]),
        make_commit(NEW, "Say hello\n\nto all", modified=["src/hello.py", "README.md"]),
    ],
    "head_commit": make_commit(NEW, "Say hello\n\nto all", modified=["src/hello.py", "README.md"]),
}
PUSH_OF_MANY = put(
    PUSH,
    {"commits": [make_commit(f"{n:040x}", f"Commit {n}", added=[f"{n}.txt"]) for n in range(1, 25)]},
)
FORCED = put(PUSH, {"forced": True})
REWOUND = put(PUSH, {"forced": True, "commits": []})
NEW_BRANCH = put(PUSH, {"ref": "refs/heads/new", "before": ZEROS, "created": True, "commits": []})
BRANCH_DELETED = put(PUSH, {"after": ZEROS, "deleted": True, "commits": [], "head_commit": None})
ANNOTATED_TAG = put(
    PUSH,
    {
        "ref": "refs/tags/v1.0",
        "before": ZEROS,
        "after": TAG,
        "created": True,
        "base_ref": "refs/heads/main",
        "commits": [],
    },
)
# One made of a commit that did everything.
TAG_OF_CHANGES = put(
    ANNOTATED_TAG,
    {"head_commit": make_commit(NEW, "Move", added=["new.txt"], removed=["old.txt"], modified=["README.md"])},
)
MOVED_TAG = put(TAG_OF_CHANGES, {"before": OLD, "created": False, "forced": True})
PUSH_OF_A_PERSON = drop(PUSH, "organization")


def make_end(repository, ref, sha):
    return {
        "label": f"{repository['owner']['login']}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": repository["owner"],
        "repo": repository,
    }


PULL_REQUEST = {
    "action": "opened",
    "number": 12,
    "pull_request": {
        "url": "https://api.github.com/repos/octo/hello/pulls/12",
        "id": 279147437,
        "html_url": "https://github.com/octo/hello/pull/12",
        "number": 12,
        "state": "open",
        "title": "Be kinder",
        "user": ADA,
        "body": None,
        "draft": False,
        "merged": False,
        "mergeable": None,
        # GitHub's test merge; the pull request is not merged.
        "merge_commit_sha": MERGED,
        "head": make_end(make_repository(), "feature/kind", NEW),
        "base": make_end(make_repository(), "main", OLD),
        "commits": 1,
        "changed_files": 1,
    },
    **AROUND,
}
UPDATED = put(PULL_REQUEST, {"action": "synchronize", "before": OLD, "after": NEW})
REOPENED = put(PULL_REQUEST, {"action": "reopened"})
CLOSED = put(PULL_REQUEST, {"action": "closed", "pull_request.state": "closed"})
MERGED_ONE = put(CLOSED, {"pull_request.merged": True})
FROM_FORK = put(PULL_REQUEST, {"pull_request.head": make_end(make_repository("mallory"), "main", NEW)})
FROM_FORK_THAT_IS_GONE = put(FROM_FORK, {"pull_request.head.repo": None})

RELEASE = {
    "action": "released",
    "release": {
        "id": 17372790,
        "tag_name": "v1.0",
        "target_commitish": "main",
        "name": "The first",
        "draft": False,
        "prerelease": False,
        "author": ADA,
        "body": "notes",
    },
    **AROUND,
}
PRERELEASE = put(RELEASE, {"action": "prereleased", "release.prerelease": True, "release.name": None})

JOB = {
    "action": "queued",
    "workflow_job": {
        "id": 2832853555,
        "run_id": 940463255,
        "workflow_name": "CI",
        "head_branch": "main",
        "head_sha": NEW,
        "name": "test",
        "status": "queued",
        "conclusion": None,
        "labels": ["self-hosted"],
        "steps": [],
    },
    **AROUND,
}

PING = {"zen": "Design for failure.", "hook_id": 1, "hook": {"type": "Repository", "id": 1}, **AROUND}
