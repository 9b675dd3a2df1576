"""A delivery to a Webhook that proves itself as its scheme wants it.

The payload is GitHub's, whatever the scheme: what it proves is the way from the sender to the build.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from hookwright.cluster import BUILDTRIGGERS, CRONJOBS, SECRETS, Cluster, Resource
from hookwright.cluster.secret_values import judge_secret
from hookwright.commands.delivering.prepared import Prepared, Wish
from hookwright.errors import UsageError
from hookwright.intake.webhook_decision import WebhookRoute
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import BuildTrigger, CronJob, InvalidObject, ObjectKind, Raw, Webhook, read
from hookwright.providers.github import dialect


async def prepare_for_webhook(cluster: Cluster, raw: Raw, name: str, wish: Wish) -> Prepared:
    """Make a delivery for a Webhook: body, headers and signature.

    Raises:
        UsageError: the Webhook is invalid, or there is no such event or secret.
        ClusterError: the API server refuses, or is away.
    """
    if wish.changes.given:
        raise UsageError(f"{wish.changes.given[0]} is for BuildTriggers: give a Webhook another body with --payload")
    try:
        webhook = read(Webhook, raw)
    except InvalidObject as invalid:
        raise UsageError(f"Webhook {name} is invalid: {invalid}") from None
    url = wish.url or webhook.status.url
    if url is None:
        raise UsageError(f"Webhook {name} has no URL yet; is Hookwright running?")
    route = compile_webhook(webhook, await _find_target(cluster, webhook))
    if route.problem is not None:
        raise UsageError(f"Webhook {name} is invalid: {route.problem.message}")
    body = _make_body(route, wish.event) if wish.body is None else wish.body
    given_id = wish.delivery_id or str(uuid.uuid4())
    headers = dialect.make_headers(event=wish.event, delivery_id=given_id, body=body, secret=None)
    if route.scheme.needs_secret:
        secret = await _find_secret(cluster, route)
        headers |= route.scheme.prove(body, secret, delivery_id=given_id, now=datetime.now(UTC))
    if route.delivery_id_header is not None:
        headers[route.delivery_id_header] = given_id
    hint = f"the sample is GitHub's {wish.event}; give another body with --payload"
    return Prepared(url=url, headers=headers, body=body, hint=hint if wish.body is None else None)


async def _find_target(cluster: Cluster, webhook: Webhook) -> ObjectKind | None:
    """Give what the Webhook starts; None if there is none, or one that cannot be read."""
    pipeline = webhook.spec.target_pipeline
    kinds: dict[str, tuple[type[ObjectKind], Resource]] = {
        BuildTrigger.KIND: (BuildTrigger, BUILDTRIGGERS),
        CronJob.KIND: (CronJob, CRONJOBS),
    }
    kind, resource = kinds[pipeline.kind]
    raw = await cluster.get(resource, namespace=webhook.metadata.namespace, name=pipeline.name)
    try:
        return read(kind, raw) if raw is not None else None
    except InvalidObject:
        return None


def _make_body(route: WebhookRoute, event: str) -> bytes:
    """Give a sample of `event`, as if it had happened in the repository and on the branch that the target builds."""
    values = route.values or route.own_values
    branch = values.get("Branch", values.get("BranchName"))
    try:
        sample = dialect.make_sample(event, repository=values.get("FullRepositoryId"), branch=branch)
    except KeyError:
        known = ", ".join(dialect.sample_events())
        raise UsageError(f"there is no sample of {event}, only of: {known}; give a body with --payload") from None
    return json.dumps(sample, separators=(",", ":")).encode()


async def _find_secret(cluster: Cluster, route: WebhookRoute) -> bytes:
    """Give the first live secret."""
    if route.inline_secret is not None:
        return route.inline_secret
    ref = route.secret_refs[0]
    found = judge_secret(await cluster.get(SECRETS, namespace=ref.namespace, name=ref.name), ref.key)
    if not found.values:
        raise UsageError(f"Secret {ref.name}, key {ref.key}: {found.state}")
    wrong = route.scheme.check_secret(found.values[0])
    if wrong is not None:
        raise UsageError(f"Secret {ref.name}, key {ref.key}: {wrong}")
    return found.values[0]
