"""The checks: from an object and what was found around it to its status. Pure; they read like the specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hookwright import reasons
from hookwright.cluster.secret_values import FoundSecret, SecretState
from hookwright.errors import ClusterError, InvalidSpec
from hookwright.intake.route import (
    INVALID_AUTHENTICATION,
    PIPELINE_NOT_FOUND,
    compile_route,
    describe_shape,
)
from hookwright.kinds import BuildTrigger, Condition, InvalidObject, Raw, Webhook
from hookwright.kinds.conditions import last_delivery_failed, ready, settle, stalled, waiting
from hookwright.reasons import Outcome

OurObject = Webhook | BuildTrigger | InvalidObject

# Reasons of the condition Ready. Those of deliveries are in `hookwright.reasons`; one word is both.
LISTENING = "Listening"
STARTABLE = "Startable"
SUSPENDED = reasons.SUSPENDED.name
INVALID_SPEC = "InvalidSpec"
SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason's name
SECRET_KEY_MISSING = "SecretKeyMissing"  # noqa: S105 - a reason's name
SECRET_EMPTY = "SecretEmpty"  # noqa: S105 - a reason's name
SECRET_FORBIDDEN = "SecretForbidden"  # noqa: S105 - a reason's name
TARGET_NOT_FOUND = "TargetNotFound"
TARGET_NOT_READY = "TargetNotReady"
TEMPLATE_INVALID = "TemplateInvalid"
TEMPLATE_FORBIDDEN = "TemplateForbidden"
TEMPLATE_UNTRIED = "TemplateUntried"

# CodeBuild's names, for BuildTriggers.
INVALID_INPUT = "InvalidInputException"

# kube-apiserver's words when an admission webhook has side effects.
NO_DRY_RUN = "does not support dry run"
# The floor for how long a finished Job is kept, in seconds.
SHORTEST_LIFETIME = 3600


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why an object does not do its work: the condition's reason, the error's code, and the message.

    `heals` says that nobody needs to touch the object itself: what is missing may come.
    """

    reason: str
    code: str
    message: str
    heals: bool


def check_webhook(
    webhook: Webhook | InvalidObject, target: BuildTrigger | InvalidObject | None, secret: FoundSecret | None
) -> Finding | None:
    """Give the first thing that is wrong with a Webhook; None if deliveries to it can start builds."""
    if isinstance(webhook, InvalidObject):
        problem = describe_shape(webhook)
        return Finding(reason=INVALID_SPEC, code=problem.code, message=problem.message, heals=False)
    route = compile_route(webhook, target)
    if route.problem is not None:
        return _refuse(route.problem)
    if route.secret_ref is not None and secret is not None and secret.state is not SecretState.USABLE:
        where = "spec.authenticationConfiguration.secretTokenRef"
        return _check_secret(secret.state, where, route.secret_ref.name, route.secret_ref.key)
    name = webhook.spec.target_pipeline.name
    if target is None:
        message = (
            f"spec.targetPipeline.name: there is no {BuildTrigger.KIND} {name} in namespace "
            f"{webhook.metadata.namespace}; create it, or correct the name"
        )
        return Finding(reason=TARGET_NOT_FOUND, code=PIPELINE_NOT_FOUND, message=message, heals=True)
    why = str(target) if isinstance(target, InvalidObject) else target.status.error_message
    if why is not None:
        message = f"spec.targetPipeline.name: {BuildTrigger.KIND} {name} is not ready: {why}"
        return Finding(reason=TARGET_NOT_READY, code=PIPELINE_NOT_FOUND, message=message, heals=True)
    return None


def is_judged(target: BuildTrigger) -> bool:
    """Say whether the status of a BuildTrigger is about its spec as it is now."""
    return target.status.observed_generation == target.metadata.generation


def _refuse(problem: InvalidSpec) -> Finding:
    return Finding(reason=INVALID_SPEC, code=problem.code, message=problem.message, heals=False)


