"""`hookwright lint`: every check of manifests that needs no cluster, for pipelines that apply them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from hookwright.cluster.mirror import DEFAULT_QUOTA
from hookwright.commands.files import read_documents
from hookwright.commands.linting.said import Lint, Severity
from hookwright.commands.manifests import put_on_one_line


@click.command(
    short_help="Check Webhooks and BuildTriggers in files.",
    epilog=(
        "Example: hookwright lint -f deploy/. Exit code 1 means that something was found. Whether the API server takes "
        "a build's Job, only a cluster can say."
    ),
)
@click.option(
    "-f",
    "--file",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Manifests: a file, a folder, or - for standard input; once for each.",
)
@click.option("--strict", is_flag=True, help="Warnings and notes count as findings too.")
@click.option(
    "--quota",
    type=click.IntRange(min=1),
    default=DEFAULT_QUOTA,
    show_default=True,
    help="How many Webhooks a namespace may have: HOOKWRIGHT_WEBHOOK_QUOTA of the operator.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def lint(
    context: click.Context,
    files: Sequence[Path],
    strict: bool,  # noqa: FBT001 - click gives it by its name
    quota: int,
    output: str,
) -> None:
    """Check Webhooks and BuildTriggers in files as the operator would; other objects are ignored.

    A Webhook's target and Secret are checked with it where the files hold them.
    """
    # Imported here, with all that they bring: other commands do without.
    from hookwright.commands.file_objects import FileObjects
    from hookwright.commands.linting.documents import find_nothing, sort_documents
    from hookwright.commands.linting.objects import check_objects

    found = sort_documents(read_documents(files))
    lints = found.lints + check_objects(FileObjects(found.manifests, quota=quota)) + find_nothing(found, files)
    lints.sort(key=lambda one: str(one.file))
    count = Counter(Severity.FINDING if strict else one.severity for one in lints)
    if output == "json":
        document = {
            "checked": found.checked,
            "ignored": found.ignored,
            "findings": [_describe(one, strict=strict) for one in lints],
        }
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for one in lints:
            click.echo(_render(one, strict=strict))
        numbers = ", ".join(f"{severity}s: {count[severity]}" for severity in Severity)
        click.echo(f"objects checked: {found.checked}, others ignored: {found.ignored}, {numbers}", err=True)
    context.exit(1 if count[Severity.FINDING] else 0)


def _render(lint: Lint, *, strict: bool) -> str:
    """Give one line; a finding needs no word for what it is."""
    whose = f"{lint.namespace}/{lint.name}" if lint.namespace else lint.name
    about = f"{lint.kind} {whose}: " if lint.kind else ""
    mark = "" if strict or lint.severity is Severity.FINDING else f"{lint.severity}: "
    return put_on_one_line(f"{lint.file}: {about}{mark}{lint.code}: {lint.message}")


def _describe(lint: Lint, *, strict: bool) -> dict[str, Any]:  # Any: a JSON object
    return {
        "file": str(lint.file),
        "kind": lint.kind or None,
        "namespace": lint.namespace or None,
        "name": lint.name or None,
        "severity": str(Severity.FINDING if strict else lint.severity),
        "code": lint.code,
        "message": lint.message,
    }
