"""The headers of a request as `Request` has them, on top of the server's own map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class HeaderMap(Protocol):
    """The part of granian's own multi-map that is used here; it takes names in any case and gives them in lower case.

    The values of lines that are not ASCII are not shown.
    """

    def __iter__(self) -> Iterator[str]:
        """Give each name once."""
        ...

    def get_all(self, name: str) -> list[str]:
        """Give the values of all lines with this name, in their order."""
        ...

    def __contains__(self, name: str) -> bool:
        """Say whether there is a line with this name, whatever stands in it."""
        ...


class Headers(Mapping[str, list[str]]):
    """Header lines by name. Only what is asked for becomes Python's: of a dozen lines a delivery needs four."""

    __slots__ = ("_lines",)

    def __init__(self, lines: HeaderMap) -> None:
        self._lines = lines

    def __getitem__(self, name: str) -> list[str]:
        if values := self._lines.get_all(name):
            return values
        raise KeyError(name)

    # `Mapping` would make these two of `__getitem__` and an exception for each header that is not there.

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self._lines.get_all(name))

    def get(self, name: str, default: Any = None) -> Any:  # any: as Mapping has it
        """Give the values of a header, or `default`."""
        return self._lines.get_all(name) or default

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._lines if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
