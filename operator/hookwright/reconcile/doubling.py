"""Who builds twice: a BuildTrigger that takes deliveries itself and is the target of a Webhook too. Pure.

Both are as they should be, and may well be meant. But as at AWS, where a project that a webhook and a pipeline both use
builds each commit twice, it is most often a leftover.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hookwright.kinds import BuildTrigger, Condition, InvalidObject, ObjectKind, Webhook
from hookwright.kinds.conditions import BUILDS_TWICE, builds_twice

# Reason of the condition, and of Kubernetes Events.
TARGET_OF_WEBHOOK = "TargetOfWebhook"
TARGET_TAKES_DELIVERIES = "TargetTakesDeliveries"
MAX_NAMED = 5

__all__ = ["BUILDS_TWICE", "TARGET_OF_WEBHOOK", "TARGET_TAKES_DELIVERIES", "doubles", "warn_trigger", "warn_webhook"]


def doubles(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> bool:
    """Say whether one push can start a build by the Webhook and another by its target itself."""
    if not isinstance(target, BuildTrigger) or target.spec.source.provider is None:
        return False
    return not webhook.spec.suspend and not target.spec.suspend


def warn_webhook(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> str | None:
    """Say of a Webhook that its target may build twice; None if it does not."""
    if not doubles(webhook, target):
        return None
    return (
        f"spec.targetPipeline.name: BuildTrigger {webhook.spec.target_pipeline.name} takes deliveries itself, by its "
        "spec.source.provider: one push may start two builds; remove one of the two, or see that their filters never "
        "let the same pass"
    )


def warn_trigger(trigger: BuildTrigger, webhooks: Sequence[Webhook], *, now: datetime) -> tuple[Condition, ...]:
    """Give the condition of a BuildTrigger that may build twice; `webhooks` are those whose target it is."""
    names = [webhook.metadata.name for webhook in webhooks if doubles(webhook, trigger)]
    if not names:
        return ()
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    message = (
        f"one push may start two builds: the BuildTrigger takes deliveries itself, by spec.source.provider, and is the "
        f"target of Webhook {', '.join(names[:MAX_NAMED])}{more}; remove one of the two, or see that their filters "
        "never let the same pass"
    )
    generation = trigger.metadata.generation
    return (builds_twice(TARGET_OF_WEBHOOK, message, now=now, generation=generation),)
