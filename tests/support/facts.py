"""A provider's API in memory: it says what it is told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from hookwright.errors import ProviderError
from hookwright.filters.groups import NO_FACTS, Facts
from hookwright.kinds import BuildTrigger
from hookwright.scm import Fact, Provider, ScmEvent


@dataclass
class FakeFacts:
    """Knows all facts, and notes who asked for what: the number of the pull request, and the facts."""

    facts: Facts = NO_FACTS
    error: ProviderError | None = None
    hangs: bool = False
    asked: list[tuple[int | None, frozenset[Fact]]] = field(default_factory=list)

    def knows(self, provider: Provider) -> frozenset[Fact]:
        """See `FactSource.knows`."""
        return frozenset(Fact)

    async def find(self, trigger: BuildTrigger, event: ScmEvent, facts: frozenset[Fact]) -> Facts:
        """See `FactSource.find`."""
        self.asked.append((event.pull_request, facts))
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.facts
