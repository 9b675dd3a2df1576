"""A project made into a BuildTrigger, and what is to be said of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hookwright.commands.codebuild.buildspecs import convert_buildspec
from hookwright.commands.codebuild.jobs import convert_build
from hookwright.commands.codebuild.reading import AwsProject, AwsWebhook, Listing
from hookwright.commands.codebuild.sources import Source, convert_source
from hookwright.commands.linting.filter_groups import find_hidden_problems
from hookwright.commands.linting.said import Severity
from hookwright.commands.linting.triggers import judge_trigger
from hookwright.commands.manifests import choose_names
from hookwright.commands.remarks import Remark, hide_urls, is_aws_own
from hookwright.kinds import API_VERSION, BuildTrigger, InvalidObject, Raw, read
from hookwright.scm import EventType, FilterType

# As long as a name may be that a Webhook has in spec.targetPipeline.
LONGEST_NAME = 100
# Well known to Kubernetes: what an object is, for people.
DESCRIPTION = "kubernetes.io/description"
_LONGEST_ARN = 200
_FORKS = "pull requests from forks start nothing"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What one project became, and what is to be said of it."""

    aws_name: str
    trigger: Raw
    remarks: tuple[Remark, ...]


def convert(listing: Listing, *, namespace: str | None = None) -> list[Imported]:
    """Make BuildTriggers of projects, in their order; of projects of one name the first counts."""
    found: dict[str, list[AwsProject]] = {}
    for project in listing.projects:
        found.setdefault(project.name, []).append(project)
    names = choose_names(found, longest=LONGEST_NAME, otherwise="project")
    metadata = {"namespace": namespace} if namespace is not None else {}
    return [_import(same[0], {"name": names[name], **metadata}, same[1:]) for name, same in found.items()]


def describe_listing(listing: Listing) -> list[Remark]:
    """Say what concerns no single project: that there is none, and names that AWS does not know."""
    remarks = [] if listing.projects else [Remark(text="there is no project in it")]
    unknown = "projectsNotFound: AWS has no project {} in this account and region"
    remarks += [Remark(text=unknown.format(name), lost=True) for name in listing.not_found]
    return remarks


def _import(project: AwsProject, metadata: dict[str, Any], repeated: Sequence[AwsProject]) -> Imported:
    name = metadata["name"]
    source, buildspec = convert_source(project), convert_buildspec(project.source.buildspec)
    built = convert_build(project, source, buildspec, name=name)
    tags = [{"key": key, "value": value} for key, value in project.tags if not is_aws_own(key)]
    spec: dict[str, Any] = {  # Any: a JSON object
        "projectName": project.name,
        **({"source": source.spec} if source.spec else {}),
        **_convert_filters(project.webhook, source),
        **({"parameters": built.parameters} if built.parameters else {}),
        **({"tags": tags} if tags else {}),
        "build": {"jobTemplate": {"spec": built.job}},
    }
    if project.description is not None:
        metadata = {**metadata, "annotations": {DESCRIPTION: project.description}}
    raw = {"apiVersion": API_VERSION, "kind": BuildTrigger.KIND, "metadata": metadata, "spec": spec}
    remarks = [
        *_describe_problems(raw),
        *_describe_webhook(project, source),
        *source.remarks,
        *_describe_tags(project),
        *buildspec.remarks,
        *built.remarks,
        *project.leftovers,
        *_describe_move(project, name, repeated),
    ]
    return Imported(
        aws_name=project.name, trigger=raw, remarks=tuple(sorted(remarks, key=lambda remark: not remark.lost))
    )


def _convert_filters(webhook: AwsWebhook | None, source: Source) -> dict[str, Any]:  # Any: a JSON object
    if webhook is None or source.provider is None:
        return {}
    groups = [
        [
            {"type": one.type, "pattern": one.pattern} | ({"excludeMatchedPattern": True} if one.exclude else {})
            for one in group
        ]
        for group in webhook.groups
    ]
    # Beside groups an empty one says nothing.
    says_nothing = webhook.branch_filter is None or (groups and not webhook.branch_filter)
    branch = {} if says_nothing else {"branchFilter": webhook.branch_filter}
    # At AWS no commit message keeps a build from starting, but by a filter.
    return {**branch, **({"filterGroups": groups} if groups else {}), "skipCI": False}


