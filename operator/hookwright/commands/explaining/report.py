"""What `explain NAME` says of a Webhook in a cluster: the data, and the text for people. Pure."""

from __future__ import annotations

from datetime import datetime

from hookwright.commands.explaining.builds import judge_build
from hookwright.commands.explaining.gathering import Scene
from hookwright.commands.explaining.liveness import Liveness, judge_liveness
from hookwright.commands.explaining.sentences import explain_condition, join
from hookwright.commands.explaining.state import State, judge_state
from hookwright.commands.explaining.telling import (
    Data,
    Teller,
    begin,
    describe_events,
    describe_operator,
    describe_secrets,
)
from hookwright.commands.manifests import put_on_one_line
from hookwright.kinds import BuildTrigger, InvalidObject, ObjectKind, Webhook
from hookwright.reasons import Outcome


def report(scene: Scene, *, hookwright_namespace: str, now: datetime) -> Data:
    """Give everything that is said, as a JSON object of always the same members; no secret and no URL is in it."""
    webhook = scene.webhook
    last = webhook.status.last_delivery if isinstance(webhook, Webhook) else None
    state = judge_state(scene)
    build = judge_build(last, webhook.metadata.uid, scene.build) if last is not None else None
    operator = judge_liveness(scene.lease, namespace=hookwright_namespace, now=now)
    said = explain_condition(state.reason) if state.reason else None
    teller = Teller(kind=Webhook.KIND, metadata=webhook.metadata, typed=webhook.metadata.name, url_field="status.url")
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
        "secrets": describe_secrets(scene.subject.secrets),
        "lastDelivery": teller.describe_delivery(last, build) if last is not None else None,
        "operator": describe_operator(operator),
        "events": describe_events(scene.events),
        "hidden": list(scene.hidden),
        "explanation": "\n".join(
            put_on_one_line(paragraph)
            for paragraph in (
                _tell_webhook(scene, teller, state, operator),
                teller.tell_delivery(last, build),
            )
        ),
    }


def is_well(data: Data) -> bool:
    """Say whether a report is good news: the object is ready, and its newest delivery did not fail.

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


def _tell_webhook(scene: Scene, teller: Teller, state: State, operator: Liveness) -> str:
    return join(
        teller.tell_state(state),
        *(begin(remark) for remark in state.remarks),
        _tell_trouble(scene, state),
        teller.tell_staleness(state, operator),
        f"Hidden from you, for want of rights: {', '.join(scene.hidden)}" if scene.hidden else "",
    )


def _tell_trouble(scene: Scene, state: State) -> str:
    """Say what is wrong with the target, where the Webhook's own trouble is another."""
    target = scene.subject.target
    trouble = _find_trouble(target)
    if target is None or trouble is None or trouble in state.message:
        return ""
    kind = target.kind if isinstance(target, InvalidObject) else target.KIND
    return f"{kind} {target.metadata.name}, its target, is not ready: {trouble}"


# ── the data ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
