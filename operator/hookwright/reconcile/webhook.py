"""Reconciling a Webhook: URL, ARN-like ID, error and conditions in line with its spec and what is around it."""

from __future__ import annotations

from hookwright.cluster import WEBHOOKS
from hookwright.cluster.mirror import Key
from hookwright.cluster.secret_values import FoundSecret, SecretState
from hookwright.intake.routes import make_url
from hookwright.kinds import Authentication, BuildTrigger, InvalidObject, Webhook
from hookwright.reconcile.checks import LISTENING, SUSPENDED, check_webhook, is_judged
from hookwright.reconcile.status import write_status
from hookwright.reconcile.work import NEVER, Again
from hookwright.reconcile.world import World, make_arn

# A Secret that is missing is looked for so often; one that is there, in case it goes.
MISSING_SECRET_SECONDS = 10.0
FOUND_SECRET_SECONDS = 300.0
INLINE_SECRET = "InlineSecret"  # noqa: S105 - a reason's name


async def reconcile_webhook(key: Key, world: World) -> Again:
    """Bring one Webhook's status in line; a Secret or target that comes later heals it by itself."""
    webhook = world.mirror.webhook(key.namespace, key.name)
    if webhook is None or webhook.metadata.deletion_timestamp is not None:
        return NEVER
    target = world.mirror.target_of(webhook)
    secret = await _find_secret(webhook, world)
    if secret is not None and secret.state is SecretState.UNKNOWN:
        # The API server did not say: that is no news about the Webhook.
        return Again(MISSING_SECRET_SECONDS)
    finding = check_webhook(webhook, target, secret)
    if finding is None and isinstance(target, BuildTrigger) and not is_judged(target):
        # Nothing is said before the target was looked at: its status will wake this Webhook.
        return NEVER
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
            "url": make_url(world.settings.public_url, world.root_keys, metadata.uid),
            "arn": make_arn(Webhook, cluster=world.settings.cluster_name, namespace=metadata.namespace, name=aws_name),
        },
    )
    if isinstance(webhook, Webhook) and webhook.status.arn is None and _has_inline_secret(webhook):
        message = (
            "spec.authenticationConfiguration.secretToken can be read by who may read the Webhook: use secretTokenRef"
        )
        await world.announcer.announce(Webhook.KIND, metadata, reason=INLINE_SECRET, message=message, warning=True)
    if secret is None:
        return NEVER
    return Again(FOUND_SECRET_SECONDS if secret.values else MISSING_SECRET_SECONDS)


def _describe_good(webhook: Webhook | InvalidObject) -> tuple[str, str]:
    if isinstance(webhook, Webhook) and webhook.spec.suspend:
        return SUSPENDED, "spec.suspend is true: deliveries are answered and start nothing"
    return LISTENING, "deliveries to status.url are accepted"


def _has_inline_secret(webhook: Webhook) -> bool:
    return webhook.spec.authentication_configuration.secret_token is not None


async def _find_secret(webhook: Webhook | InvalidObject, world: World) -> FoundSecret | None:
    """Give what is where the Webhook says its secret is; None if it names no Secret."""
    if isinstance(webhook, InvalidObject) or webhook.spec.authentication is Authentication.UNAUTHENTICATED:
        return None
    ref = webhook.spec.authentication_configuration.secret_token_ref
    if ref is None:
        return None
    return await world.secrets.find(webhook.metadata.namespace, ref.name, ref.key)
