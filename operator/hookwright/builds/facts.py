"""What payloads lack and a provider's API knows: asked for after the answer, by whoever starts the build.

No provider is asked before a delivery was answered: a sender does not wait for it, and a stranger cannot have us ask.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from hookwright.builds.scope import find_scope
from hookwright.builds.trigger_filters import Knows, compile_trigger_filters, know_nothing
from hookwright.builds.wanted import WantedBuild
from hookwright.errors import InvalidSpec, ProviderError
from hookwright.filters import EvaluationError
from hookwright.filters.groups import Facts, Ignore, Need, decide
from hookwright.kinds import BuildTrigger
from hookwright.reasons import (
    FACTS_DELAYED,
    FACTS_UNKNOWN,
    OTHER_REPOSITORY,
    PAYLOAD_TOO_COMPLEX,
    SKIPPED_BY_MESSAGE,
    TARGET_INVALID,
    Reason,
)
from hookwright.scm import Fact, Provider, ScmEvent

ASK_SECONDS = 20.0


class FactSource(Protocol):
    """Who asks providers."""

    def knows(self, provider: Provider) -> frozenset[Fact]:
        """Give what `provider` can be asked for."""
        ...

    async def find(self, trigger: BuildTrigger, event: ScmEvent, facts: frozenset[Fact]) -> Facts:
        """Give `facts` about an event; raises ProviderError."""
        ...


class NoFacts:
    """Asks nobody."""

    def knows(self, provider: Provider) -> frozenset[Fact]:
        """See `FactSource.knows`."""
        return know_nothing(provider)

    async def find(self, trigger: BuildTrigger, event: ScmEvent, facts: frozenset[Fact]) -> Facts:
        """See `FactSource.find`."""
        wanted = " and ".join(sorted(facts))
        provider = trigger.spec.source.provider
        raise ProviderError(f"{provider} is not asked for {wanted} of {event.event}", transient=False)


@dataclass(frozen=True, kw_only=True)
class Unstarted:
    """Why an event starts no build, or none yet."""

    reason: Reason
    message: str = ""


async def decide_open(wanted: WantedBuild, trigger: BuildTrigger, source: FactSource) -> Unstarted | None:
    """Decide an event that was left open, by the filters as they are now; None if it starts its build."""
    event = wanted.open_event
    if event is None:
        return None
    try:
        return await _decide(event, trigger, source, source.knows)
    except InvalidSpec as problem:
        return Unstarted(reason=TARGET_INVALID, message=problem.message)
    except ProviderError as error:
        return Unstarted(reason=FACTS_DELAYED if error.transient else FACTS_UNKNOWN, message=error.message)
    except EvaluationError:
        return Unstarted(reason=PAYLOAD_TOO_COMPLEX)


async def _decide(event: ScmEvent, trigger: BuildTrigger, source: FactSource, knows: Knows) -> Unstarted | None:
    # spec.source may have been changed since the delivery was accepted.
    if trigger.spec.source.provider is None or not find_scope(trigger.spec.source).covers(event.repository):
        return Unstarted(reason=OTHER_REPOSITORY)
    filters = compile_trigger_filters(trigger, knows)
    decision = decide(filters, event)
    if isinstance(decision, Need):
        facts = await _ask(source, trigger, event, decision.facts)
        if trigger.spec.skip_ci and replace(event, message=event.message or facts.message).asks_to_be_skipped():
            return Unstarted(reason=SKIPPED_BY_MESSAGE)
        decision = decide(filters, event, facts)
    if isinstance(decision, Ignore):
        return Unstarted(reason=decision.reason, message=decision.message)
    return Unstarted(reason=FACTS_UNKNOWN) if isinstance(decision, Need) else None


async def _ask(source: FactSource, trigger: BuildTrigger, event: ScmEvent, facts: frozenset[Fact]) -> Facts:
    """Ask for `facts`, and hold the source to them: what it cannot say it has to refuse."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            found = await source.find(trigger, event, facts)
    except TimeoutError:
        raise ProviderError(f"{trigger.spec.source.provider} does not answer in time", transient=True) from None
    values = {Fact.FILES: found.files, Fact.MESSAGE: found.message}
    lacking = sorted(fact for fact in facts if values[fact] is None)
    if lacking:
        raise ProviderError(f"{trigger.spec.source.provider} did not say {' and '.join(lacking)}", transient=False)
    return found
