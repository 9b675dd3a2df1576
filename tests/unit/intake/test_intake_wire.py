"""What comes over the wire: headers by name, bodies by their bound, and what is ambiguous."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from hookwright.intake.bodies import BodyMemory, Busy, NeverFits
from hookwright.intake.wire import (
    MAX_DRAINED_BYTES,
    MAX_DRAINED_UNREAD_BYTES,
    BodyIncomplete,
    BodyTooLarge,
    drain,
    is_ambiguous,
    read_body,
    read_forwarded,
    read_length,
)


class FakeExchange:
    """A body that comes in pieces, and its end as the server shows it; it counts what was taken of it."""

    def __init__(self, *pieces, ends=1):
        self.pieces = [*pieces, *[b""] * ends]
        self.taken = 0

    async def __call__(self):
        self.taken = len(self.pieces)
        return b"".join(self.pieces)

    async def __aiter__(self):
        for piece in self.pieces:
            self.taken += 1
            yield piece


class FakeHeaders:
    """Header lines as the server shows them: what is not ASCII has a name, and no value."""

    def __init__(self, *lines):
        self.lines = lines

    def __contains__(self, name):
        return any(name == known for known, _ in self.lines)

    def get_all(self, name):
        return [value for known, value in self.lines if known == name and value.isascii()]


class FakeScope:
    def __init__(self, *lines):
        self.headers = FakeHeaders(*lines)


@asynccontextmanager
async def open_share(memory=None):
    """Give a share that has a place."""
    async with asyncio.timeout(60) as deadline:
        with (memory or BodyMemory(1 << 30)).open() as share:
            await share.reserve(0, deadline)
            yield share


async def read(exchange, length, limit, memory=None):
    """Read a body as the server does."""
    async with open_share(memory) as share:
        return await read_body(exchange, read_length(None if length is None else [length]), limit, share)


async def test_body_of_declared_length_is_read_whole():
    """A body that says it is within the limit is read at once."""
    assert await read(FakeExchange(b"ab", b"c"), "3", 3) == b"abc"


@pytest.mark.parametrize("length", ["4", "00004", "999999999999999999"])
async def test_body_that_says_it_is_too_large_is_refused(length):
    """A declared length beyond the limit is refused, whatever is sent; it is read on, so that the answer is heard."""
    exchange = FakeExchange(b"abc", b"d")
    with pytest.raises(BodyTooLarge):
        await read(exchange, length, 3)
    assert exchange.taken == 3


async def test_body_that_is_shorter_than_it_said_is_incomplete():
    """A sender that hung up has sent no delivery."""
    with pytest.raises(BodyIncomplete):
        await read(FakeExchange(b"ab"), "3", 3)


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1e3", "", "3, 3", "²", "٣"])
async def test_length_that_is_no_number_counts_for_nothing(length):
    """A declared length that is no number leaves the body bounded as one of no declared length."""
    assert await read(FakeExchange(b"ab", b"c"), length, 3) == b"abc"
    with pytest.raises(BodyTooLarge):
        await read(FakeExchange(b"ab", b"cd"), length, 3)


def test_length_is_announced_once():
    """A length that is announced twice is no announcement, and neither is none."""
    assert (read_length(["12"]), read_length(["12", "12"]), read_length([]), read_length(None)) == (
        12,
        None,
        None,
        None,
    )


async def test_chunked_body_at_the_limit_is_read():
    """A body of no declared length is taken up to the limit."""
    assert await read(FakeExchange(b"ab", b"c"), None, 3) == b"abc"


@pytest.mark.parametrize("length", [None, str(1 << 40)])
async def test_body_without_an_end_is_not_read_for_ever(length):
    """Of a body that is refused no more is read than GitHub's largest and one piece."""
    exchange = FakeExchange(*[bytes(1 << 20)] * 100)
    with pytest.raises(BodyTooLarge):
        await read(exchange, length, 3)
    assert exchange.taken == MAX_DRAINED_BYTES // (1 << 20) + 1


async def test_body_of_a_refused_request_is_drained_within_bounds():
    """A sender to a URL that nobody has may finish a reasonable body, and is left alone with a larger one."""
    small, large = FakeExchange(b"ab", b"c"), FakeExchange(*[bytes(1 << 20)] * 100)
    await drain(small)
    await drain(large)
    assert (small.taken, large.taken) == (3, MAX_DRAINED_UNREAD_BYTES // (1 << 20) + 1)


async def test_sender_that_hangs_up_while_drained_is_no_error():
    """A connection that breaks while its body is thrown away raises nothing."""

    class Broken(FakeExchange):
        async def __aiter__(self):
            yield b"a"
            raise OSError("broken pipe")

    await drain(Broken())


async def test_empty_body_is_a_body():
    """No bytes at all are read as such."""
    assert await read(FakeExchange(), None, 3) == b""
    assert await read(FakeExchange(), "0", 3) == b""


@pytest.mark.parametrize("pieces", [(), (b"{}",), (b"{", b"}")])
async def test_chunks_that_break_off_are_incomplete(pieces):
    """The server shows a broken end, or trailers, by one empty piece more: no delivery, even if it could be read."""
    with pytest.raises(BodyIncomplete):
        await read(FakeExchange(*pieces, ends=2), None, 3)


async def test_chunks_take_room_for_what_is_kept():
    """A body in chunks holds room for its bytes, and one that is thrown away for none."""
    memory = BodyMemory(10)
    async with open_share(memory) as share:
        assert await read_body(FakeExchange(b"abc", b"de"), None, 5, share) == b"abcde"
        assert memory.held_bytes == 5
    async with open_share(memory) as share:
        with pytest.raises(BodyTooLarge):
            await read_body(FakeExchange(b"abc", b"def"), 6, 5, share)
        assert memory.held_bytes == 0


@pytest.mark.parametrize(("limit", "error"), [(5, NeverFits), (8, Busy)])
async def test_chunks_without_room_are_read_on(limit, error):
    """A body for which there is no room is read to its end, so that the answer is heard, and refused."""
    memory = BodyMemory(limit)
    async with open_share(memory) as other:
        other.grow(2)
        exchange = FakeExchange(b"abc", b"def", b"g")
        with pytest.raises(error):
            await read(exchange, None, 100, memory)
        assert exchange.taken == 4
        assert memory.held_bytes == 2


@pytest.mark.parametrize(
    ("codings", "ambiguous"),
    [
        (None, False),
        (["chunked"], False),
        (["Chunked"], False),
        (["gzip, chunked"], True),
        (["identity, chunked"], True),
        (["chunked, chunked"], True),
        (["chunked", "chunked"], True),
        (["identity", "chunked"], True),
        (["chunked "], True),
        ([], True),
    ],
)
def test_only_plain_chunks_are_unambiguous(codings, ambiguous):
    """Of Transfer-Encoding only `chunked` alone is taken: two readers could see two ends of everything else."""
    headers = {} if codings is None else {"transfer-encoding": codings}
    assert is_ambiguous(headers) is ambiguous


@pytest.mark.parametrize(
    ("lines", "forwarded"),
    [
        ([], []),
        ([("x-other", "1")], []),
        ([("x-forwarded-for", "1"), ("x-forwarded-for", "2, 3")], ["1", "2, 3"]),
        ([("x-forwarded-for", "\xff, 1")], [""]),
        ([("x-forwarded-for", "")], [""]),
    ],
)
def test_line_that_is_not_shown_is_no_absence(lines, forwarded):
    """A line of X-Forwarded-For that the server does not show is not as good as none."""
    assert read_forwarded(FakeScope(*lines)) == forwarded
