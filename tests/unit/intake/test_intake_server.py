"""What the server takes off the wire: headers by name, bodies by their bound."""

from __future__ import annotations

import pytest

from hookwright.errors import UsageError
from hookwright.intake.server import (
    MAX_DRAINED_BYTES,
    MAX_DRAINED_UNREAD_BYTES,
    BodyIncomplete,
    BodyTooLarge,
    check_port,
    drain,
    read_body,
    read_headers,
)


class FakeExchange:
    """A body that comes in pieces; it counts what was taken of it."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.taken = 0

    async def __call__(self):
        self.taken = len(self.pieces)
        return b"".join(self.pieces)

    async def __aiter__(self):
        for piece in self.pieces:
            self.taken += 1
            yield piece


def test_headers_are_gathered_by_lower_case_name():
    """A header that came several times, in whatever case, has all its values in their order."""
    lines = [("X-A", "1"), ("x-b", "2"), ("x-a", "3")]
    assert read_headers(lines) == {"x-a": ["1", "3"], "x-b": ["2"]}


async def test_body_of_declared_length_is_read_whole():
    """A body that says it is within the limit is read at once."""
    assert await read_body(FakeExchange(b"ab", b"c"), "3", 3) == b"abc"


@pytest.mark.parametrize("length", ["4", "00004", "999999999999999999"])
async def test_body_that_says_it_is_too_large_is_refused(length):
    """A declared length beyond the limit is refused, whatever is sent; it is read on, so that the answer is heard."""
    exchange = FakeExchange(b"abc", b"d")
    with pytest.raises(BodyTooLarge):
        await read_body(exchange, length, 3)
    assert exchange.taken == 2


async def test_body_that_is_shorter_than_it_said_is_incomplete():
    """A sender that hung up has sent no delivery."""
    with pytest.raises(BodyIncomplete):
        await read_body(FakeExchange(b"ab"), "3", 3)


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1e3", "", "3, 3", "²", "٣"])
async def test_length_that_is_no_number_counts_for_nothing(length):
    """A declared length that is no number leaves the body bounded as one of no declared length."""
    assert await read_body(FakeExchange(b"ab", b"c"), length, 3) == b"abc"
    with pytest.raises(BodyTooLarge):
        await read_body(FakeExchange(b"ab", b"cd"), length, 3)


async def test_chunked_body_at_the_limit_is_read():
    """A body of no declared length is taken up to the limit."""
    assert await read_body(FakeExchange(b"ab", b"c", b""), None, 3) == b"abc"


@pytest.mark.parametrize("length", [None, str(1 << 40)])
async def test_body_without_an_end_is_not_read_for_ever(length):
    """Of a body that is refused no more is read than GitHub's largest and one piece."""
    exchange = FakeExchange(*[bytes(1 << 20)] * 100)
    with pytest.raises(BodyTooLarge):
        await read_body(exchange, length, 3)
    assert exchange.taken == MAX_DRAINED_BYTES // (1 << 20) + 1


async def test_body_of_a_refused_request_is_drained_within_bounds():
    """A sender to a URL that nobody has may finish a reasonable body, and is left alone with a larger one."""
    small, large = FakeExchange(b"ab", b"c"), FakeExchange(*[bytes(1 << 20)] * 100)
    await drain(small)
    await drain(large)
    assert (small.taken, large.taken) == (2, MAX_DRAINED_UNREAD_BYTES // (1 << 20) + 1)


async def test_sender_that_hangs_up_while_drained_is_no_error():
    """A connection that breaks while its body is thrown away raises nothing."""

    class Broken(FakeExchange):
        async def __aiter__(self):
            yield b"a"
            raise OSError("broken pipe")

    await drain(Broken())


async def test_empty_body_is_a_body():
    """No bytes at all are read as such."""
    assert await read_body(FakeExchange(), None, 3) == b""
    assert await read_body(FakeExchange(), "0", 3) == b""


def test_address_that_is_not_ours_is_refused():
    """An address that cannot be listened on is a wrong setting, which the message names."""
    with pytest.raises(UsageError, match="HOOKWRIGHT_LISTEN"):
        check_port("192.0.2.1", 8080)
