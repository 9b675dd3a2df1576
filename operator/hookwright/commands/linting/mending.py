"""All problems of a Webhook's spec: what the operator's check refuses is put right, and it is asked again. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from hookwright.builds.targets import find_api_version, find_source_action
from hookwright.cluster.claims import Standing
from hookwright.errors import InvalidSpec
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import MAX_TAGS, Authentication, AuthenticationConfiguration, InvalidObject, ObjectKind, Webhook
from hookwright.kinds.webhook import WebhookFilter, WebhookParameter, WebhookTag

# Filters, parameters, tags and keys are bounded; nothing has more problems than this.
MOST_PROBLEMS = 400
_INDEXED = re.compile(r"spec\.(filters|parameters|tags)\[(\d+)\]")
_DEFAULT_WINDOW = "1h"


def find_problems(
    webhook: Webhook, target: ObjectKind | InvalidObject | None, standing: Standing
) -> tuple[list[InvalidSpec], Webhook]:
    """Give everything that `compile_webhook` refuses, and a copy of the Webhook without it.

    What it refuses first is put right, and it is asked again, until it has nothing more to say.
    """
    problems: list[InvalidSpec] = []
    while len(problems) < MOST_PROBLEMS:
        problem = compile_webhook(webhook, target, standing).problem
        if problem is None:
            break
        problems.append(problem)
        if problem.field == "spec.name":
            standing = replace(standing, name_holder=None)
        elif problem.field == "metadata.namespace":
            standing = replace(standing, quota=None)
        elif (mended := mend(webhook, problem.field, target)) is not None:
            webhook = mended
        else:
            break
    return problems, webhook


def mend(webhook: Webhook, field: str, target: ObjectKind | InvalidObject | None) -> Webhook | None:
    """Give a copy of a Webhook in which nothing is wrong with `field` any more; None for one that is not known here.

    Places in lists stay as they are, so that later problems are said of the right one.
    """
    spec = webhook.spec
    changes: dict[str, object] = {}
    part = field.removeprefix("spec.").partition(".")[0]
    if (indexed := _INDEXED.match(field)) is not None:
        name, index = indexed[1], int(indexed[2])
        whole: list[object] = list(getattr(spec, name))
        whole[index] = _make_harmless(name, index)
        changes = {name: whole}
    elif part == "authenticationConfiguration":
        changes = {
            "authentication": Authentication.UNAUTHENTICATED,
            "authentication_configuration": AuthenticationConfiguration(),
        }
    elif part == "tags":
        changes = {"tags": spec.tags[:MAX_TAGS]}
    elif part == "targetPipeline":
        version = find_api_version(spec.target_pipeline.kind)
        changes = {"target_pipeline": spec.target_pipeline.model_copy(update={"api_version": version})}
    elif part == "duplicateWindow":
        changes = {"duplicate_window": _DEFAULT_WINDOW}
    elif part == "deliveryIdHeader":
        changes = {"delivery_id_header": None}
    elif part == "actionConfiguration":
        key = field.rpartition(".")[2]
        changes = {"action_configuration": {k: v for k, v in spec.action_configuration.items() if k != key}}
    elif part == "targetAction" and target is not None and not isinstance(target, InvalidObject):
        changes = {"target_action": find_source_action(target)}
    if not changes:
        return None
    return webhook.model_copy(update={"spec": spec.model_copy(update=changes)})


def _make_harmless(name: str, index: int) -> WebhookFilter | WebhookParameter | WebhookTag:
    """Give an item of a list with which nothing is wrong."""
    if name == "filters":
        return WebhookFilter(json_path="$")
    if name == "parameters":
        return WebhookParameter(name=f"mended__{index}", value="")
    return WebhookTag(key=f"mended/{index}", value="")
