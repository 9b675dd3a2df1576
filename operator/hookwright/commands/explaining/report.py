"""What `explain NAME` says of a Webhook in a cluster: the data, and the text for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hookwright.commands.explaining.builds import BuildState, Fate, judge_build
from hookwright.commands.explaining.gathering import Scene
from hookwright.commands.explaining.liveness import Liveness, Operator, judge_liveness
from hookwright.commands.explaining.sentences import explain_condition, explain_outcome, explain_reason, join
from hookwright.commands.explaining.state import UNKNOWN, State, judge_state
from hookwright.commands.manifests import put_on_one_line
from hookwright.kinds import BuildTrigger, InvalidObject, LastDelivery, ObjectKind, Raw, Webhook
from hookwright.reasons import BUILD_CREATED, FILTERED_OUT, Outcome

# A JSON object that is printed.
Data = dict[str, Any]
MAX_EVENTS = 5


def report(scene: Scene, *, hookwright_namespace: str, now: datetime) -> Data:
    """Give everything that is said, as a JSON object of always the same members; no secret and no URL is in it."""
    webhook = scene.webhook
    last = webhook.status.last_delivery if isinstance(webhook, Webhook) else None
    state = judge_state(scene)
    build = judge_build(last, webhook.metadata.uid, scene.build) if last is not None else None
    operator = judge_liveness(scene.lease, namespace=hookwright_namespace, now=now)
    said = explain_condition(state.reason) if state.reason else None
    return {
        "namespace": webhook.metadata.namespace,
        "name": webhook.metadata.name,
        "ready": state.ready,
        "reason": state.reason or None,
        "code": state.code or None,
        "message": state.message or None,
        "remedy": said.remedy or None if said is not None else None,
        "source": "now" if state.seen else "status",
        "statusIsCurrent": state.told.current,
        "remarks": list(state.remarks),
        "target": _describe_target(scene),
        "secrets": [
            {"name": ref.name, "key": ref.key, "state": str(found.state)} for ref, found in scene.subject.secrets
        ],
        "lastDelivery": _describe_delivery(last, build, webhook.metadata.name) if last is not None else None,
        "operator": {
            "state": str(operator.state),
            "holder": operator.holder or None,
            "renewed": operator.renewed or None,
            "message": operator.message,
        },
        "events": _describe_events(scene.events),
        "hidden": list(scene.hidden),
        "explanation": "\n".join(
            put_on_one_line(paragraph)
            for paragraph in (
                _tell_webhook(scene, state, operator),
                _tell_delivery(last, build, webhook.metadata.name),
            )
        ),
    }


def is_well(data: Data) -> bool:
    """Say whether a report is good news: the Webhook is ready, and its newest delivery did not fail.

    One that was refused counts as well: anybody can send what is refused.
    """
    last = data["lastDelivery"]
    return data["ready"] == "True" and (last is None or last["outcome"] != Outcome.FAILED)


def render_report(data: Data) -> str:
    """Give the report for people."""
    lines = [data["explanation"]]
    if data["events"]:
        lines.append("Kubernetes Events, newest first:")
    for event in data["events"]:
        times = f" ({event['count']} times)" if event["count"] > 1 else ""
        lines.append(put_on_one_line(f"  {event['time']} {event['reason']}{times}: {event['message']}"))
    return "\n".join(lines)


# ── the text ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell_webhook(scene: Scene, state: State, operator: Liveness) -> str:
    return join(
        _tell_state(scene, state),
        *(_begin(remark) for remark in state.remarks),
        _tell_trouble(scene, state),
        _tell_staleness(scene, state, operator),
        f"Hidden from you, for want of rights: {', '.join(scene.hidden)}" if scene.hidden else "",
    )


def _tell_state(scene: Scene, state: State) -> str:
    metadata = scene.webhook.metadata
    name = f"Webhook {metadata.namespace}/{metadata.name}"
    going = "It is being deleted" if metadata.deletion_timestamp is not None else ""
    if not state.reason:
        if state.ready != UNKNOWN:
            return join(f"{name} is {'' if state.ready == 'True' else 'not '}ready, and does not say why", going)
        return join(f"Nothing that can be seen stands in the way of {name}", going)
    said = explain_condition(state.reason)
    if state.ready == "True":
        remedy = f"To do: {said.remedy}" if said.remedy else ""
        return join(f"{name} is ready ({state.reason}): {said.sentence}", remedy, going)
    why = f"{state.reason}, {state.code}" if state.code else state.reason
    return join(
        f"{name} is not ready ({why}): {said.sentence}",
        _begin(state.message),
        f"To do: {said.remedy}",
        going,
    )


def _tell_trouble(scene: Scene, state: State) -> str:
    """Say what is wrong with the target, where the Webhook's own trouble is another."""
    target = scene.subject.target
    trouble = _find_trouble(target)
    if target is None or trouble is None or trouble in state.message:
        return ""
    kind = target.kind if isinstance(target, InvalidObject) else target.KIND
    return f"{kind} {target.metadata.name}, its target, is not ready: {trouble}"