def _check_secret(state: SecretState, where: str, name: str, key: str) -> Finding | None:
    match state:
        case SecretState.NO_SECRET:
            reason, message = SECRET_NOT_FOUND, f"{where}.name: there is no Secret {name}; create it"
        case SecretState.NO_KEY:
            reason, message = SECRET_KEY_MISSING, f"{where}.key: Secret {name} has no key {key}; add it"
        case SecretState.EMPTY:
            reason, message = SECRET_EMPTY, f"{where}: key {key} of Secret {name} is empty; put the secret there"
        case SecretState.FORBIDDEN:
            reason, message = SECRET_FORBIDDEN, f"{where}: Hookwright may not read Secret {name}; give it the verb get"
        case _:
            return None
    return Finding(reason=reason, code=INVALID_AUTHENTICATION, message=message, heals=True)


def check_buildtrigger(
    trigger: BuildTrigger | InvalidObject, dry_run: ClusterError | None, service_account: str
) -> Finding | None:
    """Give the first thing that is wrong with a BuildTrigger; None if builds of it can be started.

    `dry_run` is what the API server said of its Job when asked as `service_account`; None if it would take it. An
    admission webhook that cannot be asked without effect says nothing about the Job.
    """
    if isinstance(trigger, InvalidObject):
        problem = trigger.problems[0]
        return Finding(
            reason=INVALID_SPEC, code=INVALID_INPUT, message=f"{problem.field}: {problem.message}", heals=False
        )
    lifetime = trigger.spec.build.job_template.spec.get("ttlSecondsAfterFinished")
    if isinstance(lifetime, int) and lifetime < SHORTEST_LIFETIME:
        message = (
            f"spec.build.jobTemplate.spec.ttlSecondsAfterFinished: {lifetime}: at least {SHORTEST_LIFETIME}, or leave "
            "it out: a delivery that comes again is recognised by its Job"
        )
        return Finding(reason=INVALID_SPEC, code=INVALID_INPUT, message=message, heals=False)
    if dry_run is None or dry_run.reason == "AlreadyExists" or NO_DRY_RUN in dry_run.message:
        return None
    if dry_run.transient:
        message = f"the Job could not be tried, and is tried again: {dry_run.message}"
        return Finding(reason=TEMPLATE_UNTRIED, code=INVALID_INPUT, message=message, heals=True)
    if dry_run.status == 403:  # noqa: PLR2004 - Forbidden
        message = f"ServiceAccount {service_account} may not create the build: {dry_run.message}"
        if "cannot impersonate" in dry_run.message:
            message = (
                f"Hookwright may not act as ServiceAccount {service_account}: {dry_run.message}; give it the verb "
                "impersonate on that ServiceAccount by a Role in this namespace"
            )
        return Finding(reason=TEMPLATE_FORBIDDEN, code=INVALID_INPUT, message=message, heals=True)
    message = f"spec.build.jobTemplate: the API server refuses the Job: {dry_run.message}"
    return Finding(reason=TEMPLATE_INVALID, code=INVALID_INPUT, message=message, heals=False)


def conditions_of(obj: OurObject, finding: Finding | None, *, good: tuple[str, str], now: datetime) -> list[Condition]:
    """Give an object's conditions; `good` are reason and message of Ready where nothing is wrong."""
    generation = obj.metadata.generation
    if finding is None:
        wanted = ready(*good, now=now, generation=generation)
    elif finding.heals:
        wanted = waiting(finding.reason, finding.message, now=now, generation=generation)
    else:
        wanted = stalled(finding.reason, finding.message, now=now, generation=generation)
    if isinstance(obj, Webhook):
        last = obj.status.last_delivery
        if last is not None and last.outcome == Outcome.FAILED:
            wanted.append(last_delivery_failed(last.reason, last.message, now=now, generation=generation))
    return settle(wanted, found_conditions(obj))


def found_conditions(obj: OurObject) -> Sequence[Condition]:
    """Give the conditions that an object's status has now."""
    return obj.conditions if isinstance(obj, InvalidObject) else obj.status.conditions


def found_status(obj: OurObject) -> Raw:
    """Give an object's status as it is now."""
    return obj.found_status if isinstance(obj, InvalidObject) else obj.status.to_raw()


def status_patch(found: Raw, wanted: Raw) -> dict[str, Any]:
    """Give the merge patch that makes `found` into `wanted` for the members of `wanted`; None there removes one."""
    return {name: value for name, value in wanted.items() if found.get(name) != value}
