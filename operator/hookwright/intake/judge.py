"""`judge`: from a request and a route to a verdict. Pure: the receiver and `hookwright explain` run this very code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hookwright.builds.wanted import WantedBuild
from hookwright.errors import NotAuthentic, Unreadable
from hookwright.intake.payload import read_payload
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route
from hookwright.reasons import (
    ADDRESS_NOT_ALLOWED,
    BODY_TOO_LARGE,
    CATALOGUE,
    METHOD_NOT_ALLOWED,
    RATE_LIMITED,
    SECRET_UNUSABLE,
    SPEC_INVALID,
    SUSPENDED,
    Reason,
)


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
    decided = route.decide(request, document, delivery_id)
    return say(decided.reason, decided.message, decided.wanted)


def describe_limit(route: Route) -> str:
    """Say how large a body may be."""
    return f"the body is larger than {route.max_body_bytes} bytes"


def describe_refusal(error: NotAuthentic, request: Request) -> str:
    """Say more to the owner than the reason's own sentence, where that helps; empty where it does not."""
    if error.reason != ADDRESS_NOT_ALLOWED.name:
        return ""
    seen = str(request.client) if request.client is not None else "unknown"
    return f"The caller's address is {seen}, which is not in allowedIPRange."
