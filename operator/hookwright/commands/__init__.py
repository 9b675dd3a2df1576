"""The command line: one module per command.

Exit codes: 0 done, 1 the answer is no, 2 usage. What a user must know is one sentence on standard error, never a
traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from hookwright.commands.check import check
from hookwright.commands.crds import crds
from hookwright.commands.deliver import deliver
from hookwright.commands.demo import demo
from hookwright.commands.dev import dev
from hookwright.commands.drain import drain
from hookwright.commands.explain import explain
from hookwright.commands.grant import grant
from hookwright.commands.import_ import import_
from hookwright.commands.lint import lint
from hookwright.commands.roles import operator, receiver, run
from hookwright.commands.start import start
from hookwright.commands.version import version
from hookwright.errors import HookwrightError, UsageError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def hookwright() -> None:
    """Webhooks as Kubernetes objects: a URL, a signature that is checked, filters, and the build that starts."""


COMMANDS = (
    *(check, crds, deliver, demo, dev, drain, explain, grant, import_, lint),
    *(operator, receiver, run, start, version),
)

for command in COMMANDS:
    hookwright.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = hookwright.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.Abort:
        code = 1
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except HookwrightError as error:
        click.echo(f"hookwright: {error.message}", err=True)
        code = 2 if isinstance(error, UsageError) else 1
    sys.exit(code if isinstance(code, int) else 0)
