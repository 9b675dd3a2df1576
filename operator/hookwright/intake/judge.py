"""`judge`: from a request and a route to a verdict. Pure: the receiver and `hookwright explain` run this very code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hookwright.builds.wanted import Undecided, WantedBuild, clean_value, format_time
from hookwright.errors import NotAuthentic, Unreadable
from hookwright.filters import JsonValue, bind, render_value
from hookwright.intake.payload import read_payload
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import CompiledParameter, Route
from hookwright.kinds import ParameterSource, Webhook
from hookwright.reasons import (
    ACCEPTED,
    BODY_TOO_LARGE,
    CATALOGUE,
    FILTERED_OUT,
    METHOD_NOT_ALLOWED,
    PING,
    SECRET_UNUSABLE,
    SPEC_INVALID,
    SUSPENDED,
    TARGET_MISSING,
    Reason,
)

# Of an undecided filter at most so many found texts are kept, and none that no matchEquals could equal:
# 150 characters, in which each `{K}` may stand for 1,000.
MAX_UNDECIDED = 1000
MAX_EXPECTED_LENGTH = 50_150


def judge(  # noqa: C901, PLR0911 - one early return for each answer: it reads like the design's list of them
    request: Request, route: Route, secrets: Sequence[bytes] | None, *, new_id: Callable[[], str]
) -> Verdict:
    """Decide what becomes of `request`, which was sent to the URL of `route`.

    `secrets` are the live secrets of the route; None means that there is none that can be used. `new_id` gives an id to
    a delivery whose sender has none for it.
    """
    delivery_id = route.scheme.delivery_id(request) or new_id()

    def say(reason: Reason, message: str = "", wanted: tuple[WantedBuild, ...] = ()) -> Verdict:
        return Verdict(reason=reason, message=message or reason.sentence, delivery_id=delivery_id, wanted=wanted)

    if request.method != "POST":
        return say(METHOD_NOT_ALLOWED, f"{request.method} is not allowed here; deliveries are sent by POST")
    if len(request.body) > route.max_body_bytes:
        return say(BODY_TOO_LARGE, describe_limit(route))
    if route.problem is not None:
        return say(SPEC_INVALID)
    if route.scheme.needs_secret and not secrets:
        return say(SECRET_UNUSABLE)
    try:
        route.scheme.verify(request, secrets or ())
    except NotAuthentic as error:
        return say(CATALOGUE[error.reason])
    if route.suspend:
        return say(SUSPENDED)
    try:
        document = read_payload(request)
    except Unreadable as error:
        return say(CATALOGUE[error.reason], error.message)
    if route.scheme.is_ping(request):
        return say(PING)
    undecided: tuple[Undecided, ...] = ()
    if route.matches is None:
        undecided, possible = _postpone_filters(route, document)
        if not possible:
            return say(FILTERED_OUT)
    elif not route.matches(document):
        return say(FILTERED_OUT)
    wanted = WantedBuild(
        namespace=route.namespace,
        owner_kind=Webhook.KIND,
        owner_name=route.name,
        owner_uid=route.uid,
        delivery_id=delivery_id,
        accepted_at=request.received_at,
        target=route.target,
        service_account=route.service_account,
        values=route.own_values if undecided else {},
        parameters={p.name: _value_of(p, route, request, document, delivery_id) for p in route.parameters},
        undecided=undecided,
    )
    return say(ACCEPTED if route.target_exists else TARGET_MISSING, wanted=(wanted,))


def describe_limit(route: Route) -> str:
    """Say how large a body may be."""
    return f"the body is larger than {route.max_body_bytes} bytes (spec.maxBodyBytes)"


def _value_of(
    parameter: CompiledParameter, route: Route, request: Request, document: JsonValue, delivery_id: str
) -> str:
    if parameter.value is not None:
        return parameter.value
    if parameter.expression is not None:
        found = parameter.expression.find(document)
        return clean_value((render_value(found[0]) if found else None) or "")
    match parameter.source:
        case ParameterSource.DELIVERY_ID:
            return delivery_id
        case ParameterSource.ACCEPTED_AT:
            return format_time(request.received_at)
        case _:
            return clean_value(route.scheme.event(request) or "")


def _postpone_filters(route: Route, document: JsonValue) -> tuple[tuple[Undecided, ...], bool]:
    """Keep of the filters what is needed to decide them once the target is there.

    Gives them, and whether they can still match: a filter that needs no value of the target is decided now.
    """
    undecided = []
    for rule in route.filters:
        if rule.match_equals is not None and not set(rule.match_equals.keys) <= set(route.own_values):
            texts = (render_value(value) for value in rule.json_path.find(document))
            found = tuple(text for text in texts if text is not None and len(text) <= MAX_EXPECTED_LENGTH)
            if not found:
                return (), False
            undecided.append(Undecided(match_equals=rule.match_equals.text, found=found[:MAX_UNDECIDED]))
        elif not bind((rule,), route.own_values)(document):
            return (), False
    return tuple(undecided), True
