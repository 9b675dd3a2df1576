"""`hookwright import`: what AWS has as manifests. What cannot be carried over is said, not guessed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from hookwright.builds.targets import TARGET_KINDS
from hookwright.commands.codepipeline import Imported, Wishes, convert, describe_listing
from hookwright.commands.codepipeline_json import Pipeline, read_listing, read_pipeline
from hookwright.commands.files import STANDARD_INPUT, read_bytes
from hookwright.commands.manifests import Manifest, check_label, render
from hookwright.commands.remarks import Remark, describe, shorten
from hookwright.errors import UsageError

# 256 bits, as the token of a URL has; AWS takes at most 100 characters.
TOKEN_BYTES = 32
# AWS gives 100 projects at once; a thousand times as much as these is something else.
MOST_BYTES = 64 * 2**20


@click.group(name="import", epilog="Example: hookwright import codepipeline webhooks.json")
def import_() -> None:
    """Make manifests of what another system has."""


@import_.command(
    short_help="Print Webhooks for webhooks of AWS CodePipeline.",
    epilog=(
        "Example: aws codepipeline list-webhooks | hookwright import codepipeline - > webhooks.yaml. "
        "Exit code 1 means that something was not carried over; what that is stands on standard error."
    ),
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--pipeline",
    "pipelines",
    type=click.Path(path_type=Path, allow_dash=True),
    multiple=True,
    help="The output of `aws codepipeline get-pipeline`: values for {Key} placeholders. Once for each pipeline.",
)
@click.option(
    "--target-kind",
    type=click.Choice(list(TARGET_KINDS)),
    default="BuildTrigger",
    show_default=True,
    help="What is started.",
)
@click.option("-n", "--namespace", help="The namespace of all objects. Default: whichever they are applied to.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", help="How they are printed.")
@click.pass_context
def codepipeline(
    context: click.Context,
    file: Path,
    pipelines: Sequence[Path],
    target_kind: str,
    namespace: str | None,
    output: str,
) -> None:
    """Print Webhooks, and the Secrets that they need, for the webhooks of AWS CodePipeline in FILE.

    FILE is the JSON that `aws codepipeline list-webhooks` or `put-webhook` prints, or that `put-webhook` is given;
    - is standard input.
    """
    if namespace is not None:
        check_label(namespace, "--namespace")
    if [file, *pipelines].count(STANDARD_INPUT) > 1:
        raise UsageError("-: only one file can be standard input")
    listing = read_listing(read_json(file), str(file))
    wishes = Wishes(namespace=namespace, target_kind=target_kind, pipelines=_read_pipelines(pipelines))
    imported = convert(listing, wishes, new_token=lambda: secrets.token_urlsafe(TOKEN_BYTES))
    general = describe_listing(listing, wishes.pipelines)
    click.echo(render([manifest for one in imported for manifest in make_manifests(one)], output))
    said = [(str(file), remark) for remark in general]
    said += [(one.aws_name, remark) for one in imported for remark in (*one.secret_remarks, *one.remarks)]
    for about, remark in said:
        click.echo(shorten(f"{about}: {describe(remark)}"), err=True)
    context.exit(1 if any(remark.lost for _, remark in said) else 0)


@import_.command(
    short_help="Print BuildTriggers for projects of AWS CodeBuild.",
    epilog=(
        "Example: aws codebuild batch-get-projects --names shop | hookwright import codebuild - > shop.yaml. "
        "Exit code 1 means that something was not carried over; what that is stands on standard error."
    ),
)
@click.argument("files", metavar="FILE...", type=click.Path(path_type=Path, allow_dash=True), nargs=-1, required=True)
@click.option("-n", "--namespace", help="The namespace of all objects. Default: whichever they are applied to.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", help="How they are printed.")
@click.pass_context
def codebuild(context: click.Context, files: Sequence[Path], namespace: str | None, output: str) -> None:
    """Print BuildTriggers for the projects of AWS CodeBuild, and their webhooks, in each FILE.

    A FILE is the JSON that `aws codebuild batch-get-projects` prints, or a project of it; - is standard input.
    """
    # Imported here, with all that it brings: other commands do without.
    from hookwright.commands import codebuild as projects

    if namespace is not None:
        check_label(namespace, "--namespace")
    if [*files].count(STANDARD_INPUT) > 1:
        raise UsageError("-: only one file can be standard input")
    listings = {file: projects.read_listing(read_json(file), str(file)) for file in files}
    whole = projects.Listing(projects=tuple(one for listing in listings.values() for one in listing.projects))
    said = [(str(file), remark) for file in listings for remark in projects.describe_listing(listings[file])]
    imported = projects.convert(whole, namespace=namespace)
    said += [(one.aws_name, remark) for one in imported for remark in one.remarks]
    manifests = [
        Manifest(raw=one.trigger, comments=_comment(f"CodeBuild's project {one.aws_name}", one.remarks))
        for one in imported
    ]
    findings = [{"about": about, "lost": remark.lost, "message": remark.text} for about, remark in said]
    click.echo(render(manifests, output, findings=findings))
    for about, remark in said:
        click.echo(shorten(f"{about}: {describe(remark)}"), err=True)
    context.exit(1 if any(remark.lost for _, remark in said) else 0)


def read_json(file: Path) -> object:
    """Give the JSON value in a file.

    Raises:
        UsageError: it cannot be read, or is no JSON.
    """
    try:
        document: object = json.loads(read_bytes(file, most=MOST_BYTES))
        # Half a surrogate pair is JSON, but no text that could be printed.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: no JSON: {error}") from None
    return document


def _read_pipelines(files: Iterable[Path]) -> dict[str, Pipeline]:
    found: dict[str, Pipeline] = {}
    for file in files:
        pipeline = read_pipeline(read_json(file), str(file))
        if found.setdefault(pipeline.name, pipeline) is not pipeline:
            raise UsageError(f"--pipeline {file}: pipeline {pipeline.name!r} is given twice")
    return found


def make_manifests(imported: Imported) -> list[Manifest]:
    """Give the objects that a webhook became, each under what is to be said of it."""
    webhook = Manifest(
        raw=imported.webhook, comments=_comment(f"CodePipeline's webhook {imported.aws_name}", imported.remarks)
    )
    if imported.secret is None:
        return [webhook]
    title = f"The secret of CodePipeline's webhook {imported.aws_name}"
    return [Manifest(raw=imported.secret, comments=_comment(title, imported.secret_remarks)), webhook]


def _comment(title: str, remarks: Iterable[Remark]) -> tuple[str, ...]:
    return tuple(shorten(line) for line in (title, *(describe(remark) for remark in remarks)))
