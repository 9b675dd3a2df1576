"""What all unit tests share: log lines go nowhere, because printing tracebacks would cost more than the tests do."""

from __future__ import annotations

import logging

import pytest
import structlog

from support.trust import trust_nobody


def _drop(_logger, _method, _event):
    raise structlog.DropEvent


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs():
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module", autouse=True)
def _trust_nobody():
    with trust_nobody():
        yield


@pytest.fixture
def kept_logs():
    """Put the set-up of log lines back after a test that changes it."""
    root = logging.getLogger()
    before, handlers, level = structlog.get_config(), root.handlers, root.level
    yield
    structlog.configure(**before)
    root.handlers = handlers
    root.setLevel(level)
