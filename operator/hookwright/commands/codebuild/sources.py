"""Where a project's builds are of, as spec.source of a BuildTrigger. No address is repeated: it may hold a password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookwright.commands.codebuild.reading import AwsProject, AwsScope
from hookwright.commands.remarks import Remark
from hookwright.scm import BRANCHES, Provider

# What stands for a repository where the webhook is one of an organisation.
NO_LOCATION = "CODEBUILD_DEFAULT_WEBHOOK_SOURCE_LOCATION"
_PROVIDERS: Mapping[str, Provider] = {
    "GITHUB": Provider.GITHUB,
    "GITHUB_ENTERPRISE": Provider.GITHUB_ENTERPRISE,
    "GITLAB": Provider.GITLAB,
    "GITLAB_SELF_MANAGED": Provider.GITLAB,
    "BITBUCKET": Provider.BITBUCKET_CLOUD,
}
# Of these it cannot be told from the provider where a repository is.
_ANY_HOST = (Provider.GITHUB_ENTERPRISE, Provider.GITLAB)
_URL = re.compile(
    r"(?P<scheme>https?|ssh|git)://(?:[^/@\s]*@)?(?P<host>[^/@:\s]+)(?P<port>:\d+)?/(?P<path>[^\s?#@]+)", re.IGNORECASE
)
_SCP = re.compile(r"(?:[^/@:\s]+@)?(?P<host>[^/@:\s]+):(?P<path>[^\s?#@/][^\s?#@]*)")
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Source:
    """spec.source, what is to be said of it, and the provider whose deliveries can start builds.

    `clone_url` is where the repository is, where the provider does not tell.
    """

    spec: dict[str, Any]  # Any: a JSON object
    remarks: tuple[Remark, ...]
    provider: Provider | None = None
    clone_url: str | None = None


def convert_source(project: AwsProject) -> Source:
    """Give spec.source: without a provider where nothing that a Git host sends starts builds."""
    branch, remarks = _convert_version(project.source_version)
    provider = _PROVIDERS.get(project.source.type)
    if provider is None:
        remarks.append(_describe_type(project))
        return Source(spec=branch, remarks=tuple(remarks))
    scope = project.webhook.scope if project.webhook is not None else None
    where, problem = _find_scope(scope, provider) if scope is not None else _find_repository(project, provider)
    if problem is not None:
        remarks.append(problem)
    if not where or project.webhook is None:
        # Whatever a Git host sent would start builds, which nothing does at AWS.
        kept = {name: value for name, value in where.items() if name == "repository"}
        return Source(spec={**kept, **branch}, remarks=tuple(remarks))
    url = _find_clone_url(project) if provider in _ANY_HOST and "repository" in where else None
    if provider is Provider.GITHUB_ENTERPRISE and url is None:
        remarks.append(Remark(text="source.location: its host stands nowhere: deliveries are known by their secret"))
    return Source(
        spec={"provider": str(provider), **where, **branch}, remarks=tuple(remarks), provider=provider, clone_url=url
    )


def _find_clone_url(project: AwsProject) -> str | None:
    """Give a repository's address without a user and a password; None if it is not one of HTTPS or HTTP."""
    found = _URL.fullmatch(project.source.location or "")
    if found is None or not found["scheme"].lower().startswith("http"):
        return None
    return f"{found['scheme'].lower()}://{found['host']}{found['port'] or ''}/{found['path']}"


def _find_repository(project: AwsProject, provider: Provider) -> tuple[dict[str, str], Remark | None]:
    location = project.source.location or ""
    if location == NO_LOCATION:
        return {}, _lose("webhook.scopeConfiguration: the source names no repository, and the webhook no organization")
    found = _URL.fullmatch(location) or _SCP.fullmatch(location)
    parts = found["path"].removesuffix("/").removesuffix(".git").split("/") if found is not None else []
    deep = provider is Provider.GITLAB
    fewest = 2  # owner and name
    if not all(parts) or len(parts) < fewest or (len(parts) > fewest and not deep):
        return {}, _lose(
            "source.location: not the address of a repository of this type, so that nothing is known of it: give "
            "spec.source its provider and repository"
        )
    return {"repository": "/".join(parts)}, None


def _find_scope(scope: AwsScope, provider: Provider) -> tuple[dict[str, str], Remark | None]:
    if scope.kind == "GITHUB_GLOBAL" or not scope.name:
        text = f"webhook.scopeConfiguration: {scope.kind}: there are no webhooks beyond one organization or group"
        return {}, _lose(text)
    return {"group" if provider is Provider.GITLAB else "organization": scope.name}, None


def _convert_version(version: str | None) -> tuple[dict[str, str], list[Remark]]:
    """Give the branch that a sourceVersion names, if it names one."""
    if version is None:
        return {}, []
    branch = version.removeprefix(BRANCHES)
    other = branch.startswith(("refs/", "pr/", "arn:")) or "^{" in branch or re.search(r"\s", branch) is not None
    if other or _COMMIT.fullmatch(branch):
        text = "sourceVersion: no branch, so it is left out: what is built is what the delivery names"
        return {}, [_lose(text)]
    return {"branch": branch}, []


def _describe_type(project: AwsProject) -> Remark:
    kind = project.source.type
    if kind == "CODEPIPELINE":
        text = "what starts it is a pipeline: a Webhook that names this BuildTrigger (hookwright import codepipeline)"
        return Remark(text=f"source.type: {kind}: {text}")
    how = "only Webhooks, or somebody by hand, start its builds, which must get their source themselves"
    return Remark(text=f"source.type: {kind}: {how}", lost=kind != "NO_SOURCE")


def _lose(text: str) -> Remark:
    return Remark(text=text, lost=True)
