"""The BuildTrigger: AWS CodeBuild's project with its webhook as a Kubernetes object: what to build, when, and how.

Fields, limits and error names are those of `CreateWebhook` (AWS CodeBuild API, version 2016-10-06) wherever a
Kubernetes convention does not forbid it. Without spec.source.provider it has no URL, and is the target of Webhooks.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from hookwright.kinds.base import CONDITIONS, Condition, Model, ObjectKind, column, rules
from hookwright.kinds.deliveries import DUPLICATE_WINDOW, WINDOW_RULE, LastDelivery, Window
from hookwright.kinds.filter_groups import MAX_PATTERN, FilterGroup
from hookwright.kinds.jobtemplate import JobTemplate
from hookwright.kinds.source import CODE, BuildSource
from hookwright.kinds.tags import MAX_TAGS, TAGS, TOO_MANY_TAGS, Tag, tag_rules
from hookwright.kinds.texts import DURATION, ObjectName

Duration = Annotated[str, StringConstraints(min_length=2, max_length=16, pattern=DURATION)]

MAX_GROUPS = 32
# Of so many active builds status tells; all are counted against nothing, and none is hidden from kubectl get jobs.
MAX_ACTIVE = 20
MAX_SOURCE_VERSION = 255
# The Secret that is made for a BuildTrigger with a provider: the newest secret, and those before it while they are good
# too, the newest first: several where it was replaced several times in a short while.
SECRET_KEY, PREVIOUS_SECRET_KEY = "secret", "previous"
PREVIOUS_SECRET_KEYS = (PREVIOUS_SECRET_KEY, "previous-2", "previous-3")
LIVE_SECRET_KEYS = (SECRET_KEY, *PREVIOUS_SECRET_KEYS)
_SECRET_SUFFIX = "-hookwright"  # noqa: S105 - a part of a name
_MAX_NAME, _DIGEST = 253, 20

# CEL rules: said at apply by the API server, and again by the operator for objects that came in another way.
SPEC_RULES = rules(
    {
        "!has(self.branchFilter) || !has(self.filterGroups) || self.branchFilter == '' "
        "|| self.filterGroups.size() == 0": (
            f"{CODE}: spec.branchFilter: filterGroups are given too; keep one of the two"
        ),
        "has(self.source) && has(self.source.provider) || (!has(self.branchFilter) && !has(self.filterGroups) "
        "&& !has(self.secretRotation))": (
            f"{CODE}: spec.source.provider: branchFilter, filterGroups and secretRotation are about what a provider "
            "sends; say which one, or remove them"
        ),
        "!has(self.filterGroups) || self.filterGroups.all(group, group.exists(one, one.type == 'EVENT'))": (
            f"{CODE}: spec.filterGroups: each group needs a filter of type EVENT, with the pattern PUSH for instance"
        ),
        "!has(self.filterGroups) || (has(self.source) && (has(self.source.organization) || has(self.source.group))) || "
        "!self.filterGroups.exists(group, group.exists(one, one.type in ['REPOSITORY_NAME', 'ORGANIZATION_NAME']))": (
            f"{CODE}: spec.filterGroups: REPOSITORY_NAME and ORGANIZATION_NAME apply only where the source is an "
            "organization or a group; remove them"
        ),
        TOO_MANY_TAGS: f"{CODE}: spec.tags: at most {MAX_TAGS}; remove some",
        WINDOW_RULE: f"{CODE}: spec.duplicateWindow: at least 1h, at most 72h",
    }
)
PARAMETER_RULES = rules(
    {
        "!self.name.startsWith('HOOKWRIGHT_')": (
            f"{CODE}: spec.parameters: names that begin with HOOKWRIGHT_ are Hookwright's own; choose another"
        )
    }
)
ROTATION_RULES = rules(
    {
        f"!self.every.matches('{DURATION}') || self.every == '' || duration(self.every) >= duration('24h')": (
            f"{CODE}: spec.secretRotation.every: at least 24h"
        ),
        f"!self.every.matches('{DURATION}') || self.every == '' || !self.overlap.matches('{DURATION}') "
        "|| self.overlap == '' || duration(self.overlap) <= duration(self.every)": (
            f"{CODE}: spec.secretRotation.overlap: at most every; else old secrets would become ever more"
        ),
    }
)


class Build(Model):
    """What is created for each start."""

    job_template: JobTemplate = Field(
        description="The Job that is created. Every container receives the parameters as environment variables."
    )


class ProjectTag(Tag):
    """One tag."""

    model_config = ConfigDict(json_schema_extra=tag_rules(CODE))

    # Each limit is one below CodePipeline's.
    key: Annotated[str, StringConstraints(min_length=1, max_length=127)] = Field(description="The tag's key.")
    value: Annotated[str, StringConstraints(max_length=255)] = Field(description="The tag's value; may be empty.")


class SecretRotation(Model):
    """When the secret is replaced by itself."""

    model_config = ConfigDict(json_schema_extra=ROTATION_RULES)

    every: Duration = Field(description="A new secret is made so long after the last one: at least 24h (720h, 2160h).")
    overlap: Duration = Field(
        default="24h",
        description=(
            "For so long the secret before is good too, so that the new one can be brought to the provider: at most "
            "every."
        ),
    )


class BuildParameter(Model):
    """A value that every build receives, unless the delivery gives another under the same name."""

    model_config = ConfigDict(json_schema_extra=PARAMETER_RULES)

    name: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.\-]*$")] = (
        Field(description="The parameter's name; a Job receives it as an environment variable of this name.")
    )
    value: Annotated[str, StringConstraints(max_length=4096)] = Field(description="The value as it stands.")


class BuildTriggerSpec(Model):
    """What to build, when, and how."""

    model_config = ConfigDict(json_schema_extra=SPEC_RULES)

    project_name: Annotated[
        str, StringConstraints(min_length=2, max_length=150, pattern=r"^[A-Za-z0-9][A-Za-z0-9\-_]{1,149}$")
    ] = Field(
        description=(
            "The project's name, which no other BuildTrigger of the namespace has; builds receive it as "
            "HOOKWRIGHT_PROJECT_NAME."
        )
    )
    source: BuildSource = Field(
        default_factory=BuildSource,
        description="Where builds are of: the Git host, and the repository, organization or group there.",
    )
    branch_filter: Annotated[str, StringConstraints(max_length=MAX_PATTERN)] | None = Field(
        default=None,
        description=(
            "A regular expression as in Java for the short name of the branch: what is pushed to another starts "
            "nothing, nor does a tag. Of pull requests it looks at the branch they bring. Empty: every branch, and no "
            "tag. Absent: tags start builds too. filterGroups say more, and are recommended instead."
        ),
    )
    filter_groups: list[FilterGroup] | None = Field(
        default=None,
        max_length=MAX_GROUPS,
        description=(
            "Which events start a build: those for which all filters of at least one group pass. Each group has an "
            "EVENT filter. Neither groups nor branchFilter: every push, and every pull request that is opened or "
            "changed. All patterns together have at most 20,000 characters, and 40,000 parts with all that they repeat "
            "written out."
        ),
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
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
    suspend: bool = Field(
        default=False,
        strict=True,
        description="While true, authentic deliveries to payloadUrl are answered 200 and start nothing.",
    )
    skip_ci: bool = Field(
        default=True,
        alias="skipCI",
        strict=True,
        description=(
            "While true, nothing is started for a commit whose message holds [skip ci], [ci skip], [no ci], "
            "[skip actions], [actions skip] or ***NO_CI***, in capitals or not, with - or _ for the blank too; or ends "
            "with GitHub's trailer skip-checks: true."
        ),
    )
    secret_rotation: SecretRotation | None = Field(
        default=None, description="When the secret is replaced by itself. Default: never."
    )
    successful_builds_history_limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None,
        strict=True,
        description=(
            "So many of the newest builds that succeeded are kept; older ones are deleted, but none before "
            "duplicateWindow has passed. Default: all, as long as the Job template's ttlSecondsAfterFinished lets them "
            "stay."
        ),
    )
    failed_builds_history_limit: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None, strict=True, description="As successfulBuildsHistoryLimit, for builds that failed."
    )
    duplicate_window: Window = DUPLICATE_WINDOW
    tags: list[ProjectTag] = TAGS


class SecretReference(Model):
    """A key of a Secret in the object's own namespace."""

    name: str = Field(max_length=253, description="The Secret's name.")
    key: str = Field(max_length=253, description="The key in it.")


