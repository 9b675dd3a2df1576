"""`hookwright deliver`: a sample delivery, signed as its sender signs it, to a Webhook or a BuildTrigger."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import click
import httpx

from hookwright.cluster import BUILDTRIGGERS, WEBHOOKS, Cluster
from hookwright.commands.delivering.prepared import Changes, Prepared, Wish
from hookwright.commands.delivering.to_trigger import prepare_for_trigger
from hookwright.commands.delivering.to_webhook import prepare_for_webhook
from hookwright.commands.files import read_bytes
from hookwright.commands.manifests import put_on_one_line
from hookwright.commands.naming import KINDS, read_name
from hookwright.errors import HookwrightError, UsageError
from hookwright.kinds import BuildTrigger, Webhook
from hookwright.providers.github import dialect
from hookwright.reasons import Outcome
from hookwright.scm import EventType

TIMEOUT_SECONDS = 35.0
LARGEST_PORT = 65535
EVENTS = (
    f"What happened. To a Webhook GitHub's {' or '.join(dialect.sample_events())}; to a BuildTrigger, in the form of "
    f"its provider, ping or {', '.join(EventType)}, in capitals or not."
)


@click.command(
    short_help="Send a delivery, as who calls the URL would make and sign it.",
    epilog="Example: hookwright deliver hello --event push. "
    "Example: hookwright deliver bt/hello --event pull_request_created --branch feature/x. "
    "Exit code 0 means that it was answered with a 2xx.",
)
@click.argument("name")
@click.option("-n", "--namespace", help="The object's namespace. Default: that of the kubeconfig.")
@click.option("--event", default="push", show_default=True, help=EVENTS)
@click.option("--payload", type=click.Path(path_type=Path), help="The body. Default: a sample that fits the target.")
@click.option("--repository", metavar="OWNER/NAME", help="Where the sample happens. Default: spec.source.")
@click.option(
    "--branch", help="What the sample pushes, or its pull request brings. Default: spec.source.branch, feature/hello."
)
@click.option("--base", metavar="BRANCH", help="What its pull request is to be merged into.")
@click.option("--tag", help="A tag, pushed instead of a branch; or that of the release.")
@click.option("--sha", metavar="COMMIT", help="The commit.")
@click.option("--message", help="Its message.")
@click.option("--changed", metavar="PATH", multiple=True, help="A file that the push changes; several of them.")
@click.option("--pull-request", type=click.IntRange(min=1), metavar="NUMBER", help="The pull request's number.")
@click.option("--fork", is_flag=True, default=None, help="The pull request comes from a fork.")
@click.option("--delivery-id", help="The delivery's id. Default: a new one. Use one again to redeliver.")
@click.option("--url", help="Send it there instead of to status.url or status.payloadUrl.")
@click.option("--kubeconfig", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The cluster.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def deliver(
    context: click.Context,
    /,
    name: str,
    namespace: str | None,
    event: str,
    payload: Path | None,
    delivery_id: str | None,
    url: str | None,
    kubeconfig: Path | None,
    output: str,
    changed: tuple[str, ...],
    **changes: Any,  # Any: the options that change a sample, each of the type of its field in `Changes`
) -> None:
    """Send a delivery to NAME, a Webhook or a BuildTrigger, as whoever calls it would make and sign it.

    Of a Webhook and a BuildTrigger with one name the Webhook is meant; bt/NAME is the BuildTrigger. The options from
    --repository to --fork change the sample for a BuildTrigger.
    """
    if delivery_id is not None and not re.fullmatch(r"[!-~]{1,128}", delivery_id):
        raise UsageError(f"--delivery-id {delivery_id!r}: 1 to 128 printable ASCII characters without blanks")
    wish = Wish(
        event=event,
        body=read_bytes(payload) if payload is not None else None,
        delivery_id=delivery_id,
        url=url,
        changes=Changes(changed=changed or None, **changes),
    )

    async def work() -> tuple[int, dict[str, Any], str | None]:
        from hookwright.commands.access import reach_cluster

        async with reach_cluster(kubeconfig) as (cluster, chosen):
            prepared = await prepare(cluster, namespace or chosen, name, wish)
        return *await send(prepared), prepared.hint

    status, answer, hint = asyncio.run(work())
    if output == "json":
        click.echo(json.dumps({"status": status, **answer}))
    else:
        click.echo(render(status, answer, hint=hint))
    context.exit(0 if status < 300 else 1)  # noqa: PLR2004 - HTTP's successes end there


async def prepare(cluster: Cluster, namespace: str, name: str, wish: Wish) -> Prepared:
    """Make a delivery for the object that `name` means; of a Webhook and a BuildTrigger of one name it is the Webhook.

    Raises:
        UsageError: there is no such object, event or secret.
        ClusterError: the API server refuses, or is away.
    """
    named = read_name(name)
    if named.may_be(Webhook):
        raw = await cluster.get(WEBHOOKS, namespace=namespace, name=named.name)
        if raw is not None:
            return await prepare_for_webhook(cluster, raw, named.name, wish)
    if named.may_be(BuildTrigger):
        raw = await cluster.get(BUILDTRIGGERS, namespace=namespace, name=named.name)
        if raw is not None:
            return await prepare_for_trigger(cluster, raw, named, wish)
    kinds = " and no ".join(kind.KIND for kind in KINDS if named.may_be(kind))
    raise UsageError(f"there is no {kinds} {named.name} in namespace {namespace}")


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


def render(status: int, answer: dict[str, Any], *, hint: str | None = None) -> str:
    """Give the answer for people; `hint` says what to do if our own sample is ignored."""
    lines = [f"{status} {answer.get('outcome')} ({answer.get('reason')}): {answer.get('message')}"]
    lines += [f"  {build['kind']} {build['namespace']}/{build['name']}" for build in answer.get("builds") or []]
    if hint is not None and answer.get("outcome") == Outcome.IGNORED:
        lines.append(f"  {hint}")
    # Whoever answers at that URL may not be a receiver.
    return "\n".join(put_on_one_line(line) for line in lines)
