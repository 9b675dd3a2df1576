"""The checks: from an object and what was found around it to its status. Pure; they read like the specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hookwright import reasons
from hookwright.builds.names import check_index
from hookwright.builds.plan import is_quota
from hookwright.builds.trigger_filters import Knows, know_nothing
from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.cluster.secret_values import FoundSecret, SecretState
from hookwright.errors import ClusterError, InvalidSpec
from hookwright.intake.route import Route, SecretRef
from hookwright.intake.rules import INVALID_AUTHENTICATION, PIPELINE_NOT_FOUND, VALIDATION
from hookwright.intake.trigger_route import compile_trigger
from hookwright.intake.trigger_rules import INVALID_INPUT
from hookwright.intake.webhook_route import compile_webhook, describe_shape
from hookwright.kinds import BuildTrigger, Condition, CronJob, InvalidObject, ObjectKind, Raw, Webhook
from hookwright.kinds.conditions import last_delivery_failed, ready, reason_of_ready, settle, stalled, waiting
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
SECRET_MALFORMED = "SecretMalformed"  # noqa: S105 - a reason's name
SECRET_FORBIDDEN = "SecretForbidden"  # noqa: S105 - a reason's name
SECRET_NOT_OWNED = "SecretNotOwned"  # noqa: S105 - a reason's name
# What can be wrong with the secret of a BuildTrigger.
OWN_SECRET_REASONS = (
    SECRET_NOT_FOUND,
    SECRET_KEY_MISSING,
    SECRET_EMPTY,
    SECRET_MALFORMED,
    SECRET_FORBIDDEN,
    SECRET_NOT_OWNED,
)
TARGET_NOT_FOUND = "TargetNotFound"
TARGET_FORBIDDEN = "TargetForbidden"
TARGET_NOT_READY = "TargetNotReady"
TEMPLATE_INVALID = "TemplateInvalid"
ACCOUNT_NOT_FOUND = "ServiceAccountNotFound"
TEMPLATE_FORBIDDEN = "TemplateForbidden"
TEMPLATE_UNTRIED = "TemplateUntried"

# CodeBuild's name, for BuildTriggers.
RESOURCE_NOT_FOUND = "ResourceNotFoundException"

# kube-apiserver's words when an admission webhook has side effects.
NO_DRY_RUN = "does not support dry run"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why an object does not do its work: the condition's reason, the error's code, and the message.

    `heals` says that nobody needs to touch the object itself: what is missing may come.
    """

    reason: str
    code: str
    message: str
    heals: bool


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What the API server said of a build when asked by a dry run as `service_account`; no error: it would take it.

    `absent`: it forbids it, and there is no such ServiceAccount. `missing_of_pods` is the ServiceAccount of the build's
    pods, if there is none: then it takes the build all the same.
    """

    service_account: str
    absent: bool = False
    missing_of_pods: str | None = None
    error: ClusterError | None = None


def check_webhook(
    webhook: Webhook | InvalidObject,
    target: ObjectKind | InvalidObject | None,
    secrets: Sequence[FoundSecret] = (),
    *,
    standing: Standing = GOOD_STANDING,
    tried: Tried | None = None,
    cronjobs_known: bool = True,
) -> Finding | None:
    """Give the first thing that is wrong with a Webhook; None if deliveries to it can start builds.

    `secrets` are what was found where its route's `secret_refs` point to, in that order. `tried` is there if the build
    was tried for this very Webhook. `cronjobs_known` says whether CronJobs can be seen at all.
    """
    if isinstance(webhook, InvalidObject):
        problem = describe_shape(webhook)
        return Finding(reason=INVALID_SPEC, code=problem.code, message=problem.message, heals=False)
    route = compile_webhook(webhook, target, standing)
    if route.problem is not None:
        # A name or a place may become free without this object being touched.
        return _refuse(route.problem, heals=standing is not GOOD_STANDING)
    for finding in _check_secrets(webhook, route, secrets):
        return finding
    return (
        _check_target(webhook, target, cronjobs_known=cronjobs_known)
        or check_name_for_index(webhook, target)
        or (_check_tried(tried) if tried is not None else None)
    )


def _check_target(
    webhook: Webhook, target: ObjectKind | InvalidObject | None, *, cronjobs_known: bool
) -> Finding | None:
    kind, name = webhook.spec.target_pipeline.kind, webhook.spec.target_pipeline.name
    if target is None and kind == CronJob.KIND and not cronjobs_known:
        message = (
            f"spec.targetPipeline.kind: Hookwright may not see CronJobs, so that {name} cannot be found; allow list "
            "and watch on cronjobs of batch in its ClusterRole"
        )
        return Finding(reason=TARGET_FORBIDDEN, code=PIPELINE_NOT_FOUND, message=message, heals=True)
    if target is None:
        message = (
            f"spec.targetPipeline.name: there is no {kind} {name} in namespace {webhook.metadata.namespace}; create "
            "it, or correct the name"
        )
        return Finding(reason=TARGET_NOT_FOUND, code=PIPELINE_NOT_FOUND, message=message, heals=True)
    why = str(target) if isinstance(target, InvalidObject) else None
    if isinstance(target, BuildTrigger) and not _lacks_only_secret(target):
        why = target.status.error_message
    if why is not None:
        message = f"spec.targetPipeline.name: {kind} {name} is not ready: {why}"
        return Finding(reason=TARGET_NOT_READY, code=PIPELINE_NOT_FOUND, message=message, heals=True)
    return None


def check_name_for_index(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> Finding | None:
    """Say whether the Webhook's name, of which those of its builds are made, is too long for an Indexed Job."""
    match target:
        case BuildTrigger():
            template = target.spec.build.job_template
        case CronJob():
            template = target.spec.job_template
        case _:
            return None
    wrong = check_index(Webhook.KIND, webhook.metadata.name, template)
    # The Webhook itself need not be touched: the target's template may become another.
    return _refuse_name(VALIDATION, "metadata.name", wrong, heals=True) if wrong is not None else None


