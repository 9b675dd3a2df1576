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
from hookwright.commands.explaining.subject import Subject
from hookwright.commands.explaining.trigger_deliveries import explain_trigger_delivery
from hookwright.commands.explaining.trigger_rendering import render_trigger
from hookwright.commands.explaining.trigger_subject import TriggerSubject, choose_object
from hookwright.commands.file_objects import FileObjects
from hookwright.commands.files import check_manifest, read_bytes, read_documents, read_headers
from hookwright.commands.manifests import write_json
from hookwright.commands.naming import Named, read_name
from hookwright.errors import UsageError
from hookwright.intake.addresses import Address, fold
from hookwright.kinds import BuildTrigger, Webhook

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
    short_help="Say why deliveries do, or do not, start builds.",
    epilog=(
        "Example: hookwright explain hello. Exit code 0: it is ready, and its newest delivery did not fail. "
        "Example: hookwright explain -f examples/hello --payload push.json --headers headers.json. Exit code 0: a "
        "build would be started."
    ),
)
@click.argument("name", required=False)
@click.option(
    "-f",
    "--file",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Manifests instead of a cluster: the object, its target, its Secret. A file, a folder, or - for stdin.",
)
@click.option("--webhook", help="With -f: which Webhook, if the files hold several; the same as webhook/NAME.")
@click.option("--trigger", help="With -f: which BuildTrigger; the same as bt/NAME.")
@click.option("-n", "--namespace", help="The object's namespace. Default: that of the kubeconfig.")
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
    help="The secret, in place of the object's own; all bytes of the file count.",
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
    trigger: str | None,
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
    """Say why deliveries to NAME, a Webhook or a BuildTrigger, do, or do not, start builds.

    Of the two the Webhook is meant if both have the name; bt/NAME is the BuildTrigger. Without -f it looks into the
    cluster: what stands in the way, what became of the newest delivery and of its build.
    Older deliveries are in the receiver's log only. With --payload it says what would become of that delivery.
    """
    more = (headers, sender, at, secret_file)
    _check_usage(files, payload, kubeconfig, has_more=any(one is not None for one in more))
    named = _find_name(name, webhook, trigger, in_files=bool(files))
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
        answer = judge_sample(choose_object(FileObjects(manifests), named, namespace), sample)
    elif named is None:
        raise click.UsageError("needs the NAME of a Webhook or BuildTrigger in the cluster, or -f with files", context)
    else:
        place = Place(kubeconfig=kubeconfig, namespace=namespace, hookwright_namespace=hookwright_namespace)
        answer = asyncio.run(_ask(named, place, sample))
    good = _print(answer, output, judged=sample is not None)
    context.exit(0 if good else 1)


def _check_usage(files: Sequence[Path], payload: Path | None, kubeconfig: Path | None, *, has_more: bool) -> None:
    """Refuse what does not fit together."""
    wrong = None
    if files and payload is None:
        wrong = "-f needs --payload: the delivery to judge (hookwright lint checks files by themselves)"
    elif files and kubeconfig is not None:
        wrong = "-f looks into files, --kubeconfig into a cluster: choose one"
    elif payload is None and has_more:
        wrong = "--headers, --from, --at and --secret-file are about a delivery: add --payload"
    if wrong is not None:
        raise click.UsageError(wrong, click.get_current_context())


def _find_name(name: str | None, webhook: str | None, trigger: str | None, *, in_files: bool) -> Named | None:
    """Give the object that somebody named; None if nobody did."""
    named = read_name(name) if name is not None else None
    options = [Named(kind=Webhook, name=webhook)] if webhook is not None else []
    options += [Named(kind=BuildTrigger, name=trigger)] if trigger is not None else []
    wrong = None
    if options and not in_files:
        wrong = "--webhook and --trigger are for -f: in a cluster NAME says which (webhook/NAME, bt/NAME)"
    elif len(options) > 1:
        wrong = f"--webhook {webhook} and --trigger {trigger}: choose one"
    elif options and named is not None and (named.name != options[0].name or not named.may_be(options[0].kind)):
        wrong = f"NAME is {name}, and --webhook or --trigger {options[0].name}: choose one"
    if wrong is not None:
        raise click.UsageError(wrong, click.get_current_context())
    return options[0] if options else named


def judge_sample(subject: Subject | TriggerSubject, sample: Sample) -> Answer:
    """Give what would become of a delivery to a Webhook or a BuildTrigger."""
    if isinstance(subject, TriggerSubject):
        return explain_trigger_delivery(subject, sample)
    return explain_delivery(subject, sample)


async def _ask(named: Named, place: Place, sample: Sample | None) -> Answer:
    """Look into the cluster: judge `sample` with what is there, or report on the Webhook or BuildTrigger."""
    # Imported here, with all that they bring: files need none of it.
    from hookwright.commands.access import reach_cluster
    from hookwright.commands.explaining.gathering import look_around
    from hookwright.commands.explaining.report import report
    from hookwright.commands.explaining.started import mark_duplicate
    from hookwright.commands.explaining.trigger_report import report_trigger
    from hookwright.commands.explaining.trigger_scene import find_kind, look_around_trigger

    async with reach_cluster(place.kubeconfig) as (cluster, chosen):
        namespace, own = place.namespace or chosen, place.hookwright_namespace
        if await find_kind(cluster, namespace, named) is BuildTrigger:
            now = datetime.now(UTC)
            seen = await look_around_trigger(cluster, namespace, named.name, hookwright_namespace=own, now=now)
            if sample is None:
                return report_trigger(seen, hookwright_namespace=own, now=now)
            return await mark_duplicate(cluster, explain_trigger_delivery(seen.subject, sample))
        try:
            scene = await look_around(cluster, namespace, named.name, hookwright_namespace=own)
        except UsageError as error:
            if named.kind is not None:
                raise
            raise UsageError(f"{error.message}; nor is a BuildTrigger of that name to be seen") from None
        if sample is None:
            return report(scene, hookwright_namespace=own, now=datetime.now(UTC))
        return await mark_duplicate(cluster, explain_delivery(scene.subject, sample))


def _print(answer: Answer, output: str, *, judged: bool) -> bool:
    """Print an answer; say whether it is good news."""
    from hookwright.commands.explaining.report import is_well, render_report

    if output == "json":
        click.echo(write_json(answer))
    else:
        shown = (render_trigger if "groups" in answer else render)(answer) if judged else render_report(answer)
        click.echo(shown)
    return answer["outcome"] in STARTING if judged else is_well(answer)
