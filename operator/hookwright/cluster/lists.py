"""Reads a list of the API server as it comes, one object after the other. Pure.

Read at once, a list takes thirty times its bytes while it is read: a few objects of many small parts, which any team
may write, would take the memory that all share. So what is read at a time is one such object, or some kilobytes of
others.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from hookwright.cluster.answers import MAX_LINE_BYTES, find_end, read_json
from hookwright.errors import ClusterError
from hookwright.kinds import Raw

# So much of an answer is read at a time: compressed, a few bytes may hold much.
CUT_BYTES = 64 * 1024
ITEMS: Final = "items"
_DECODER: Final = json.JSONDecoder()
# What stands between values. Whether each is in its place is not asked: no server is caught by it.
_BETWEEN = re.compile(r"[\s,:]*")


class ListReader:
    """Gives the items of a list while its JSON comes, and then what else the list says."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        """Begin; an item, and each other member, has at most `limit` characters."""
        self.members: dict[str, Any] = {}
        """All members; the items are left out of theirs. Complete after `end`."""
        self._limit = limit
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="surrogatepass").decode
        self._text = ""
        self._at = 0
        self._wanted = 0  # with fewer characters nothing is tried again
        self._begun = self._done = self._listing = False
        self._key: str | None = None

    def feed(self, data: bytes) -> Iterator[list[Raw]]:
        """Give the items that `data` completes, some at a time; the next are read when those are taken.

        Raises:
            ClusterError: it is no JSON of a list, or an item is too long.
        """
        for start in range(0, len(data), CUT_BYTES):
            items = self._read(data[start : start + CUT_BYTES], last=False)
            if items:
                yield items

    def end(self) -> list[Raw]:
        """Give the items that are left, now that nothing more comes.

        Raises:
            ClusterError: it was no JSON of a list, or not all of it.
        """
        items = self._read(b"", last=True)
        if not self._done or not isinstance(self.members.get("metadata"), dict):
            raise _no_list()
        return items

    def _read(self, data: bytes, *, last: bool) -> list[Raw]:
        items: list[Raw] = []
        try:
            self._text = self._text[self._at :] + self._decode(data, last)
            self._at = 0
            if last or len(self._text) >= self._wanted:
                while self._step(items, last=last):
                    pass
        except ValueError:
            broken = True
        else:
            broken = len(self._text) - self._at > self._limit
        if broken:
            # Not raised where it was found, so that nobody can get at the text from here: it may hold a Secret.
            raise _no_list()
        return items

    def _step(self, items: list[Raw], *, last: bool) -> bool:
        """Read what comes next; False if it has not come yet.

        Raises:
            ValueError: it is no JSON of a list.
        """
        between = _BETWEEN.match(self._text, self._at)
        self._at = between.end() if between is not None else self._at
        mark = self._text[self._at : self._at + 1]
        if not mark:
            self._wanted = 0
            return False
        if self._done or (not self._begun and mark != "{"):
            raise ValueError
        if not self._begun:
            self._begun = True
        elif mark == "}" and not self._listing:
            self._done = True
        elif mark == "]" and self._listing:
            self._listing = False
        elif mark == "[" and self._key == ITEMS:
            self._listing, self._key = True, None
            self.members[ITEMS] = ()
        else:
            return self._take(items, last=last)
        self._at += 1
        return True

    def _take(self, items: list[Raw], *, last: bool) -> bool:
        """Read a value, and put it where it belongs; False if it has not come yet."""
        found, end = self._find_value(last=last)
        # What ends where the text does may go on.
        if end is None or (end == len(self._text) and not last):
            # Tried again with each piece that comes, a long one would be read ever so often.
            self._wanted = 2 * (len(self._text) - self._at) if end is None else 0
            return False
        self._at = end
        if self._listing:
            if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
                raise ValueError
            items.append(found)
        elif self._key is None:
            self._key = str(found)
        else:
            self.members[self._key], self._key = found, None
        return True

    def _find_value(self, *, last: bool) -> tuple[Any, int | None]:  # Any: whatever JSON it is
        """Give the value that begins here, and where it ends; None if that has not come yet."""
        try:
            return _DECODER.raw_decode(self._text, self._at)
        except RecursionError:
            text = self._text[self._at :].encode(errors="surrogatepass")
            end = find_end(text)
            if end is not None:
                return read_json(text[:end]), self._at + len(text[:end].decode(errors="surrogatepass"))
        except ValueError:
            if last:
                raise
        return None, None


def _no_list() -> ClusterError:
    return ClusterError("what answers as the API server gives no list where one was asked for", status=0)
