"""`hookwright drain`: works off a journal that nobody takes deliveries for any more, such as a removed receiver's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookwright.commands.roles import heed_sigterm, kubeconfig_option, run_until_signal
from hookwright.errors import HookwrightError
from hookwright.settings import Settings

if TYPE_CHECKING:
    from hookwright.app import Drained

LONGEST_SECONDS = 86_400
ENDED_EARLY = "hookwright: ended by SIGTERM before it looked into the journal; run it again"


@click.command(
    short_help="Start what waits in the journal of a receiver that is gone.",
    epilog="Example: HOOKWRIGHT_JOURNAL=/mnt/journal-hookwright-receiver-2 hookwright drain --timeout 60. Exit code 0 "
    "means that nothing waits in it any more, 1 that something does.",
)
@kubeconfig_option
@click.option(
    "--timeout",
    type=click.IntRange(1, LONGEST_SECONDS),
    default=600,
    show_default=True,
    help="For how many seconds it is tried.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def drain(context: click.Context, kubeconfig: Path | None, timeout: int, output: str) -> None:
    """Start what waits in the journal of a receiver that is gone, then leave.

    Takes no deliveries, and needs a volume that no other process has mounted. Settings are those of the receiver.
    """
    heed_sigterm(ENDED_EARLY)
    settings = Settings.from_environ(os.environ)

    from hookwright.app import Drain
    from hookwright.logs import set_up_logs

    set_up_logs(settings)
    drained = run_until_signal(
        kubeconfig,
        lambda access, stop: Drain(settings=settings, configuration=access.configuration).run(
            stop=stop, seconds=timeout
        ),
    )
    if output == "json":
        click.echo(json.dumps(describe(drained, settings.journal)))
        context.exit(1 if drained is not None and drained.pending else 0)
    click.echo(tell(drained, settings.journal))
    if drained is not None and drained.pending:
        raise HookwrightError(complain(drained.pending, settings.journal))


def describe(drained: Drained | None, journal: Path) -> dict[str, object]:
    """Give what was done as JSON."""
    return {
        "journal": str(journal),
        "found": drained is not None,
        "concluded": {str(outcome): count for outcome, count in drained.concluded.items()} if drained else {},
        "pending": {reason or "NotTried": count for reason, count in drained.pending.items()} if drained else {},
    }


def tell(drained: Drained | None, journal: Path) -> str:
    """Say what was done."""
    if drained is None:
        return f"nothing to do: there is no journal in {journal}"
    done = ", ".join(f"{count} {outcome}" for outcome, count in drained.concluded.items())
    if done or drained.pending:
        return f"worked off in {journal}: {done or 'nothing'}"
    return f"nothing to do: nothing waits in the journal in {journal}"


def complain(pending: Mapping[str, int], journal: Path) -> str:
    """Say what still waits."""
    reasons = ", ".join(f"{count} {reason or 'not tried'}" for reason, count in pending.items())
    return (
        f"{sum(pending.values())} builds still wait in {journal}: {reasons}. Nothing is lost; mend what they wait for, "
        "then run it again."
    )
