"""`hookwright demo`: the whole story once, for real: apply, push, Job, status. Exit code 0 only if it all happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from hookwright.commands.deliver import prepare, render, send
from hookwright.commands.delivering.prepared import Prepared, Wish
from hookwright.commands.dev import Place, apply_manifests, run_dev, run_in_loop
from hookwright.errors import HookwrightError, UsageError
from hookwright.kinds import Webhook

PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.02
PORT = 0


@click.command(
    short_help="Show a push that starts a build, in a cluster made for it.",
    epilog="Example: hookwright demo -f examples/hello",
)
@click.option(
    "-f",
    "--file",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("examples/hello"),
    show_default=True,
    help="Manifests with one Webhook, its BuildTrigger and its Secret.",
)
def demo(folder: Path) -> None:
    """Show a push that starts a build, in a development cluster that is made for it and thrown away."""
    run_in_loop(show(folder))


async def show(folder: Path) -> None:
    """Tell the story.

    Raises:
        HookwrightError: something in it did not happen.
    """
    from hookwright.commands.files import read_manifests

    manifests = read_manifests([folder])
    names = [m["metadata"]["name"] for m in manifests if m["kind"] == Webhook.KIND]
    if len(names) != 1:
        raise UsageError(f"{folder}: the demo needs exactly one Webhook; there are {len(names)}")
    async with run_dev(port=PORT, api_port=0, kubeconfig=None, observe=lambda _: None, log_level="warning") as (
        place,
        running,
    ):
        tell(f"1. A development cluster with Hookwright runs at {place.api_url}.")
        apply_manifests(place.cluster, manifests)
        story = asyncio.create_task(_tell_story(place, names[0]))
        await asyncio.wait({story, running}, return_when=asyncio.FIRST_COMPLETED)
        if not story.done():
            story.cancel()
            running.result()
            raise HookwrightError("Hookwright ended before the demo did")
        story.result()


async def _tell_story(place: Place, name: str) -> None:
    from hookwright.commands.access import reach_cluster

    def find_webhook() -> dict[str, Any]:
        return place.cluster.get("webhooks.hookwright.dev", "default", name) or {}

    def is_ready() -> bool:
        conditions = find_webhook().get("status", {}).get("conditions", [])
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    await _wait(is_ready, "the Webhook did not become Ready")
    status = find_webhook()["status"]
    tell(f"2. Webhook {name} is ready:", url=status["url"], arn=status["arn"])
    async with reach_cluster(place.kubeconfig) as (cluster, namespace):
        push = await prepare(cluster, namespace, name, Wish())
    build = await _deliver(push, "3. A GitHub push with a true signature:", expected=202)
    job_name = build["builds"][0]["name"]

    def find_job() -> dict[str, Any]:
        return place.cluster.get("jobs.batch", namespace, job_name) or {}

    await _wait(lambda: bool(find_job().get("status", {}).get("succeeded")), "the Job did not complete")
    container = find_job()["spec"]["template"]["spec"]["containers"][0]
    tell(f"4. Job {job_name} ran to its end with:", **{v["name"]: v.get("value") for v in container["env"]})
    await _wait(lambda: "lastTriggered" in find_webhook()["status"], "lastTriggered did not appear in the status")
    await _deliver(push, "5. The same delivery again starts nothing:", expected=200)
    forged = replace(push, headers={**push.headers, "X-Hub-Signature-256": "sha256=" + "0" * 64})
    await _deliver(forged, "6. A forged signature is refused:", expected=401)
    jobs = place.cluster.list("jobs.batch", namespace)
    if len(jobs) != 1:
        raise HookwrightError(f"one push was to start one Job; there are {len(jobs)}")
    tell("7. The Webhook's status:", **find_webhook()["status"])
    tell(f"All of it happened. Keep it running with: hookwright dev -f examples/{name}")


async def _deliver(delivery: Prepared, title: str, *, expected: int) -> dict[str, Any]:
    status, answer = await send(delivery)
    click.echo(title)
    click.echo("   " + render(status, answer).replace("\n", "\n   "))
    if status != expected:
        raise HookwrightError(f"the answer was to be {expected}, and is {status}: {json.dumps(answer)}")
    return answer


async def _wait(happened: Callable[[], bool], otherwise: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            # What is polled lives in another thread, that of the development cluster.
            while not happened():  # noqa: ASYNC110
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise HookwrightError(f"{otherwise} within {PATIENCE_SECONDS:.0f} seconds") from None


def tell(title: str, **details: Any) -> None:  # Any: any JSON
    """Print one step of the story."""
    click.echo(title)
    for line in yaml.safe_dump(details, sort_keys=False, width=200).splitlines() if details else []:
        click.echo(f"   {line}")
