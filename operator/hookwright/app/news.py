"""What became of a delivery, said for those who keep it: the object's status, and the history. Pure."""

from __future__ import annotations

from datetime import datetime

from hookwright.builds.starter import Conclusion, refer_build
from hookwright.builds.status import News, describe_delivery
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.journal import Key, Record, RecordedBuild
from hookwright.kinds import BuildReference
from hookwright.reasons import Outcome


def news_of_conclusion(conclusion: Conclusion) -> News:
    """Give what a try to start a build means for the status of the object that wanted it."""
    wanted = conclusion.wanted
    delivery = describe_delivery(
        delivery_id=wanted.delivery_id,
        time=wanted.accepted_at,
        outcome=str(conclusion.reason.outcome),
        reason=conclusion.reason.name,
        message=conclusion.message,
        build=conclusion.build,
        one_of_several=wanted.one_of_several,
    )
    return News(
        kind=wanted.owner_kind,
        namespace=wanted.namespace,
        name=wanted.owner_name,
        uid=wanted.owner_uid,
        last_delivery=delivery,
        last_triggered=conclusion.time if conclusion.reason.outcome is Outcome.STARTED else None,
    )


def news_of_verdict(route: Route, request: Request, verdict: Verdict) -> News:
    """Give what a verdict means for the status of its object."""
    delivery = describe_delivery(
        delivery_id=verdict.delivery_id,
        time=request.received_at,
        outcome=str(verdict.outcome),
        reason=verdict.reason.name,
        message=f"{_end(verdict.message)} {verdict.reason.remedy}".strip(),
        build=refer_build(verdict.wanted[0]) if verdict.wanted else None,
    )
    return News(kind=route.KIND, namespace=route.namespace, name=route.name, uid=route.uid, last_delivery=delivery)


def _end(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."


def record_of_conclusion(conclusion: Conclusion) -> Record:
    """Give the record of a try to start a build."""
    wanted = conclusion.wanted
    return Record(
        key=Key(uid=wanted.owner_uid, delivery_id=wanted.delivery_id, index=wanted.index),
        namespace=wanted.namespace,
        name=wanted.owner_name,
        kind=wanted.owner_kind,
        received_at=wanted.accepted_at,
        decided_at=conclusion.time,
        outcome=str(conclusion.reason.outcome),
        reason=conclusion.reason.name,
        message=conclusion.message,
        target=f"{wanted.target.kind}/{wanted.target.name}",
        build=_recorded(conclusion.build),
        event=wanted.event or None,
        client=wanted.client or None,
    )


def record_of_verdict(route: Route, request: Request, verdict: Verdict, *, now: datetime) -> Record:
    """Give the record of a verdict."""
    return Record(
        key=Key(uid=route.uid, delivery_id=verdict.delivery_id),
        namespace=route.namespace,
        name=route.name,
        kind=route.KIND,
        received_at=request.received_at,
        decided_at=now,
        outcome=str(verdict.outcome),
        reason=verdict.reason.name,
        message=verdict.message,
        target=f"{route.target.kind}/{route.target.name}",
        build=_recorded(refer_build(verdict.wanted[0]) if verdict.wanted else None),
        event=route.event(request),
        client=str(request.client) if request.client is not None else None,
    )


def _recorded(build: BuildReference | None) -> RecordedBuild | None:
    if build is None:
        return None
    return RecordedBuild(api_version=build.api_version, kind=build.kind, name=build.name)
