"""Why one delivery would, or would not, start a build: the receiver's own `judge`, and the detail of each filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hookwright.builds.names import name_wanted
from hookwright.builds.targets import find_build_kind, find_service_account, find_values
from hookwright.builds.wanted import WantedBuild
from hookwright.commands.explaining.authenticity import NotChecked, find_lack, list_known, tell_untried
from hookwright.commands.explaining.sample import OWN_ID, Sample
from hookwright.commands.explaining.sentences import add
from hookwright.commands.explaining.subject import Subject
from hookwright.errors import HookwrightError, InvalidExpression
from hookwright.filters import Budget, JsonValue, compile_filter, decide
from hookwright.intake.judge import judge
from hookwright.intake.payload import read_payload
from hookwright.intake.request import Request, Verdict
from hookwright.intake.webhook_decision import WebhookRoute
from hookwright.intake.webhook_route import compile_webhook
from hookwright.kinds import Authentication, BuildTrigger, InvalidObject, Webhook
from hookwright.reasons import (
    ACCEPTED,
    SPEC_INVALID,
    TARGET_INVALID,
    TARGET_MISSING,
    Outcome,
)

STARTING = (Outcome.STARTED, Outcome.PENDING)
# A JSON object that is printed.
Answer = dict[str, Any]


def explain_delivery(subject: Subject, sample: Sample) -> Answer:
    """Give the verdict on a delivery, and how it comes about, as a JSON object of always the same members."""
    request = sample.make_request()
    route = compile_webhook(subject.webhook, subject.target, subject.standing)
    known = list_known(subject.secrets, sample, [route.inline_secret] if route.inline_secret is not None else [])
    lacking = _find_lack(route, subject, sample, known)
    judged = replace(route, scheme=NotChecked(route.scheme)) if lacking else route
    verdict = judge(request, judged, known, new_id=lambda: OWN_ID)
    answer: Answer = {
        "outcome": str(verdict.outcome),
        "reason": verdict.reason.name,
        "message": _describe(verdict, subject, route),
        "remedy": verdict.reason.remedy,
        "authenticityChecked": not lacking and verdict.reason is not SPEC_INVALID,
        "filters": describe_filters(subject, route, request),
        "builds": [_describe_build(wanted, subject) for wanted in verdict.wanted],
    }
    if verdict.reason is SPEC_INVALID:
        # The message says what to do; in files there is no status to look at.
        answer["remedy"] = ""
    elif lacking:
        answer["message"] = add(answer["message"], f"Authenticity was not checked: {lacking}")
    else:
        untried = tell_untried(verdict, sample, subject.secrets, place=subject.place)
        answer["message"] = add(answer["message"], untried)
    target = subject.target
    if isinstance(target, BuildTrigger) and target.status.error_message is not None and verdict.outcome in STARTING:
        but = f"But {target.KIND} {target.metadata.name} is not ready: {target.status.error_message}"
        answer["message"] = add(answer["message"], but)
    if isinstance(target, InvalidObject) and verdict.outcome in STARTING:
        answer |= {
            "outcome": str(TARGET_INVALID.outcome),
            "reason": TARGET_INVALID.name,
            "message": f"{target.kind} {target.metadata.name} is invalid: {target}",
            "remedy": "",
            "builds": [],
        }
    return answer


def _find_lack(route: WebhookRoute, subject: Subject, sample: Sample, known: Sequence[bytes]) -> str:
    """Say what authenticity cannot be checked for want of; nothing if it can."""
    webhook = subject.webhook
    if isinstance(webhook, Webhook) and webhook.spec.authentication is Authentication.IP:
        return "it needs the caller's address: --from ADDRESS" if sample.client is None else ""
    return find_lack(route.scheme, sample, known, subject.secrets, place=subject.place)


def _describe(verdict: Verdict, subject: Subject, route: WebhookRoute) -> str:
    if verdict.reason is SPEC_INVALID and route.problem is not None:
        message = f"{route.problem.code}: {route.problem.message}"
        if isinstance(subject.webhook, InvalidObject):
            others = [f"{p.field}: {p.message}" for p in subject.webhook.problems]
            others = [text for text in others if text != route.problem.message]
            message += "".join(f"; {text}" for text in others)
        return message
    if verdict.reason is ACCEPTED:
        return "The delivery counts, and a build would be started."
    if verdict.reason is TARGET_MISSING:
        return (
            f"The delivery may count; {route.target.kind} {route.target.name} could not be found {subject.place}, and "
            "is waited for."
        )
    return verdict.message


def _describe_build(wanted: WantedBuild, subject: Subject) -> Answer:
    """Give one build that would be started; its name only where the object's UID is known, which decides it."""
    build = find_build_kind(wanted.target)
    account = wanted.service_account
    if subject.target is not None and not isinstance(subject.target, InvalidObject):
        account = find_service_account(wanted, subject.target)
    return {
        "apiVersion": build.api_version,
        "kind": build.kind,
        "namespace": wanted.namespace or None,
        "name": name_wanted(wanted) if wanted.owner_uid else None,
        "serviceAccountName": account,
        "parameters": dict(wanted.parameters),
    }


