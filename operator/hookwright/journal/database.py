"""The file `journal.db`: how it is made, opened, checked, watched and closed.

What makes a commit durable here: WAL with `synchronous=FULL` syncs the log before COMMIT returns; the folder is synced
once the files exist. A checkpoint copies the log into the database every few megabytes, with a sync before and after;
one that fails loses nothing, the log just grows on. `locking_mode=EXCLUSIVE` keeps foreign readers from pinning the log
and lets SQLite do without shared memory, which is one thing less that a file system must offer.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hookwright.errors import JournalLocked, JournalUnwritable
from hookwright.journal.lock import FolderLock
from hookwright.journal.room import Room, checkpoint, give_up_history, give_up_reserve, is_full
from hookwright.journal.statements import MIGRATIONS, TOUCH, taken

NAME: Final = "journal.db"
PROBE: Final = "probe"
_PROBE_BYTES: Final = 16 * 1024

_PRAGMAS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # macOS: an fsync there stops at the drive's cache.
    "PRAGMA fullfsync = ON",
    # 8 MB of log before a checkpoint, and no more than that kept on the disk after a burst.
    "PRAGMA wal_autocheckpoint = 2000",
    "PRAGMA journal_size_limit = 8388608",
    "PRAGMA cache_size = -8192",
    "PRAGMA temp_store = MEMORY",
)
_PATIENCE: Final = 1.0
"""Seconds that opening waits for a stranger's lock (an sqlite3 shell, a backup)."""

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Database:
    """The open file, its connection, and the lock on its folder."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in a folder, or make it.

        Raises:
            JournalLocked: another process has it.
            JournalUnwritable: the folder cannot be written, or the file is damaged, foreign or from a newer version.
        """
        folder = folder.absolute()  # the working directory may change
        self.folder = folder
        try:
            new_entries = _make_folder(folder)
            self._lock = FolderLock(folder)
        except OSError as error:
            raise _no_folder(folder, error) from error
        try:
            self.connection = _open_with_room(folder)
            for parent in (folder, *new_entries):
                _sync_folder(parent)
            self._files = _identify(folder)
            self.room = Room(folder / NAME, self.connection, taken(self.connection))
        except OSError as error:
            self._lock.release()
            raise _no_folder(folder, error) from error
        except BaseException:
            self._lock.release()
            raise

    @staticmethod
    def exists(folder: Path) -> bool:
        """Say whether there is a journal in a folder, without making one.

        Raises:
            JournalUnwritable: the folder cannot be read.
        """
        try:
            (folder / NAME).stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise _no_folder(folder, error) from error
        return True

    def check(self) -> None:
        """Make sure that the files are still where a restart will look for them.

        SQLite goes on writing into files that somebody has removed or moved away, and a 2xx for that would be a lie.

        Raises:
            JournalUnwritable: they are not.
        """
        try:
            same = _identify(self.folder) == self._files
        except OSError:
            same = False
        if not same:
            raise JournalUnwritable(
                f"The files of the journal in {self.folder} were removed or replaced while it was open. Put them back,"
                " or restart to begin with what is there now."
            )

    def probe(self) -> None:
        """See how much room the volume has; write and sync a file as large as several rows, and remove it.

        On a full disk the log may have room left for a few small rows, which would say nothing about the next one.

        Raises:
            OSError: the disk does not take it.
            JournalUnwritable: there is not enough room for deliveries.
        """
        self.room.find_more()
        if self.room.trouble:
            raise JournalUnwritable(self.room.trouble)
        path = self.folder / PROBE
        try:
            with path.open("wb") as file:
                file.write(os.urandom(_PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        finally:
            with suppress(OSError):
                path.unlink()

    def make_room(self) -> Iterator[None]:
        """Make room on a full volume for what makes more: a little at each step, with a pause for another try."""
        checkpoint(self.connection)
        yield
        give_up_reserve(self.folder)
        checkpoint(self.connection)
        yield

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the body wrote, and sync it, or else leave nothing of it.

        Raises:
            sqlite3.Error: nothing was committed.
            JournalUnwritable: as in `check`.
        """
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            # The last moment at which nothing is promised yet. What is removed later is removed after a promise.
            self.check()
            self._commit()
        except BaseException:
            self.room.ledger.undo()
            # SQLite has rolled back by itself after some errors (a full disk is one).
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.room.ledger.keep()

    def _commit(self) -> None:
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error:
            # The failed transaction may stand whole in the log, with only its sync gone wrong: after a crash, recovery
            # would find rows of which we say that they were not accepted. Any other transaction takes its place in
            # the log, even while syncs fail.
            with suppress(sqlite3.Error):
                self.connection.execute(TOUCH)
            raise

    def close(self) -> None:
        """Close the file (its log goes into the database) and let others have the folder."""
        try:
            self.connection.close()
        finally:
            self._lock.release()


def explain(error: Exception, folder: Path) -> JournalUnwritable:
    """Say for a user what an error of the database means and what to do."""
    if isinstance(error, JournalUnwritable):
        return JournalUnwritable(error.message)
    if _code(error) in _DAMAGED:
        return JournalUnwritable(
            f"{folder / NAME} is damaged, or is no journal: {error}. It may hold deliveries that were accepted and not"
            f" yet started, so it is left as it is. Move {NAME} and {NAME}-wal aside (keep them), start again, and let"
            " the senders deliver again what is missing."
        )
    return JournalUnwritable(
        f"The journal in {folder} cannot be written: {error or type(error).__name__}. Nothing of this was accepted."
        " Make room on its volume, or make the volume writable; the sender can try again."
    )


def _code(error: Exception) -> int:
    """Return SQLite's primary result code, 0 if the error is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _no_folder(folder: Path, error: OSError) -> JournalUnwritable:
    return JournalUnwritable(
        f"The journal's folder {folder} cannot be written: {error.strerror or error}. It must be a folder on block"
        " storage in which this process may create files."
    )


def _make_folder(folder: Path) -> list[Path]:
    """Make the folder, for us alone, if it is not there; return the folders that have a new entry by that."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [path.parent for path in missing]


def _open_with_room(folder: Path) -> sqlite3.Connection:
    """Open the file; where the volume is full, give up what may be lost, since what is pending may not."""
    for give_up in (give_up_reserve, give_up_history):
        try:
            return _open(folder)
        except (OSError, JournalUnwritable) as error:
            if not is_full(error):
                raise
            give_up(folder)
    try:
        return _open(folder)
    except (OSError, JournalUnwritable) as error:
        if not is_full(error):
            raise
        raise JournalUnwritable(
            f"The journal's folder {folder} cannot be written: {os.strerror(errno.ENOSPC)}. What is pending in it is"
            f" safe. Make its volume larger, or remove from it what is not {NAME} or {NAME}-wal; then start again."
        ) from error


def _open(folder: Path) -> sqlite3.Connection:
    path = folder / NAME
    # Made here because SQLite would make it readable for everybody; the log takes over this file's mode. Opened for
    # writing because SQLite would quietly open a write-protected file for reading.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # The writer's thread uses it, but is not the one that opens it.
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        _check_contents(connection, path)
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        if _code(error) in _BUSY:
            raise JournalLocked(
                f"Another program has {path} open (an sqlite3 shell, a backup?). End it, then start again."
            ) from error
        raise explain(error, folder) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_contents(connection: sqlite3.Connection, path: Path) -> None:
    """Read the whole file, which takes about a second per gigabyte.

    Better a start that fails than an id that is not found, or a delivery that is lost.
    """
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise JournalUnwritable(f"SQLite cannot keep a write-ahead log for {path}. Put the journal on block storage.")
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        damage = sqlite3.DatabaseError(answer)
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date in one transaction.

    It writes even if nothing is to be done: whether the file can be written is to be known before the first delivery.
    """
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version > len(MIGRATIONS):
        raise JournalUnwritable(
            f"The journal has the schema version {version}, this version of Hookwright knows {len(MIGRATIONS)} and"
            " older. Start the newer version again, which can read it."
        )
    if version == 0 and tables:
        raise JournalUnwritable(f"{NAME} is an SQLite file of some other program. Name another folder.")
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            connection.execute(statement)
    connection.execute(TOUCH)
    connection.execute("COMMIT")


def _sync_folder(folder: Path) -> None:
    """Sync the entries of a folder: a synced file whose name is lost is lost."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _identify(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return which files stand under the names of the database and its log."""
    found = ((folder / name).stat() for name in (NAME, f"{NAME}-wal"))
    return tuple((status.st_dev, status.st_ino) for status in found)
