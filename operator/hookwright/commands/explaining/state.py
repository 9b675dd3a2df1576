"""Whether an object does its work, from what its status says and from what can be seen now. Pure.

The operator's own checks judge what can be seen. Some things only the operator can know: what it may itself read, what
the API server says of a Job that it tries, how many Webhooks it allows. So status goes before what can be seen, unless
it is about an older spec, or something that status does not know of stands in the way by now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hookwright.commands.explaining.authenticity import list_unknown
from hookwright.commands.explaining.gathering import Scene
from hookwright.intake.rules import LIMIT_EXCEEDED
from hookwright.kinds import BuildTrigger
from hookwright.kinds.conditions import LAST_DELIVERY_FAILED, READY, RECONCILING, STALLED
from hookwright.reconcile import checks
from hookwright.reconcile.checks import Finding, OurObject, check_webhook, found_conditions, found_status, is_judged

UNKNOWN = "Unknown"
_TOLD_ELSEWHERE = (READY, RECONCILING, STALLED, LAST_DELIVERY_FAILED)
MENDED = (
    "by what can be seen now nothing stands in the way any more: its status follows within seconds; if it stays so, "
    "look into the operator's log"
)
_OF_SECRETS = (
    checks.SECRET_NOT_FOUND,
    checks.SECRET_KEY_MISSING,
    checks.SECRET_EMPTY,
    checks.SECRET_MALFORMED,
)
_OF_TARGETS = (checks.TARGET_NOT_FOUND, checks.TARGET_NOT_READY)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What status says; `ready` is Unknown, and `reason` empty, where it says nothing.

    `current` says that it is about the spec as it is now.
    """

    ready: str = UNKNOWN
    reason: str = ""
    message: str = ""
    code: str = ""
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class State:
    """How an object is; `seen` says that it is so by what can be seen now, and not by its status.

    `reason` is empty where nothing is known to stand in the way. `remarks` are sentences without a full stop.
    """

    ready: str
    reason: str = ""
    message: str = ""
    code: str = ""
    seen: bool = False
    told: Told
    remarks: tuple[str, ...] = ()


def read_told(obj: OurObject) -> Told:
    """Give what the status of an object says."""
    status = found_status(obj)
    current = status.get("observedGeneration") == obj.metadata.generation
    for condition in found_conditions(obj):
        if condition.type == READY:
            return Told(
                ready=condition.status,
                reason=condition.reason,
                message=condition.message,
                code=str(status.get("errorCode") or ""),
                current=current,
            )
    return Told()


def judge_state(scene: Scene) -> State:
    """Say whether the Webhook does its work."""
    told = read_told(scene.webhook)
    finding = _find_obstacle(scene)
    remarks = _remark_target(scene) if finding is None else ()
    return add_warnings(weigh(told, finding, can_judge=_can_judge(told, scene), remarks=remarks), scene.webhook)


def add_warnings(state: State, obj: OurObject) -> State:
    """Add what the status says beside Ready: what is true though the object may do its work all the same."""
    warnings = tuple(
        f"{one.type} ({one.reason}): {one.message}"
        for one in found_conditions(obj)
        if one.type not in _TOLD_ELSEWHERE and one.status == "True"
    )
    return replace(state, remarks=state.remarks + warnings)


def weigh(told: Told, finding: Finding | None, *, can_judge: bool, remarks: tuple[str, ...] = ()) -> State:
    """Weigh what status says against what can be seen to stand in the way.

    `can_judge` says whether what status says could be seen here too.
    """
    if finding is None:
        if not told.current:
            return State(ready=UNKNOWN, told=told, remarks=remarks)
        if told.ready != "True" and can_judge:
            remarks += (MENDED,)
        return _repeat(told, remarks)
    if told.current and told.reason == finding.reason:
        return _repeat(told, remarks)
    if told.current and told.ready != "True" and not can_judge:
        return _repeat(told, (f"besides, {finding.message}",))
    if told.current:
        remarks = (f"its status does not know that yet, and says {told.reason}",)
    return State(
        ready="False",
        reason=finding.reason,
        message=finding.message,
        code=finding.code,
        seen=True,
        told=told,
        remarks=remarks,
    )


def _repeat(told: Told, remarks: tuple[str, ...]) -> State:
    return State(ready=told.ready, reason=told.reason, message=told.message, code=told.code, told=told, remarks=remarks)


def _find_obstacle(scene: Scene) -> Finding | None:
    """Give the first thing that can be seen to stand in the way, by the operator's own checks."""
    subject = scene.subject
    finding = check_webhook(
        subject.webhook, subject.target, [found for _, found in subject.secrets], standing=subject.standing
    )
    unseen = finding is not None and finding.reason == checks.TARGET_NOT_FOUND and not scene.target_known
    return None if unseen else finding


def _can_judge(told: Told, scene: Scene) -> bool:
    """Say whether what status says could be seen here too."""
    if told.code == LIMIT_EXCEEDED:
        return False
    if told.reason == checks.INVALID_SPEC:
        return scene.names_known and scene.target_known
    if told.reason in _OF_SECRETS:
        return not list_unknown(scene.subject.secrets)
    return told.reason in _OF_TARGETS and scene.target_known


def _remark_target(scene: Scene) -> tuple[str, ...]:
    target = scene.subject.target
    if not isinstance(target, BuildTrigger) or is_judged(target):
        return ()
    return (f"{BuildTrigger.KIND} {target.metadata.name} waits for the operator to look at it first",)
