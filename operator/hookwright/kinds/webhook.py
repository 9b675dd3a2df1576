"""The Webhook: AWS CodePipeline's webhook as a Kubernetes object.

Fields, limits and error names are those of `PutWebhook` (AWS CodePipeline API, version 2015-07-09) wherever a
Kubernetes convention does not forbid it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints

from hookwright.kinds.authentication import Authentication, AuthenticationConfiguration, make_rules
from hookwright.kinds.base import CONDITIONS, Condition, Model, ObjectKind, column, rules
from hookwright.kinds.deliveries import DUPLICATE_WINDOW, WINDOW_RULE, LastDelivery, Window
from hookwright.kinds.parameter_names import CODE_NAME, CODE_REMEDY
from hookwright.kinds.tags import MAX_TAGS, TAGS, TOO_MANY_TAGS, Tag, tag_rules
from hookwright.kinds.texts import AwsName, HeaderName, ObjectName

MEBIBYTE = 1 << 20
DEFAULT_MAX_BODY_BYTES = 5 * MEBIBYTE
# Keys of an action's configuration that AWS shows as ****, such as OAuthToken.
SECRET_NAME = "(?i)(token|secret|passw|credential|privatekey|apikey)"  # noqa: S105 - a pattern of names
# Headers, in lower case, that carry secrets, signatures or their times.
CREDENTIAL_HEADERS = (
    *("authorization", "proxy-authorization", "cookie", "x-gitlab-token"),
    *("x-hub-signature", "x-hub-signature-256", "webhook-signature", "webhook-timestamp"),
)

# CEL rules: said at apply by the API server, and again by the operator for objects that came in another way.
SPEC_RULES = rules(
    {
        **make_rules(),
        TOO_MANY_TAGS: f"TooManyTagsException: spec.tags: at most {MAX_TAGS}; remove some",
        "!has(self.actionConfiguration) || self.actionConfiguration.all(key, "
        "key.matches('^[A-Za-z][A-Za-z0-9_]{0,49}$'))": (
            "ValidationException: spec.actionConfiguration: a key is a letter, then letters, digits and _, at most 50"
        ),
        f"!has(self.actionConfiguration) || !self.actionConfiguration.exists(key, key.matches('{SECRET_NAME}'))": (
            "ValidationException: spec.actionConfiguration: a key named like a secret; whoever may read the Webhook "
            "reads it, and no filter can use it: remove it"
        ),
        f"!has(self.deliveryIdHeader) || !self.deliveryIdHeader.matches('(?i)^({'|'.join(CREDENTIAL_HEADERS)})$')": (
            "ValidationException: spec.deliveryIdHeader: carries what proves the sender; name the header with the id"
        ),
        "!has(self.deliveryIdHeader) || self.authentication != 'STANDARD_WEBHOOKS'": (
            "ValidationException: spec.deliveryIdHeader: STANDARD_WEBHOOKS signs its own id, webhook-id; another could "
            "be changed by whoever sends a recorded delivery again: remove it"
        ),
        WINDOW_RULE: "ValidationException: spec.duplicateWindow: at least 1h, at most 72h",
    }
)
TARGET_RULES = rules(
    {
        "self.kind != 'CronJob' || self.apiVersion == 'batch/v1'": (
            "ValidationException: spec.targetPipeline.apiVersion: a CronJob has batch/v1"
        ),
        "self.kind != 'BuildTrigger' || self.apiVersion == 'hookwright.dev/v1alpha1'": (
            "ValidationException: spec.targetPipeline.apiVersion: a BuildTrigger has hookwright.dev/v1alpha1"
        ),
    }
)
PARAMETER_RULES = rules(
    {
        "[has(self.value), has(self.jsonPath), has(self.from)].filter(given, given).size() == 1": (
            "ValidationException: a parameter needs exactly one of value, jsonPath and from"
        ),
        "!self.name.startsWith('HOOKWRIGHT_')": (
            "ValidationException: names that begin with HOOKWRIGHT_ are Hookwright's own; choose another"
        ),
        f"!self.name.matches('{CODE_NAME}')": (
            "ValidationException: spec.parameters: programs take code, or where to find it, from variables named like "
            f"this one; {CODE_REMEDY}"
        ),
    }
)


class TargetPipeline(Model):
    """What a Webhook starts, in its own namespace."""

    model_config = ConfigDict(json_schema_extra=TARGET_RULES)

    api_version: Literal["hookwright.dev/v1alpha1", "batch/v1"] = Field(
        default="hookwright.dev/v1alpha1",
        description="The API version of what is started: hookwright.dev/v1alpha1, or batch/v1 for a CronJob.",
    )
    kind: Literal["BuildTrigger", "CronJob"] = Field(
        default="BuildTrigger",
        description=(
            "The kind of what is started. BuildTrigger: its build is started directly. CronJob: a Job from its "
            "jobTemplate, whatever its schedule; it may be suspended."
        ),
    )
    name: AwsName = Field(description="The name of what is started, in the Webhook's own namespace.")


class WebhookTag(Tag):
    """One tag."""

    model_config = ConfigDict(json_schema_extra=tag_rules("InvalidTagsException"))


class RateLimit(Model):
    """How many deliveries are taken."""

    per_minute: Annotated[int, Field(ge=1, le=60000)] = Field(
        strict=True, description="So many authentic deliveries are taken a minute, by each receiver."
    )
    burst: Annotated[int, Field(ge=1, le=60000)] | None = Field(
        default=None, strict=True, description="So many may come at once. Default: perMinute."
    )


class WebhookFilter(Model):
    """One rule about the payload; all rules must pass."""

    json_path: Annotated[str, StringConstraints(min_length=1, max_length=150)] = Field(
        description="A JSONPath expression, evaluated on the JSON body as Jayway JsonPath does: $.ref"
    )
    match_equals: Annotated[str, StringConstraints(min_length=1, max_length=150)] | None = Field(
        default=None,
        description=(
            "What a value that the expression finds must equal, case-sensitively; if the expression can find several, "
            "one of them. {Key} stands for a value of actionConfiguration or of the target: refs/heads/{Branch}. "
            "Objects, arrays and null never equal. Without it, something must be found that is not null."
        ),
    )


class ParameterSource(StrEnum):
    """What a parameter can be taken from besides the payload."""

    DELIVERY_ID = "deliveryId"
    ACCEPTED_AT = "acceptedAt"
    EVENT_HEADER = "eventHeader"


class WebhookParameter(Model):
    """One value that the build receives; exactly one of value, jsonPath and from."""

    model_config = ConfigDict(json_schema_extra=PARAMETER_RULES)

    name: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.\-]*$")] = (
        Field(
            description=(
                "The parameter's name; a Job receives it as an environment variable of this name, in place of one that "
                "a container has. Names by which programs find code (PATH, BASH_ENV, LD_PRELOAD, GIT_SSH_COMMAND, "
                "NODE_OPTIONS and the like) are refused."
            )
        )
    )
    value: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        default=None, description="The value as it stands."
    )
    json_path: Annotated[str, StringConstraints(min_length=1, max_length=150)] | None = Field(
        default=None,
        description=(
            "The value is the first that this JSONPath expression finds in the payload: a string as it is, a number "
            "or a boolean as JSON writes it; empty if nothing, null, an object, an array or a number beyond all "
            "bounds (1e999) is found."
        ),
    )
    from_: ParameterSource | None = Field(
        default=None,
        alias="from",
        description=(
            "deliveryId: the sender's id of the delivery; acceptedAt: when it was accepted (RFC 3339, UTC); "
            "eventHeader: the sender's name for what happened, such as push."
        ),
    )


class WebhookSpec(Model):
    """Who may call, what counts, and what starts."""

    model_config = ConfigDict(json_schema_extra=SPEC_RULES)

    name: AwsName | None = Field(
        default=None,
        description="The webhook's name as at AWS, where capitals and @ are allowed. Default: metadata.name.",
    )
    target_pipeline: TargetPipeline = Field(description="What is started.")
    target_action: AwsName = Field(
        description=(
            "The source action of the target, whose configuration fills {Key} placeholders: Source, unless the "
            "target names another in its annotation hookwright.dev/source-action."
        )
    )
    action_configuration: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")],
        Annotated[str, StringConstraints(max_length=1000)],
    ] = Field(
        default_factory=dict,
        max_length=50,
        description=(
            "Values for {Key} placeholders. Keys that are not given here come from the target: its annotations "
            "config.hookwright.dev/<Key>, and of a BuildTrigger Owner, Repo, Branch, FullRepositoryId and BranchName "
            "from its source. Secrets do not belong here, and keys named like one are refused."
        ),
    )
    authentication: Authentication = Field(
        description=(
            "GITHUB_HMAC: signed as GitHub signs, in X-Hub-Signature-256, which Gitea sends too. "
            "GITLAB_TOKEN: the secret itself in X-Gitlab-Token. STANDARD_WEBHOOKS: signed in webhook-signature, as "
            "GitLab's signing tokens do. HMAC: signed in a header of its own. BEARER_TOKEN: the secret in "
            "Authorization. BASIC: user and password. IP: from an address range. UNAUTHENTICATED: whoever knows the "
            "URL may call."
        )
    )
    authentication_configuration: AuthenticationConfiguration = Field(
        description=(
            "Exactly what the scheme needs. IP: allowedIPRange. UNAUTHENTICATED: nothing, so {}. All others: one of "
            "secretTokenRef and secretToken; HMAC also header, BASIC also username."
        )
    )
    filters: list[WebhookFilter] = Field(
        max_length=5,
        description="Rules about the payload; all must pass. None ([]): every authentic delivery starts a build.",
        json_schema_extra={"x-kubernetes-list-type": "atomic"},
    )
    parameters: list[WebhookParameter] = Field(
        default_factory=list,
        max_length=50,
        description="What the build receives of the delivery.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    service_account_name: ObjectName | None = Field(
        default=None,
        description=(
            "The ServiceAccount of this namespace as which the build is created. Default: the target's, else default."
        ),
    )
    suspend: bool = Field(
        default=False, strict=True, description="While true, authentic deliveries are answered 200 and start nothing."
    )
    delivery_id_header: HeaderName | None = Field(
        default=None,
        description=(
            "The header with the sender's id of a delivery, in place of the scheme's own (GITHUB_HMAC: "
            "X-GitHub-Delivery, GITLAB_TOKEN: Idempotency-Key, STANDARD_WEBHOOKS: webhook-id; "
            "the others have none, so that each request is a delivery of its own). A delivery whose id has started a "
            "build is answered 200 and starts nothing."
        ),
    )
    duplicate_window: Window = DUPLICATE_WINDOW
    rate_limit: RateLimit | None = Field(
        default=None,
        description="How many authentic deliveries are taken; others are answered 429. Default: no limit.",
    )
    tags: list[WebhookTag] = TAGS
    max_body_bytes: int = Field(
        default=DEFAULT_MAX_BODY_BYTES,
        strict=True,
        ge=1,
        le=25 * MEBIBYTE,
        description="Larger bodies are refused with 413. GitHub sends at most 25 MiB.",
    )


class WebhookStatus(Model):
    """What Hookwright says about a Webhook; the fields are those of AWS's ListWebhookItem where it has them."""

    url: str | None = Field(
        default=None,
        max_length=1000,
        description="Where deliveries are sent to. Edits and restarts keep it; a re-created Webhook gets a new one.",
    )
    arn: str | None = Field(default=None, max_length=1000, description="The ARN-like ID.")
    last_triggered: datetime | None = Field(
        default=None, description="When a delivery last started a build that exists."
    )
    last_delivery: LastDelivery | None = Field(default=None, description="What became of the newest delivery.")
    error_code: str | None = Field(default=None, max_length=100, description="AWS's name of what is wrong.")
    error_message: str | None = Field(
        default=None, max_length=4096, description="What is wrong: field, value, limit and remedy."
    )
    observed_generation: int | None = Field(default=None, description="The metadata.generation this status is for.")
    conditions: list[Condition] = CONDITIONS