# ── filters ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A filter as it is written; `error` says why it cannot be applied."""

    json_path: str
    match_equals: str | None
    error: str | None = None


def describe_filters(subject: Subject, route: WebhookRoute, request: Request) -> list[Answer]:
    """Give what each filter expects and finds, as far as it can be shown."""
    rules, values = _find_rules(subject), _find_values(subject, route)
    document: JsonValue = None
    unreadable = None
    try:
        document = read_payload(request, forms=route.scheme.reads_forms)
    except HookwrightError as error:
        unreadable = error.message
    budget = Budget()
    return [_describe_filter(rule, unreadable, document, values, budget) for rule in rules]


def _describe_filter(
    rule: _Rule, unreadable: str | None, document: JsonValue, values: Mapping[str, str], budget: Budget
) -> Answer:
    described: Answer = {
        "jsonPath": rule.json_path,
        "matchEquals": rule.match_equals,
        "expected": None,
        "found": [],
        "matched": False,
        "error": rule.error or unreadable,
    }
    if described["error"] is not None:
        return described
    try:
        compiled = compile_filter(rule.json_path, rule.match_equals)
    except InvalidExpression as error:
        return described | {"error": error.message}
    result = decide([compiled], document, values, budget).results[0]
    return described | {
        "expected": result.expected,
        "found": list(result.found),
        "matched": result.matched,
        "error": result.error,
    }


def _find_rules(subject: Subject) -> list[_Rule]:
    webhook = subject.webhook
    if isinstance(webhook, Webhook):
        return [_Rule(json_path=rule.json_path, match_equals=rule.match_equals) for rule in webhook.spec.filters]
    written = _spec_member(subject, "filters")
    return [_salvage(webhook, index, item) for index, item in enumerate(written)] if isinstance(written, list) else []


def _salvage(webhook: InvalidObject, index: int, item: object) -> _Rule:
    """Read one filter of a Webhook that is not of its kind's shape, with what is wrong with it."""
    here = f"spec.filters[{index}]"
    wrong = [
        f"{problem.field}: {problem.message}"
        for problem in webhook.problems
        if problem.field == here or problem.field.startswith(f"{here}.")
    ]
    members = item if isinstance(item, Mapping) else {}
    path, expected = members.get("jsonPath"), members.get("matchEquals")
    return _Rule(
        json_path=path if isinstance(path, str) else "",
        match_equals=expected if isinstance(expected, str) else None,
        error="; ".join(wrong) or None,
    )


def _find_values(subject: Subject, route: WebhookRoute) -> Mapping[str, str]:
    """Give the placeholders' values, as far as they are known."""
    if route.values is not None:
        return route.values
    if isinstance(subject.webhook, Webhook):
        return route.own_values
    written = _spec_member(subject, "actionConfiguration")
    members = written if isinstance(written, Mapping) else {}
    own = {str(name): value for name, value in members.items() if isinstance(value, str)}
    target = subject.target
    return own if target is None or isinstance(target, InvalidObject) else find_values(target) | own


def _spec_member(subject: Subject, name: str) -> object:
    spec = subject.raw.get("spec")
    return spec.get(name) if isinstance(spec, Mapping) else None
