"""Watches whether the journal's disk takes what is written, also while no delivery comes.

A receiver that cannot write answers 503 to all that would start something: it is taken out of the Service until it can,
which only another try can show.
"""

from __future__ import annotations

import asyncio

from hookwright.errors import JournalUnwritable
from hookwright.journal import Journal

PROBE_SECONDS = 10.0
SLOW_SECONDS = 10.0


class DiskWatch:
    """Tries the journal's disk now and then; `trouble` is what came of it last, empty if all is well."""

    def __init__(self, journal: Journal, *, every: float = PROBE_SECONDS, slow: float = SLOW_SECONDS) -> None:
        self._journal = journal
        self._every = every
        self._slow = slow
        self.trouble = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            probe = asyncio.create_task(self._probe())
            try:
                await asyncio.wait({probe}, timeout=self._slow)
                if not probe.done():
                    self.trouble = f"the journal's disk has not answered for {self._slow:g} seconds"
                # A disk that hangs is not asked again before it has answered.
                self.trouble = await probe
            finally:
                probe.cancel()
            await asyncio.sleep(self._every)

    async def _probe(self) -> str:
        try:
            await self._journal.probe()
        except JournalUnwritable as error:
            return error.message
        return ""
