"""`hookwright start`: a build by hand."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookwright.errors import UsageError
from hookwright.reasons import Outcome

if TYPE_CHECKING:
    from hookwright.commands.start_end import End
    from hookwright.commands.start_request import Answer

LONGEST_SECONDS = 86_400
START_SECONDS, END_SECONDS = 60, 3_600


@click.command(
    short_help="Start a build of a BuildTrigger by hand.",
    epilog=(
        "Example: hookwright start hello --ref main --wait. Exit code 0: the build was started, with --wait: it has "
        "succeeded; 1: it was not, or not yet. It takes the rights get and patch on buildtriggers, --wait get on jobs."
    ),
)
@click.argument("trigger")
@click.option(
    "--ref",
    help="What to build: a branch (main), refs/tags/v1, or a commit with all its digits. Default: spec.source.branch.",
)
@click.option("-n", "--namespace", help="The BuildTrigger's namespace. Default: that of the kubeconfig.")
@click.option("--wait", is_flag=True, help="Wait until the build has ended, too.")
@click.option(
    "--timeout",
    type=click.IntRange(1, LONGEST_SECONDS),
    help=f"For how many seconds to wait. Default: {START_SECONDS}, with --wait {END_SECONDS}.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The cluster.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def start(
    context: click.Context,
    trigger: str,
    ref: str | None,
    namespace: str | None,
    wait: bool,  # noqa: FBT001 - click gives it by its name
    timeout: int | None,
    kubeconfig: Path | None,
    output: str,
) -> None:
    """Start a build of the BuildTrigger TRIGGER (hello, or bt/hello), whatever its filters and spec.suspend say.

    It annotates the BuildTrigger, and waits until Hookwright has started the build or says why not.
    """
    # Imported here, with all that they bring: other commands do without.
    from hookwright.builds.by_hand import check_ref
    from hookwright.commands.manifests import check_label, check_subdomain
    from hookwright.commands.naming import read_name
    from hookwright.kinds import BuildTrigger

    named = read_name(trigger)
    if not named.may_be(BuildTrigger):
        raise UsageError(f"TRIGGER {trigger}: only BuildTriggers are started by hand")
    check_subdomain(named.name, "TRIGGER")
    if namespace is not None:
        check_label(namespace, "--namespace")
    if ref is not None and (wrong := check_ref(ref)) is not None:
        raise UsageError(f"--ref {wrong}")
    order = Order(
        trigger=named.name,
        ref=ref,
        namespace=namespace,
        seconds=timeout or (END_SECONDS if wait else START_SECONDS),
        waits=wait,
        told=click.echo if output == "text" else lambda _: None,
    )
    told = asyncio.run(_ask(order, kubeconfig))
    good = is_good(told)
    if output == "json":
        click.echo(json.dumps(describe(told, trigger=named.name), indent=2, ensure_ascii=False))
    elif not good:
        last = told.end.message if told.end is not None else f"{_prefix(told.answer)}{told.answer.message}"
        click.echo(f"hookwright: {last}", err=True)
    elif told.end is not None:
        click.echo(told.end.message)
    context.exit(0 if good else 1)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was typed; `told` hears at once that the build was started."""

    trigger: str
    ref: str | None
    namespace: str | None
    seconds: int
    waits: bool
    told: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of the request, and of the build if somebody waited for its end."""

    namespace: str
    answer: Answer
    end: End | None = None


async def _ask(order: Order, kubeconfig: Path | None) -> Told:
    """Ask in the cluster, and wait."""
    from hookwright.commands.access import reach_cluster
    from hookwright.commands.start_end import Watching
    from hookwright.commands.start_request import Asking

    async with reach_cluster(kubeconfig) as (cluster, chosen):
        where = order.namespace or chosen
        began = time.monotonic()
        seconds = min(order.seconds, START_SECONDS) if order.waits else order.seconds
        answer = await Asking(
            cluster=cluster,
            namespace=where,
            name=order.trigger,
            value=make_value(),
            ref=order.ref or None,
            seconds=seconds,
        ).ask()
        if answer.outcome is not Outcome.STARTED:
            return Told(namespace=where, answer=answer)
        order.told(answer.message)
        if not order.waits:
            return Told(namespace=where, answer=answer)
        left = max(order.seconds - (time.monotonic() - began), 0.0)
        watching = Watching(
            cluster=cluster, namespace=where, trigger=order.trigger, job=answer.job, seconds=round(left, 1)
        )
        return Told(namespace=where, answer=answer, end=await watching.wait())


def is_good(told: Told) -> bool:
    """Say whether what was asked for has come about."""
    if told.end is not None:
        return told.end.phase == "Succeeded"
    return told.answer.outcome is Outcome.STARTED


def _prefix(answer: Answer) -> str:
    return f"{answer.reason}: " if answer.reason else ""


def make_value() -> str:
    """Give a value that no other request has: when it was asked, for people, and something at random."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{now}.{secrets.token_hex(4)}"


def describe(told: Told, *, trigger: str) -> dict[str, object]:
    """Give the answer as JSON; no build is named where none is there, and no phase where nobody waited."""
    answer, end = told.answer, told.end
    build = {"apiVersion": "batch/v1", "kind": "Job", "name": answer.job}
    return {
        "namespace": told.namespace,
        "trigger": trigger,
        "outcome": str(answer.outcome),
        "reason": answer.reason or None,
        "message": end.message if end is not None else answer.message,
        "build": build if answer.outcome is Outcome.STARTED else None,
        "phase": str(end.phase) if end is not None and end.phase is not None else None,
    }
