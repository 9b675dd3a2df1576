"""What all walks share: nothing outside of this machine is trusted, let alone asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.trust import trust_nobody


@pytest.fixture(scope="module", autouse=True)
def _trust_nobody() -> Iterator[None]:
    with trust_nobody():
        yield
