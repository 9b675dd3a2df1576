"""What several of these tests need of the machine: said once, in one line, where it is missing."""

from __future__ import annotations

import pytest

from support.githost import GIT


@pytest.fixture
def git_is_there() -> None:
    """Skip the test on a machine without git."""
    if GIT is None:
        pytest.skip("git is not installed")
