"""What an API server answers, read: refusals, and the lines of a watch. Pure.

A watch makes us hold one unfinished line at most, and that is bounded: otherwise a server, or what stands in front of
one, could fill our memory with a line that never ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from hookwright.errors import ClusterError
from hookwright.kinds import Raw

ADDED: Final = "ADDED"
MODIFIED: Final = "MODIFIED"
DELETED: Final = "DELETED"
BOOKMARK: Final = "BOOKMARK"
_ERROR: Final = "ERROR"

MAX_MESSAGE = 1000
# The API server takes requests of at most 3 MiB; what it stores of one may be longer as JSON.
MAX_LINE_BYTES = 8 * 1024 * 1024


def read_refusal(status: int, text: bytes) -> ClusterError:
    """Make an error of a Kubernetes Status object, or of whatever stands there instead."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    return _refuse(status, document)


class Lines:
    """Cuts a stream of bytes into lines, without their ends; blank ones are left out."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Give the lines that `data` completes.

        Raises:
            ClusterError: a line is too long.
        """
        *complete, rest = data.split(b"\n")
        if complete:
            complete[0] = bytes(self._rest) + complete[0]
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > self._limit:
            raise ClusterError(f"a watch sends a line of more than {self._limit} bytes", status=0)
        return [line for line in complete if line.strip()]

    def end(self) -> list[bytes]:
        """Give what stands after the last end of a line, now that nothing more comes."""
        rest = bytes(self._rest)
        self._rest.clear()
        return [rest] if rest.strip() else []


def read_event(line: bytes) -> tuple[str, Raw]:
    """Give the type of a watch's event and its object, which has metadata.

    Raises:
        ClusterError: it is an ERROR event, whose Status says what is wrong; or it is no event at all (status 0).
    """
    try:
        event = json.loads(line)
        kind, found = event["type"], event["object"]
        usable = kind == _ERROR or isinstance(found["metadata"], Mapping)
    except (ValueError, TypeError, KeyError, RecursionError):
        usable = False
    if not usable:
        # Not raised where it was found, so that nobody can get at the line from here: it may hold a Secret.
        raise ClusterError("what answers as the API server does not speak the JSON of a watch", status=0)
    if kind == _ERROR:
        code = found.get("code") if isinstance(found, Mapping) else None
        raise _refuse(code if isinstance(code, int) else 500, found)
    return str(kind), found


def _refuse(status: int, document: Any) -> ClusterError:  # Any: whatever JSON stands where a Status should
    try:
        message, reason = str(document["message"]), str(document.get("reason", ""))
    except (TypeError, KeyError, AttributeError):
        message, reason = f"the API server answers {status}", ""
    return ClusterError(message[:MAX_MESSAGE], status=status, reason=reason)
