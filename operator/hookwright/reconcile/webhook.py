"""Reconciling a Webhook: URL, ARN-like ID, error and conditions in line with its spec and what is around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hookwright.cluster import WEBHOOKS
from hookwright.cluster.mirror import Key
from hookwright.cluster.secret_values import FoundSecret, SecretState
from hookwright.intake.route import SecretRef
from hookwright.intake.routes import make_url
from hookwright.intake.rules import INVALID_AUTHENTICATION
from hookwright.intake.webhook_route import find_secret_refs
from hookwright.kinds import BuildTrigger, CronJob, InvalidObject, ObjectKind, Webhook
from hookwright.reconcile.checks import LISTENING, SUSPENDED, Finding, Tried, check_webhook, is_judged
from hookwright.reconcile.doubling import TARGET_TAKES_DELIVERIES, warn_webhook
from hookwright.reconcile.status import write_status
from hookwright.reconcile.trial import try_build
from hookwright.reconcile.work import NEVER, Again
from hookwright.reconcile.world import World, make_arn

# A Secret that is missing is looked for so often; one that is there, in case it goes; and what else may heal.
MISSING_SECRET_SECONDS = 10.0
FOUND_SECRET_SECONDS = 300.0
HEALING_SECONDS = 300.0
# A right that is missing may be given, and a template mended, without anything here changing.
FORBIDDEN_SECONDS = 30.0
UNTRIED_SECONDS = 10.0
INLINE_SECRET = "InlineSecret"  # noqa: S105 - a reason's name


async def reconcile_webhook(key: Key, world: World) -> Again:
    """Bring one Webhook's status in line; a Secret or target that comes later heals it by itself."""
    webhook = world.mirror.webhook(key.namespace, key.name)
    if webhook is None or webhook.metadata.deletion_timestamp is not None:
        return NEVER
    target = world.mirror.target_of(webhook)
    standing = world.mirror.standing(webhook)
    visible = world.cronjobs_known(key.namespace)
    secrets = await _find_secrets(webhook, world)
    if any(secret.state is SecretState.UNKNOWN for secret in secrets):
        # The API server did not say: that is no news about the Webhook.
        return Again(MISSING_SECRET_SECONDS)
    finding = check_webhook(webhook, target, secrets, standing=standing, cronjobs_known=visible)
    if finding is None and isinstance(target, BuildTrigger) and not is_judged(target):
        # Nothing is said before the target was looked at: its status will wake this Webhook.
        return NEVER
    tried = await _try(webhook, target, world) if finding is None else None
    if tried is not None:
        if tried.error is not None and tried.error.transient:
            return Again(UNTRIED_SECONDS)
        finding = check_webhook(webhook, target, secrets, standing=standing, tried=tried, cronjobs_known=visible)
    metadata = webhook.metadata
    aws_name = webhook.aws_name if isinstance(webhook, Webhook) else metadata.name
    await write_status(
        webhook,
        finding,
        world,
        kind=Webhook,
        resource=WEBHOOKS,
        good=_describe_good(webhook),
        members={
            "url": make_url(world.settings.public_url, world.root_keys.keys, metadata.uid),
            "arn": make_arn(Webhook, cluster=world.settings.cluster_name, namespace=metadata.namespace, name=aws_name),
        },
    )
    if isinstance(webhook, Webhook) and _is_new(webhook):
        for reason, message in _find_warnings(webhook, target):
            await world.announcer.announce(Webhook.KIND, metadata, reason=reason, message=message, warning=True)
    return _look_again(finding, tried, secrets)


def _look_again(finding: Finding | None, tried: Tried | None, secrets: Sequence[FoundSecret]) -> Again:
    """Say when something may have changed that nobody tells of."""
    if finding is not None and tried is not None:
        return Again(FORBIDDEN_SECONDS)
    if not secrets:
        # Such as the right to see CronJobs, of whose coming nobody tells.
        return Again(HEALING_SECONDS) if finding is not None and finding.heals else NEVER
    wrong = finding is not None and finding.code == INVALID_AUTHENTICATION
    return Again(MISSING_SECRET_SECONDS if wrong else FOUND_SECRET_SECONDS)


def _describe_good(webhook: Webhook | InvalidObject) -> tuple[str, str]:
    if isinstance(webhook, Webhook) and webhook.spec.suspend:
        return SUSPENDED, "spec.suspend is true: deliveries are answered and start nothing"
    return LISTENING, "deliveries to status.url are accepted"


def _is_new(webhook: Webhook) -> bool:
    """Say whether the spec is one that was not looked at before."""
    return webhook.status.observed_generation != webhook.metadata.generation


def _find_warnings(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> Iterator[tuple[str, str]]:
    """Give reason and message of what works, and should be thought over."""
    if webhook.spec.authentication_configuration.secret_token is not None:
        message = (
            "spec.authenticationConfiguration.secretToken can be read by who may read the Webhook: use secretTokenRef"
        )
        yield INLINE_SECRET, message
    if (doubling := warn_webhook(webhook, target)) is not None:
        yield TARGET_TAKES_DELIVERIES, doubling


async def _find_secrets(webhook: Webhook | InvalidObject, world: World) -> list[FoundSecret]:
    """Give what is where the Webhook says its secrets are; empty if it names no Secret."""
    if isinstance(webhook, InvalidObject):
        return []
    refs: tuple[SecretRef, ...] = find_secret_refs(webhook)
    return [await world.secrets.find(ref.namespace, ref.name, ref.key) for ref in refs]


async def _try(
    webhook: Webhook | InvalidObject, target: ObjectKind | InvalidObject | None, world: World
) -> Tried | None:
    """Try the build, where nobody else does: BuildTriggers try theirs, as their own ServiceAccount."""
    if isinstance(webhook, InvalidObject) or target is None or isinstance(target, InvalidObject):
        return None
    account = webhook.spec.service_account_name
    if not isinstance(target, CronJob) and account is None:
        return None
    return await try_build(Webhook.KIND, webhook.metadata, target, world, service_account=account)
