"""The server around what it serves: its port, and how it ends connections."""

from __future__ import annotations

import pytest

from hookwright.errors import UsageError
from hookwright.intake.receiver import refuse
from hookwright.intake.server import CLOSE, check_port, hang_up
from hookwright.reasons import BUSY


def test_address_that_is_not_ours_is_refused():
    """An address that cannot be listened on is a wrong setting, which the message names."""
    with pytest.raises(UsageError, match="HOOKWRIGHT_LISTEN"):
        check_port("192.0.2.1", 8080)


def test_hanging_up_is_said_once():
    """An answer that ends the connection says so once, and is else what it was."""
    given = refuse(BUSY)
    ended = hang_up(given)
    assert ended.headers == [*given.headers, CLOSE]
    assert (ended.status, ended.body) == (given.status, given.body)
    assert hang_up(ended) == ended
