"""Gitea's deliveries as they came, and what is made of them by hand: what Gogs sends, and what was not recorded."""

from __future__ import annotations

import json
from pathlib import Path

from support.payloads import OLD, TAG, ZEROS, drop, put

FOLDER = Path(__file__).parents[2] / "contract" / "gitea"


def list_deliveries():
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def load(name):
    """Give headers by lower-case name, and the payload."""
    delivery = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return {key.lower(): value for key, value in delivery["headers"]}, json.loads(delivery["body"])


PUSH = load("0001-push-x")[1]
PUSH_OF_MANY = load("0003-push-x")[1]
OPENED = load("0008-pull_request-opened")[1]
UPDATED = load("0010-pull_request-synchronized")[1]
MERGED_ONE = load("0014-pull_request-closed")[1]
REOPENED = load("0020-pull_request-reopened")[1]
BRANCH_DELETED = load("0024-delete-branch")[1]
RELEASE = load("0034-release-published")[1]
FROM_FORK = load("0051-pull_request-opened")[1]

CHANGES = {"added": ["new.txt"], "removed": ["old.txt"], "modified": ["README.md"]}
PUSH_OF_CHANGES = put(PUSH, {"commits.0": PUSH["commits"][0] | CHANGES})
REWOUND = put(PUSH, {"commits": [], "total_commits": 0})
NEW_BRANCH = put(PUSH, {"ref": "refs/heads/new", "before": ZEROS, "commits": [], "total_commits": 0})
ANNOTATED_TAG = put(NEW_BRANCH, {"ref": "refs/tags/v1.0", "after": TAG})
TAG_OF_CHANGES = put(ANNOTATED_TAG, {"head_commit": PUSH["head_commit"] | CHANGES})
MOVED_TAG = put(TAG_OF_CHANGES, {"before": OLD})
TAG_DELETED = put(ANNOTATED_TAG, {"before": OLD, "after": ZEROS, "head_commit": None})
TEST = put(PUSH, {"before": PUSH["after"]})
# As old versions have it, which say neither which commit is the head nor how many there were.
OLD_PUSH = put(drop(PUSH, "head_commit", "total_commits"), {"commits.0.removed": None})
# Gogs: so are its pushes, and its pull requests say nothing of the commit.
PUSH_OF_GOGS = OLD_PUSH
_AROUND = {"repository": PUSH["repository"], "sender": PUSH["sender"]}
TAG_OF_GOGS = {"ref": "v1.0", "ref_type": "tag", "sha": TAG, "default_branch": "main", **_AROUND}
BRANCH_OF_GOGS = TAG_OF_GOGS | {"ref": "new", "ref_type": "branch", "sha": ""}
TAG_OF_GOGS_DELETED = {"ref": "v1.0", "ref_type": "tag", "pusher_type": "user", **_AROUND}
PULL_REQUEST_OF_GOGS = {
    "action": "opened",
    "number": 3,
    "pull_request": {
        "id": 9,
        "number": 3,
        "user": PUSH["sender"],
        "title": "Be kinder",
        "body": "",
        "labels": [],
        "milestone": None,
        "assignee": None,
        "state": "open",
        "comments": 0,
        "head_branch": "feature/kind",
        "head_repo": PUSH["repository"],
        "base_branch": "main",
        "base_repo": PUSH["repository"],
        "html_url": "http://127.0.0.1:3911/lab/e2e1795376427/pulls/3",
        "mergeable": True,
        "merged": False,
        "merged_at": None,
        "merge_commit_sha": None,
        "merged_by": None,
    },
    **_AROUND,
}
CLOSED = put(MERGED_ONE, {"pull_request.merged": False, "pull_request.merge_commit_sha": None})
PRERELEASE = put(RELEASE, {"release.prerelease": True})
DRAFT = put(RELEASE, {"release.draft": True})
