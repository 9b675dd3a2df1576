"""A Webhook made ready to judge deliveries.

`compile_webhook` is also the check of the spec: what it refuses stands in status, and the receiver refuses the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from hookwright.builds.targets import find_values, is_secret_name
from hookwright.builds.wanted import TargetRef
from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.errors import InvalidExpression, InvalidSpec
from hookwright.filters import Filter, bind, compile_expression, compile_filter
from hookwright.intake.route import NO_SCHEME, SecretRef
from hookwright.intake.rules import (
    INVALID_AUTHENTICATION,
    INVALID_FILTER,
    PIPELINE_NOT_FOUND,
    VALIDATION,
    check_action,
    check_rules,
    check_standing,
)
from hookwright.intake.schemes import SCHEMES, Scheme
from hookwright.intake.webhook_decision import CompiledParameter, WebhookRoute
from hookwright.kinds import CODE_REMEDY, InvalidObject, ObjectKind, Webhook, parse_duration, takes_code

RESERVED_PREFIX = "HOOKWRIGHT_"

# The same few expressions stand in most Webhooks, and parsing one costs as much as ten payloads.
_compile_filter = lru_cache(maxsize=4096)(compile_filter)


def compile_webhook(
    webhook: Webhook | InvalidObject, target: ObjectKind | InvalidObject | None, standing: Standing = GOOD_STANDING
) -> WebhookRoute:
    """Make `webhook` ready to judge; `target` is what spec.targetPipeline names, None if it does not exist.

    Never raises: the first thing that is wrong with the spec, or with how the object stands to its siblings, is the
    route's `problem`.
    """
    if isinstance(webhook, InvalidObject):
        return WebhookRoute(
            namespace=webhook.metadata.namespace,
            name=webhook.metadata.name,
            uid=webhook.metadata.uid,
            scheme=NO_SCHEME,
            target=TargetRef(api_version="", kind="", name=""),
            target_exists=target is not None,
            problem=describe_shape(webhook),
        )
    try:
        return _compile(webhook, target, standing)
    except InvalidSpec as problem:
        return WebhookRoute(
            namespace=webhook.metadata.namespace,
            name=webhook.metadata.name,
            uid=webhook.metadata.uid,
            # Nobody is recognised by a Webhook that cannot work, but senders' ids are still told from each other.
            scheme=_find_scheme(webhook) or NO_SCHEME,
            values=_gather_values(webhook, target),
            target=_refer(webhook),
            target_exists=target is not None,
            problem=problem,
        )


def describe_shape(invalid: InvalidObject) -> InvalidSpec:
    """Say what is wrong with an object that the API server's schema should have refused, with AWS's code."""
    # A field that is misspelt is missing too: the misspelling is what its author wants to hear of first.
    problem = min(invalid.problems, key=lambda one: not one.unknown)
    code = VALIDATION
    if problem.field.startswith("spec.filters"):
        code = INVALID_FILTER
    elif problem.field.startswith("spec.authentication"):
        code = INVALID_AUTHENTICATION
    elif problem.field.startswith("spec.targetPipeline"):
        code = PIPELINE_NOT_FOUND
    return InvalidSpec(f"{problem.field}: {problem.message}", code=code, field=problem.field)


def _compile(webhook: Webhook, target: ObjectKind | InvalidObject | None, standing: Standing) -> WebhookRoute:
    spec = webhook.spec
    check_standing(webhook, standing)
    check_rules(webhook)
    scheme = SCHEMES[spec.authentication](spec.authentication_configuration)
    inline = spec.authentication_configuration.secret_token
    filters = _compile_filters(webhook)
    parameters = _compile_parameters(webhook)
    known = None if target is None or isinstance(target, InvalidObject) else target
    if known is not None:
        check_action(webhook, known)
    values = _gather_values(webhook, target)
    complete = _check_keys(filters, values, target_known=known is not None)
    return WebhookRoute(
        namespace=webhook.metadata.namespace,
        name=webhook.metadata.name,
        uid=webhook.metadata.uid,
        suspend=spec.suspend,
        max_body_bytes=spec.max_body_bytes,
        scheme=scheme,
        secret_refs=find_secret_refs(webhook),
        inline_secret=inline.encode() if inline is not None else None,
        filters=filters,
        own_values=spec.action_configuration,
        values=values if complete else None,
        tests=tuple(bind((one,), values) for one in filters) if complete else None,
        parameters=parameters,
        target=_refer(webhook),
        target_exists=known is not None,
        service_account=spec.service_account_name,
        delivery_id_header=spec.delivery_id_header.lower() if spec.delivery_id_header is not None else None,
        rate_limit=spec.rate_limit,
        keep_seconds=int(parse_duration(spec.duplicate_window).total_seconds()),
    )


def _gather_values(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> dict[str, str]:
    """Give the values for placeholders that the Webhook gives itself, and those that its target has."""
    own = webhook.spec.action_configuration
    return dict(own) if target is None or isinstance(target, InvalidObject) else find_values(target) | own


def _refer(webhook: Webhook) -> TargetRef:
    target = webhook.spec.target_pipeline
    return TargetRef(api_version=target.api_version, kind=target.kind, name=target.name)


def _find_scheme(webhook: Webhook) -> Scheme | None:
    try:
        return SCHEMES[webhook.spec.authentication](webhook.spec.authentication_configuration)
    except InvalidSpec:
        return None


def find_secret_refs(webhook: Webhook) -> tuple[SecretRef, ...]:
    """Give where the live secrets of a Webhook are, secretTokenRef first."""
    configuration = webhook.spec.authentication_configuration
    first = [configuration.secret_token_ref] if configuration.secret_token_ref is not None else []
    return tuple(
        SecretRef(namespace=webhook.metadata.namespace, name=ref.name, key=ref.key)
        for ref in (*first, *configuration.additional_secret_token_refs)
    )


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
        if takes_code(parameter.name):
            message = (
                f"{field_}.name: {parameter.name}: programs take code, or where to find it, from variables named like "
                f"this one; {CODE_REMEDY}"
            )
            raise InvalidSpec(message, code=VALIDATION, field=f"{field_}.name")
        if any(parameter.name == other.name for other in compiled):
            message = f"{field_}.name: {parameter.name} is there twice; remove one"
            raise InvalidSpec(message, code=VALIDATION, field=f"{field_}.name")
        try:
            expression = compile_expression(parameter.json_path) if parameter.json_path is not None else None
        except InvalidExpression as error:
            message = f"{field_}.jsonPath: {error.message}"
            raise InvalidSpec(message, code=VALIDATION, field=f"{field_}.jsonPath") from None
        compiled.append(
            CompiledParameter(name=parameter.name, value=parameter.value, expression=expression, source=parameter.from_)
        )
    return tuple(compiled)


def _check_keys(filters: tuple[Filter, ...], values: Mapping[str, str], *, target_known: bool) -> bool:
    """Say whether every placeholder has a value; a missing one is a problem unless the target may still bring it."""
    for index, rule in enumerate(filters):
        for key in rule.match_equals.keys if rule.match_equals is not None else ():
            if is_secret_name(key):
                field_ = f"spec.filters[{index}].matchEquals"
                message = f"{field_}: {{{key}}} is named like a secret, which no filter can be compared with; remove it"
                raise InvalidSpec(message, code=INVALID_FILTER, field=field_)
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
