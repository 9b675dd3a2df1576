"""What several of these tests need of the machine: said once, in one line, where it is missing."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from support.githost import GIT
from support.trust import trust_nobody

NO_GIT = "git is not installed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let all tests that lack git be told of in one line."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and report.longrepr[2].endswith(NO_GIT):
        report.longrepr = (str(Path(__file__).parent), None, report.longrepr[2])
    return report


@pytest.fixture(scope="module", autouse=True)
def _trust_nobody() -> Iterator[None]:
    with trust_nobody():
        yield


@pytest.fixture
def git_is_there() -> None:
    """Skip the test on a machine without git."""
    if GIT is None:
        pytest.skip(NO_GIT)
