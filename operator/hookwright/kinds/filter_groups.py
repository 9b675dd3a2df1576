"""Filter groups as they are written: spec.filterGroups of a BuildTrigger."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from hookwright.kinds.base import Model
from hookwright.scm import FilterType

MAX_FILTERS = 16
MAX_PATTERN = 2_000


class WebhookFilter(Model):
    """One filter of a group."""

    type: FilterType = Field(
        description=(
            "What is looked at. EVENT: what happened. ACTOR_ACCOUNT_ID: the id of who did it. HEAD_REF, BASE_REF: refs "
            "in full (refs/heads/main). FILE_PATH: the paths of changed files, of which one is enough. COMMIT_MESSAGE: "
            "the message of the newest commit. TAG_NAME, RELEASE_NAME: of releases. WORKFLOW_NAME: of workflow jobs. "
            "REPOSITORY_NAME, ORGANIZATION_NAME: where the source is an organization or a group."
        )
    )
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATTERN)] = Field(
        description=(
            "EVENT: names with commas between them, PUSH, PULL_REQUEST_CREATED, PULL_REQUEST_UPDATED, "
            "PULL_REQUEST_REOPENED, PULL_REQUEST_CLOSED, PULL_REQUEST_MERGED, RELEASED, PRERELEASED, "
            "WORKFLOW_JOB_QUEUED. All others: a regular expression as in Java, which is looked for anywhere in the "
            "text: ^refs/heads/main$"
        )
    )
    exclude_matched_pattern: bool = Field(
        default=False, strict=True, description="While true, the filter passes if the pattern is not found."
    )


# AWS calls an array of filters a filter group, and gives it no name of its own.
FilterGroup = Annotated[list[WebhookFilter], Field(min_length=1, max_length=MAX_FILTERS)]
