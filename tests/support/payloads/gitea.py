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
# Gogs says neither which commit is the head nor how many there were, and writes empty lists as null.
PUSH_OF_GOGS = put(drop(PUSH, "head_commit", "total_commits"), {"commits.0.removed": None})
CLOSED = put(MERGED_ONE, {"pull_request.merged": False, "pull_request.merge_commit_sha": None})
PRERELEASE = put(RELEASE, {"release.prerelease": True})
DRAFT = put(RELEASE, {"release.draft": True})
