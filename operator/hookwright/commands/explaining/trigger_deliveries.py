"""Why one delivery to a BuildTrigger would, or would not, start builds: the receiver's own `judge`, and each filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from pydantic.alias_generators import to_camel

from hookwright.builds.names import name_wanted
from hookwright.builds.targets import find_build_kind, find_service_account
from hookwright.builds.wanted import WantedBuild
from hookwright.commands.explaining.authenticity import NotChecked, find_lack, list_known, tell_untried
from hookwright.commands.explaining.deliveries import Answer
from hookwright.commands.explaining.sample import OWN_ID, Sample
from hookwright.commands.explaining.sentences import add
from hookwright.commands.explaining.trigger_subject import TriggerSubject
from hookwright.errors import HookwrightError, UsageError
from hookwright.filters import Budget, EvaluationError
from hookwright.filters.groups import BranchResult, GroupResult, Ignore, Need
from hookwright.filters.groups import explain as explain_filters
from hookwright.intake.judge import judge
from hookwright.intake.payload import read_payload
from hookwright.intake.request import Request, Verdict
from hookwright.intake.trigger_decision import TriggerRoute
from hookwright.intake.trigger_route import compile_trigger
from hookwright.kinds import BuildTrigger, InvalidObject
from hookwright.reasons import ACCEPTED, FACTS_WANTED, PAYLOAD_TOO_COMPLEX, SPEC_INVALID, Reason
from hookwright.scm import NoEvent, ScmEvent


def explain_trigger_delivery(subject: TriggerSubject, sample: Sample) -> Answer:
    """Give the verdict on a delivery, and how it comes about, as a JSON object of always the same members.

    `event`, `branchFilter` and `groups` are those of the change that `reason` speaks of; `changes` has all.

    Raises:
        UsageError: the BuildTrigger takes no deliveries.
    """
    trigger = subject.trigger
    if isinstance(trigger, BuildTrigger) and trigger.spec.source.provider is None:
        raise UsageError(
            f"BuildTrigger {trigger.metadata.name} has no spec.source.provider, so that only Webhooks start it: "
            "explain one of those"
        )
    request = sample.make_request()
    route = compile_trigger(trigger, subject.standing)
    known = list_known(subject.secrets, sample)
    lacking = find_lack(route.scheme, sample, known, subject.secrets, place=subject.place)
    judged = replace(route, scheme=NotChecked(route.scheme)) if lacking else route
    verdict = judge(request, judged, known, new_id=lambda: OWN_ID)
    changes = describe_changes(route, request)
    shown = _find_shown(changes, verdict)
    answer: Answer = {
        "outcome": str(verdict.outcome),
        "reason": verdict.reason.name,
        "message": _describe(verdict, subject, route),
        "remedy": verdict.reason.remedy,
        "authenticityChecked": not lacking and verdict.reason is not SPEC_INVALID,
        "event": shown["event"] if shown is not None else None,
        "branchFilter": shown["branchFilter"] if shown is not None else None,
        "groups": shown["groups"] if shown is not None else [],
        "changes": changes,
        "builds": [_describe_build(wanted, trigger) for wanted in verdict.wanted if isinstance(trigger, BuildTrigger)],
    }
    if verdict.reason is SPEC_INVALID:
        # The message says what to do; in files there is no status to look at.
        answer["remedy"] = ""
    elif lacking:
        answer["message"] = add(answer["message"], f"Authenticity was not checked: {lacking}")
    else:
        untried = tell_untried(verdict, sample, subject.secrets, place=subject.place)
        answer["message"] = add(answer["message"], untried)
        if isinstance(trigger, BuildTrigger) and trigger.status.error_message is not None and verdict.wanted:
            but = f"But the BuildTrigger is not ready: {trigger.status.error_message}"
            answer["message"] = add(answer["message"], but)
    return answer


def describe_changes(route: TriggerRoute, request: Request) -> list[Answer]:
    """Give what each change in a delivery is, whether it starts a build, and what each filter makes of it.

    Nothing where the spec is invalid or the payload cannot be read.
    """
    if route.problem is not None:
        return []
    try:
        document = read_payload(request, forms=route.scheme.reads_forms)
    except HookwrightError:
        return []
    return [_describe_change(route, change) for change in route.dialect.read(request.header, document)]


def _describe_change(route: TriggerRoute, change: ScmEvent | NoEvent) -> Answer:
    try:
        judged = route.judge_change(change, Budget())
        reason, message = (FACTS_WANTED if isinstance(judged, Need) else ACCEPTED), ""
        if isinstance(judged, Ignore):
            reason, message = judged.reason, judged.message
        explained = explain_filters(route.filters, change) if isinstance(change, ScmEvent) else None
    except EvaluationError:
        reason, message, explained = PAYLOAD_TOO_COMPLEX, "", None
    return {
        "index": change.index,
        "outcome": str(reason.outcome),
        "reason": reason.name,
        "message": message or _say(reason),
        "event": describe_event(change) if isinstance(change, ScmEvent) else None,
        "told": change.told if isinstance(change, NoEvent) else None,
        "branchFilter": _describe_branch(explained.branch) if explained is not None else None,
        "groups": _describe_groups(explained.groups) if explained is not None else [],
    }


def _say(reason: Reason) -> str:
    return "It starts a build." if reason is ACCEPTED else reason.sentence


def describe_event(event: ScmEvent) -> Answer:
    """Give the fields of an event by the names that operator/docs/events.md has: as all JSON here, in camelCase."""

    def show(value: Any) -> Any:  # Any: a field of an event; JSON
        if isinstance(value, dict):
            members = {to_camel(name): member for name, member in value.items()}
            return {"fullName": f"{value['owner']}/{value['name']}", **members}
        return list(value) if isinstance(value, tuple) else value

    return {to_camel(name): show(value) for name, value in asdict(event).items()}


def _describe_branch(result: BranchResult | None) -> Answer | None:
    return asdict(result) if result is not None else None


def _describe_groups(groups: Sequence[GroupResult]) -> list[Answer]:
    return [
        {
            "filters": [
                {
                    "type": str(one.type),
                    "pattern": one.pattern,
                    "exclude": one.exclude,
                    "value": list(one.value) if isinstance(one.value, tuple) else one.value,
                    "matched": one.matched,
                }
                for one in group.filters
            ],
            "matched": group.matched,
        }
        for group in groups
    ]


def _find_shown(changes: Sequence[Answer], verdict: Verdict) -> Answer | None:
    """Give the change that the verdict is about: the first with its reason, else an event, else the first."""
    about = [change for change in changes if change["reason"] == verdict.reason.name]
    events = [change for change in changes if change["event"] is not None]
    return next(iter((*about, *events, *changes)), None)


def _describe(verdict: Verdict, subject: TriggerSubject, route: TriggerRoute) -> str:
    if verdict.reason is SPEC_INVALID and route.problem is not None:
        message = f"{route.problem.code}: {route.problem.message}"
        if isinstance(subject.trigger, InvalidObject):
            others = [f"{p.field}: {p.message}" for p in subject.trigger.problems]
            message += "".join(f"; {text}" for text in others if text != route.problem.message)
        return message
    if verdict.reason is ACCEPTED:
        count = len(verdict.wanted)
        return f"The delivery counts, and {'a build' if count == 1 else f'{count} builds'} would be started."
    return verdict.message


def _describe_build(wanted: WantedBuild, trigger: BuildTrigger) -> Answer:
    """Give one build that would be started; its name only where the object's UID is known, which decides it."""
    build = find_build_kind(wanted.target)
    return {
        "apiVersion": build.api_version,
        "kind": build.kind,
        "namespace": wanted.namespace or None,
        "name": name_wanted(wanted) if wanted.owner_uid else None,
        "serviceAccountName": find_service_account(wanted, trigger),
        "parameters": dict(wanted.parameters),
    }
