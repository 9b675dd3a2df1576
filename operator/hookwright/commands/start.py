"""`hookwright start`: a build by hand."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookwright.errors import UsageError

if TYPE_CHECKING:
    from hookwright.commands.start_request import Answer

LONGEST_SECONDS = 3600


@click.command(
    epilog=(
        "Example: hookwright start hello --ref main. Exit code 0: the build was started; 1: it was not, or not yet. It "
        "takes the rights get and patch on buildtriggers."
    )
)
@click.argument("trigger")
@click.option(
    "--ref",
    help="What to build: a branch (main), refs/tags/v1, or a commit with all its digits. Default: spec.source.branch.",
)
@click.option("-n", "--namespace", help="The BuildTrigger's namespace. Default: that of the kubeconfig.")
@click.option(
    "--timeout",
    type=click.IntRange(1, LONGEST_SECONDS),
    default=60,
    show_default=True,
    help="For how many seconds to wait until the build was started.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The cluster.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def start(
    context: click.Context,
    trigger: str,
    ref: str | None,
    namespace: str | None,
    timeout: int,
    kubeconfig: Path | None,
    output: str,
) -> None:
    """Start a build of the BuildTrigger TRIGGER, whatever its filters and spec.suspend say.

    It annotates the BuildTrigger, and waits until Hookwright has started the build or says why not.
    """
    # Imported here, with all that they bring: other commands do without.
    from hookwright.builds.by_hand import check_ref
    from hookwright.commands.manifests import check_label, check_subdomain

    check_subdomain(trigger, "TRIGGER")
    if namespace is not None:
        check_label(namespace, "--namespace")
    if ref is not None and (wrong := check_ref(ref)) is not None:
        raise UsageError(f"--ref {wrong}")
    where, answer = asyncio.run(_ask(trigger, ref, namespace, timeout, kubeconfig))
    started = str(answer.outcome) == "started"
    if output == "json":
        click.echo(json.dumps(describe(answer, namespace=where, trigger=trigger), indent=2, ensure_ascii=False))
    elif started:
        click.echo(answer.message)
    else:
        click.echo(f"hookwright: {answer.reason + ': ' if answer.reason else ''}{answer.message}", err=True)
    context.exit(0 if started else 1)


async def _ask(
    trigger: str, ref: str | None, namespace: str | None, seconds: int, kubeconfig: Path | None
) -> tuple[str, Answer]:
    """Ask in the cluster; give the namespace too."""
    from hookwright.commands.access import reach_cluster
    from hookwright.commands.start_request import Asking

    async with reach_cluster(kubeconfig) as (cluster, chosen):
        where = namespace or chosen
        asking = Asking(
            cluster=cluster, namespace=where, name=trigger, value=make_value(), ref=ref or None, seconds=seconds
        )
        return where, await asking.ask()


def make_value() -> str:
    """Give a value that no other request has: when it was asked, for people, and something at random."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{now}.{secrets.token_hex(4)}"


def describe(answer: Answer, *, namespace: str, trigger: str) -> dict[str, object]:
    """Give the answer as JSON; no build is named where none is there."""
    started = str(answer.outcome) == "started"
    return {
        "namespace": namespace,
        "trigger": trigger,
        "outcome": str(answer.outcome),
        "reason": answer.reason or None,
        "message": answer.message,
        "build": {"apiVersion": "batch/v1", "kind": "Job", "name": answer.job} if started else None,
    }
