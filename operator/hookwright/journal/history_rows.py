"""What goes into the history and what comes out of it, as values."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hookwright.errors import JournalError, UsageError
from hookwright.journal.rows import Key, to_microseconds
from hookwright.logs import name_object

MAX_ID: Final = 256
MAX_MESSAGE: Final = 1024
MAX_EVENT: Final = 128
MAX_CLIENT: Final = 45  # the longest text of an IPv6 address
MAX_TARGET: Final = 320
MAX_LIMIT: Final = 1000
"""The most records that one page has."""
REFUSED: Final = "refused"
IGNORED: Final = "ignored"

_PAGE_BYTES: Final = 4096
_FEWEST_PAGES: Final = 64
_CURSOR: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class HistoryOff(JournalError):
    """The history's file cannot be used now, or does not answer; nothing but the history is affected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedBuild:
    """What was started, in the object's own namespace."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What became of one delivery to one object, as of `decided_at`; no payload, no header but what is named here.

    `namespace`, `name` and `kind` are the object's; `target` is what was to be started (`BuildTrigger/web`). The
    outcome `started` with a `build` says that the build exists: nothing but another start replaces it then. `event` is
    the sender's name for what happened, `client` the address it came from; where they are None, what an earlier record
    of the delivery said of them stays. Texts longer than the `MAX_…` above are cut.
    """

    key: Key
    namespace: str
    name: str
    kind: str
    received_at: datetime
    decided_at: datetime
    outcome: str
    reason: str
    message: str
    target: str = ""
    build: RecordedBuild | None = None
    event: str | None = None
    client: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A record as it stands in the history.

    `first_received_at` is when a request with its id first came, `record.received_at` when the one came that `record`
    is about. `duplicates` counts the later ones that changed nothing; the last of them came at `last_duplicate_at` and
    changed nothing for `last_duplicate_reason`. `left_out` refused requests, or ignored deliveries, of the same object
    and reason came in the same half second and have no row.
    """

    record: Record
    first_received_at: datetime
    duplicates: int
    last_duplicate_at: datetime | None
    last_duplicate_reason: str | None
    left_out: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some records, newest first; `before` is what `find` takes to give older ones, None if there are none."""

    records: tuple[Recorded, ...]
    before: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Which records are wanted: those that equal all that is given, received at `since` or later, before a cursor."""

    namespace: str | None = None
    name: str | None = None
    kind: str | None = None
    outcome: str | None = None
    reason: str | None = None
    delivery_id: str | None = None
    since: datetime | None = None
    limit: int = 100
    before: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How much is kept: records, refused ones (in all, and of one object), for how long, and the file's bytes.

    Pages that rows leave are used for new rows; there is no vacuum. So the file grows to the most that it ever needed,
    and shrinks only by being removed.
    """

    records: int = 100_000
    refused: int = 10_000
    refused_of_one: int = 500
    age: timedelta = timedelta(days=30)
    size: int = 256 * 1024 * 1024

    @property
    def pages(self) -> int:
        """The file's bytes in SQLite's pages."""
        return max(self.size // _PAGE_BYTES, _FEWEST_PAGES)


Row = tuple[str | int | None, ...]
"""A record in the order of the parameters that write it."""


def name_record(record: Record) -> dict[str, str]:
    """Name object and delivery in a log line; of what is no record, as far as that goes."""
    with suppress(AttributeError):
        return name_object(record.kind, record.namespace, record.name) | {"delivery": str(record.key.delivery_id)}
    return {}


def cut(record: Record) -> Record:
    """Return the record with what a stranger may have made long cut to its bounds."""
    event, client = record.event, record.client
    if (
        len(record.key.delivery_id) <= MAX_ID
        and len(record.message) <= MAX_MESSAGE
        and len(record.target) <= MAX_TARGET
        and (event is None or len(event) <= MAX_EVENT)
        and (client is None or len(client) <= MAX_CLIENT)
    ):
        return record
    return replace(
        record,
        key=replace(record.key, delivery_id=record.key.delivery_id[:MAX_ID]),
        message=record.message[:MAX_MESSAGE],
        target=record.target[:MAX_TARGET],
        event=None if event is None else event[:MAX_EVENT],
        client=None if client is None else client[:MAX_CLIENT],
    )


def to_row(record: Record, left_out: int = 0) -> Row:
    """Return the parameters that write a record.

    Raises:
        TypeError: a time of it has no time zone, or something in it is not of its type (AttributeError too).
    """
    key, build = record.key, record.build
    return (
        clean(key.uid),
        clean(key.delivery_id),
        key.index,
        None if record.outcome == REFUSED else 1,
        clean(record.namespace),
        clean(record.name),
        clean(record.kind),
        to_microseconds(record.received_at),
        to_microseconds(record.decided_at),
        clean(record.outcome),
        clean(record.reason),
        clean(record.message),
        clean(record.target),
        None if build is None else clean(build.api_version),
        None if build is None else clean(build.kind),
        None if build is None else clean(build.name),
        None if record.event is None else clean(record.event),
        None if record.client is None else clean(record.client),
        left_out,
    )


def clean(text: str) -> str:
    """Return a text that SQLite takes: half a surrogate pair, which is no Unicode, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def to_cursor(text: str) -> tuple[int, int]:
    """Read what `Page.before` said.

    Raises:
        UsageError: no page said this.
    """
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise UsageError(f"before={text[:40]}: must be what the page before said, such as 1777636800000000-42")
    return int(found[1]), int(found[2])
