"""`hookwright explain`, offline: why a delivery would or would not start a build, from files alone.

It runs the receiver's own `judge` over the receiver's own routes; what it adds is the detail of each filter.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hookwright.builds.names import name_wanted
from hookwright.builds.targets import find_build_kind
from hookwright.cluster.secret_values import judge_secret
from hookwright.commands.files import read_bytes, read_headers, read_manifests
from hookwright.errors import HookwrightError, InvalidExpression, UsageError
from hookwright.filters import Budget, compile_filter, decide
from hookwright.intake.judge import judge
from hookwright.intake.payload import read_payload
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route, compile_route
from hookwright.kinds import BuildTrigger, CronJob, InvalidObject, ObjectKind, Raw, Webhook, read
from hookwright.reasons import ACCEPTED, SPEC_INVALID, TARGET_INVALID, TARGET_MISSING, Outcome

OWN_ID = "00000000-0000-0000-0000-000000000000"


@click.command(
    epilog=(
        "Example: hookwright explain -f examples/hello --payload push.json --headers headers.json. "
        "Exit code 1 means that nothing would start."
    )
)
@click.option(
    "-f",
    "--file",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Manifests: the Webhook, its BuildTrigger, its Secret. A file, a folder, or - for standard input.",
)
@click.option("--webhook", "name", help="Which Webhook, if the files hold several.")
@click.option("--payload", type=click.Path(path_type=Path), required=True, help="The body of the delivery.")
@click.option("--headers", type=click.Path(path_type=Path), help="Its headers: a JSON object.")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help="The secret, where the files hold no Secret; all bytes of the file count.",
)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How it is printed.")
@click.pass_context
def explain(
    context: click.Context,
    files: Sequence[Path],
    name: str | None,
    payload: Path,
    headers: Path | None,
    secret_file: Path | None,
    output: str,
) -> None:
    """Say why a delivery would, or would not, start a build."""
    objects = read_manifests(files)
    webhook, target = choose(objects, name)
    route = compile_route(webhook, target)
    body = read_bytes(payload)
    sent = read_headers(headers) if headers is not None else {}
    # Who gives no content type gives a JSON payload all the same.
    sent.setdefault("content-type", ["application/json"])
    request = Request(method="POST", path="/", headers=sent, body=body, received_at=datetime.now(UTC))
    given = read_bytes(secret_file) if secret_file is not None else None
    secrets = find_secrets(route, objects, given) if headers is not None else None
    answer = describe(route, webhook, request, secrets)
    if isinstance(target, InvalidObject) and answer["outcome"] in (Outcome.STARTED, Outcome.PENDING):
        answer |= {
            "outcome": str(TARGET_INVALID.outcome),
            "reason": TARGET_INVALID.name,
            "message": f"{target.kind} {target.metadata.name} is invalid: {target}",
            "remedy": "",
            "builds": [],
        }
    if output == "json":
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        click.echo(render(answer))
    context.exit(0 if answer["outcome"] in (Outcome.STARTED, Outcome.PENDING) else 1)


def choose(
    objects: Sequence[Raw], name: str | None
) -> tuple[Webhook | InvalidObject, ObjectKind | InvalidObject | None]:
    """Give the Webhook that is meant, and its target among the objects.

    Raises:
        UsageError: there is none, or there are several and no name.
    """
    webhooks = [_read(Webhook, raw) for raw in objects if raw.get("kind") == Webhook.KIND]
    names = ", ".join(sorted(webhook.metadata.name for webhook in webhooks))
    meant = [webhook for webhook in webhooks if name is None or webhook.metadata.name == name]
    if not meant:
        raise UsageError(
            f"the files hold no Webhook {name}; there is: {names}" if names else "the files hold no Webhook"
        )
    if len(meant) > 1:
        raise UsageError(f"the files hold several Webhooks: choose one with --webhook: {names}")
    webhook = meant[0]
    if isinstance(webhook, InvalidObject):
        return webhook, None
    kinds: dict[str, type[ObjectKind]] = {BuildTrigger.KIND: BuildTrigger, CronJob.KIND: CronJob}
    kind = kinds[webhook.spec.target_pipeline.kind]
    for raw in objects:
        if raw.get("kind") == kind.KIND:
            target = _read(kind, raw)
            same_namespace = target.metadata.namespace == webhook.metadata.namespace
            if target.metadata.name == webhook.spec.target_pipeline.name and same_namespace:
                return webhook, target
    return webhook, None


def _read(kind: Any, raw: Raw) -> Any:  # Any: the caller names the kind
    try:
        return read(kind, raw, strict=True)
    except InvalidObject as invalid:
        return invalid


def find_secrets(route: Route, objects: Sequence[Raw], given: bytes | None) -> list[bytes] | None:
    """Give the secrets with which authenticity can be checked; None if it cannot be, for want of one."""
    if given is not None:
        return [given]
    secrets = [route.inline_secret] if route.inline_secret is not None else []
    there = bool(secrets)
    for raw in objects:
        metadata = raw.get("metadata") or {}
        where = (raw.get("kind"), metadata.get("namespace") or "", metadata.get("name"))
        for ref in route.secret_refs:
            if where == ("Secret", ref.namespace, ref.name):
                there = True
                texts = _members(raw, "stringData").items()
                plain = {key: base64.b64encode(str(value).encode()).decode() for key, value in texts}
                secrets += judge_secret({"data": {**_members(raw, "data"), **plain}}, ref.key).values
    return secrets if there else None


def _members(raw: Raw, name: str) -> Raw:
    """Give a part of a Secret in a file, which may have any form."""
    part = raw.get(name)
    return part if isinstance(part, Mapping) else {}


@dataclass(frozen=True)
class _NotChecked:
    """A scheme that checks nothing, for want of a secret; all else is that of the true one."""

    scheme: Any
    needs_secret: bool = False

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Check nothing."""

    def __getattr__(self, name: str) -> Any:  # Any: whatever the scheme has
        return getattr(self.scheme, name)