def _begin(text: str) -> str:
    """Begin a sentence with a capital, unless it begins with the path of a field."""
    return text if "." in text.partition(" ")[0] else text[:1].upper() + text[1:]


def _tell_staleness(scene: Scene, state: State, operator: Liveness) -> str:
    """Say that nobody looks after the Webhook, or that its status is about an older spec."""
    generation = scene.webhook.metadata.generation
    stale = ""
    if not state.told.current:
        stale = (
            f"Its status is about an older spec than that of generation {generation}"
            if state.told.reason
            else "No operator has said anything in its status yet"
        )
    if operator.missing:
        return join(stale, _begin(operator.message))
    if not stale:
        return ""
    hint = "look again in a moment; if it stays so, look into the operator's log"
    if operator.state is Operator.UNKNOWN:
        hint = f"see whether Hookwright runs: {operator.message}"
    return join(f"{stale}: {hint}" if operator.state is Operator.UNKNOWN else f"{stale}; {operator.message}: {hint}")


def _tell_delivery(last: LastDelivery | None, build: BuildState | None, name: str) -> str:
    if last is None:
        return (
            "No delivery has reached it yet: see that status.url is entered at the sender (kubectl get webhook -o wide "
            "shows it)"
        )
    when = last.time.isoformat().replace("+00:00", "Z")
    head = f"The newest delivery, {last.id} at {when}, {explain_outcome(last.outcome)} ({last.reason})"
    if build is not None and last.reason == BUILD_CREATED.name:
        # That it was created is in what became of it.
        return join(f"{head}: {build.sentence}")
    said = explain_reason(last.reason)
    # Who wrote the message mostly put sentence and remedy into it.
    detail = last.message.strip().removesuffix(said.remedy).strip()
    fact = said.sentence.partition(":")[0].rstrip(".")
    remedy = _find_remedy(last, name)
    parts = [
        said.sentence if fact.lower() not in detail.lower() else "",
        _begin(detail),
        build.sentence if build is not None and build.fate is not Fate.AWAITED else "",
        f"To do: {remedy}" if remedy and remedy.rstrip(".") not in detail else "",
    ]
    return join(f"{head}: {join(*parts)}")


def _find_remedy(last: LastDelivery, name: str) -> str:
    """Give what to do about the newest delivery to the Webhook `name`, which is in a cluster."""
    if last.reason == FILTERED_OUT.name:
        return f"Compare each filter with the payload: hookwright explain {name} --payload FILE."
    return explain_reason(last.reason).remedy


# ── the data ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _describe_delivery(last: LastDelivery, build: BuildState | None, name: str) -> Data:
    said = explain_reason(last.reason)
    written = last.to_raw()
    return {
        "id": last.id,
        "time": written["time"],
        "outcome": last.outcome,
        "reason": last.reason,
        "message": last.message,
        "sentence": said.sentence,
        "remedy": _find_remedy(last, name) or None,
        "build": None
        if build is None
        else {
            **written["build"],
            "state": str(build.fate),
            "reason": build.reason or None,
            "message": build.message or None,
        },
    }


def _describe_target(scene: Scene) -> Data | None:
    webhook, target = scene.webhook, scene.subject.target
    if isinstance(webhook, InvalidObject):
        return None
    pipeline = webhook.spec.target_pipeline
    return {
        "apiVersion": pipeline.api_version,
        "kind": pipeline.kind,
        "name": pipeline.name,
        "exists": target is not None if scene.target_known else None,
        "problem": _find_trouble(target),
    }


def _find_trouble(target: ObjectKind | InvalidObject | None) -> str | None:
    if isinstance(target, InvalidObject):
        return str(target)
    return target.status.error_message if isinstance(target, BuildTrigger) else None


def _describe_events(events: Sequence[Raw]) -> list[Data]:
    """Give the newest of the Kubernetes Events; their times are RFC 3339 in UTC, so that they sort as texts."""
    described = [
        {
            "time": str(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or ""),
            "type": str(event.get("type") or ""),
            "reason": str(event.get("reason") or ""),
            "message": str(event.get("message") or ""),
            "count": event.get("count") if isinstance(event.get("count"), int) else 1,
        }
        for event in events
    ]
    return sorted(described, key=lambda event: str(event["time"]), reverse=True)[:MAX_EVENTS]
