"""Hookwright with one Webhook, its BuildTrigger and its Secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.calm import be_calm
from support.running import Running, make_buildtrigger, make_secret, make_webhook, run_hookwright


@pytest.fixture(scope="package", autouse=True)
def calm() -> Iterator[None]:
    """Have Hookwright give its callers time."""
    with be_calm():
        yield


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Running]:
    """Hookwright in an empty cluster."""
    async with run_hookwright(tmp_path) as running:
        yield running


@pytest.fixture
async def running(bare: Running) -> Running:
    """Hookwright with Webhook `hello`, ready."""
    bare.apply(make_secret(), make_buildtrigger(), make_webhook())
    await bare.until_ready()
    return bare
