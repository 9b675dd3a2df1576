"""What a BuildTrigger decides of an authentic delivery: which of the things that happened start a build. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from hookwright.builds.by_hand import is_by_hand
from hookwright.builds.environment import describe_event
from hookwright.builds.scope import Scope
from hookwright.builds.trigger_filters import NO_FILTERS
from hookwright.builds.wanted import WantedBuild
from hookwright.filters import Budget, EvaluationError, JsonValue
from hookwright.filters.groups import Ignore, Need, Start, TriggerFilters, decide
from hookwright.intake.request import Request
from hookwright.intake.route import MAX_EVENT, Decision, Route
from hookwright.intake.schemes.scheme import check_delivery_id
from hookwright.kinds import BuildTrigger
from hookwright.providers.dialect import Dialect
from hookwright.reasons import (
    ACCEPTED,
    BRANCH_FILTERED_OUT,
    EVENT_NOT_BUILT,
    EVENT_UNREADABLE,
    FACTS_UNKNOWN,
    FACTS_WANTED,
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
# Who pushes more refs at once does not wait for a build of every one.
MAX_BUILDS: Final = 100
_RANKS: Final = {reason: rank for rank, reason in enumerate(_TELLING)}


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerRoute(Route):
    """One BuildTrigger, ready to judge. Without a provider it has no URL, and nothing is sent to it."""

    KIND: ClassVar[str] = BuildTrigger.KIND

    provider: Provider | None = None
    dialect: Dialect
    scope: Scope = NO_SCOPE
    filters: TriggerFilters = NO_FILTERS
    wants_files: bool = False  # whether any filter looks at them
    skip_ci: bool = True

    def delivery_id(self, request: Request) -> str | None:
        """Give the provider's own id of a delivery, unless it reads as a start by hand; see `Route.delivery_id`."""
        found = check_delivery_id(self.dialect.find_delivery_id(request.header))
        return None if found is not None and is_by_hand(found) else found

    def event(self, request: Request) -> str | None:
        """Give the provider's name for what happened."""
        return self.dialect.find_event(request.header)

    def decide(self, request: Request, document: JsonValue, delivery_id: str) -> Decision:
        """Start a build for each change that passes, as `Route.decide`."""
        reading = self.dialect.read(request.header, document, wants_files=self.wants_files)
        budget = Budget()
        starting: dict[tuple[object, ...], WantedBuild] = {}
        ignored: list[Ignore] = []
        try:
            for change in reading:
                judged = self.judge_change(change, budget)
                if isinstance(judged, Ignore):
                    ignored.append(judged)
                elif isinstance(change, ScmEvent):
                    wanted = self._want(change, request, delivery_id, is_open=judged is not None)
                    starting.setdefault(_name_change(change), wanted)
                if len(starting) > MAX_BUILDS:
                    return Decision(reason=TOO_MANY_CHANGES)
        except EvaluationError:
            return Decision(reason=PAYLOAD_TOO_COMPLEX)
        if not starting:
            return _tell(ignored)
        found = tuple(starting.values())
        if len(found) > 1:
            found = tuple(replace(wanted, one_of_several=True) for wanted in found)
        if all(wanted.open_event is not None for wanted in found):
            return Decision(reason=FACTS_WANTED, wanted=found)
        message = f"{ACCEPTED.sentence} {len(found)} of its {len(reading)} changes start a build." if ignored else ""
        return Decision(reason=ACCEPTED, message=message, wanted=found)

    def judge_change(self, change: ScmEvent | NoEvent, budget: Budget) -> Ignore | Need | None:
        """Say why a change starts nothing, or what the provider must say first; None if it starts a build."""
        if isinstance(change, NoEvent):
            told = f" ({change.told})" if change.told else ""
            return Ignore(reason=change.reason, message=change.reason.sentence.removesuffix(".") + told)
        if not self.scope.covers(change.repository):
            message = f"It did not happen in {self.scope}, which spec.source names"
            return Ignore(reason=OTHER_REPOSITORY, message=message)
        if self.skip_ci and change.asks_to_be_skipped():
            return _ignore(SKIPPED_BY_MESSAGE)
        decision = decide(self.filters, change, budget=budget)
        return None if isinstance(decision, Start) else decision

    def _want(self, event: ScmEvent, request: Request, delivery_id: str, *, is_open: bool) -> WantedBuild:
        told = describe_event(event, self.provider) if self.provider is not None else {}
        return WantedBuild(
            namespace=self.namespace,
            owner_kind=self.KIND,
            owner_name=self.name,
            owner_uid=self.uid,
            delivery_id=delivery_id,
            index=event.index,
            open_event=event if is_open else None,
            accepted_at=request.received_at,
            target=self.target,
            service_account=self.service_account,
            parameters=told,
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
