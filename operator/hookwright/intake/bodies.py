"""Room for bodies: how many are read at the same time, and how many bytes all of them may hold.

A sender that announces a length waits for room, and not for long; one that sends chunks takes room as they come, and
does not wait. The bytes are held until the delivery is answered.

Of those who wait the next is whose namespace, and then whose URL, has least coming; among equals, who came first. To
announce a lot and send nothing takes no proof, only a URL: in one queue a hundred such requests a second would keep all
others out, but so they keep out each other.

Who trickles its body could keep others out for as long as a body may take. So while somebody waits, the body that has
been coming longest gives up its room, unless it came only just now: an honest sender sends what it has at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Self

MAX_READ_AT_ONCE = 256
WAIT_SECONDS = 5.0
GRACE_SECONDS = 2.0

Owner = tuple[str, str]  # namespace and UID of the object whose URL it came to


class Busy(Exception):
    """There is no room now; later there may be."""


class NeverFits(Exception):
    """The body is larger than all the room that there is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Waiting:
    share: Share
    size: int
    turn: asyncio.Future[None]
    number: int


class BodyMemory:
    """The room: `limit_bytes` for all bodies, and places for `read_at_once` of those that are still coming."""

    def __init__(self, limit_bytes: int, *, read_at_once: int = MAX_READ_AT_ONCE) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self._read_at_once = read_at_once
        self._coming: dict[Share, None] = {}  # in the order in which they were let in
        self._waiting: dict[Owner, deque[_Waiting]] = {}
        self._came = count()
        self._pressing: asyncio.TimerHandle | None = None

    def open(self, owner: Owner = ("", "")) -> Share:
        """Give a share of `owner` with no room yet: a context manager that gives back all that it took."""
        return Share(self, owner)

    async def let_in(self, share: Share, size: int) -> None:
        """Give `share` a place and `size` bytes; see `Share.reserve`."""
        if size > self.limit_bytes:
            raise NeverFits
        if self._next() is None and self._fits(size):
            self._admit(share, size)
            return
        turn = asyncio.get_running_loop().create_future()
        waiting = _Waiting(share=share, size=size, turn=turn, number=next(self._came))
        self._waiting.setdefault(share.owner, deque()).append(waiting)
        self._press()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn
        except TimeoutError:
            raise Busy from None

    def grow(self, share: Share, size: int) -> None:
        """Give `share` more bytes; see `Share.grow`."""
        if share.size + size > self.limit_bytes:
            raise NeverFits
        if self.held_bytes + size > self.limit_bytes:
            raise Busy
        share.size += size
        self.held_bytes += size

    def settle(self, share: Share) -> None:
        """Take back the place, and leave the bytes of a body that has come."""
        if share.given_up:
            self.free(share)
        elif share in self._coming:
            del self._coming[share]
            self._serve_waiting()

    def free(self, share: Share) -> None:
        """Take back everything, and see who fits now: who gave up may have stood before somebody who needs less."""
        self._coming.pop(share, None)
        self.held_bytes -= share.size
        share.size = 0
        self._serve_waiting()

    def _fits(self, size: int) -> bool:
        return len(self._coming) < self._read_at_once and self.held_bytes + size <= self.limit_bytes

    def _admit(self, share: Share, size: int) -> None:
        share.size += size
        share.since = asyncio.get_running_loop().time()
        self.held_bytes += size
        self._coming[share] = None

    def _serve_waiting(self) -> None:
        """Let in who waits, in order, as far as there is room."""
        while (first := self._next()) is not None:
            if not self._fits(first.size):
                self._press()
                return
            self._waiting[first.share.owner].popleft()
            self._admit(first.share, first.size)
            first.turn.set_result(None)

    def _next(self) -> _Waiting | None:
        """Give who is to be let in next, and forget those who have given up."""
        if not self._waiting:
            return None
        for owner, queue in list(self._waiting.items()):
            while queue and queue[0].turn.done():
                queue.popleft()
            if not queue:
                del self._waiting[owner]
        if len(self._waiting) < 2:  # noqa: PLR2004 - who is alone has nobody to be compared with
            return next((queue[0] for queue in self._waiting.values()), None)
        coming = self._weigh()
        return min(
            (queue[0] for queue in self._waiting.values()),
            key=lambda head: (*(coming[part] for part in head.share.owner), head.number),
        )

    def _weigh(self) -> Counter[str]:
        """Say how much of the room what is coming takes, by namespace and by URL; each place is a part of the bytes."""
        coming: Counter[str] = Counter()
        for share in self._coming:
            for part in share.owner:
                coming[part] += share.size + self.limit_bytes // self._read_at_once
        return coming

    def _press(self) -> None:
        """While somebody waits, have the body that has been coming longest make room, or look again when it is time."""
        if self._pressing is not None:
            self._pressing.cancel()
            self._pressing = None
        slowest = next(iter(self._coming), None)
        if slowest is None or self._next() is None:
            return  # whoever gives back room looks again
        loop = asyncio.get_running_loop()
        due = slowest.since + GRACE_SECONDS
        if due <= loop.time():
            slowest.give_up()
        else:
            self._pressing = loop.call_at(due, self._press)


class Share:
    """What one body takes of the room: `size` bytes, since when; `given_up` if it came slowly while others waited."""

    __slots__ = ("_deadline", "_memory", "given_up", "owner", "since", "size")

    def __init__(self, memory: BodyMemory, owner: Owner) -> None:
        self._memory = memory
        self.owner = owner
        self._deadline: asyncio.Timeout | None = None
        self.size = 0
        self.since = 0.0
        self.given_up = False

    @property
    def let_in(self) -> bool:
        """Whether it has had its place."""
        return self.since > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._memory.free(self)

    async def reserve(self, size: int, deadline: asyncio.Timeout) -> None:
        """Take a place and `size` bytes; wait for them WAIT_SECONDS at most.

        `deadline` is the timeout under which the body is read: it comes at once if the body has to make room.

        Raises:
            Busy: there was no room in time.
            NeverFits: there can be none.
        """
        self._deadline = deadline
        await self._memory.let_in(self, size)

    def grow(self, size: int) -> None:
        """Take `size` more bytes, at once.

        Raises:
            Busy: there is no room.
            NeverFits: there can be none.
        """
        self._memory.grow(self, size)

    def settle(self) -> None:
        """Say that the body has come, or is not read any more: the place is free, the bytes are held still."""
        self._memory.settle(self)

    def give_up(self) -> None:
        """End the reading."""
        self.given_up = True
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())
