"""A Webhook made ready to judge deliveries, once per change of the object and not once per delivery.

`compile_route` is also the check of the spec: what it refuses stands in status, and the receiver refuses the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from hookwright.builds.targets import buildtrigger
from hookwright.builds.wanted import TargetRef
from hookwright.errors import InvalidExpression, InvalidSpec
from hookwright.filters import Expression, Filter, Matches, bind, compile_expression, compile_filter
from hookwright.intake.schemes import SCHEMES, Scheme
from hookwright.kinds import (
    DEFAULT_MAX_BODY_BYTES,
    Authentication,
    BuildTrigger,
    InvalidObject,
    ParameterSource,
    Webhook,
)

DEFAULT_SOURCE_ACTION = "Source"
SOURCE_ACTION_ANNOTATION = "hookwright.dev/source-action"
RESERVED_PREFIX = "HOOKWRIGHT_"

VALIDATION = "ValidationException"
INVALID_FILTER = "InvalidWebhookFilterPatternException"
INVALID_AUTHENTICATION = "InvalidWebhookAuthenticationParametersException"
PIPELINE_NOT_FOUND = "PipelineNotFoundException"

# The same few expressions stand in most Webhooks, and parsing one costs as much as ten payloads.
_compile_filter = lru_cache(maxsize=4096)(compile_filter)
_compile_expression = lru_cache(maxsize=4096)(compile_expression)


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """Where a secret is: a key of a Secret."""

    namespace: str
    name: str
    key: str


@dataclass(frozen=True, kw_only=True)
class CompiledParameter:
    """One value that the build receives; exactly one of the three is set."""

    name: str
    value: str | None
    expression: Expression | None
    source: ParameterSource | None


@dataclass(frozen=True, kw_only=True)
class Route:
    """One Webhook, ready to judge.

    `problem` is set when the spec is invalid: nothing can be judged then. `values` are the placeholders' values; None
    while the target is missing and a filter needs a value of it.
    """

    namespace: str
    name: str
    uid: str
    suspend: bool = False
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    scheme: Scheme
    secret_ref: SecretRef | None = None
    inline_secret: bytes | None = field(default=None, repr=False)
    filters: tuple[Filter, ...] = ()
    own_values: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] | None = None
    matches: Matches | None = None
    parameters: tuple[CompiledParameter, ...] = ()
    target: TargetRef
    target_exists: bool
    service_account: str | None = None
    problem: InvalidSpec | None = None


def compile_route(webhook: Webhook | InvalidObject, target: BuildTrigger | InvalidObject | None) -> Route:
    """Make `webhook` ready to judge; `target` is what spec.targetPipeline names, None if it does not exist.

    Never raises: the first thing that is wrong with the spec is the route's `problem`.
    """
    if isinstance(webhook, InvalidObject):
        return Route(
            namespace=webhook.metadata.namespace,
            name=webhook.metadata.name,
            uid=webhook.metadata.uid,
            scheme=SCHEMES[Authentication.UNAUTHENTICATED],
            target=TargetRef(api_version="", kind="", name=""),
            target_exists=target is not None,
            problem=describe_shape(webhook),
        )
    try:
        return _compile(webhook, target)
    except InvalidSpec as problem:
        return Route(
            namespace=webhook.metadata.namespace,
            name=webhook.metadata.name,
            uid=webhook.metadata.uid,
            scheme=SCHEMES[webhook.spec.authentication],
            values=_gather_values(webhook, target),
            target=_refer(webhook),
            target_exists=target is not None,
            problem=problem,
        )


def describe_shape(invalid: InvalidObject) -> InvalidSpec:
    """Say what is wrong with an object that the API server's schema should have refused, with AWS's code."""
    # A field that is misspelt is missing too: the misspelling is what its author wants to hear of first.
    problem = min(invalid.problems, key=lambda one: not one.message.endswith("(misspelt?)"))
    code = VALIDATION
    if problem.field.startswith("spec.filters"):
        code = INVALID_FILTER
    elif problem.field.startswith("spec.authenticationConfiguration"):
        code = INVALID_AUTHENTICATION
    return InvalidSpec(f"{problem.field}: {problem.message}", code=code, field=problem.field)


def _compile(webhook: Webhook, target: BuildTrigger | InvalidObject | None) -> Route:
    spec = webhook.spec
    secret_ref, inline_secret = _find_secret(webhook)
    filters = _compile_filters(webhook)
    parameters = _compile_parameters(webhook)
    known = target if isinstance(target, BuildTrigger) else None
    if known is not None:
        _check_action(webhook, known)
    values = _gather_values(webhook, target)
    complete = _check_keys(filters, values, target_known=known is not None)
    return Route(
        namespace=webhook.metadata.namespace,
        name=webhook.metadata.name,
        uid=webhook.metadata.uid,
        suspend=spec.suspend,
        max_body_bytes=spec.max_body_bytes,
        scheme=SCHEMES[spec.authentication],
        secret_ref=secret_ref,
        inline_secret=inline_secret,
        filters=filters,
        own_values=spec.action_configuration,
        values=values if complete else None,
        matches=bind(filters, values) if complete else None,
        parameters=parameters,
        target=_refer(webhook),
        target_exists=known is not None,
        service_account=spec.service_account_name,
    )


def _gather_values(webhook: Webhook, target: BuildTrigger | InvalidObject | None) -> dict[str, str]:
    """Give the values for placeholders that the Webhook gives itself, and those that its target has."""
    own = webhook.spec.action_configuration
    return (buildtrigger.values(target) | own) if isinstance(target, BuildTrigger) else dict(own)


def _refer(webhook: Webhook) -> TargetRef:
    target = webhook.spec.target_pipeline
    return TargetRef(api_version=target.api_version, kind=target.kind, name=target.name)


def _find_secret(webhook: Webhook) -> tuple[SecretRef | None, bytes | None]:
    """Give where the secret is, or the secret itself: exactly what the scheme needs, and nothing else."""
    configuration = webhook.spec.authentication_configuration
    reference, inline = configuration.secret_token_ref, configuration.secret_token
    if webhook.spec.authentication is Authentication.UNAUTHENTICATED:
        for name, value in (("secretTokenRef", reference), ("secretToken", inline)):
            if value is not None:
                field_ = f"spec.authenticationConfiguration.{name}"
                message = f"{field_}: UNAUTHENTICATED takes no properties; remove it, or set spec.authentication"
                raise InvalidSpec(message, code=INVALID_AUTHENTICATION, field=field_)
        return None, None
    if (reference is None) == (inline is None):
        field_ = "spec.authenticationConfiguration"
        found = "neither" if reference is None else "both"
        message = (
            f"{field_}: {webhook.spec.authentication} needs either secretTokenRef or secretToken; there are {found}"
        )
        raise InvalidSpec(message, code=INVALID_AUTHENTICATION, field=field_)
    if reference is not None:
        return SecretRef(namespace=webhook.metadata.namespace, name=reference.name, key=reference.key), None
    return None, (inline or "").encode()


def _compile_filters(webhook: Webhook) -> tuple[Filter, ...]:
    filters = []
    for index, rule in enumerate(webhook.spec.filters):
        try:
            filters.append(_compile_filter(rule.json_path, rule.match_equals))
        except InvalidExpression as error:
            field_ = f"spec.filters[{index}].jsonPath"
            raise InvalidSpec(f"{field_}: {error.message}", code=INVALID_FILTER, field=field_) from None
    return tuple(filters)


def _compile_parameters(webhook: Webhook) -> tuple[CompiledParameter, ...]:
    compiled: list[CompiledParameter] = []
    for index, parameter in enumerate(webhook.spec.parameters):
        field_ = f"spec.parameters[{index}]"
        given = [x for x in (parameter.value, parameter.json_path, parameter.from_) if x is not None]
        if len(given) != 1:
            message = f"{field_}: {parameter.name} needs exactly one of value, jsonPath and from; it has {len(given)}"
            raise InvalidSpec(message, code=VALIDATION, field=field_)
        if parameter.name.startswith(RESERVED_PREFIX):
            message = (
                f"{field_}.name: {parameter.name}: names with {RESERVED_PREFIX} are Hookwright's own; choose another"
            )
            raise InvalidSpec(message, code=VALIDATION, field=f"{field_}.name")
        if any(parameter.name == other.name for other in compiled):
            message = f"{field_}.name: {parameter.name} is there twice; remove one"
            raise InvalidSpec(message, code=VALIDATION, field=f"{field_}.name")
        try:
            expression = _compile_expression(parameter.json_path) if parameter.json_path is not None else None
        except InvalidExpression as error:
            message = f"{field_}.jsonPath: {error.message}"
            raise InvalidSpec(message, code=VALIDATION, field=f"{field_}.jsonPath") from None
        compiled.append(
            CompiledParameter(name=parameter.name, value=parameter.value, expression=expression, source=parameter.from_)
        )
    return tuple(compiled)


def _check_action(webhook: Webhook, target: BuildTrigger) -> None:
    """A target has one source action, as a pipeline's first stage has."""
    action = target.metadata.annotations.get(SOURCE_ACTION_ANNOTATION, DEFAULT_SOURCE_ACTION)
    if webhook.spec.target_action != action:
        message = (
            f"spec.targetAction: {webhook.spec.target_action}: the source action of "
            f"{BuildTrigger.KIND} {target.metadata.name} is {action}; write that"
        )
        raise InvalidSpec(message, code=VALIDATION, field="spec.targetAction")


def _check_keys(filters: tuple[Filter, ...], values: Mapping[str, str], *, target_known: bool) -> bool:
    """Say whether every placeholder has a value; a missing one is a problem unless the target may still bring it."""
    for index, rule in enumerate(filters):
        for key in rule.match_equals.keys if rule.match_equals is not None else ():
            if key in values:
                continue
            if not target_known:
                return False
            field_ = f"spec.filters[{index}].matchEquals"
            known = ", ".join(sorted(values)) or "none"
            message = (
                f"{field_}: {{{key}}} has no value (known keys: {known}); "
                f"add {key} to spec.actionConfiguration, or correct the key (capitals count)"
            )
            raise InvalidSpec(message, code=INVALID_FILTER, field=field_)
    return True
