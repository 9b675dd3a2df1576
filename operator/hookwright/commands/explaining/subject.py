"""What a delivery is judged with: a Webhook and what is around it, from files or from a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hookwright.cluster.claims import GOOD_STANDING, Standing
from hookwright.cluster.secret_values import FoundSecret
from hookwright.commands.explaining.choosing import choose_one
from hookwright.commands.file_objects import FileObject, FileObjects, find_pipeline
from hookwright.intake.route import SecretRef
from hookwright.intake.webhook_route import find_secret_refs
from hookwright.kinds import InvalidObject, ObjectKind, Raw, Webhook


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A Webhook and what is around it.

    `secrets` are what is where the Webhook says its secrets are; UNKNOWN stands for what could not be looked at.
    `place` says, for messages, where things are.
    """

    webhook: Webhook | InvalidObject
    raw: Raw = field(repr=False)  # it may hold a secret
    target: ObjectKind | InvalidObject | None
    secrets: Sequence[tuple[SecretRef, FoundSecret]] = ()
    standing: Standing = GOOD_STANDING
    place: str


def choose(objects: FileObjects, name: str | None, namespace: str | None) -> Subject:
    """Give the Webhook in the files that is meant, with what is around it there.

    Raises:
        UsageError: there is none, or there are several.
    """
    return gather(objects, choose_one(Webhook, objects.webhooks, name, namespace))


def gather(objects: FileObjects, chosen: FileObject[Webhook]) -> Subject:
    """Give a Webhook of the files with what is around it there."""
    webhook = chosen.found
    if isinstance(webhook, Webhook):
        pipeline: tuple[str, str] | None = (webhook.spec.target_pipeline.kind, webhook.spec.target_pipeline.name)
    else:
        pipeline = find_pipeline(chosen.raw)
    target = None
    if pipeline is not None:
        target = objects.target(kind=pipeline[0], namespace=chosen.namespace, name=pipeline[1])
    refs = find_secret_refs(webhook) if isinstance(webhook, Webhook) else ()
    return Subject(
        webhook=webhook,
        raw=chosen.raw,
        target=target,
        secrets=[(ref, objects.secret(ref)) for ref in refs],
        standing=objects.standing(webhook),
        place="in the files",
    )
