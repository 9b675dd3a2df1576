"""`hookwright crds`: the CRDs, for `kubectl apply -f -` or for the folder `crds/`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hookwright.kinds import KINDS, crd, crd_file_name, crd_yaml


@click.command(epilog="Example: hookwright crds | kubectl apply -f -")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", help="How they are printed.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write one YAML file for each kind into this folder instead.",
)
def crds(output: str, folder: Path | None) -> None:
    """Print the CustomResourceDefinitions."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            (folder / crd_file_name(kind)).write_text(crd_yaml(kind), encoding="utf-8")
    elif output == "json":
        click.echo(json.dumps({"apiVersion": "v1", "kind": "List", "items": [crd(kind) for kind in KINDS]}, indent=2))
    else:
        click.echo("---\n".join(crd_yaml(kind) for kind in KINDS), nl=False)
