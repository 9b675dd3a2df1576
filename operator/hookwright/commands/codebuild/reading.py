"""What the AWS CLI prints about CodeBuild's projects, as typed values.

Members are those of `BatchGetProjects` (AWS CodeBuild API, version 2016-10-06). What is missing or of another type than
AWS's is an error; whether a value is within limits is for the kinds to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hookwright.commands.aws_json import Place
from hookwright.commands.codebuild.leftovers import find_leftovers
from hookwright.commands.remarks import Remark

PLAINTEXT = "PLAINTEXT"


@dataclass(frozen=True, kw_only=True)
class AwsFilter:
    """A filter of a group, as at AWS."""

    type: str
    pattern: str
    exclude: bool


@dataclass(frozen=True, kw_only=True)
class AwsScope:
    """scopeConfiguration: the webhook is one of an organisation or a group."""

    name: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class AwsWebhook:
    """A project's webhook, as at AWS; its secret and its URLs are not read at all."""

    branch_filter: str | None
    groups: tuple[tuple[AwsFilter, ...], ...]
    build_type: str
    scope: AwsScope | None
    forks_policy: str | None
    status: str | None
    status_message: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AwsVariable:
    """An environment variable; what its value is depends on `type`: the value itself, or where it is."""

    name: str
    value: str = field(repr=False)
    type: str


@dataclass(frozen=True, kw_only=True)
class AwsEnvironment:
    """What builds run in."""

    type: str
    image: str
    compute_type: str | None
    privileged: bool
    registry_credential: str | None
    variables: tuple[AwsVariable, ...]


@dataclass(frozen=True, kw_only=True)
class AwsSource:
    """Where the source is, and the buildspec, which is text, a path or an ARN. A location may hold a password.

    `auth` is the way in which AWS gets into a private repository.
    """

    type: str
    auth: str | None
    location: str | None = field(repr=False)
    buildspec: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AwsProject:
    """A project as at AWS; `leftovers` say what of it has no counterpart here."""

    name: str
    description: str | None
    source: AwsSource
    source_version: str | None
    environment: AwsEnvironment
    webhook: AwsWebhook | None
    service_role: str | None
    timeout_minutes: int | None
    retries: int | None
    tags: tuple[tuple[str, str], ...]
    leftovers: tuple[Remark, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The projects of a file, in its order; `not_found` are names that AWS was asked for and does not know."""

    projects: tuple[AwsProject, ...]
    not_found: tuple[str, ...] = ()


def read_listing(document: object, file: str) -> Listing:
    """Read what `batch-get-projects` or `create-project` prints, a project of these, or a list of projects.

    `document` is any JSON value, `file` the name by which messages call it.

    Raises:
        UsageError: it is something else.
    """
    place = Place(file=file, value=document)
    if isinstance(document, list):
        return Listing(projects=tuple(map(_read_project, place.items())))
    members = place.members()
    if "projects" in members or "projectsNotFound" in members:
        projects = place.member("projects").items()
        if any(isinstance(project.value, str) for project in projects):
            raise place.refuse(f"holds names alone, as list-projects prints them; {_ASK}")
        not_found = tuple(name.text() for name in place.member("projectsNotFound").items())
        return Listing(projects=tuple(map(_read_project, projects)), not_found=not_found)
    if "project" in members:
        return Listing(projects=(_read_project(place.member("project")),))
    if "source" in members and "name" in members:
        return Listing(projects=(_read_project(place),))
    raise place.refuse(_describe_stranger(members))


_ASK = "import what `aws codebuild batch-get-projects --names NAME...` prints"


def _describe_stranger(members: object) -> str:
    """Say what a document is that holds no projects, as far as it can be told."""
    given = set(members) if isinstance(members, dict) else set()
    if given & {"webhooks", "pipeline"} or "definition" in given:
        return f"is of CodePipeline, which `hookwright import codepipeline` reads; here, {_ASK}"
    if "webhook" in given or "filterGroups" in given or "payloadUrl" in given:
        return f"is a webhook alone, as create-webhook has it, and does not say of which repository; {_ASK}"
    return f"holds no projects; {_ASK}"


def _read_project(place: Place) -> AwsProject:
    webhook = place.member("webhook")
    return AwsProject(
        name=place.member("name").text(),
        description=place.member("description").optional_text() or None,
        source=_read_source(place.member("source")),
        source_version=place.member("sourceVersion").optional_text() or None,
        environment=_read_environment(place.member("environment")),
        webhook=_read_webhook(webhook) if webhook.value is not None else None,
        service_role=place.member("serviceRole").optional_text(),
        timeout_minutes=place.member("timeoutInMinutes").number(),
        retries=place.member("autoRetryLimit").number(),
        tags=tuple(
            (tag.member("key").text(), tag.member("value").optional_text() or "")
            for tag in place.member("tags").items()
        ),
        leftovers=tuple(find_leftovers(place)),
    )


def _read_source(place: Place) -> AwsSource:
    return AwsSource(
        type=place.member("type").text(),
        auth=place.member("auth").member("type").optional_text(),
        location=place.member("location").optional_text() or None,
        buildspec=place.member("buildspec").optional_text() or None,
    )


def _read_environment(place: Place) -> AwsEnvironment:
    return AwsEnvironment(
        type=place.member("type").text(),
        image=place.member("image").optional_text() or "",
        compute_type=place.member("computeType").optional_text(),
        privileged=place.member("privilegedMode").flag(),
        registry_credential=place.member("registryCredential").member("credential").optional_text(),
        variables=tuple(map(_read_variable, place.member("environmentVariables").items())),
    )


def _read_variable(place: Place) -> AwsVariable:
    return AwsVariable(
        name=place.member("name").text(),
        value=place.member("value").optional_text() or "",
        type=place.member("type").optional_text() or PLAINTEXT,
    )


def _read_webhook(place: Place) -> AwsWebhook:
    scope = place.member("scopeConfiguration")
    policy = place.member("pullRequestBuildPolicy")
    return AwsWebhook(
        branch_filter=place.member("branchFilter").optional_text(),
        groups=tuple(tuple(map(_read_filter, group.items())) for group in place.member("filterGroups").items()),
        build_type=place.member("buildType").optional_text() or "BUILD",
        scope=None
        if scope.value is None
        else AwsScope(
            name=scope.member("name").optional_text() or "",
            kind=scope.member("scope").optional_text() or "GITHUB_ORGANIZATION",
        ),
        forks_policy=policy.member("requiresCommentApproval").optional_text(),
        status=place.member("status").optional_text(),
        status_message=place.member("statusMessage").optional_text(),
    )


def _read_filter(place: Place) -> AwsFilter:
    return AwsFilter(
        type=place.member("type").text(),
        pattern=place.member("pattern").text(),
        exclude=place.member("excludeMatchedPattern").flag(),
    )
