"""`judge`: from a request and a route to a verdict. Pure: the receiver and `hookwright explain` run this very code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from hookwright.builds.wanted import Undecided, WantedBuild, clean_value, format_time
from hookwright.errors import NotAuthentic, Unreadable
from hookwright.filters import (
    Budget,
    EvaluationError,
    Expression,
    JsonValue,
    UnknownKey,
    bind,
    render_found,
    render_value,
)
from hookwright.intake.payload import read_payload
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import CompiledParameter, Route
from hookwright.kinds import ParameterSource, Webhook
from hookwright.reasons import (
    ACCEPTED,
    ADDRESS_NOT_ALLOWED,
    BODY_TOO_LARGE,
    CATALOGUE,
    FILTERED_OUT,
    METHOD_NOT_ALLOWED,
    PAYLOAD_TOO_COMPLEX,
    PING,
    RATE_LIMITED,
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
MAX_EVENT = 128
MAX_EXPECTED_SHOWN = 200


def admit_all() -> float | None:
    """Admit a delivery, whatever came before it."""
    return None


def judge(  # noqa: C901, PLR0911 - one early return for each answer: it reads like the design's list of them
    request: Request,
    route: Route,
    secrets: Sequence[bytes] | None,
    *,
    new_id: Callable[[], str],
    admit: Callable[[], float | None] = admit_all,
) -> Verdict:
    """Decide what becomes of `request`, which was sent to the URL of `route`.

    `secrets` are the live secrets of the route; None means that there is none that can be used. `new_id` gives an id to
    a delivery whose sender has none for it. `admit` is asked once the delivery is known to be authentic: None admits
    it, else it says in how many seconds it may come again.
    """
    delivery_id = route.delivery_id(request) or new_id()
    scheme = route.scheme
    authentic = False

    def say(
        reason: Reason, message: str = "", wanted: tuple[WantedBuild, ...] = (), retry_after: float | None = None
    ) -> Verdict:
        return Verdict(
            reason=reason,
            message=message or reason.sentence,
            delivery_id=delivery_id,
            wanted=wanted,
            authentic=authentic,
            retry_after=retry_after,
        )

    if request.method != "POST":
        return say(METHOD_NOT_ALLOWED, f"{request.method} is not allowed here; deliveries are sent by POST")
    if len(request.body) > route.max_body_bytes:
        return say(BODY_TOO_LARGE, describe_limit(route))
    if route.problem is not None:
        return say(SPEC_INVALID)
    if scheme.needs_secret and not any(scheme.check_secret(secret) is None for secret in secrets or ()):
        return say(SECRET_UNUSABLE)
    try:
        scheme.verify(request, secrets or ())
    except NotAuthentic as error:
        return say(CATALOGUE[error.reason], describe_refusal(error, request))
    except Unreadable as error:
        return say(CATALOGUE[error.reason], error.message)
    authentic = True
    if (wait := admit()) is not None:
        return say(RATE_LIMITED, retry_after=wait)
    if route.suspend:
        return say(SUSPENDED)
    try:
        document = read_payload(request, forms=scheme.reads_forms)
    except Unreadable as error:
        return say(CATALOGUE[error.reason], error.message)
    if scheme.is_ping(request):
        return say(PING)
    budget = Budget()
    undecided = _apply_filters(route, document, budget)
    parameters = (
        {p.name: _value_of(p, route, request, document, delivery_id, budget) for p in route.parameters}
        if not isinstance(undecided, int)
        else {}
    )
    # What a spent budget left undone must not look like a filter that does not match, or like empty parameters.
    if budget.spent:
        return say(PAYLOAD_TOO_COMPLEX)
    if isinstance(undecided, int):
        return say(FILTERED_OUT, describe_mismatch(route, undecided))
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
        parameters=parameters,
        undecided=undecided,
        event=(scheme.event(request) or "")[:MAX_EVENT],
        client=str(request.client) if request.client is not None else "",
        keep_seconds=route.keep_seconds,
    )
    return say(ACCEPTED if route.target_exists else TARGET_MISSING, wanted=(wanted,))


def describe_limit(route: Route) -> str:
    """Say how large a body may be."""
    return f"the body is larger than {route.max_body_bytes} bytes (spec.maxBodyBytes)"


def _value_of(  # noqa: PLR0917 - a parameter may come from anything that there is
    parameter: CompiledParameter, route: Route, request: Request, document: JsonValue, delivery_id: str, budget: Budget
) -> str:
    if parameter.value is not None:
        return parameter.value
    if parameter.expression is not None:
        found = parameter.expression.find(document, budget)
        return clean_value((render_value(found[0]) if found else None) or "")
    match parameter.source:
        case ParameterSource.DELIVERY_ID:
            return delivery_id
        case ParameterSource.ACCEPTED_AT:
            return format_time(request.received_at)
        case _:
            return clean_value(route.scheme.event(request) or "")


def describe_refusal(error: NotAuthentic, request: Request) -> str:
    """Say more to the owner than the reason's own sentence, where that helps; empty where it does not."""
    if error.reason != ADDRESS_NOT_ALLOWED.name:
        return ""
    seen = str(request.client) if request.client is not None else "unknown"
    return f"The caller's address is {seen}, which is not in allowedIPRange."


def describe_mismatch(route: Route, index: int) -> str:
    """Say what a filter wanted and did not find; of the payload nothing is said."""
    rule = route.filters[index]
    if rule.match_equals is None:
        return f"spec.filters[{index}]: {rule.json_path.text} finds nothing that is not null"
    try:
        expected = rule.match_equals.expand(route.values if route.values is not None else route.own_values)
    except UnknownKey:
        expected = rule.match_equals.text
    return f"spec.filters[{index}]: {rule.json_path.text} does not give {expected[:MAX_EXPECTED_SHOWN]}"


def _apply_filters(route: Route, document: JsonValue, budget: Budget) -> tuple[Undecided, ...] | int:
    """Give what is left to decide once the target is there, mostly nothing; or which filter does not match."""
    if route.tests is not None:
        for index, test in enumerate(route.tests):
            if not test(document, budget):
                return index
        return ()
    undecided = []
    for index, rule in enumerate(route.filters):
        if rule.match_equals is not None and not set(rule.match_equals.keys) <= set(route.own_values):
            found = _keep_texts(rule.json_path, document, budget)
            if not found:
                return index
            undecided.append(Undecided(match_equals=rule.match_equals.text, found=found))
        elif not bind((rule,), route.own_values)(document, budget):  # it needs no value of the target
            return index
    return tuple(undecided)


def _keep_texts(path: Expression, document: JsonValue, budget: Budget) -> tuple[str, ...]:
    """Give the first texts found that a matchEquals could equal; none if the budget does not suffice."""
    try:
        texts = render_found(path.search(document, budget), budget)
        return tuple(islice((text for text in texts if len(text) <= MAX_EXPECTED_LENGTH), MAX_UNDECIDED))
    except EvaluationError:
        return ()
