"""The Webhook: AWS CodePipeline's webhook as a Kubernetes object.

Fields, limits and error names are those of `PutWebhook` (AWS CodePipeline API, version 2015-07-09) wherever a
Kubernetes convention does not forbid it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints

from hookwright.kinds.base import CONDITIONS, Condition, Model, ObjectKind, column, rules

AWS_NAME = r"^[A-Za-z0-9.@\-_]+$"
MEBIBYTE = 1 << 20
DEFAULT_MAX_BODY_BYTES = 5 * MEBIBYTE

AwsName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=AWS_NAME)]
DNS_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN)]


# CEL rules: said at apply by the API server, and again by the operator for objects that came in another way.
_CONFIGURATION = "self.authenticationConfiguration"
_AUTHENTICATION_ERROR = "InvalidWebhookAuthenticationParametersException: spec.authenticationConfiguration"
SPEC_RULES = rules(
    {
        f"self.authentication != 'UNAUTHENTICATED' || (!has({_CONFIGURATION}.secretTokenRef) "
        f"&& !has({_CONFIGURATION}.secretToken))": (
            f"{_AUTHENTICATION_ERROR}: UNAUTHENTICATED takes no properties; remove them, or set spec.authentication"
        ),
        f"self.authentication != 'GITHUB_HMAC' || has({_CONFIGURATION}.secretTokenRef) "
        f"!= has({_CONFIGURATION}.secretToken)": (
            f"{_AUTHENTICATION_ERROR}: GITHUB_HMAC needs either secretTokenRef or secretToken"
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
    }
)


class Authentication(StrEnum):
    """The schemes by which a caller proves itself."""

    GITHUB_HMAC = "GITHUB_HMAC"
    UNAUTHENTICATED = "UNAUTHENTICATED"


class TargetPipeline(Model):
    """What a Webhook starts, in its own namespace."""

    api_version: Literal["hookwright.dev/v1alpha1"] = Field(
        default="hookwright.dev/v1alpha1", description="The API version of what is started."
    )
    kind: Literal["BuildTrigger"] = Field(
        default="BuildTrigger",
        description="The kind of what is started. A BuildTrigger's build is started directly.",
    )
    name: AwsName = Field(description="The name of what is started, in the Webhook's own namespace.")


class SecretKey(Model):
    """One key of a Secret in the object's own namespace."""

    name: ObjectName = Field(description="The name of the Secret, in the object's own namespace.")
    key: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = Field(
        default="token", description="The key in the Secret whose value is the secret."
    )


class AuthenticationConfiguration(Model):
    """What the scheme needs: exactly the members that `authentication` asks for, and no others."""

    secret_token_ref: SecretKey | None = Field(
        default=None,
        description=(
            "GITHUB_HMAC: where the secret is that the Git host signs with. When it changes, the next delivery is "
            "checked with the new one."
        ),
    )
    secret_token: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None,
        description=(
            "GITHUB_HMAC: the secret itself, as at AWS. Everybody who may read the Webhook can read it, and kubectl "
            "copies it into an annotation: use secretTokenRef instead."
        ),
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
        Field(description="The parameter's name; a Job receives it as an environment variable of this name.")
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
            "Values for {Key} placeholders. Keys that are not given here come from the target: a BuildTrigger has "
            "Owner, Repo, Branch, FullRepositoryId and BranchName from its source."
        ),
    )
    authentication: Authentication = Field(
        description=(
            "GITHUB_HMAC: the body is signed as GitHub signs, in X-Hub-Signature-256. UNAUTHENTICATED: whoever knows "
            "the URL may call."
        )
    )
    authentication_configuration: AuthenticationConfiguration = Field(
        description=("GITHUB_HMAC needs exactly one of secretTokenRef and secretToken; UNAUTHENTICATED nothing, so {}.")
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
    max_body_bytes: int = Field(
        default=DEFAULT_MAX_BODY_BYTES,
        strict=True,
        ge=1,
        le=25 * MEBIBYTE,
        description="Larger bodies are refused with 413. GitHub sends at most 25 MiB.",
    )


class BuildReference(Model):
    """The object that was started."""

    api_version: str = Field(max_length=253, description="Its API version.")
    kind: str = Field(max_length=63, description="Its kind.")
    name: str = Field(max_length=253, description="Its name, in the object's own namespace.")


class LastDelivery(Model):
    """What became of the newest delivery."""

    id: str = Field(max_length=256, description="The sender's id of the delivery, or ours where it has none.")
    time: datetime = Field(description="When it arrived.")
    outcome: str = Field(
        max_length=32, description="started, pending, duplicate, ping, ignored, suspended, refused or failed."
    )
    reason: str = Field(max_length=64, description="Why, as one documented CamelCase word.")
    message: str = Field(max_length=1024, description="Why, for a person.")
    build: BuildReference | None = Field(default=None, description="What was started.")


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
