"""The token of the pod that we run in. The kubelet writes another into its file before it is over.

The official client reads it again each minute too, but by the wall clock: one that is set back by hours would let it
use the old token until long after its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kubernetes.aio.client import Configuration

FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
READ_SECONDS: Final = 60.0


class OwnToken:
    """Keeps the token of a configuration as the file has it, at most `READ_SECONDS` ago by a monotonic clock."""

    def __init__(self, file: Path = FILE, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._read_at: float | None = None

    def refresh(self, configuration: Configuration) -> None:
        """Read the token again if it is time; a file that cannot be read, or is empty, changes nothing."""
        now = self._clock()
        if self._read_at is not None and now < self._read_at + READ_SECONDS:
            return
        try:
            token = self._file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return
        if token:
            configuration.api_key["BearerToken"] = f"bearer {token}"
            self._read_at = now
