"""`hookwright version`."""

from __future__ import annotations

import json
import platform

import click

from hookwright import __version__


@click.command(epilog="Example: hookwright version -o json")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
def version(output: str) -> None:
    """Print the version."""
    found = {"version": __version__, "python": platform.python_version()}
    if output == "json":
        click.echo(json.dumps(found))
    else:
        click.echo(f"hookwright {found['version']} (Python {found['python']})")