def _describe_problems(raw: Raw) -> Iterator[Remark]:
    """Say what Hookwright, or the schema of its CRD, will refuse, and what should be thought over."""
    try:
        trigger = read(BuildTrigger, raw)
    except InvalidObject as invalid:
        for problem in invalid.problems:
            text = f"{problem.field}: {problem.message}; the API server refuses the BuildTrigger as it is"
            yield Remark(text=text, lost=True)
        for hidden in find_hidden_problems(invalid, raw):
            yield Remark(text=f"{hidden.code}: {hidden.message}", lost=True)
        return
    for said in judge_trigger(trigger):
        wrong = said.severity is Severity.FINDING
        text = f"{said.code}: {said.message}" if wrong else said.message
        yield Remark(text=f"{text}; the BuildTrigger is Stalled until you change it" if wrong else text, lost=wrong)


def _describe_webhook(project: AwsProject, source: Source) -> Iterator[Remark]:
    webhook = project.webhook
    if webhook is None:
        if source.spec.get("repository"):
            text = "it has no webhook: spec.source has no provider, so that nothing pushed starts builds; give it one"
            yield Remark(text=f"{text}, and filterGroups, if it is to")
        return
    if source.provider is None:
        count = len(webhook.groups)
        text = f"webhook: without a Git host that sends deliveries it is left out, with its {count} filter groups"
        yield Remark(text=text, lost=True)
    if webhook.build_type != "BUILD":
        text = f"webhook.buildType: {webhook.build_type}: each delivery starts one build"
        yield Remark(text=text, lost=True)
    yield from _describe_runners(webhook)
    if webhook.forks_policy is not None:
        text = f"webhook.pullRequestBuildPolicy: {webhook.forks_policy}: {_FORKS}, approved or not"
        yield Remark(text=text, lost=True)
    elif source.provider is not None and _builds_pull_requests(webhook):
        yield Remark(text=_FORKS)
    if webhook.status not in (None, "ACTIVE"):
        message = f" ({hide_urls(webhook.status_message)})" if webhook.status_message else ""
        yield Remark(text=f"AWS says that its webhook is {webhook.status} there{message}")
    if source.provider is not None:
        text = (
            "make a hook at the Git host with status.payloadUrl and the secret in the Secret of status.secretRef, and "
            f"then delete the one at AWS (aws codebuild delete-webhook --project-name {shlex.quote(project.name)})"
        )
        yield Remark(text=text)


def _describe_runners(webhook: AwsWebhook) -> Iterator[Remark]:
    """Say of groups for workflow jobs that AWS runs the job itself, in place of the project's own commands."""
    for index, group in enumerate(webhook.groups):
        events = [one.pattern for one in group if one.type == FilterType.EVENT and not one.exclude]
        if any(EventType.WORKFLOW_JOB_QUEUED in pattern for pattern in events):
            text = (
                f"webhook.filterGroups[{index}]: {EventType.WORKFLOW_JOB_QUEUED}: at AWS the build is the runner of "
                "that job; here it is a build as any other, of the job's commit, and the job waits for a runner"
            )
            yield Remark(text=text, lost=True)


def _builds_pull_requests(webhook: AwsWebhook) -> bool:
    events = [one.pattern for group in webhook.groups for one in group if one.type == FilterType.EVENT]
    return not webhook.groups or any("PULL_REQUEST_" in pattern for pattern in events)


def _describe_tags(project: AwsProject) -> Iterator[Remark]:
    for key, _ in project.tags:
        if is_aws_own(key):
            yield Remark(text=f"tag {key}: keys with aws: are AWS's own, so it is left out", lost=True)


def _describe_move(project: AwsProject, name: str, repeated: Sequence[AwsProject]) -> Iterator[Remark]:
    if repeated:
        differs = any(other != project for other in repeated)
        how = "which differ: only the first one counts" if differs else "which are the same"
        yield Remark(text=f"there are {len(repeated) + 1} projects of this name, {how}", lost=differs)
    if name != project.name:
        yield Remark(text=f"metadata.name is {name}; spec.projectName keeps AWS's name")
    if project.service_role:
        role = project.service_role[:_LONGEST_ARN]
        text = f"serviceRole: {role}: what a build may do is up to serviceAccountName in its pod's template"
        yield Remark(text=text)
