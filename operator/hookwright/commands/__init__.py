"""The command line: one module per command.

Exit codes: 0 done, 1 the answer is no, 2 usage. What a user must know is one sentence on standard error, never a
traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from hookwright.errors import HookwrightError, UsageError

# Where each command is.
COMMANDS = {
    "check": "check.check",
    "crds": "crds.crds",
    "deliver": "deliver.deliver",
    "demo": "demo.demo",
    "dev": "dev.dev",
    "drain": "drain.drain",
    "explain": "explain.explain",
    "grant": "grant.grant",
    "import": "import_.import_",
    "lint": "lint.lint",
    "operator": "roles.operator",
    "receiver": "roles.receiver",
    "run": "roles.run",
    "start": "start.start",
    "version": "version.version",
}


class Commands(click.Group):
    """Loads a command once it is asked for: most of the time that one takes to begin would go into the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of all commands, loaded or not."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the command of that name; none if there is none."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(".")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def hookwright() -> None:
    """Webhooks as Kubernetes objects: a URL, a signature that is checked, filters, and the build that starts."""


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
