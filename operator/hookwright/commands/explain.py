"""`hookwright explain`: why a delivery did or did not start a build, or whether one would.

`explain NAME` asks the API server and judges as the operator does; with `--payload` it judges a delivery as the
receiver does, with the live Webhook or, with `-f`, from files alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import click

from hookwright.commands.explaining.deliveries import STARTING, Answer, explain_delivery
from hookwright.commands.explaining.rendering import render
from hookwright.commands.explaining.sample import Sample
from hookwright.commands.explaining.subject import choose
from hookwright.commands.file_objects import FileObjects
from hookwright.commands.files import check_manifest, read_bytes, read_documents, read_headers
from hookwright.commands.manifests import write_json
from hookwright.intake.addresses import Address, fold

LONGEST_NUMBER = 12  # of seconds since 1970: far beyond any year that a time can be of


def read_time(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """Give a time in UTC: RFC 3339, or seconds since 1970, as senders sign it."""
    if value is None:
        return None
    try:
        if value.isdecimal() and len(value) <= LONGEST_NUMBER:
            return datetime.fromtimestamp(int(value), UTC)
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise click.BadParameter(f"{value!r}: write 2026-05-01T12:00:00Z, or seconds since 1970")


def read_address(_: click.Context, __: click.Parameter, value: str | None) -> Address | None:
    """Give a caller's address in the form in which the receiver compares it."""
    if value is None:
        return None
    try:
        return fold(ip_address(value))
    except ValueError:
        raise click.BadParameter(f"{value!r}: write 192.0.2.1 or 2001:db8::1") from None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in a cluster to look."""

    kubeconfig: Path | None
    namespace: str | None
    hookwright_namespace: str


@click.command(
    epilog=(
        "Example: hookwright explain hello. Exit code 0: the Webhook is ready, and its newest delivery did not fail. "
        "Example: hookwright explain -f examples/hello --payload push.json --headers headers.json. Exit code 0: a "
        "build would be started."
    )
)
@click.argument("name", required=False)
@click.option(
    "-f",
    "--file",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Manifests instead of a cluster: the Webhook, its target, its Secret. A file, a folder, or - for stdin.",
)
@click.option("--webhook", help="With -f: which Webhook, if the files hold several; the same as NAME.")
@click.option("-n", "--namespace", help="The Webhook's namespace. Default: that of the kubeconfig.")
@click.option("--payload", type=click.Path(path_type=Path), help="The body of a delivery to judge.")
@click.option("--headers", type=click.Path(path_type=Path), help="Its headers: a JSON object.")
@click.option(
    "--from", "sender", callback=read_address, metavar="ADDRESS", help="The caller's address, for authentication IP."
)
@click.option(
    "--at",
    callback=read_time,
    metavar="TIME",
    help="When it arrived, for recorded deliveries with a time. Default: now.",
)
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help="The secret, in place of the Webhook's own; all bytes of the file count.",
)
@click.option("--kubeconfig", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The cluster.")
@click.option(
    "--hookwright-namespace", default="hookwright-system", show_default=True, help="The namespace of Hookwright itself."
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def explain(
    context: click.Context,
    name: str | None,
    files: Sequence[Path],
    webhook: str | None,
    namespace: str | None,
    payload: Path | None,
    headers: Path | None,
    sender: Address | None,
    at: datetime | None,
    secret_file: Path | None,
    kubeconfig: Path | None,
    hookwright_namespace: str,
    output: str,
) -> None:
    """Say why deliveries to the Webhook NAME do, or do not, start builds.

    Without -f it looks into the cluster: what stands in the way, what became of the newest delivery and of its build.
    Older deliveries are in the receiver's log only. With --payload it says what would become of that delivery.
    """
    more = (headers, sender, at, secret_file)
    _check_usage(name, files, webhook, payload, kubeconfig, has_more=any(one is not None for one in more))
    sample = None
    if payload is not None:
        sample = Sample(
            body=read_bytes(payload),
            headers=read_headers(headers) if headers is not None else None,
            secret=read_bytes(secret_file) if secret_file is not None else None,
            client=sender,
            at=at,
        )
    if files and sample is not None:
        manifests = [(document.file, check_manifest(document)) for document in read_documents(files)]
        answer = explain_delivery(choose(FileObjects(manifests), name or webhook, namespace), sample)
    else:
        place = Place(kubeconfig=kubeconfig, namespace=namespace, hookwright_namespace=hookwright_namespace)
        answer = asyncio.run(_ask(str(name), place, sample))
    good = _print(answer, output, judged=sample is not None)
    context.exit(0 if good else 1)


def _check_usage(
    name: str | None,
    files: Sequence[Path],
    webhook: str | None,
    payload: Path | None,
    kubeconfig: Path | None,
    *,
    has_more: bool,
) -> None:
    """Refuse what does not fit together."""
    wrong = None
    if files:
        if payload is None:
            wrong = "-f needs --payload: the delivery to judge (hookwright lint checks files by themselves)"
        elif kubeconfig is not None:
            wrong = "-f looks into files, --kubeconfig into a cluster: choose one"
        elif name is not None and webhook not in (None, name):
            wrong = f"NAME is {name}, and --webhook {webhook}: choose one"
    elif name is None:
        wrong = "needs the NAME of a Webhook in the cluster, or -f with files"
    elif webhook is not None:
        wrong = "--webhook is for -f: in a cluster NAME says which"
    elif payload is None and has_more:
        wrong = "--headers, --from, --at and --secret-file are about a delivery: add --payload"
    if wrong is not None:
        raise click.UsageError(wrong, click.get_current_context())


async def _ask(name: str, place: Place, sample: Sample | None) -> Answer:
    """Look into the cluster: judge `sample` with what is there, or report on the Webhook."""
    # Imported here, with all that they bring: files need none of it.
    from hookwright.commands.access import reach_cluster
    from hookwright.commands.explaining.gathering import look_around
    from hookwright.commands.explaining.report import report
    from hookwright.commands.explaining.started import mark_duplicate

    async with reach_cluster(place.kubeconfig) as (cluster, chosen):
        own = place.hookwright_namespace
        scene = await look_around(cluster, place.namespace or chosen, name, hookwright_namespace=own)
        if sample is None:
            return report(scene, hookwright_namespace=own, now=datetime.now(UTC))
        return await mark_duplicate(cluster, explain_delivery(scene.subject, sample))


def _print(answer: Answer, output: str, *, judged: bool) -> bool:
    """Print an answer; say whether it is good news."""
    from hookwright.commands.explaining.report import is_well, render_report

    if output == "json":
        click.echo(write_json(answer))
    else:
        click.echo(render(answer) if judged else render_report(answer))
    return answer["outcome"] in STARTING if judged else is_well(answer)