def _refuse_name(code: str, where: str, wrong: str, *, heals: bool) -> Finding:
    return Finding(reason=TEMPLATE_INVALID, code=code, message=f"{where}: {wrong}", heals=heals)


def _lacks_only_secret(target: BuildTrigger) -> bool:
    """Say whether what is wrong with a BuildTrigger is its own secret: Webhooks start its builds all the same."""
    return reason_of_ready(target.status.conditions) in OWN_SECRET_REASONS


def _check_tried(tried: Tried) -> Finding | None:
    """Say what a dry run that was made for a Webhook means for it."""
    finding = judge_dry_run(tried, code=VALIDATION, where="spec.targetPipeline")
    # The Webhook itself need not be touched: the target's template may be mended.
    return None if finding is None else replace(finding, heals=True)


def is_judged(target: BuildTrigger) -> bool:
    """Say whether the status of a BuildTrigger is about its spec as it is now."""
    return target.status.observed_generation == target.metadata.generation


def _refuse(problem: InvalidSpec, *, heals: bool) -> Finding:
    return Finding(reason=INVALID_SPEC, code=problem.code, message=problem.message, heals=heals)


def _check_secrets(webhook: Webhook, route: Route, secrets: Sequence[FoundSecret]) -> Iterator[Finding]:
    """Give what is wrong with each of the secrets that cannot be used."""
    first = webhook.spec.authentication_configuration.secret_token_ref is not None
    for index, (ref, found) in enumerate(zip(route.secret_refs, secrets, strict=False)):
        where = "spec.authenticationConfiguration.secretTokenRef"
        if index or not first:
            where = f"spec.authenticationConfiguration.additionalSecretTokenRefs[{index - first}]"
        finding = _check_secret(found.state, where, ref)
        wrong = next((w for value in found.values if (w := route.scheme.check_secret(value)) is not None), None)
        if finding is None and wrong is not None:
            message = (
                f"{where}: key {ref.key} of Secret {ref.name} is no secret for {webhook.spec.authentication}: {wrong}"
            )
            finding = Finding(reason=SECRET_MALFORMED, code=INVALID_AUTHENTICATION, message=message, heals=True)
        if finding is not None:
            yield finding
    if route.inline_secret is not None and (wrong := route.scheme.check_secret(route.inline_secret)) is not None:
        message = f"spec.authenticationConfiguration.secretToken: no secret for {webhook.spec.authentication}: {wrong}"
        yield Finding(reason=SECRET_MALFORMED, code=INVALID_AUTHENTICATION, message=message, heals=False)


def _check_secret(state: SecretState, where: str, ref: SecretRef) -> Finding | None:
    name, key = ref.name, ref.key
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
    trigger: BuildTrigger | InvalidObject,
    tried: Tried | None,
    *,
    standing: Standing = GOOD_STANDING,
    knows: Knows = know_nothing,
) -> Finding | None:
    """Give the first thing that is wrong with a BuildTrigger; None if builds of it can be started.

    `tried` is what the API server said of its Job; None if it was not asked, since the object is not of its shape.
    `knows` says what its provider can be asked for.
    """
    route = compile_trigger(trigger, standing, knows)
    if route.problem is not None:
        # A name may become free without this object being touched.
        return _refuse(route.problem, heals=standing is not GOOD_STANDING)
    if isinstance(trigger, BuildTrigger) and (finding := check_own_name_for_index(trigger)) is not None:
        return finding
    return judge_dry_run(tried, code=INVALID_INPUT, where="spec.build.jobTemplate") if tried is not None else None


