"""The room on the journal's volume: who may have it, and what is kept back for the day on which there is none.

A volume fills up, by what waits or by others. Then nothing more is accepted, and what is pending must still be
concluded, or else it would never end. A delete needs room in the log first, hence the reserve: a file that is given up
then, and made again once there is room.
"""

from __future__ import annotations

import errno
import math
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from hookwright.errors import JournalCrowded, JournalError, JournalUnwritable
from hookwright.journal.ledger import MOST, Ledger, keep_free, set_limit

log = structlog.get_logger()

RESERVE: Final = "journal.reserve"
_RESERVE_MOST: Final = 16 << 20  # as much as the log ever has: 8 MB before a checkpoint, and one transaction
_RESERVE_PART: Final = 16
_SILENT_SECONDS: Final = 10.0  # so long nothing more is logged of deliveries for which there is no room
_SHRINK_LEAST: Final = 1 << 20
_SHRINK_MOST: Final = 32 << 20
"""A file with more than this in it is not made smaller: that takes memory, and time in which nothing is accepted."""


class Room:
    """Decides what is taken. Used by the writer's thread alone, once the journal is open."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        taken: Mapping[str, int],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Measure; `path` is the file's, `taken` how many bytes are pending in each namespace."""
        self.ledger = Ledger(taken)
        self.trouble = ""
        self._files = (path, path.with_name(f"{path.name}-wal"))
        self._folder = path.parent
        self._connection = connection
        self._clock = clock
        self._silent_until = -math.inf
        self.measure()

    def refuse(self, namespace: str, size: int) -> JournalError | None:
        """Give the error that says why a namespace may not have `size` bytes more; None if it may."""
        if self.ledger.fits(namespace, size):
            return None
        self.measure()
        if self.trouble:
            return JournalUnwritable(self.trouble)
        if self.ledger.fits(namespace, size):
            return None
        crowded = JournalCrowded(
            f"Deliveries of namespace {namespace} that wait for their builds take {self.ledger.of(namespace)} bytes of"
            f" the journal in {self._folder}, all namespaces {self.ledger.total} of {self.ledger.limit}. Nothing of"
            " this was accepted. Mend what they wait for, or make the volume larger; the sender can try again."
        )
        if self._clock() >= self._silent_until:
            self._silent_until = self._clock() + _SILENT_SECONDS
            log.warning("journal", namespace=namespace, error=crowded.message)
        return crowded

    def measure(self) -> None:
        """Look at the volume anew, and make the reserve if it is not there; `trouble` says if nothing is taken."""
        try:
            self._measure()
        except OSError as error:
            self._close(f"{error.strerror or error}")

    def find_more(self) -> None:
        """Measure; if nothing is taken for want of room, give the volume back what the files have no more use for."""
        self.measure()
        if self.trouble:
            checkpoint(self._connection)
            self._shrink()
            self.measure()

    def _shrink(self) -> None:
        used = self._used()
        gain = _size(self._files[0]) - used
        # Nor for little: while it is done others may take the room of the reserve.
        if used > _SHRINK_MOST or gain < max(used, _SHRINK_LEAST, _size(self._folder / RESERVE)):
            return
        with suppress(OSError, sqlite3.Error):
            give_up_reserve(self._folder)
            self._connection.execute("VACUUM")
            checkpoint(self._connection)

    def _measure(self) -> None:
        status = os.statvfs(self._folder)
        volume, free = status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize
        if not volume:
            # A file system that does not say how large it is.
            self._open(MOST)
            return
        keep, wanted = keep_free(volume), min(_RESERVE_MOST, volume // _RESERVE_PART)
        reserved = _size(self._folder / RESERVE)
        if reserved < wanted and free >= keep + wanted:
            make_reserve(self._folder, wanted)
            free, reserved = free - wanted, wanted
        if free < keep or not reserved:
            self._close(f"{free} bytes are left on its volume, and it needs {keep + (0 if reserved else wanted)}")
            return
        # What the log holds is in the file some day, and the log is then used anew.
        ours = free + sum(map(_size, self._files))
        self._open(set_limit(volume=volume, room=ours - self._used() + self.ledger.total))

    def _used(self) -> int:
        """Count the bytes that the file needs, whether they are in it by now or in the log."""
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._number("PRAGMA page_size")

    def _number(self, question: str) -> int:
        (number,) = self._connection.execute(question).fetchone()
        return int(number)

    def _open(self, limit: int) -> None:
        self.trouble, self.ledger.limit = "", limit

    def _close(self, why: str) -> None:
        self.ledger.limit = -1
        self.trouble = (
            f"The journal in {self._folder} cannot be written: {why}. Nothing of this was accepted. Make room on its"
            " volume, or make the volume larger; the sender can try again."
        )


def make_reserve(folder: Path, size: int) -> None:
    """Make the reserve anew; OSError if the volume does not have so much, and then there is none."""
    path = folder / RESERVE
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.write(bytes(size))
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def give_up_reserve(folder: Path) -> None:
    """Let others have the room of the reserve."""
    (folder / RESERVE).unlink(missing_ok=True)


def give_up_history(folder: Path) -> None:
    """Remove the record of outcomes, which may be lost: better than a journal that cannot be opened."""
    for path in folder.glob("history.db*"):
        path.unlink(missing_ok=True)
        log.error("history", file=str(path), error="removed: its volume is full, and the journal needs the room")


def checkpoint(connection: sqlite3.Connection) -> None:
    """Put the log into the database and let go of its room, if that can be done now."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what has caused it, is that a volume has no room."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return True
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__
    return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
