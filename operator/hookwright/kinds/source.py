"""What builds are of: spec.source of a BuildTrigger."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from hookwright.kinds.base import Model, rules
from hookwright.scm import Provider

CODE = "InvalidInputException"
OwnerName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s/]+(/[^\s/]+)*$")]

SOURCE_RULES = rules(
    {
        "[has(self.repository), has(self.organization), has(self.group)].filter(given, given).size() <= 1": (
            f"{CODE}: spec.source: one of repository, organization and group; remove the others"
        ),
        "!has(self.provider) || has(self.repository) || has(self.organization) || has(self.group)": (
            f"{CODE}: spec.source: with a provider, one of repository, organization and group"
        ),
        "has(self.provider) || (!has(self.organization) && !has(self.group))": (
            f"{CODE}: spec.source.provider: an organization or a group is one of a provider's; say which"
        ),
        "!has(self.group) || !has(self.provider) || self.provider == 'GitLab'": (
            f"{CODE}: spec.source.group: only GitLab has groups; write organization"
        ),
        "!has(self.organization) || !has(self.provider) || self.provider != 'GitLab'": (
            f"{CODE}: spec.source.organization: GitLab has groups; write group"
        ),
        "!has(self.repository) || !has(self.provider) || self.provider == 'GitLab' "
        "|| self.repository.matches('^[^/]+/[^/]+$')": (
            f"{CODE}: spec.source.repository: OWNER/NAME, with one slash; on GitLab alone there may be more"
        ),
        "!has(self.organization) || !has(self.provider) || self.provider == 'GitLab' "
        "|| !self.organization.contains('/')": f"{CODE}: spec.source.organization: its name without a slash",
    }
)


class BuildSource(Model):
    """Where builds are of: the Git host, and the repository, organisation or group there."""

    model_config = ConfigDict(json_schema_extra=SOURCE_RULES)

    provider: Provider | None = Field(
        default=None,
        description=(
            "The Git host whose deliveries start builds: GitHub, GitHubEnterprise, GitLab, BitbucketCloud, "
            "BitbucketDataCenter or Gitea (Forgejo too; of Gogs pushes, tags and releases, not its pull requests). "
            "Without it there is no URL, and only Webhooks start builds."
        ),
    )
    repository: (
        Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s/]+(/[^\s/]+)+$")] | None
    ) = Field(
        default=None,
        description=(
            "The repository's full name, octo/hello; deliveries about another are ignored. In Webhooks it fills "
            "{FullRepositoryId}, {Owner} (all before the last slash) and {Repo}."
        ),
    )
    organization: OwnerName | None = Field(
        default=None,
        description=(
            "Instead of a repository: all repositories of this organisation or person (Bitbucket Cloud: workspace; "
            "Bitbucket Data Center: project key)."
        ),
    )
    group: OwnerName | None = Field(
        default=None,
        description="Instead of a repository: all repositories of this GitLab group, and of its subgroups.",
    )
    branch: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^\S+$")] | None = Field(
        default=None,
        description=(
            "The branch that is built where nobody names one: main. In Webhooks it fills {Branch} and {BranchName}. "
            "It filters nothing: branchFilter and filterGroups do."
        ),
    )
