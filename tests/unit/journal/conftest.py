"""A journal and a history in a temporary folder, with a clock that stands at noon; and a user who is not root."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from journal_samples import NOON

from hookwright.journal import History, Journal, room
from hookwright.journal import history as history_module

LONG = 300.0  # for a machine that stands still, and for a disk that others use


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """No disk is given up, and nothing is said or looked after once more, unless a test says when."""
    monkeypatch.setattr(history_module, "PATIENCE_SECONDS", LONG)
    monkeypatch.setattr(history_module, "LOOK_AFTER_SECONDS", LONG)
    monkeypatch.setattr(room, "_SILENT_SECONDS", LONG)


@pytest.fixture
async def journal(tmp_path):
    opened = await Journal.open(tmp_path / "journal", clock=lambda: NOON)
    yield opened
    await opened.close()


@pytest.fixture
async def history(tmp_path):
    opened = History(tmp_path, clock=lambda: NOON)
    yield opened
    await opened.close()


@pytest.fixture
def plain_user():
    """A folder of a user who is not root, and that user's rights for as long as the test runs."""
    folder = Path(tempfile.mkdtemp())
    privileged = os.geteuid() == 0
    if privileged:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    if privileged:
        os.seteuid(0)
    shutil.rmtree(folder)