def describe(
    route: Route, webhook: Webhook | InvalidObject, request: Request, secrets: list[bytes] | None
) -> dict[str, Any]:
    """Give the answer of this command as a JSON object."""
    checked = secrets is not None or not route.scheme.needs_secret
    if not checked:
        route = replace(route, scheme=_NotChecked(route.scheme))
    verdict = judge(request, route, secrets, new_id=lambda: OWN_ID)
    message, remedy = verdict.message, verdict.reason.remedy
    if verdict.reason is SPEC_INVALID and route.problem is not None:
        # The message says what to do; there is no status to look at.
        message, remedy = f"{route.problem.code}: {route.problem.message}", ""
    elif verdict.reason is ACCEPTED:
        message = "The delivery counts, and a build would be started."
    elif verdict.reason is TARGET_MISSING:
        message = f"The delivery may count; {route.target.kind} {route.target.name} is not in the files."
    if not checked and verdict.reason is not SPEC_INVALID:
        message += " Authenticity was not checked: it needs the headers, and a Secret in the files or --secret-file."
    return {
        "outcome": str(verdict.outcome),
        "reason": verdict.reason.name,
        "message": message,
        "remedy": remedy,
        "authenticityChecked": checked,
        "filters": describe_filters(webhook, route, request),
        "builds": [describe_builds(verdict, index) for index in range(len(verdict.wanted))],
    }


def describe_filters(webhook: Webhook | InvalidObject, route: Route, request: Request) -> list[dict[str, Any]]:
    """Give what each filter expects and finds."""
    if isinstance(webhook, InvalidObject):
        return []
    try:
        document = read_payload(request)
    except HookwrightError as error:
        return [_describe_rule(rule.json_path, rule.match_equals, error=error.message) for rule in webhook.spec.filters]
    described = []
    budget = Budget()
    for rule in webhook.spec.filters:
        try:
            compiled = compile_filter(rule.json_path, rule.match_equals)
        except InvalidExpression as error:
            described.append(_describe_rule(rule.json_path, rule.match_equals, error=error.message))
            continue
        values = route.values if route.values is not None else route.own_values
        result = decide([compiled], document, values, budget).results[0]
        described.append(
            {
                "jsonPath": result.json_path,
                "matchEquals": result.match_equals,
                "expected": result.expected,
                "found": list(result.found),
                "matched": result.matched,
                "error": result.error,
            }
        )
    return described


def _describe_rule(json_path: str, match_equals: str | None, *, error: str) -> dict[str, Any]:
    return {
        "jsonPath": json_path,
        "matchEquals": match_equals,
        "expected": None,
        "found": [],
        "matched": False,
        "error": error,
    }


def describe_builds(verdict: Verdict, index: int) -> dict[str, Any]:
    """Give one build that would be started; its name only where the object's UID is in the files, which decides it."""
    wanted = verdict.wanted[index]
    build = find_build_kind(wanted.target)
    return {
        "apiVersion": build.api_version,
        "kind": build.kind,
        "namespace": wanted.namespace or None,
        "name": name_wanted(wanted) if wanted.owner_uid else None,
        "serviceAccountName": wanted.service_account,
        "parameters": dict(wanted.parameters),
    }


def render(answer: dict[str, Any]) -> str:
    """Give the answer for people."""
    lines = [f"{answer['outcome']} ({answer['reason']}): {answer['message']}"]
    for rule in answer["filters"]:
        mark = "matches" if rule["matched"] else "does not match"
        lines.append(f"  filter {rule['jsonPath']} {mark}")
        if rule["expected"] is not None:
            lines.append(f"    expected: {rule['expected']}")
        found = json.dumps(rule["found"], ensure_ascii=False)
        lines.append(f"    found:    {found if len(found) <= 200 else found[:197] + '...'}")  # noqa: PLR2004 - a screen
        if rule["error"]:
            lines.append(f"    error:    {rule['error']}")
    for build in answer["builds"]:
        parameters = ", ".join(f"{name}={value}" for name, value in build["parameters"].items()) or "none"
        lines.append(f"  would start: {build['kind']} with parameters: {parameters}")
    if answer["outcome"] not in (Outcome.STARTED, Outcome.PENDING) and answer["remedy"]:
        lines.append(f"  what to do: {answer['remedy']}")
    return "\n".join(lines)
