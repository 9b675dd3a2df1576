"""What Git hosts say happened, in one shape: the dialects of all providers give it, filter groups and builds read it.

A field is None where the payload does not say, or where the event has no such thing; `ScmEvent.lacks` tells the two
apart for what a provider's API could say. The words of events are those of AWS CodeBuild's filter type EVENT.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from hookwright.reasons import Reason

ActorId = NewType("ActorId", str)  # the provider's id of an account, never its name; numbers as they are written
Ref = NewType("Ref", str)  # in full: refs/heads/main, refs/tags/v1
CommitId = NewType("CommitId", str)  # hexadecimal; Bitbucket Cloud abbreviates those of pull requests to 12 characters

# In a commit's message: the words of GitHub, GitLab and Bitbucket, and Azure's. `-` and `_` for the blank are GitLab's.
_SKIP = re.compile(
    r"\[(?:skip[ _-]ci|ci[ _-]skip|no[ _-]ci|skip[ _-]actions|actions[ _-]skip)\]|\*\*\*NO_CI\*\*\*",
    re.IGNORECASE | re.ASCII,
)
# GitHub's trailer: the last of those at the end, which two empty lines precede ("Skipping workflow runs").
_SKIP_CHECKS = re.compile(r"\n\r?\n\r?\n(?:[^\s:]+:[^\n]*\n)*skip-checks:[ \t]*true\s*\Z", re.IGNORECASE | re.ASCII)
BRANCHES = "refs/heads/"
TAGS = "refs/tags/"


class Provider(StrEnum):
    """A Git host, by the name that spec.source.provider gives it. Forgejo speaks as Gitea does, and Gogs nearly."""

    GITHUB = "GitHub"
    GITHUB_ENTERPRISE = "GitHubEnterprise"
    GITLAB = "GitLab"
    BITBUCKET_CLOUD = "BitbucketCloud"
    BITBUCKET_DATA_CENTER = "BitbucketDataCenter"
    GITEA = "Gitea"


class EventType(StrEnum):
    """The values of the filter type EVENT."""

    PUSH = "PUSH"
    PULL_REQUEST_CREATED = "PULL_REQUEST_CREATED"
    PULL_REQUEST_UPDATED = "PULL_REQUEST_UPDATED"
    PULL_REQUEST_CLOSED = "PULL_REQUEST_CLOSED"
    PULL_REQUEST_REOPENED = "PULL_REQUEST_REOPENED"
    PULL_REQUEST_MERGED = "PULL_REQUEST_MERGED"
    RELEASED = "RELEASED"
    PRERELEASED = "PRERELEASED"
    WORKFLOW_JOB_QUEUED = "WORKFLOW_JOB_QUEUED"

    @property
    def is_pull_request(self) -> bool:
        """Whether something happened to a pull request."""
        return self.startswith("PULL_REQUEST_")


class FilterType(StrEnum):
    """What filters of a BuildTrigger look at, in AWS's words."""

    EVENT = "EVENT"
    ACTOR_ACCOUNT_ID = "ACTOR_ACCOUNT_ID"
    HEAD_REF = "HEAD_REF"
    BASE_REF = "BASE_REF"
    FILE_PATH = "FILE_PATH"
    COMMIT_MESSAGE = "COMMIT_MESSAGE"
    TAG_NAME = "TAG_NAME"
    RELEASE_NAME = "RELEASE_NAME"
    REPOSITORY_NAME = "REPOSITORY_NAME"
    ORGANIZATION_NAME = "ORGANIZATION_NAME"
    WORKFLOW_NAME = "WORKFLOW_NAME"


class Fact(StrEnum):
    """What a payload may lack and the provider's API knows."""

    FILES = "FILES"
    MESSAGE = "MESSAGE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository: `owner`/`name` is its full name; the owner of a GitLab project in subgroups is `group/subgroup`.

    `clone_url` is one for HTTPS (or HTTP), never one that names another transport.
    """

    owner: str
    name: str
    clone_url: str | None = None
    web_url: str | None = None

    @property
    def full_name(self) -> str:
        """The name with the owner's."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ScmEvent:
    """One thing that happened at a Git host.

    `index` is the place of the change in its delivery, from 0; it stays the same when the delivery is sent again.
    `sha` is the commit to build; None only if `deleted`, or for a release whose payload does not name it.
    `before` is what the ref pointed at, None if the ref is new. `head_ref` of a release is its tag's ref.
    `release` is a release's name, empty if it has none.
    `message` is that of the commit `sha`. `files` are the paths of all that the push added, modified or removed; None
    where the payload does not name them all, as those of commits that a forced push has taken away.
    `fork` says that whoever may read the repository may have written what is to be built: it is a pull request from a
    fork, or may be of one.
    `head_repository` is where the head of a pull request from a fork is, if it is still there.
    `merge_commit` is the commit that a merged pull request has become.
    `organisation` owns the repository: on GitHub and Gitea an organisation or a person, on GitLab the group with those
    above it, on Bitbucket the workspace or the project's key.
    """

    event: EventType
    index: int
    repository: Repository
    actor: ActorId | None = None
    head_ref: Ref | None = None
    base_ref: Ref | None = None
    sha: CommitId | None = None
    before: CommitId | None = None
    message: str | None = None
    files: tuple[str, ...] | None = None
    tag: str | None = None
    release: str | None = None
    workflow: str | None = None
    organisation: str | None = None
    pull_request: int | None = None
    merge_commit: CommitId | None = None
    head_repository: Repository | None = None
    fork: bool = False
    deleted: bool = False

    def asks_to_be_skipped(self) -> bool:
        """Say whether the message says in the words of a Git host that nothing is to be built."""
        message = self.message
        if message is None:
            return False
        # Most messages have neither, which is seen at once.
        if ("[" in message or "***" in message) and _SKIP.search(message) is not None:
            return True
        return message.rstrip()[-4:].lower() == "true" and _SKIP_CHECKS.search(message) is not None

    def lacks(self) -> frozenset[Fact]:
        """Give what a push or a pull request has and the payload does not say; nothing if the ref was deleted."""
        if self.deleted or not (self.event is EventType.PUSH or self.event.is_pull_request):
            return frozenset()
        values = {Fact.FILES: self.files, Fact.MESSAGE: self.message}
        return frozenset(fact for fact, value in values.items() if value is None)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoEvent:
    """Why a delivery, or a change in it, is no event. `told` is what the provider calls it (issues.opened); short."""

    index: int
    reason: Reason
    told: str


# What a dialect makes of a delivery: never empty, in the order of `index`.
Reading = tuple[ScmEvent | NoEvent, ...]
