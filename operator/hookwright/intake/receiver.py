"""The receiver: what is done with a request around the pure `judge`. It knows nothing of HTTP servers.

Route, secret, verdict, journal, answer. A 2xx that starts something is given only once the journal has it on disk.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Protocol

import structlog

from hookwright.builds.names import name_wanted
from hookwright.builds.targets import find_build_kind
from hookwright.builds.wanted import WantedBuild
from hookwright.errors import JournalCrowded, JournalUnwritable
from hookwright.intake.addresses import Address
from hookwright.intake.judge import admit_all, judge
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import Route, SecretRef
from hookwright.journal import Accept, Accepted, Key, RowError
from hookwright.logs import name_object
from hookwright.reasons import (
    ACCEPTED,
    ADDRESS_NOT_ALLOWED,
    ALREADY_DELIVERED,
    BRANCH_FILTERED_OUT,
    FACTS_UNKNOWN,
    FACTS_WANTED,
    FILTERED_OUT,
    JOURNAL_CROWDED,
    JOURNAL_UNWRITABLE,
    METHOD_NOT_ALLOWED,
    NO_GROUP_PASSED,
    NOT_AUTHENTIC,
    OTHER_REPOSITORY,
    PARAMETERS_TOO_LARGE,
    SECRET_UNUSABLE,
    SIGNATURE_MISMATCH,
    SIGNATURE_MISSING,
    TIMESTAMP_MISSING,
    TIMESTAMP_OUT_OF_WINDOW,
    TOKEN_MISMATCH,
    TOKEN_MISSING,
    URL_UNKNOWN,
    Reason,
)

RETRY_AFTER_SECONDS = 10
# Which check failed is for the object's owner to know, not for the caller.
_UNTOLD = frozenset(
    {
        SIGNATURE_MISSING,
        SIGNATURE_MISMATCH,
        TOKEN_MISSING,
        TOKEN_MISMATCH,
        TIMESTAMP_MISSING,
        TIMESTAMP_OUT_OF_WINDOW,
    }
)
# What these say in detail, filters, sources and addresses, is for the owner too.
_FOR_THE_OWNER = frozenset(
    {FILTERED_OUT, NO_GROUP_PASSED, BRANCH_FILTERED_OUT, OTHER_REPOSITORY, FACTS_UNKNOWN, ADDRESS_NOT_ALLOWED}
)
# A Secret that has changed meanwhile would make these something else.
_WORTH_ANOTHER_LOOK = frozenset({SIGNATURE_MISMATCH, TOKEN_MISMATCH, SECRET_UNUSABLE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the caller gets.

    Not for the caller are the true `reason`, and the `kind` of the object that it was for; empty where none is known.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reason: Reason
    kind: str


class Secrets(Protocol):
    """Where live secrets come from."""

    async def read_all(self, refs: Sequence[SecretRef]) -> Sequence[bytes] | None:
        """Give the secrets at `refs`, at most 10 s old; None if there is none that can be used."""
        ...

    async def read_all_again(self, refs: Sequence[SecretRef], than: Sequence[bytes] | None) -> Sequence[bytes] | None:
        """Give them as they are now, if they are others than `than`; else None. How often it really asks is bounded."""
        ...


class Acceptor(Protocol):
    """The part of the journal that takes deliveries."""

    async def accept_all(self, deliveries: list[Accepted]) -> list[Accept]:
        """Put deliveries on disk; raises JournalUnwritable or JournalCrowded."""
        ...


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """Takes requests for routes.

    `report` is told of each verdict that is not only about the caller. `admit` is asked for each authentic delivery to
    a route with a rate limit: None admits it, else it says in how many seconds it may come again. `forgive` is told of
    the address of each sender that has proved itself, and of the UID of the object to which it has.
    """

    secrets: Secrets
    journal: Acceptor
    report: Callable[[Route, Request, Verdict], None]
    admit: Callable[[Route], float | None] = field(default=lambda _: None)
    forgive: Callable[[Address | None, str], None] = field(default=lambda _client, _uid: None)
    new_id: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    # Bound once: a lazy logger is put together anew at every call, which a delivery would pay for.
    log: structlog.typing.FilteringBoundLogger = field(default_factory=lambda: structlog.get_logger().bind())

    async def receive(self, route: Route, request: Request) -> Answer:
        """Judge `request`, put what it starts on disk, and answer."""
        verdict = await self._judge(route, request)
        if verdict.authentic:
            self.forgive(request.client, route.uid)
        if verdict.wanted:
            verdict = await self._accept(verdict)
        if verdict.reason is not ACCEPTED:
            # What was accepted is reported by whoever starts it, with what became of it.
            self.report(route, request, verdict)
        self.log.debug(
            "delivery",
            **name_object(route.KIND, route.namespace, route.name),
            delivery=verdict.delivery_id,
            outcome=str(verdict.outcome),
            reason=verdict.reason.name,
        )
        return answer(verdict, route.KIND)

    async def _judge(self, route: Route, request: Request) -> Verdict:
        """Judge; if the signature does not fit, or there is no secret, the Secret may have changed: look again."""
        admit = partial(self.admit, route) if route.rate_limit is not None else admit_all
        own = (route.inline_secret,) if route.inline_secret is not None else ()
        if not route.secret_refs:
            return judge(request, route, own, new_id=self.new_id, admit=admit)
        secrets = await self.secrets.read_all(route.secret_refs)
        verdict = judge(request, route, (*own, *(secrets or ())), new_id=self.new_id, admit=admit)
        if verdict.reason in _WORTH_ANOTHER_LOOK:
            changed = await self.secrets.read_all_again(route.secret_refs, secrets)
            if changed is not None:
                verdict = judge(request, route, (*own, *changed), new_id=self.new_id, admit=admit)
        return verdict

    async def _accept(self, verdict: Verdict) -> Verdict:
        deliveries = [to_journal(wanted) for wanted in verdict.wanted]
        try:
            taken = await self.journal.accept_all(deliveries)
        except RowError:
            reason = PARAMETERS_TOO_LARGE
            return replace(verdict, reason=reason, message=reason.sentence, wanted=())
        except JournalCrowded:
            # Said by the journal, now and then: whoever floods does not decide how much is logged.
            return replace(verdict, reason=JOURNAL_CROWDED, message=JOURNAL_CROWDED.sentence, wanted=())
        except JournalUnwritable as error:
            owner = name_object(deliveries[0].kind, deliveries[0].namespace, deliveries[0].name)
            self.log.error("journal", **owner, delivery=verdict.delivery_id, error=error.message)
            return replace(verdict, reason=JOURNAL_UNWRITABLE, message=JOURNAL_UNWRITABLE.sentence, wanted=())
        new = tuple(wanted for wanted, accept in zip(verdict.wanted, taken, strict=True) if accept.new)
        if not new:
            return replace(verdict, reason=ALREADY_DELIVERED, message=ALREADY_DELIVERED.sentence)
        return verdict if len(new) == len(taken) else _name_new(verdict, new)


def _name_new(verdict: Verdict, new: tuple[WantedBuild, ...]) -> Verdict:
    """Say of a delivery that comes again, and only a part of which had come to nothing, what it starts this time."""
    reason = verdict.reason if any(wanted.open_event is None for wanted in new) else FACTS_WANTED
    others = len(verdict.wanted) - len(new)
    known = f"{others} of its {len(verdict.wanted)} changes started a build when it came before, or still will."
    return replace(verdict, reason=reason, message=f"{reason.sentence} {known}", wanted=new)


def to_journal(wanted: WantedBuild) -> Accepted:
    """Give the journal's row for a wanted build."""
    return Accepted(
        key=Key(uid=wanted.owner_uid, delivery_id=wanted.delivery_id, index=wanted.index),
        namespace=wanted.namespace,
        name=wanted.owner_name,
        kind=wanted.owner_kind,
        accepted_at=wanted.accepted_at,
        work=wanted.to_json(),
    )