class BuildState(Model):
    """A build as it was last seen."""

    kind: str = Field(max_length=63, description="The object's kind, such as Job.")
    name: str = Field(max_length=253, description="The object's name.")
    phase: str = Field(
        max_length=32, description="Pending, Running, Succeeded, Failed, or Canceled: deleted before it had ended."
    )
    source_version: str | None = Field(
        default=None,
        max_length=MAX_SOURCE_VERSION,
        description="What is built: a commit, or the ref that was asked for.",
    )
    start_time: datetime | None = Field(default=None, description="When it started.")
    completion_time: datetime | None = Field(default=None, description="When it ended.")


class BuildTriggerStatus(Model):
    """What Hookwright says about a BuildTrigger; the fields are those of AWS's Webhook where it has them."""

    arn: str | None = Field(default=None, max_length=1000, description="The ARN-like ID.")
    payload_url: str | None = Field(
        default=None,
        max_length=1000,
        description=(
            "Where the provider is to send deliveries to. Edits and restarts keep it; a re-created BuildTrigger gets "
            "a new one."
        ),
    )
    secret_ref: SecretReference | None = Field(
        default=None,
        description="Where the secret is that is to be entered at the provider, beside payloadUrl.",
    )
    last_modified_secret: datetime | None = Field(default=None, description="When the secret was last replaced.")
    last_triggered: datetime | None = Field(
        default=None, description="When a delivery, or who asked by hand, last started a build that exists."
    )
    last_delivery: LastDelivery | None = Field(default=None, description="What became of the newest delivery.")
    last_build: BuildState | None = Field(default=None, description="The newest build.")
    active: list[BuildState] = Field(
        default_factory=list[BuildState],
        max_length=MAX_ACTIVE,
        description=f"Builds that have not ended, the newest first; at most {MAX_ACTIVE} are named.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["kind", "name"]},
    )
    last_handled_start: str | None = Field(
        default=None,
        max_length=255,
        description=(
            "The value of the annotation hookwright.dev/start-requested-at that was dealt with last: its build was "
            "started, or the condition LastStartFailed says why not."
        ),
    )
    error_code: str | None = Field(default=None, max_length=100, description="The name of what is wrong.")
    error_message: str | None = Field(
        default=None, max_length=4096, description="What is wrong: field, value, limit and remedy."
    )
    observed_generation: int | None = Field(default=None, description="The metadata.generation this status is for.")
    conditions: list[Condition] = CONDITIONS