def check_own_name_for_index(trigger: BuildTrigger) -> Finding | None:
    """Say whether a BuildTrigger's name is too long for an Indexed Job."""
    wrong = check_index(BuildTrigger.KIND, trigger.metadata.name, trigger.spec.build.job_template)
    return _refuse_name(INVALID_INPUT, "metadata.name", wrong, heals=False) if wrong is not None else None


def judge_dry_run(tried: Tried, *, code: str, where: str) -> Finding | None:
    """Say what an answer to a dry run means; None if the build would be taken.

    An admission webhook that cannot be asked without effect says nothing about the build.
    """
    error, account = tried.error, tried.service_account
    if tried.absent or tried.missing_of_pods is not None:
        # CodePipeline has no name for it.
        code = RESOURCE_NOT_FOUND if code == INVALID_INPUT else code
        message = _describe_missing_account(tried, where)
        return Finding(reason=ACCOUNT_NOT_FOUND, code=code, message=message, heals=True)
    if error is None or error.reason == "AlreadyExists" or NO_DRY_RUN in error.message:
        return None
    if is_quota(error):
        # A quota that is used up now says nothing about the build; deliveries wait for it.
        return None
    if error.transient:
        message = f"the Job could not be tried, and is tried again: {error.message}"
        return Finding(reason=TEMPLATE_UNTRIED, code=code, message=message, heals=True)
    if error.status == 403:  # noqa: PLR2004 - Forbidden
        message = (
            f"ServiceAccount {account} may not create the build: {error.message}; give it the verb create on jobs by a "
            "Role in this namespace, or mend the quota or the policy that forbids it"
        )
        if "cannot impersonate" in error.message:
            message = (
                f"Hookwright may not act as ServiceAccount {account}: {error.message}; see that there is such a "
                "ServiceAccount, and give Hookwright the verb impersonate on it by a Role in this namespace "
                "(hookwright grant prints one)"
            )
        return Finding(reason=TEMPLATE_FORBIDDEN, code=code, message=message, heals=True)
    return Finding(
        reason=TEMPLATE_INVALID,
        code=code,
        message=f"{where}: the API server refuses the Job: {error.message}",
        heals=False,
    )


def _describe_missing_account(tried: Tried, where: str) -> str:
    if tried.missing_of_pods is not None:
        return (
            f"{where}: its pods have the ServiceAccount {tried.missing_of_pods}, which is not in this namespace: "
            "Kubernetes takes the Job, and starts no pod; create the account, or name another in the pod's template"
        )
    return (
        f"there is no ServiceAccount {tried.service_account} in this namespace, as which builds are created: create "
        "it, or correct serviceAccountName"
    )


def conditions_of(
    obj: OurObject,
    finding: Finding | None,
    *,
    good: tuple[str, str],
    now: datetime,
    more: Sequence[Condition] = (),
) -> list[Condition]:
    """Give an object's conditions; `good` are reason and message of Ready where nothing is wrong.

    `more` are conditions that only its kind has.
    """
    generation = obj.metadata.generation
    if finding is None:
        wanted = ready(*good, now=now, generation=generation)
    elif finding.heals:
        wanted = waiting(finding.reason, finding.message, now=now, generation=generation)
    else:
        wanted = stalled(finding.reason, finding.message, now=now, generation=generation)
    if not isinstance(obj, InvalidObject):
        last = obj.status.last_delivery
        if last is not None and last.outcome == Outcome.FAILED:
            wanted.append(last_delivery_failed(last.reason, last.message, now=now, generation=generation))
    return settle([*wanted, *more], found_conditions(obj))


def found_conditions(obj: OurObject) -> Sequence[Condition]:
    """Give the conditions that an object's status has now."""
    return obj.conditions if isinstance(obj, InvalidObject) else obj.status.conditions


def found_status(obj: OurObject) -> Raw:
    """Give an object's status as it is now."""
    return obj.found_status if isinstance(obj, InvalidObject) else obj.status.to_raw()


def status_patch(found: Raw, wanted: Raw) -> dict[str, Any]:
    """Give the merge patch that makes `found` into `wanted` for the members of `wanted`; None there removes one.

    A list that is not there is an empty one.
    """
    return {
        name: _replace(found.get(name), value)
        for name, value in wanted.items()
        if found.get(name, [] if value == [] else None) != value
    }


def _replace(found: object, wanted: object) -> object:
    """Give what a merge patch must say so that `wanted` stands there: an object would else keep its other members."""
    if not isinstance(found, Mapping) or not isinstance(wanted, Mapping):
        return wanted
    return {**dict.fromkeys(found.keys() - wanted.keys()), **wanted}