def answer(verdict: Verdict, kind: str) -> Answer:
    """Say a verdict on a delivery to an object of `kind` over HTTP."""
    reason = NOT_AUTHENTIC if verdict.reason in _UNTOLD else verdict.reason
    message = verdict.message if reason is verdict.reason and reason not in _FOR_THE_OWNER else reason.sentence
    if verdict.wanted:
        members = _write(reason, message, [describe_build(wanted) for wanted in verdict.wanted])
    else:
        members = _write_without_builds(reason, message)
    return _answer(reason, verdict.delivery_id, members, verdict.retry_after, truth=verdict.reason, kind=kind)


def refuse(reason: Reason, message: str = "", *, retry_after: float | None = None) -> Answer:
    """Refuse a request that is no delivery to any object."""
    members = _write_without_builds(reason, message or reason.sentence)
    return _answer(reason, None, members, retry_after, truth=reason, kind="")


def refuse_unknown() -> Answer:
    """Refuse a request to a URL that nobody has."""
    return refuse(URL_UNKNOWN)


def describe_build(wanted: WantedBuild) -> dict[str, str]:
    """Say which object is, or will be, started for `wanted`."""
    build = find_build_kind(wanted.target)
    return {
        "apiVersion": build.api_version,
        "kind": build.kind,
        "namespace": wanted.namespace,
        "name": name_wanted(wanted),
    }


def _write(reason: Reason, message: str, builds: list[dict[str, str]]) -> str:
    """Write what follows the delivery id in an answer's document."""
    document = {"outcome": str(reason.outcome), "reason": reason.name, "message": message, "builds": builds}
    return json.dumps(document)[1:]


# But for the id, the answers that name no build are always the same few.
@lru_cache(maxsize=256)
def _write_without_builds(reason: Reason, message: str) -> str:
    return _write(reason, message, [])


def _answer(
    reason: Reason, delivery_id: str | None, members: str, retry_after: float | None, *, truth: Reason, kind: str
) -> Answer:
    status = reason.status or 503
    headers = [("content-type", "application/json")]
    if status in (429, 503):  # Too Many Requests, Service Unavailable
        headers.append(("retry-after", str(math.ceil(retry_after or RETRY_AFTER_SECONDS))))
    if reason is METHOD_NOT_ALLOWED:
        headers.append(("allow", "POST"))
    body = f'{{"deliveryId": {json.dumps(delivery_id)}, {members}'
    return Answer(status=status, headers=headers, body=body.encode(), reason=truth, kind=kind)
