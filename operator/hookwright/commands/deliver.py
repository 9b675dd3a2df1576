"""`hookwright deliver`: a sample delivery that proves itself as the Webhook's scheme wants it.

The payload is GitHub's, whatever the scheme: what it proves is the way from the sender to the build.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx

from hookwright.cluster import BUILDTRIGGERS, CRONJOBS, SECRETS, WEBHOOKS, Cluster, Resource
from hookwright.cluster.secret_values import judge_secret
from hookwright.commands.files import read_bytes
from hookwright.errors import HookwrightError, UsageError
from hookwright.intake.webhook_decision import WebhookRoute
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import BuildTrigger, CronJob, InvalidObject, ObjectKind, Webhook, read
from hookwright.providers.github import dialect
from hookwright.reasons import Outcome

TIMEOUT_SECONDS = 35.0
LARGEST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A delivery that is ready to be sent."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@click.command(
    epilog="Example: hookwright deliver hello --event push. Exit code 0 means that it was answered with a 2xx."
)
@click.argument("name")
@click.option("-n", "--namespace", help="The Webhook's namespace. Default: that of the kubeconfig.")
@click.option("--event", default="push", show_default=True, help="What happened: " + ", ".join(dialect.sample_events()))
@click.option("--payload", type=click.Path(path_type=Path), help="The body. Default: a sample that fits the target.")
@click.option("--delivery-id", help="The delivery's id. Default: a new one. Use one again to redeliver.")
@click.option("--url", help="Send it there instead of to status.url.")
@click.option("--kubeconfig", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The cluster.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def deliver(
    context: click.Context,
    name: str,
    namespace: str | None,
    event: str,
    payload: Path | None,
    delivery_id: str | None,
    url: str | None,
    kubeconfig: Path | None,
    output: str,
) -> None:
    """Send a delivery that proves itself, as its scheme wants it, to the Webhook NAME."""
    body = read_bytes(payload) if payload is not None else None
    if delivery_id is not None and not re.fullmatch(r"[!-~]{1,128}", delivery_id):
        raise UsageError(f"--delivery-id {delivery_id!r}: 1 to 128 printable ASCII characters without blanks")

    async def work() -> tuple[int, dict[str, Any]]:
        from hookwright.commands.access import reach_cluster

        async with reach_cluster(kubeconfig) as (cluster, chosen):
            prepared = await prepare(
                cluster, namespace or chosen, name, event=event, body=body, delivery_id=delivery_id, url=url
            )
        return await send(prepared)

    status, answer = asyncio.run(work())
    if output == "json":
        click.echo(json.dumps({"status": status, **answer}))
    else:
        click.echo(render(status, answer, sample=event if payload is None else None))
    context.exit(0 if status < 300 else 1)  # noqa: PLR2004 - HTTP's successes end there


async def prepare(
    cluster: Cluster,
    namespace: str,
    name: str,
    *,
    event: str,
    body: bytes | None,
    delivery_id: str | None,
    url: str | None,
) -> Prepared:
    """Make a delivery for a Webhook: body, headers and signature.

    Raises:
        UsageError: there is no such Webhook, event or secret.
        ClusterError: the API server refuses, or is away.
    """
    raw = await cluster.get(WEBHOOKS, namespace=namespace, name=name)
    if raw is None:
        raise UsageError(f"there is no Webhook {name} in namespace {namespace}")
    try:
        webhook = read(Webhook, raw)
    except InvalidObject as invalid:
        raise UsageError(f"Webhook {name} is invalid: {invalid}") from None
    goal = url or webhook.status.url
    if goal is None:
        raise UsageError(f"Webhook {name} has no URL yet; is Hookwright running?")
    target = await _find_target(cluster, webhook)
    route = compile_webhook(webhook, target)
    if route.problem is not None:
        raise UsageError(f"Webhook {name} is invalid: {route.problem.message}")
    if body is None:
        body = _make_body(route, event)
    given_id = delivery_id or str(uuid.uuid4())
    headers = dialect.make_headers(event=event, delivery_id=given_id, body=body, secret=None)
    if route.scheme.needs_secret:
        secret = await _find_secret(cluster, route)
        headers |= route.scheme.prove(body, secret, delivery_id=given_id, now=datetime.now(UTC))
    if route.delivery_id_header is not None:
        headers[route.delivery_id_header] = given_id
    return Prepared(url=goal, headers=headers, body=body)


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


async def send(prepared: Prepared) -> tuple[int, dict[str, Any]]:
    """Send a delivery; give the HTTP status and the answer.

    Raises:
        UsageError: its URL is none.
        HookwrightError: the receiver does not answer.
    """
    url = read_url(prepared.url)
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client:
        try:
            response = await client.post(url, content=prepared.body, headers=prepared.headers)
        except httpx.HTTPError as error:
            raise HookwrightError(f"{url.netloc.decode()} does not answer: {type(error).__name__}") from None
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"outcome": None, "reason": None, "message": response.text[:200], "builds": []}
    return response.status_code, answer


def read_url(text: str) -> httpx.URL:
    """Read an http or https URL.

    Raises:
        UsageError: it is none.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UsageError(f"{text} is no URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > LARGEST_PORT:
        raise UsageError(f"{text} is no http or https URL")
    return url


def render(status: int, answer: dict[str, Any], *, sample: str | None = None) -> str:
    """Give the answer for people; `sample` is the event of which the body was our sample."""
    lines = [f"{status} {answer.get('outcome')} ({answer.get('reason')}): {answer.get('message')}"]
    lines += [f"  {build['kind']} {build['namespace']}/{build['name']}" for build in answer.get("builds") or []]
    if sample is not None and answer.get("outcome") == Outcome.IGNORED:
        lines.append(f"  the sample is GitHub's {sample}; give another body with --payload")
    return "\n".join(lines)
