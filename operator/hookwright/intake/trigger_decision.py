"""What a BuildTrigger decides of an authentic delivery: which of the things that happened start a build. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from hookwright.builds.environment import describe_event
from hookwright.builds.wanted import WantedBuild, clean_value
from hookwright.filters import Budget, EvaluationError, JsonValue
from hookwright.filters.groups import Ignore, Start, TriggerFilters, decide
from hookwright.intake.request import Request
from hookwright.intake.route import MAX_EVENT, Decision, Route
from hookwright.intake.schemes.scheme import check_delivery_id
from hookwright.intake.scope import Scope
from hookwright.kinds import BuildTrigger
from hookwright.providers.dialect import Dialect
from hookwright.reasons import (
    ACCEPTED,
    BRANCH_FILTERED_OUT,
    EVENT_NOT_BUILT,
    EVENT_UNREADABLE,
    FACTS_UNKNOWN,
    FORK_NOT_BUILT,
    NO_GROUP_PASSED,
    NOT_AN_EVENT,
    OTHER_REPOSITORY,
    PAYLOAD_TOO_COMPLEX,
    PING,
    REF_DELETED,
    SKIPPED_BY_MESSAGE,
    TOO_MANY_CHANGES,
    Reason,
)
from hookwright.scm import NoEvent, Provider, ScmEvent

# In a commit's message: the words of GitHub, GitLab and Bitbucket, and Azure's.
_SKIP: Final = re.compile(
    r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|\*\*\*NO_CI\*\*\*", re.IGNORECASE | re.ASCII
)
# Of several changes that start nothing, the reason of the one that came nearest to a build is told.
_TELLING: Final = (
    TOO_MANY_CHANGES,
    FACTS_UNKNOWN,
    NO_GROUP_PASSED,
    BRANCH_FILTERED_OUT,
    SKIPPED_BY_MESSAGE,
    FORK_NOT_BUILT,
    EVENT_NOT_BUILT,
    REF_DELETED,
    OTHER_REPOSITORY,
    EVENT_UNREADABLE,
    NOT_AN_EVENT,
    PING,
)
NO_SCOPE: Final = Scope()
NO_FILTERS: Final = TriggerFilters()
_RANKS: Final = {reason: rank for rank, reason in enumerate(_TELLING)}


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerRoute(Route):
    """One BuildTrigger, ready to judge. Without a provider it has no URL, and nothing is sent to it."""

    KIND: ClassVar[str] = BuildTrigger.KIND

    provider: Provider | None = None
    dialect: Dialect
    scope: Scope = NO_SCOPE
    filters: TriggerFilters = NO_FILTERS
    skip_ci: bool = True

    def delivery_id(self, request: Request) -> str | None:
        """Give the provider's own id of a delivery; see `Route.delivery_id`."""
        return check_delivery_id(self.dialect.find_delivery_id(request.header))

    def event(self, request: Request) -> str | None:
        """Give the provider's name for what happened."""
        return next((name for header in self.dialect.event_headers if (name := request.header(header))), None)

    def decide(self, request: Request, document: JsonValue, delivery_id: str) -> Decision:
        """Start a build for each change that passes, as `Route.decide`."""
        reading = self.dialect.read(request.header, document)
        budget = Budget()
        starting: dict[tuple[object, ...], ScmEvent] = {}
        ignored: list[Ignore] = []
        try:
            for change in reading:
                reason = self.judge_change(change, budget)
                if reason is not None:
                    ignored.append(reason)
                elif isinstance(change, ScmEvent):
                    starting.setdefault(_name_change(change), change)
        except EvaluationError:
            return Decision(reason=PAYLOAD_TOO_COMPLEX)
        if not starting:
            return _tell(ignored)
        wanted = tuple(self._want(event, request, delivery_id) for event in starting.values())
        message = f"{ACCEPTED.sentence} {len(wanted)} of its {len(reading)} changes start a build." if ignored else ""
        return Decision(reason=ACCEPTED, message=message, wanted=wanted)

    def judge_change(self, change: ScmEvent | NoEvent, budget: Budget) -> Ignore | None:
        """Say why a change starts nothing; None if it starts a build."""
        if isinstance(change, NoEvent):
            told = f" ({change.told})" if change.told else ""
            return Ignore(reason=change.reason, message=change.reason.sentence.removesuffix(".") + told)
        if not self.scope.covers(change.repository):
            return _ignore(OTHER_REPOSITORY)
        if self.skip_ci and change.message is not None and _SKIP.search(change.message):
            return _ignore(SKIPPED_BY_MESSAGE)
        decision = decide(self.filters, change, budget=budget)
        if isinstance(decision, Start):
            return None
        return decision if isinstance(decision, Ignore) else _ignore(FACTS_UNKNOWN)

    def _want(self, event: ScmEvent, request: Request, delivery_id: str) -> WantedBuild:
        told = describe_event(event, self.provider) if self.provider is not None else {}
        return WantedBuild(
            namespace=self.namespace,
            owner_kind=self.KIND,
            owner_name=self.name,
            owner_uid=self.uid,
            delivery_id=delivery_id,
            index=event.index,
            accepted_at=request.received_at,
            target=self.target,
            service_account=self.service_account,
            parameters={name: clean_value(value) for name, value in told.items()},
            event=(self.event(request) or "")[:MAX_EVENT],
            client=str(request.client) if request.client is not None else "",
            keep_seconds=self.keep_seconds,
        )


def _name_change(event: ScmEvent) -> tuple[object, ...]:
    """Give what two tellings of one change have in common, and two changes do not."""
    return event.event, event.repository.full_name.lower(), event.pull_request, event.head_ref, event.sha


def _ignore(reason: Reason) -> Ignore:
    return Ignore(reason=reason, message=reason.sentence)


def _tell(ignored: Sequence[Ignore]) -> Decision:
    """Give the most telling reason of changes of which none starts a build."""
    first = min(ignored, key=lambda one: _RANKS[one.reason])
    others = f"; none of the other {len(ignored) - 1} changes starts a build either" if len(ignored) > 1 else ""
    return Decision(reason=first.reason, message=first.message.removesuffix(".") + others + ".")
