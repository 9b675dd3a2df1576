"""What `explain bt/NAME` says of a BuildTrigger in a cluster: the data, and the text for people. Pure."""

from __future__ import annotations

from datetime import datetime

from hookwright.cluster.secret_values import SecretState
from hookwright.commands.explaining.authenticity import FoundSecrets, list_unknown
from hookwright.commands.explaining.builds import judge_build
from hookwright.commands.explaining.liveness import Liveness, judge_liveness
from hookwright.commands.explaining.sentences import explain_condition, join
from hookwright.commands.explaining.state import State, Told, add_warnings, read_told, weigh
from hookwright.commands.explaining.telling import (
    Data,
    Teller,
    begin,
    describe_events,
    describe_operator,
    describe_secrets,
)
from hookwright.commands.explaining.trigger_scene import TriggerScene
from hookwright.commands.manifests import put_on_one_line
from hookwright.intake.trigger_rules import INVALID_INPUT
from hookwright.kinds import SECRET_KEY, BuildTrigger
from hookwright.kinds.buildtrigger import MAX_ACTIVE, BuildTriggerStatus
from hookwright.reconcile import checks
from hookwright.reconcile.checks import Finding, check_buildtrigger
from hookwright.reconcile.secret_plan import check_form

NO_PROVIDER = "It takes no deliveries itself, since it has no spec.source.provider: Webhooks start it."
_SECRET_REASONS = {
    SecretState.NO_SECRET: checks.SECRET_NOT_FOUND,
    SecretState.NO_KEY: checks.SECRET_KEY_MISSING,
    SecretState.EMPTY: checks.SECRET_EMPTY,
    SecretState.FOREIGN: checks.SECRET_NOT_OWNED,
}


_NOTHING = (SecretState.NO_KEY, SecretState.FOREIGN)


def report_trigger(scene: TriggerScene, *, hookwright_namespace: str, now: datetime) -> Data:
    """Give everything that is said, as a JSON object of always the same members; no secret and no URL is in it."""
    trigger, metadata = scene.trigger, scene.trigger.metadata
    status = trigger.status if isinstance(trigger, BuildTrigger) else None
    provider = trigger.spec.source.provider if isinstance(trigger, BuildTrigger) else None
    last = status.last_delivery if status is not None else None
    state = judge_trigger_state(scene)
    build = judge_build(last, metadata.uid, scene.build) if last is not None else None
    operator = judge_liveness(scene.lease, namespace=hookwright_namespace, now=now)
    said = explain_condition(state.reason, BuildTrigger.KIND) if state.reason else None
    teller = Teller(
        kind=BuildTrigger.KIND, metadata=metadata, typed=f"bt/{metadata.name}", url_field="status.payloadUrl"
    )
    written = status.to_raw() if status is not None else {}
    takes_none = isinstance(trigger, BuildTrigger) and provider is None
    paragraphs = (
        _tell_trigger(scene, teller, state, operator),
        join(
            NO_PROVIDER if takes_none and last is None else teller.tell_delivery(last, build),
            _tell_builds(status) if status is not None else "",
        ),
    )
    return {
        "namespace": metadata.namespace,
        "name": metadata.name,
        "provider": str(provider) if provider is not None else None,
        "ready": state.ready,
        "reason": state.reason or None,
        "code": state.code or None,
        "message": state.message or None,
        "remedy": said.remedy or None if said is not None else None,
        "source": "now" if state.seen else "status",
        "statusIsCurrent": state.told.current,
        "remarks": list(state.remarks),
        "secrets": describe_secrets(_drop_absent(scene.subject.secrets)),
        "lastDelivery": teller.describe_delivery(last, build) if last is not None else None,
        "lastBuild": written.get("lastBuild"),
        "active": written.get("active") or [],
        "operator": describe_operator(operator),
        "events": describe_events(scene.events),
        "hidden": list(scene.hidden),
        "explanation": "\n".join(put_on_one_line(paragraph) for paragraph in paragraphs),
    }


def judge_trigger_state(scene: TriggerScene) -> State:
    """Say whether the BuildTrigger does its work."""
    told = read_told(scene.trigger)
    return add_warnings(weigh(told, _find_obstacle(scene), can_judge=_can_judge(told, scene)), scene.trigger)


def _find_obstacle(scene: TriggerScene) -> Finding | None:
    """Give the first thing that can be seen to stand in the way, by the operator's own checks."""
    finding = check_buildtrigger(scene.trigger, None, standing=scene.subject.standing)
    if finding is not None:
        return finding
    for ref, found in scene.subject.secrets:
        reason = _SECRET_REASONS.get(found.state) if ref.key == SECRET_KEY else None
        if reason is not None:
            message = f"Secret {ref.name}, key {ref.key}: {found.state}"
            # One that is there and is not to be used is no missing one: status says the same.
            foreign = reason == checks.SECRET_NOT_OWNED
            code = INVALID_INPUT if foreign else checks.RESOURCE_NOT_FOUND
            return Finding(reason=reason, code=code, message=message, heals=True)
        if ref.key == SECRET_KEY and found.values and isinstance(scene.trigger, BuildTrigger):
            return check_form(scene.trigger, found.values[0])
    return None


def _can_judge(told: Told, scene: TriggerScene) -> bool:
    """Say whether what status says could be seen here too."""
    if told.reason == checks.INVALID_SPEC:
        return scene.names_known
    # One's own Secret that one asks to have replaced is not owned either, and is there.
    seen = {*_SECRET_REASONS.values(), checks.SECRET_MALFORMED} - {checks.SECRET_NOT_OWNED}
    return told.reason in seen and not list_unknown(scene.subject.secrets)


def _drop_absent(secrets: FoundSecrets) -> FoundSecrets:
    """Leave out the earlier secrets, of which there need not be any."""
    return [(ref, found) for ref, found in secrets if ref.key == SECRET_KEY or found.state not in _NOTHING]


def _tell_builds(status: BuildTriggerStatus) -> str:
    """Say how the newest build stands, if that is not the one of the newest delivery, and how many have not ended."""
    newest, last = status.last_build, status.last_delivery
    told = last.build.name if last is not None and last.build is not None else ""
    count = len(status.active)
    active = f"{MAX_ACTIVE} or more" if count >= MAX_ACTIVE else str(count)
    return join(
        f"Its newest build is {newest.kind} {newest.name}: {newest.phase}" if newest and newest.name != told else "",
        f"{active} of its builds {'has' if count == 1 else 'have'} not ended" if count else "",
    )


def _tell_trigger(scene: TriggerScene, teller: Teller, state: State, operator: Liveness) -> str:
    return join(
        teller.tell_state(state),
        *(begin(remark) for remark in state.remarks),
        teller.tell_staleness(state, operator),
        f"Hidden from you, for want of rights: {', '.join(scene.hidden)}" if scene.hidden else "",
    )
