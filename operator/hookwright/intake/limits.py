"""How many requests are taken: of each address to each URL until a sender has proved itself, of each object after that.

Both are token buckets, kept as what is owed: who owes nothing needs no entry, so that an honest sender leaves none, and
a table that is full can drop who was seen longest ago: mostly somebody whose debt time has paid.

The tables are bounded. Somebody with more addresses than one holds has each of them forgotten before it has paid: such
a flood must be met before it comes here. Each receiver counts for itself, and forgets everything at its end.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from hookwright.intake.addresses import Address

MAX_ENTRIES = 65_536
NOBODY = ""  # the object of all URLs that nobody has
ADDRESS_BURST_SECONDS = 5  # so many seconds' requests may come at once
_HOST_BITS = 64  # of an IPv6 address: whoever has one has all that share its first half
_MINUTE = 60.0
# Floating point: a debt that is paid to the last must count as paid.
_TOLERANCE = 1e-6

K = TypeVar("K", bound=Hashable)


class Buckets(Generic[K]):
    """Token buckets by key. An entry says when its debt will be paid, and by how many tokens a second."""

    def __init__(self, clock: Callable[[], float], *, size: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._size = size
        self._entries: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, key: K, *, per_second: float, burst: float) -> float | None:
        """Take a token; None if there was one, else in how many seconds there will be. Who is refused owes no more."""
        now = self._clock()
        entry = self._entries.get(key)
        owed = 1.0 if entry is None else max(0.0, entry[0] - now) * entry[1] + 1.0
        if entry is not None:
            self._entries.move_to_end(key)
        if owed > burst + _TOLERANCE:
            return (owed - burst) / per_second
        self._entries[key] = (now + owed / per_second, per_second)
        if entry is None:
            self._make_room(now)
        return None

    def give_back(self, key: K) -> None:
        """Give back a token that was taken."""
        entry = self._entries.get(key)
        if entry is None:
            return
        paid_at = entry[0] - 1.0 / entry[1]
        if paid_at <= self._clock():
            del self._entries[key]
        else:
            self._entries[key] = (paid_at, entry[1])

    def _make_room(self, now: float) -> None:
        """Drop who was seen longest ago: of two that are looked at each that has paid, and one more if it must be."""
        for _ in range(2):
            oldest = next(iter(self._entries))
            if len(self._entries) <= self._size and self._entries[oldest][0] > now:
                return
            del self._entries[oldest]


class AddressLimit:
    """How many requests that prove nothing each address may send to one URL a second; an IPv6 address is its /64.

    A request takes a token when it comes and gets it back when it proves authentic, so that only others count. Callers
    whose address is not known share one bucket for each URL.

    Each URL counts for itself, since many senders may share an address: those behind a proxy that is not trusted, or
    one of a Git host. Who knows no URL keeps nobody out then, and who knows one, nobody who delivers to another. Nor
    can the tokens that are given back for authentic deliveries to one URL be spent on guesses at another.
    """

    def __init__(self, per_second: float, clock: Callable[[], float], *, size: int = MAX_ENTRIES) -> None:
        """Take `per_second` requests; 0 takes all of them."""
        self._per_second = per_second
        self._burst = per_second * ADDRESS_BURST_SECONDS
        self._buckets = Buckets[tuple[int | None, str]](clock, size=size)

    def take(self, client: Address | None, uid: str) -> float | None:
        """Count a request to the object with `uid`; None if it may go on, else after how many seconds another may."""
        if not self._per_second:
            return None
        return self._buckets.take((_key(client), uid), per_second=self._per_second, burst=self._burst)

    def forgive(self, client: Address | None, uid: str) -> None:
        """Take back the count of a request to the object with `uid` that has proved authentic."""
        if self._per_second:
            self._buckets.give_back((_key(client), uid))


class ObjectLimit:
    """How many authentic deliveries each object takes; every object has a rate of its own, which may change."""

    def __init__(self, clock: Callable[[], float], *, size: int = MAX_ENTRIES) -> None:
        self._buckets = Buckets[str](clock, size=size)

    def take(self, uid: str, per_minute: float, burst: float) -> float | None:
        """Count a delivery to the object with `uid`; None admits it, else in how many seconds it may come again."""
        return self._buckets.take(uid, per_second=per_minute / _MINUTE, burst=burst)


def _key(client: Address | None) -> int | None:
    """Give what stands for an address; negative for IPv6, so that no two are the same."""
    if client is None:
        return None
    return int(client) if client.version == 4 else ~(int(client) >> _HOST_BITS)  # noqa: PLR2004 - IPv4
