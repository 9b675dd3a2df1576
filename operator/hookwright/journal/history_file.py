"""The file `history.db`: opened when it is needed, set aside when it is no good, off when that does not help either.

Used by the history's thread alone. The journal's lock on the folder serves for it too, so it is opened after the
journal and closed before it. As there, `locking_mode=EXCLUSIVE` keeps foreign readers from pinning the log.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import structlog

from hookwright.journal.history_rows import Bounds, HistoryOff
from hookwright.journal.history_statements import MIGRATIONS

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

log = structlog.get_logger()

NAME: Final = "history.db"
KEPT_ASIDE: Final = 2
"""How many files that were set aside are kept; each may be as large as the history."""
_SUFFIXES: Final = ("-wal", "-shm", "-journal", "")
"""What belongs to the database, and goes with it: a log that stays behind would be read into the next file."""
_PATIENCE: Final = 1.0
"""Seconds that opening waits for a stranger's lock (an sqlite3 shell, a backup)."""
_MARK: Final = 0x686B7768
"""In the file's header, tells our file from others: "hkwh"."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = NORMAL",
    # 4 MB of log before a checkpoint, and no more than that kept on the disk after a burst.
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA cache_size = -4096",
    "PRAGMA temp_store = MEMORY",
)
_UNFIT: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY)
_UNREADABLE: Final = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)


_PART: Final = 4
"""The file takes at most a quarter of its volume, which is there for the journal."""


class Unfit(Exception):
    """A file that is not our history, or not in order; another one in its place would be."""


class HistoryFile:
    """The file and its connection, which may be none."""

    def __init__(self, folder: Path, bounds: Bounds) -> None:
        """Open nothing yet."""
        self._path = folder.absolute() / NAME  # the working directory may change
        self._bounds = bounds
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._off: str | None = None
        self._complained = False
        self._may_set_aside = True

    @property
    def on(self) -> bool:
        """Whether the file is open and took what was last asked of it."""
        return self._connection is not None

    def use(self, work: Work[T]) -> T:
        """Run `work`, in a transaction of its own; on a new file if the one that is there is no good.

        Raises:
            HistoryOff: there is no file that can be used, until `try_again`.
        """
        if self._off is not None:
            raise HistoryOff(self._off)
        try:
            return self._use(work)
        except (Unfit, sqlite3.Error, OSError) as error:
            if _is_ours(error):
                raise
            self._turn_off(error)
            raise HistoryOff(self._off) from error

    def took(self) -> None:
        """Take note that the file took rows; if it was off, say that it is on again."""
        if self._complained:
            self._complained = False
            log.info("history", file=str(self._path), state="outcomes are recorded again")

    def try_again(self) -> None:
        """Let the next use open the file, if it is off, or set it aside, if it is no good."""
        self._off = None
        self._may_set_aside = True

    def close(self) -> None:
        """Close the file; its log goes into the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _use(self, work: Work[T]) -> T:
        try:
            return _commit(self._connect(), work)
        except (Unfit, sqlite3.Error, OSError) as error:
            # Not twice in a minute: on a disk that damages every file, that would be all that we do.
            if not _is_unfit(error) or not self._may_set_aside or _identify(self._path) is None:
                raise
            self._may_set_aside = False
            self.close()
            aside = set_aside(self._path)
            log.error("history", file=str(self._path), error=_describe(error), set_aside=aside.name)
        return _commit(self._connect(), work)

    def _connect(self) -> sqlite3.Connection:
        """Give the open file; open one if there is none, or if somebody has removed or replaced it."""
        if self._connection is not None and _identify(self._path) == self._identity:
            return self._connection
        self.close()
        self._connection = _open(self._path, self._bounds)
        self._identity = _identify(self._path)
        return self._connection

    def _turn_off(self, error: Exception) -> None:
        self.close()
        self._off = (
            f"The history {self._path} cannot be used: {_describe(error)}. Nothing else is affected; outcomes are not"
            " recorded. Make room on its volume, make the folder writable, or end what has the file open; it is tried"
            " again each minute."
        )
        if not self._complained:
            self._complained = True
            log.error("history", error=self._off)


def bounds_for(folder: Path) -> Bounds:
    """Give the bounds of a history in a folder."""
    bounds = Bounds()
    with suppress(OSError):
        status = os.statvfs(folder)
        if status.f_blocks:
            return replace(bounds, size=min(bounds.size, status.f_blocks * status.f_frsize // _PART))
    return bounds


def set_aside(path: Path) -> Path:
    """Rename a database and what belongs to it to the next `….corrupt-N`; remove all but the newest of those.

    Raises:
        OSError: the folder cannot be written.
    """
    numbers = _numbers_aside(path)
    aside = path.with_name(f"{path.name}.corrupt-{max(numbers, default=0) + 1}")
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    for number in numbers[: 1 - KEPT_ASIDE]:
        for suffix in _SUFFIXES:
            with suppress(OSError):
                path.with_name(f"{path.name}.corrupt-{number}{suffix}").unlink()
    return aside


def _numbers_aside(path: Path) -> list[int]:
    pattern = re.compile(re.escape(path.name) + r"\.corrupt-([0-9]{1,9})")
    found = (pattern.fullmatch(entry.name) for entry in path.parent.iterdir())
    return sorted(int(match[1]) for match in found if match is not None)


def _open(path: Path, bounds: Bounds) -> sqlite3.Connection:
    # As the journal's: for us alone, and opened for writing because SQLite would quietly open it for reading.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with suppress(FileNotFoundError):
        os.close(os.open(f"{path}-wal", os.O_RDWR))
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    # What damage has made of a text is no reason to give nothing.
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _check_contents(connection)
        _set_modes(connection, bounds)
        _commit(connection, _migrate)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_contents(connection: sqlite3.Connection) -> None:
    """Read the whole file, before anything is changed in it."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if (mark, version, tables) != (0, 0, 0) and mark != _MARK:
        raise Unfit("it is an SQLite file of some other program")
    if version > len(MIGRATIONS):
        raise Unfit(
            f"it has the schema version {version}, this version of Hookwright knows {len(MIGRATIONS)} and older"
        )
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise Unfit(f"it is damaged: {answer}")


def _set_modes(connection: sqlite3.Connection, bounds: Bounds) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise OSError("SQLite cannot keep a write-ahead log there")
    for pragma in (*_PRAGMAS, f"PRAGMA max_page_count = {bounds.pages}"):
        connection.execute(pragma).fetchall()


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date; it writes even if nothing is to be done, to know whether it can."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_MARK}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _commit(connection: sqlite3.Connection, work: Work[T]) -> T:
    """Run `work` in a transaction; nothing of it is left if it raises."""
    connection.execute("BEGIN")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors (a full disk is one).
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
    return result


def _identify(path: Path) -> tuple[int, int] | None:
    """Return which file stands under the name, None if none does."""
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def _is_unfit(error: Exception) -> bool:
    """Whether it is this very file that is no good, or may not be written."""
    code = getattr(error, "sqlite_errorcode", 0)
    return (
        isinstance(error, Unfit | PermissionError | IsADirectoryError) or code & 0xFF in _UNFIT or code in _UNREADABLE
    )


def _is_ours(error: Exception) -> bool:
    """Whether it is a mistake in our SQL, which another file would not mend."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code in (0, sqlite3.SQLITE_ERROR)


def _describe(error: Exception) -> str:
    """Give an error's own words, without numbers and types."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
