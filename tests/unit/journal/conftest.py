"""A journal in a temporary folder, with a clock that stands at noon."""

from __future__ import annotations

import pytest
from journal_samples import NOON

from hookwright.journal import Journal


@pytest.fixture
async def journal(tmp_path):
    opened = await Journal.open(tmp_path / "journal", clock=lambda: NOON)
    yield opened
    await opened.close()
