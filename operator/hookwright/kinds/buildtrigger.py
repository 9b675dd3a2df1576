"""The BuildTrigger: what to build, and how; today as the target of a Webhook.

Fields and limits are those of AWS CodeBuild's `CreateWebhook` (source, projectName) where it has them.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from hookwright.kinds.base import CONDITIONS, Condition, Model, ObjectKind, column
from hookwright.kinds.texts import ObjectName

Label = Annotated[str, StringConstraints(max_length=63)]


class BuildSource(Model):
    """The repository and branch that a build is of; they fill {Key} placeholders of Webhooks."""

    repository: (
        Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s/]+(/[^\s/]+)+$")] | None
    ) = Field(
        default=None,
        description=(
            "The repository's full name, octo/hello: it fills {FullRepositoryId}, {Owner} (all before the last "
            "slash) and {Repo}."
        ),
    )
    branch: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^\S+$")] | None = Field(
        default=None, description="The branch, main: it fills {Branch} and {BranchName}."
    )


class TemplateMetadata(Model):
    """Labels and annotations that the build receives."""

    labels: dict[str, Label] = Field(default_factory=dict, max_length=50, description="Labels of the build.")
    annotations: dict[str, Annotated[str, StringConstraints(max_length=65536)]] = Field(
        default_factory=dict, max_length=50, description="Annotations of the build."
    )


class JobTemplate(Model):
    """A Job to be, as a CronJob has it."""

    metadata: TemplateMetadata = Field(
        default_factory=TemplateMetadata, description="Labels and annotations of the Job."
    )
    # A JobSpec of Kubernetes: `Any`, because the API server judges it (by a dry run), not this model.
    spec: dict[str, Any] = Field(
        description="The Job's spec, as in batch/v1. Hookwright tries it by a dry run and says in status what is wrong."
    )


class Build(Model):
    """What is created for each start."""

    job_template: JobTemplate = Field(
        description="The Job that is created. Every container receives the parameters as environment variables."
    )


class BuildParameter(Model):
    """A value that every build receives, unless the delivery gives another under the same name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.\-]*$")] = (
        Field(description="The parameter's name; a Job receives it as an environment variable of this name.")
    )
    value: Annotated[str, StringConstraints(max_length=4096)] = Field(description="The value as it stands.")


class BuildTriggerSpec(Model):
    """What to build, and how."""

    project_name: Annotated[
        str, StringConstraints(min_length=2, max_length=150, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-_]{1,149}$")
    ] = Field(description="The project's name; builds receive it as HOOKWRIGHT_PROJECT_NAME.")
    source: BuildSource = Field(
        default_factory=BuildSource,
        description="The repository and branch. They fill {Key} placeholders in the filters of Webhooks.",
    )
    build: Build = Field(description="What is created for each start.")
    parameters: list[BuildParameter] = Field(
        default_factory=list,
        max_length=50,
        description="Values that every build receives, unless the Webhook gives another under the same name.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    service_account_name: ObjectName | None = Field(
        default=None,
        description="The ServiceAccount of this namespace as which builds are created. Default: default.",
    )


class BuildTriggerStatus(Model):
    """What Hookwright says about a BuildTrigger."""

    arn: str | None = Field(default=None, max_length=1000, description="The ARN-like ID.")
    error_code: str | None = Field(default=None, max_length=100, description="The name of what is wrong.")
    error_message: str | None = Field(
        default=None, max_length=4096, description="What is wrong: field, value, limit and remedy."
    )
    observed_generation: int | None = Field(default=None, description="The metadata.generation this status is for.")
    conditions: list[Condition] = CONDITIONS


class BuildTrigger(ObjectKind):
    """What to build, and how."""

    KIND: ClassVar[str] = "BuildTrigger"
    PLURAL: ClassVar[str] = "buildtriggers"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("bt",)
    ARN_TYPE: ClassVar[str] = "buildtrigger"
    COLUMNS: ClassVar[tuple[dict[str, Any], ...]] = (
        column("Project", "string", ".spec.projectName", "The project's name."),
        column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether builds can be started."),
        column("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why, or why not."),
        column("Age", "date", ".metadata.creationTimestamp", "Since when it exists."),
        column("ARN", "string", ".status.arn", "The ARN-like ID.", wide=True),
    )

    spec: BuildTriggerSpec
    status: BuildTriggerStatus = Field(default_factory=BuildTriggerStatus)
