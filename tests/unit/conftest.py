"""What all unit tests share: log lines go nowhere, because printing tracebacks would cost more than the tests do."""

from __future__ import annotations

import pytest
import structlog


def _drop(_logger, _method, _event):
    raise structlog.DropEvent


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs():
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()
