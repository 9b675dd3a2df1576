"""What each Git host sends for each thing that may happen: the headers that name it, and the payload."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hookwright.providers.catalogue import DIALECTS
from hookwright.scm import NoEvent, Provider, Reading, ScmEvent
from support.payloads import bitbucket_cloud, bitbucket_data_center, gitea, github, gitlab, gitlab_others


@dataclass(frozen=True, kw_only=True)
class Delivery:
    provider: Provider
    what: str
    headers: dict[str, str]
    payload: Any

    def read(self) -> Reading:
        return DIALECTS[self.provider].read(self.headers.get, self.payload)

    def read_one(self) -> ScmEvent | NoEvent:
        (only,) = self.read()
        return only


def _of_github(event, **payloads):
    for provider in (Provider.GITHUB, Provider.GITHUB_ENTERPRISE):
        for what, payload in payloads.items():
            headers = {"x-github-event": event, "x-github-delivery": "id"}
            yield Delivery(provider=provider, what=what, headers=headers, payload=payload)


def _of(provider, headers, **payloads):
    for what, payload in payloads.items():
        yield Delivery(provider=provider, what=what, headers=headers, payload=payload)


def _of_gitlab(event, **payloads):
    yield from _of(Provider.GITLAB, {"x-gitlab-event": event, "idempotency-key": "id"}, **payloads)


def _of_cloud(event, **payloads):
    yield from _of(Provider.BITBUCKET_CLOUD, {"x-event-key": event, "x-request-uuid": "id"}, **payloads)


def _of_data_center(event, **payloads):
    yield from _of(Provider.BITBUCKET_DATA_CENTER, {"x-event-key": event, "x-request-id": "id"}, **payloads)


def _of_gitea(event, **payloads):
    headers = {"x-gitea-event": event, "x-github-event": event, "x-gogs-event": event, "x-gitea-delivery": "id"}
    yield from _of(Provider.GITEA, headers, **payloads)


def _of_gogs(event, **payloads):
    headers = {"x-github-event": event, "x-gogs-event": event, "x-gogs-delivery": "id"}
    yield from _of(Provider.GITEA, headers, **payloads)


DELIVERIES = {
    (delivery.provider, delivery.what): delivery
    for delivery in (
        *_of_github(
            "push",
            push=github.PUSH,
            push_of_a_person=github.PUSH_OF_A_PERSON,
            push_of_many=github.PUSH_OF_MANY,
            forced=github.FORCED,
            rewound=github.REWOUND,
            new_branch=github.NEW_BRANCH,
            branch_deleted=github.BRANCH_DELETED,
            tag=github.ANNOTATED_TAG,
            tag_of_changes=github.TAG_OF_CHANGES,
            moved_tag=github.MOVED_TAG,
        ),
        *_of_github(
            "pull_request",
            opened=github.PULL_REQUEST,
            updated=github.UPDATED,
            reopened=github.REOPENED,
            closed=github.CLOSED,
            merged=github.MERGED_ONE,
            from_fork=github.FROM_FORK,
            from_fork_that_is_gone=github.FROM_FORK_THAT_IS_GONE,
        ),
        *_of_github("release", release=github.RELEASE, prerelease=github.PRERELEASE),
        *_of_github("workflow_job", job=github.JOB),
        *_of_github("ping", ping=github.PING),
        *_of_gitlab(
            "Push Hook",
            push=gitlab.PUSH,
            push_of_many=gitlab.PUSH_OF_MANY,
            rewound=gitlab.REWOUND,
            new_branch=gitlab.NEW_BRANCH,
            branch_deleted=gitlab.BRANCH_DELETED,
        ),
        *_of_gitlab(
            "Tag Push Hook", tag=gitlab.ANNOTATED_TAG, moved_tag=gitlab.MOVED_TAG, tag_deleted=gitlab.TAG_DELETED
        ),
        *_of_gitlab(
            "Merge Request Hook",
            opened=gitlab.MERGE_REQUEST,
            updated=gitlab.UPDATED,
            labelled=gitlab.LABELLED,
            reopened=gitlab.REOPENED,
            closed=gitlab.CLOSED,
            merged=gitlab.MERGED_ONE,
            squashed=gitlab.SQUASHED,
            from_fork=gitlab.FROM_FORK,
        ),
        *_of_gitlab("Release Hook", release=gitlab.RELEASE),
        *_of_gitlab("Job Hook", job=gitlab.JOB, job_of_merge_request=gitlab.JOB_OF_MERGE_REQUEST),
        *_of_gitlab("Issue Hook", issue=gitlab_others.ISSUE, work_item=gitlab_others.WORK_ITEM),
        *_of_gitlab("Confidential Issue Hook", confidential_issue=gitlab_others.CONFIDENTIAL_ISSUE),
        *_of_gitlab("Note Hook", note=gitlab_others.NOTE, note_on_commit=gitlab_others.NOTE_ON_COMMIT),
        *_of_gitlab("Confidential Note Hook", confidential_note=gitlab_others.CONFIDENTIAL_NOTE),
        *_of_gitlab("Wiki Page Hook", wiki_page=gitlab_others.WIKI_PAGE),
        *_of_gitlab("Pipeline Hook", pipeline=gitlab_others.PIPELINE),
        *_of_gitlab("Deployment Hook", deployment=gitlab_others.DEPLOYMENT),
        *_of_gitlab("Feature Flag Hook", feature_flag=gitlab_others.FEATURE_FLAG),
        *_of_gitlab("Milestone Hook", milestone=gitlab_others.MILESTONE),
        *_of_gitlab("Emoji Hook", emoji=gitlab_others.EMOJI),
        *_of_gitlab(
            "Resource Access Token Hook",
            access_token=gitlab_others.ACCESS_TOKEN,
            group_access_token=gitlab_others.GROUP_ACCESS_TOKEN,
        ),
        *_of_gitlab("Vulnerability Hook", vulnerability=gitlab_others.VULNERABILITY),
        *_of_gitlab("Member Hook", member=gitlab_others.MEMBER),
        *_of_gitlab("Project Hook", project_created=gitlab_others.PROJECT_CREATED),
        *_of_gitlab("Subgroup Hook", subgroup_created=gitlab_others.SUBGROUP_CREATED),
        *_of_cloud(
            "repo:push",
            push=bitbucket_cloud.PUSH,
            push_of_app=bitbucket_cloud.PUSH_OF_APP,
            new_branch=bitbucket_cloud.NEW_BRANCH,
            branch_deleted=bitbucket_cloud.BRANCH_DELETED,
            tag=bitbucket_cloud.ANNOTATED_TAG,
            moved_tag=bitbucket_cloud.MOVED_TAG,
            push_of_four=bitbucket_cloud.PUSH_OF_FOUR,
        ),
        *_of_cloud(
            "pullrequest:created",
            opened=bitbucket_cloud.PULL_REQUEST,
            from_fork=bitbucket_cloud.FROM_FORK,
            from_fork_that_is_gone=bitbucket_cloud.FROM_FORK_THAT_IS_GONE,
        ),
        *_of_cloud("pullrequest:updated", updated=bitbucket_cloud.PULL_REQUEST),
        *_of_cloud("pullrequest:rejected", closed=bitbucket_cloud.CLOSED),
        *_of_cloud("pullrequest:fulfilled", merged=bitbucket_cloud.MERGED_ONE),
        *_of_cloud("pullrequest:comment_created", comment=bitbucket_cloud.PULL_REQUEST),
        *_of_data_center(
            "repo:refs_changed",
            push=bitbucket_data_center.PUSH,
            push_of_old=bitbucket_data_center.PUSH_OF_OLD,
            new_branch=bitbucket_data_center.NEW_BRANCH,
            branch_deleted=bitbucket_data_center.BRANCH_DELETED,
            tag=bitbucket_data_center.ANNOTATED_TAG,
            moved_tag=bitbucket_data_center.MOVED_TAG,
            push_of_four=bitbucket_data_center.PUSH_OF_FOUR,
        ),
        *_of_data_center(
            "pr:opened", opened=bitbucket_data_center.PULL_REQUEST, from_fork=bitbucket_data_center.FROM_FORK
        ),
        *_of_data_center("pr:from_ref_updated", updated=bitbucket_data_center.UPDATED),
        *_of_data_center("pr:modified", modified=bitbucket_data_center.PULL_REQUEST),
        *_of_data_center("pr:declined", closed=bitbucket_data_center.CLOSED),
        *_of_data_center("pr:deleted", deleted=bitbucket_data_center.DELETED),
        *_of_data_center("pr:merged", merged=bitbucket_data_center.MERGED_ONE),
        *_of_data_center("diagnostics:ping", ping=bitbucket_data_center.PING),
        *_of_gitea(
            "push",
            push=gitea.PUSH,
            push_of_changes=gitea.PUSH_OF_CHANGES,
            push_of_many=gitea.PUSH_OF_MANY,
            rewound=gitea.REWOUND,
            new_branch=gitea.NEW_BRANCH,
            tag=gitea.ANNOTATED_TAG,
            tag_of_changes=gitea.TAG_OF_CHANGES,
            moved_tag=gitea.MOVED_TAG,
            tag_deleted=gitea.TAG_DELETED,
            test=gitea.TEST,
        ),
        *_of_gogs("push", push_of_gogs=gitea.PUSH_OF_GOGS),
        *_of_gogs("create", tag_of_gogs=gitea.TAG_OF_GOGS, branch_of_gogs=gitea.BRANCH_OF_GOGS),
        *_of_gogs(
            "delete",
            branch_of_gogs_deleted=gitea.BRANCH_DELETED,
            tag_of_gogs_deleted=gitea.TAG_OF_GOGS_DELETED,
        ),
        *_of_gogs("release", release_of_gogs=gitea.RELEASE, prerelease_of_gogs=gitea.PRERELEASE),
        *_of_gogs("pull_request", pull_request_of_gogs=gitea.PULL_REQUEST_OF_GOGS),
        *_of_gitea("delete", branch_deleted=gitea.BRANCH_DELETED),
        *_of_gitea(
            "pull_request",
            opened=gitea.OPENED,
            updated=gitea.UPDATED,
            reopened=gitea.REOPENED,
            closed=gitea.CLOSED,
            merged=gitea.MERGED_ONE,
            from_fork=gitea.FROM_FORK,
        ),
        *_of_gitea("release", release=gitea.RELEASE, prerelease=gitea.PRERELEASE, draft=gitea.DRAFT),
    )
}


def read_one(provider, what):
    """Read a delivery that tells of one thing."""
    return DELIVERIES[provider, what].read_one()
