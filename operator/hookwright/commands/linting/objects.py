"""The checks of objects in files: the operator's own, each problem once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hookwright.commands.file_objects import UNKNOWN, FileObject, FileObjects
from hookwright.commands.linting.doubling import check_doubling
from hookwright.commands.linting.mending import find_problems
from hookwright.commands.linting.said import Lint, Said, Severity, from_finding, from_problem, narrow
from hookwright.commands.linting.triggers import check_trigger
from hookwright.intake.rules import VALIDATION
from hookwright.intake.webhook_route import describe_shape, find_secret_refs
from hookwright.kinds import Authentication, BuildTrigger, CronJob, InvalidObject, ObjectKind, Webhook
from hookwright.kinds.texts import DNS_SUBDOMAIN
from hookwright.reconcile import checks
from hookwright.reconcile.checks import check_webhook
from hookwright.reconcile.webhook import INLINE_SECRET

LONGEST_NAME = 253
# Codes of what the operator has no word for.
UNFILTERED = "Unfiltered"
REPEATED = "Repeated"
_SECRET_REASONS = frozenset({checks.SECRET_KEY_MISSING, checks.SECRET_EMPTY, checks.SECRET_MALFORMED})


def check_objects(objects: FileObjects) -> list[Lint]:
    """Give all that is to be said of the Webhooks and BuildTriggers in files, Webhooks first, in the files' order."""
    told: list[Lint] = []
    for webhook in objects.webhooks:
        told += _attribute(webhook, Webhook.KIND, [*_check_name(webhook), *_check_webhook(webhook, objects)])
    for trigger in objects.buildtriggers:
        told += _attribute(trigger, BuildTrigger.KIND, [*_check_name(trigger), *check_trigger(trigger, objects)])
    return (
        told + _find_repeated(objects.webhooks, Webhook.KIND) + _find_repeated(objects.buildtriggers, BuildTrigger.KIND)
    )


def _attribute(obj: FileObject[Webhook] | FileObject[BuildTrigger], kind: str, said: Sequence[Said]) -> list[Lint]:
    """Say whose problems these are, each once."""
    return [
        Lint(
            file=obj.file,
            kind=kind,
            namespace=obj.namespace,
            name=obj.name,
            severity=one.severity,
            code=one.code,
            message=one.message,
        )
        for one in dict.fromkeys(said)
    ]


def _check_name(obj: FileObject[Webhook] | FileObject[BuildTrigger]) -> Iterator[Said]:
    """Check metadata.name, which the API server does for all kinds (Kubernetes, "Object Names and IDs")."""
    if len(obj.name) > LONGEST_NAME or not re.fullmatch(DNS_SUBDOMAIN, obj.name):
        message = (
            f"metadata.name: {obj.name!r}: should be at most {LONGEST_NAME} lower-case letters, digits, - and ., with "
            "a letter or digit at either end"
        )
        yield Said(code=VALIDATION, message=message)


def _find_repeated(
    objects: Sequence[FileObject[Webhook]] | Sequence[FileObject[BuildTrigger]], kind: str
) -> list[Lint]:
    """Note objects that are there twice, of which only the last counts."""
    seen: dict[tuple[str, str], FileObject[Webhook] | FileObject[BuildTrigger]] = {}
    told: list[Lint] = []
    for obj in objects:
        before = seen.get((obj.namespace, obj.name))
        if before is not None:
            message = f"it is in {before.file} too, and takes its place: remove one"
            told += _attribute(obj, kind, [Said(severity=Severity.NOTE, code=REPEATED, message=message)])
        seen[obj.namespace, obj.name] = obj
    return told


# ── Webhooks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_webhook(obj: FileObject[Webhook], objects: FileObjects) -> Iterator[Said]:
    if isinstance(obj.found, InvalidObject):
        for problem in obj.found.problems:
            yield from_problem(describe_shape(narrow(obj.found, problem)))
    webhook = obj.taken
    if webhook is None:
        return
    pipeline = webhook.spec.target_pipeline
    target = objects.target(kind=pipeline.kind, namespace=obj.namespace, name=pipeline.name)
    problems, mended = find_problems(webhook, target, objects.standing(obj.found))
    yield from (from_problem(problem) for problem in problems)
    yield from _check_secrets(mended, target, objects)
    yield from _check_target(mended, target)
    yield from _warn(webhook)
    yield from check_doubling(webhook, target)


def _check_secrets(webhook: Webhook, target: ObjectKind | InvalidObject | None, objects: FileObjects) -> Iterator[Said]:
    """Check the secrets that are in the files, each by itself, and note those that are not."""
    refs = find_secret_refs(webhook)
    found = [objects.secret(ref) for ref in refs]
    for index, secret in enumerate(found):
        if secret is UNKNOWN:
            message = f"Secret {refs[index].name} is not in the files, so that it was not checked"
            yield Said(severity=Severity.NOTE, code=checks.SECRET_NOT_FOUND, message=message)
        others = [UNKNOWN] * len(found)
        others[index] = secret
        finding = check_webhook(webhook, target, others)
        if finding is not None and finding.reason in _SECRET_REASONS:
            yield from_finding(finding)
    finding = None if refs else check_webhook(webhook, target)
    if finding is not None and finding.reason in _SECRET_REASONS:
        yield from_finding(finding)


def _check_target(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> Iterator[Said]:
    """Note a target that is not in the files; a CronJob has nobody else to say what is wrong with it."""
    pipeline = webhook.spec.target_pipeline
    if target is None:
        message = f"spec.targetPipeline.name: {pipeline.kind} {pipeline.name} is not in the files: it was not checked"
        yield Said(severity=Severity.NOTE, code=checks.TARGET_NOT_FOUND, message=message)
    if pipeline.kind == CronJob.KIND and isinstance(target, InvalidObject):
        finding = check_webhook(webhook, target)
        if finding is not None and finding.reason == checks.TARGET_NOT_READY:
            yield from_finding(finding)
    if (finding := checks.check_name_for_index(webhook, target)) is not None:
        yield from_finding(finding)


def _warn(webhook: Webhook) -> Iterator[Said]:
    """Warn of what works, and should be thought over."""
    spec = webhook.spec
    if spec.authentication_configuration.secret_token is not None:
        message = (
            "spec.authenticationConfiguration.secretToken can be read by who may read the Webhook, or these files: use "
            "secretTokenRef"
        )
        yield Said(severity=Severity.WARNING, code=INLINE_SECRET, message=message)
    if spec.authentication is Authentication.UNAUTHENTICATED and not spec.filters:
        message = (
            "spec.filters: none, with UNAUTHENTICATED: whoever learns the URL starts builds with anything; add a "
            "filter, or choose another spec.authentication"
        )
        yield Said(severity=Severity.WARNING, code=UNFILTERED, message=message)
    everywhere = spec.authentication_configuration.allowed_ip_range
    if spec.authentication is Authentication.IP and (everywhere or "").endswith("/0") and not spec.filters:
        message = (
            f"spec.filters: none, and allowedIPRange {everywhere} holds every address: whoever learns the URL starts "
            "builds with anything; add a filter, or name the sender's own range"
        )
        yield Said(severity=Severity.WARNING, code=UNFILTERED, message=message)
