"""Webhooks in files whose target, in the files too, takes deliveries itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from hookwright.commands.linting.said import Said, Severity
from hookwright.kinds import InvalidObject, ObjectKind, Webhook
from hookwright.reconcile.doubling import BUILDS_TWICE, warn_webhook


def check_doubling(webhook: Webhook, target: ObjectKind | InvalidObject | None) -> Iterator[Said]:
    """Warn of a push that may start two builds."""
    message = warn_webhook(webhook, target)
    if message is not None:
        yield Said(severity=Severity.WARNING, code=BUILDS_TWICE, message=message)
