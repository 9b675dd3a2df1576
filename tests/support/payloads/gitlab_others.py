"""GitLab's payloads of all that is no event: every other hook of projects and groups ("Webhook events")."""

from __future__ import annotations

from support.payloads import NEW, OLD, put
from support.payloads.gitlab import ADA, MERGE_REQUEST, REPOSITORY, make_commit, make_project

PROJECT = make_project()
WEB = PROJECT["web_url"]
TIMES = {"created_at": "2026-11-30 09:00:00 UTC", "updated_at": "2026-11-30 09:00:00 UTC"}

ISSUE = {
    "object_kind": "issue",
    "event_type": "issue",
    "user": ADA,
    "project": PROJECT,
    "repository": REPOSITORY,
    "object_attributes": {
        "id": 301,
        "iid": 23,
        "title": "Say more",
        "project_id": 15,
        "confidential": False,
        "type": "Issue",
        "url": f"{WEB}/-/issues/23",
        "state": "opened",
        "action": "open",
        **TIMES,
    },
    "assignees": [ADA],
    "labels": [],
    "changes": {},
}
CONFIDENTIAL_ISSUE = put(ISSUE, {"event_type": "confidential_issue", "object_attributes.confidential": True})
WORK_ITEM = put(ISSUE, {"object_kind": "work_item", "event_type": "work_item", "object_attributes.type": "Task"})

NOTE = {
    "object_kind": "note",
    "event_type": "note",
    "user": ADA,
    "project_id": 15,
    "project": PROJECT,
    "repository": REPOSITORY,
    "object_attributes": {
        "id": 1244,
        "note": "hi",
        "noteable_type": "MergeRequest",
        "commit_id": "",
        "action": "create",
        "url": f"{WEB}/-/merge_requests/12#note_1244",
        **TIMES,
    },
    "merge_request": MERGE_REQUEST["object_attributes"],
}
NOTE_ON_COMMIT = put(
    {**NOTE, "commit": make_commit(NEW, "Say hello")},
    {"object_attributes.noteable_type": "Commit", "object_attributes.commit_id": NEW, "merge_request": None},
)
CONFIDENTIAL_NOTE = put(NOTE, {"event_type": "confidential_note"})

WIKI_PAGE = {
    "object_kind": "wiki_page",
    "user": ADA,
    "project": PROJECT,
    "wiki": {
        "web_url": f"{WEB}/-/wikis/home",
        "git_http_url": "https://gitlab.example/group/sub/hello.wiki.git",
        "path_with_namespace": "group/sub/hello.wiki",
        "default_branch": "main",
    },
    "object_attributes": {
        "title": "Home",
        "content": "Hello",
        "format": "markdown",
        "message": "Say hello",
        "slug": "home",
        "version_id": NEW,
        "url": f"{WEB}/-/wikis/home",
        "action": "create",
    },
}

# Two that name a commit, and a ref.
PIPELINE = {
    "object_kind": "pipeline",
    "object_attributes": {
        "id": 2366,
        "iid": 3,
        "ref": "main",
        "tag": False,
        "sha": NEW,
        "before_sha": OLD,
        "source": "merge_request_event",
        "status": "pending",
        "stages": ["test"],
        "variables": [],
        "url": f"{WEB}/-/pipelines/2366",
    },
    "merge_request": {
        "id": 99,
        "iid": 12,
        "title": "Be kinder",
        "source_branch": "feature/kind",
        "source_project_id": 15,
        "target_branch": "main",
        "target_project_id": 15,
        "state": "opened",
    },
    "user": ADA,
    "project": PROJECT,
    "commit": make_commit(NEW, "Say hello"),
    "builds": [{"id": 1977, "stage": "test", "name": "test", "status": "created", "user": ADA}],
}
DEPLOYMENT = {
    "object_kind": "deployment",
    "status": "success",
    "status_changed_at": "2026-11-30 09:00:00 +0000",
    "deployment_id": 15,
    "deployable_id": 1977,
    "deployable_url": f"{WEB}/-/jobs/1977",
    "environment": "staging",
    "environment_tier": "staging",
    "ref": "main",
    "project": PROJECT,
    "short_sha": NEW[:8],
    "user": ADA,
    "commit_url": f"{WEB}/-/commit/{NEW}",
    "commit_title": "Say hello",
}

FEATURE_FLAG = {
    "object_kind": "feature_flag",
    "project": PROJECT,
    "user": ADA,
    "user_url": "https://gitlab.example/ada",
    "object_attributes": {"id": 6, "name": "greeting", "description": "", "active": True},
}
MILESTONE = {
    "object_kind": "milestone",
    "event_type": "milestone",
    "project": PROJECT,
    "object_attributes": {"id": 61, "iid": 10, "title": "v1.0", "state": "active", "project_id": 15, **TIMES},
    "action": "create",
}
EMOJI = {
    "object_kind": "emoji",
    "event_type": "award",
    "user": ADA,
    "project_id": 15,
    "project": PROJECT,
    "object_attributes": {
        "user_id": 4,
        "id": 1,
        "name": "thumbsup",
        "awardable_type": "MergeRequest",
        "awardable_id": 99,
        "action": "award",
        "awarded_on_url": f"{WEB}/-/merge_requests/12",
        **TIMES,
    },
    "merge_request": MERGE_REQUEST["object_attributes"],
}
_TOKEN = {"user_id": 90, "id": 25, "name": "deploy", "expires_at": "2026-12-07", "created_at": TIMES["created_at"]}
ACCESS_TOKEN = {
    "object_kind": "access_token",
    "project": PROJECT,
    "object_attributes": _TOKEN,
    "event_name": "expiring_access_token",
}
GROUP_ACCESS_TOKEN = {
    "object_kind": "access_token",
    "group": {"group_name": "Group", "group_path": "group", "group_id": 1, "full_path": "group"},
    "object_attributes": _TOKEN,
    "event_name": "expiring_access_token",
}
VULNERABILITY = {
    "object_kind": "vulnerability",
    "object_attributes": {
        "url": f"{WEB}/-/security/vulnerabilities/1",
        "title": "Greets too loudly",
        "state": "detected",
        "project_id": 15,
        "location": {"file": "src/hello.py"},
        "severity": "high",
        "identifiers": [],
        "issues": [],
        "report_type": "sast",
        **TIMES,
    },
}

# Of groups alone, and without an `object_kind`.
MEMBER = {
    "event_name": "user_add_to_group",
    "group_name": "Group",
    "group_path": "group",
    "group_id": 1,
    "user_username": "ada",
    "user_id": 4,
    "group_access": "Owner",
    "group_plan": None,
    "expires_at": None,
    **TIMES,
}
PROJECT_CREATED = {
    "event_name": "project_create",
    "name": "hello",
    "path": "hello",
    "path_with_namespace": "group/sub/hello",
    "project_id": 15,
    "project_namespace_id": 32,
    "owners": [{"name": "Ada", "email": "ada@example.invalid"}],
    "project_visibility": "private",
    **TIMES,
}
SUBGROUP_CREATED = {
    "event_name": "subgroup_create",
    "name": "sub",
    "path": "sub",
    "full_path": "group/sub",
    "group_id": 10,
    "parent_group_id": 7,
    "parent_name": "group",
    "parent_path": "group",
    "parent_full_path": "group",
    **TIMES,
}
