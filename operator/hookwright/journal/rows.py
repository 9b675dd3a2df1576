"""What goes into the journal and what comes out of it, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hookwright.errors import JournalError

MAX_WORK: Final = 1024 * 1024
"""The most bytes that one row's `work` may have."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class RowError(JournalError, ValueError):
    """A row that this journal never takes, whatever the state of the disk: trying again does not help."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """What makes a delivery the same delivery.

    `uid` is the object's, `delivery_id` the sender's name for the delivery; `index` tells the changes of one delivery
    apart. GitHub uses one id for all hooks of one happening, hence the object.
    """

    uid: str
    delivery_id: str
    index: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """A delivery that must start something: `namespace`, `name` and `kind` are the object's.

    `work` is the caller's own JSON document, at most `MAX_WORK` bytes; the journal never looks inside.
    """

    key: Key
    namespace: str
    name: str
    kind: str
    accepted_at: datetime
    work: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What is known of the delivery that came first: its outcome is `pending` or `started`."""

    outcome: str
    accepted_at: datetime
    build: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accept:
    """The journal's answer to one row: new, or else a duplicate of `first`."""

    new: bool
    first: Decided | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """A delivery whose build must still be started.

    `attempts` and `reason` are what the last `postpone` said, 0 and empty before it; `due` is when it may be tried.
    """

    key: Key
    namespace: str
    name: str
    kind: str
    accepted_at: datetime
    work: bytes
    attempts: int
    due: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """How many deliveries are pending, and when the longest waiting one was accepted; None if none waits."""

    pending: int
    oldest: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """How many bytes are pending, and how many may be; the limit follows the room on the volume."""

    size: int
    limit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """The newest start of one object; `time` is when it was concluded, `build` names what was started."""

    uid: str
    namespace: str
    name: str
    kind: str
    delivery_id: str
    time: datetime
    build: str | None


def to_microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970, exactly; a moment without a time zone is a TypeError."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(moment: int) -> datetime:
    """Return the moment in UTC: the inverse of `to_microseconds`."""
    return _EPOCH + timedelta(microseconds=moment)