class BuildTrigger(ObjectKind):
    """What to build, when, and how."""

    KIND: ClassVar[str] = "BuildTrigger"
    PLURAL: ClassVar[str] = "buildtriggers"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("bt",)
    ARN_TYPE: ClassVar[str] = "buildtrigger"
    COLUMNS: ClassVar[tuple[dict[str, Any], ...]] = (
        column("Project", "string", ".spec.projectName", "The project's name."),
        column(
            "Source",
            "string",
            ".spec.source['repository','organization','group']",
            "The repository, organization or group.",
        ),
        column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether builds can be started."),
        column("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why, or why not."),
        column("Last Triggered", "date", ".status.lastTriggered", "When a build was last started."),
        column("Last Build", "string", ".status.lastBuild.phase", "How the newest build stands."),
        column("Age", "date", ".metadata.creationTimestamp", "Since when it exists."),
        column("Last Outcome", "string", ".status.lastDelivery.reason", "What became of the last delivery.", wide=True),
        column("Payload URL", "string", ".status.payloadUrl", "Where the provider sends deliveries to.", wide=True),
        column("ARN", "string", ".status.arn", "The ARN-like ID.", wide=True),
    )

    spec: BuildTriggerSpec
    status: BuildTriggerStatus = Field(default_factory=BuildTriggerStatus)

    @property
    def aws_name(self) -> str:
        """The name as at AWS: that of the project."""
        return self.spec.project_name

    @property
    def secret_names(self) -> set[str]:
        """The Secrets that it depends on: without a provider none."""
        return {self.secret_name} if self.spec.source.provider is not None else set()

    @property
    def secret_name(self) -> str:
        """The name of the Secret that Hookwright makes for it; different for each name of a BuildTrigger."""
        name = self.metadata.name
        if len(name) > _MAX_NAME - len(_SECRET_SUFFIX):
            digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
            # Nothing may stand between a dot and a dash.
            name = f"{name[: _MAX_NAME - len(_SECRET_SUFFIX) - _DIGEST - 1].rstrip('.-')}-{digest}"
        return name + _SECRET_SUFFIX