class Webhook(ObjectKind):
    """A URL that starts a build when the right delivery arrives."""

    KIND: ClassVar[str] = "Webhook"
    PLURAL: ClassVar[str] = "webhooks"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("wh",)
    ARN_TYPE: ClassVar[str] = "webhook"
    COLUMNS: ClassVar[tuple[dict[str, Any], ...]] = (
        column("Target", "string", ".spec.targetPipeline.name", "What is started."),
        column("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether deliveries are accepted."),
        column("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why, or why not."),
        column("Last Triggered", "date", ".status.lastTriggered", "When a build was last started."),
        column("Age", "date", ".metadata.creationTimestamp", "Since when it exists."),
        column("Last Outcome", "string", ".status.lastDelivery.reason", "What became of the last delivery.", wide=True),
        # A URL can be a credential (UNAUTHENTICATED), so that it is shown only to who asks for it.
        column("URL", "string", ".status.url", "Where deliveries are sent to.", wide=True),
        column("ARN", "string", ".status.arn", "The ARN-like ID.", wide=True),
    )

    spec: WebhookSpec
    status: WebhookStatus = Field(default_factory=WebhookStatus)

    @property
    def aws_name(self) -> str:
        """The name as at AWS: spec.name, else metadata.name."""
        return self.spec.name or self.metadata.name

    @property
    def secret_names(self) -> set[str]:
        """The Secrets that the object names."""
        configuration = self.spec.authentication_configuration
        first = [configuration.secret_token_ref] if configuration.secret_token_ref is not None else []
        return {ref.name for ref in (*first, *configuration.additional_secret_token_refs)}
