"""One process per journal.

An flock'ed file beside the database, because the kernel drops the lock when the process ends, however it ends: a
pid file would have to be cleaned up by hand after a kill -9. The file itself stays; removing it would let two
processes lock two files of the same name.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from hookwright.errors import JournalLocked

_NAME: Final = "journal.lock"


class FolderLock:
    """The right to work in one folder, held until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            JournalLocked: another process, or another journal of this one, has it.
            OSError: the folder cannot be written.
        """
        # Not inherited by programs that we start (PEP 446), which would otherwise keep the lock after our end.
        descriptor = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+", encoding="ascii", errors="replace")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = self._file.read(20).strip() or "unknown"
            self._file.close()
            raise JournalLocked(
                f"Another process (pid {holder}) works on the journal in {folder}. End it first, or give this one a"
                " folder of its own: two processes never share a journal."
            ) from error
        except OSError:
            self._file.close()
            raise
        # The pid is for the message above and decides nothing.
        with suppress(OSError):  # a full disk
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others have the folder; a second call does nothing."""
        self._file.close()
