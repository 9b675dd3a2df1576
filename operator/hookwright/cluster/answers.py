"""What an API server answers, read: objects, refusals, and the lines of a watch. Pure.

A watch makes us hold one unfinished line at most, and that is bounded: otherwise a server, or what stands in front of
one, could fill our memory with a line that never ends.
"""

from __future__ import annotations

import json
import re
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
# Of a document that nests too deeply for Python's reader, so many levels are read. No typed object has as many.
MAX_DEPTH = 100
_BUSY: Final = 429  # Too Many Requests
_SECONDS = re.compile("[0-9]{1,6}")
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]')


def read_json(text: bytes) -> Any:  # Any: whatever JSON it is
    """Read JSON, however deep: what lies deeper than MAX_DEPTH is null where Python's reader would give up.

    The API server takes 10,000 levels in a free-form field. The one object of one tenant that has them stands in the
    lists and watches of all others.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(_flatten(text))


def read_object(text: bytes) -> dict[str, Any]:
    """Read an object, or a list of them: JSON that has metadata.

    Raises:
        ClusterError: it is something else.
    """
    try:
        found = read_json(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        raise ClusterError("what answers as the API server does not speak the JSON of one", status=0)
    return found


def _flatten(text: bytes) -> bytes:
    """Put null for what lies deeper than MAX_DEPTH."""
    kept: list[bytes] = []
    depth = end = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        mark = token[0]
        if mark in b"[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept += [text[end : token.start()], b"null"]
        elif mark in b"]}":
            depth -= 1
            if depth == MAX_DEPTH:
                end = token.end()
    return b"".join([*kept, text[end:]])


def find_end(text: bytes) -> int | None:
    """Give where the object or list ends that `text` begins with; None if it does not."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in b"[{":
            depth += 1
        elif token[0] in b"]}":
            depth -= 1
            if depth == 0:
                return token.end()
    return None


def read_refusal(status: int, text: bytes, *, retry_after: str = "") -> ClusterError:
    """Make an error of a Kubernetes Status object, or of whatever stands there instead.

    `retry_after` is the header of that name. It counts with 429 alone: by it API priority and fairness says that it did
    nothing. So short a time that asking again would be a flood counts as a second.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    error = _refuse(status, document)
    if status == _BUSY and _SECONDS.fullmatch(retry_after):
        error.retry_after = max(float(retry_after), 1.0)
    return error


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
        event = read_json(line)
        kind, found = event["type"], event["object"]
        usable = kind == _ERROR or isinstance(found["metadata"], Mapping)
    except (ValueError, TypeError, KeyError):
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
