"""Whose turn it is: claims take from the namespaces that wait in turn, a row of each.

So a delivery waits for one row of each other namespace at most, and never behind another's backlog; a namespace alone
has every turn. Within a namespace the longest due comes first.

The index of namespaces and due times answers all of it: `_WAITING` steps from one namespace to the next, and the rows
of one are the head of its part.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Final

# The namespaces that wait, from ?3 on, in order, and whether one has rows that are due, or stranded.
_WAITING: Final = """
    WITH RECURSIVE waiting (namespace) AS (
        SELECT min(namespace) FROM pending WHERE namespace >= ?3
        UNION ALL
        SELECT (SELECT min(namespace) FROM pending WHERE namespace > waiting.namespace) FROM waiting
        WHERE namespace IS NOT NULL
    )
    SELECT
        namespace,
        EXISTS (SELECT 1 FROM pending WHERE pending.namespace = waiting.namespace AND due <= ?1),
        EXISTS (SELECT 1 FROM pending WHERE pending.namespace = waiting.namespace AND due > ?2)
    FROM waiting WHERE namespace IS NOT NULL
"""
_DUE: Final = "SELECT row FROM pending WHERE namespace = ?1 AND due <= ?2 ORDER BY due, row"
# Not one query with OR, which would sort all that waits.
_STRANDED: Final = "SELECT row FROM pending WHERE namespace = ?1 AND due > ?2 ORDER BY due, row"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rows may be claimed: at most `limit`, and of each namespace in `shares` no more than it says there.

    A row may be if it is not `held`, and is due by `due`, or later than `last`: then it is stranded.
    """

    limit: int
    shares: Mapping[str, int]
    held: Collection[int]
    due: int
    last: int


class Turns:
    """Remembers, in memory, whose turn is next. Used by the writer's thread alone."""

    def __init__(self) -> None:
        self._next = ""

    def choose(self, connection: sqlite3.Connection, wanted: Wanted) -> list[int]:
        """Give the numbers of the rows that are to be claimed, in their order: they are their namespaces' turns.

        Takes time in proportion to `limit`, the held rows and the namespaces that wait, however many rows do.
        """
        queues = self._find_queues(connection, wanted)
        rows: list[int] = []
        while queues and len(rows) < wanted.limit:
            for namespace in list(queues)[: wanted.limit - len(rows)]:
                rows.append(queues[namespace].pop())
                self._next = f"{namespace}\0"  # no name comes between the two
                if not queues[namespace]:
                    del queues[namespace]
        return rows

    def _find_queues(self, connection: sqlite3.Connection, wanted: Wanted) -> dict[str, list[int]]:
        """Give the namespaces in the order of their turns, with the rows that each may have, the first one last."""
        queues: dict[str, list[int]] = {}
        for begin, end in ((self._next, None), ("", self._next)):
            with closing(connection.execute(_WAITING, (wanted.due, wanted.last, begin))) as found:
                for namespace, *has in found:
                    if len(queues) >= wanted.limit or (end is not None and namespace >= end):
                        break
                    if queue := _find_rows(connection, wanted, namespace, *has):
                        queues[namespace] = queue[::-1]
        return queues


def _find_rows(
    connection: sqlite3.Connection,
    wanted: Wanted,
    namespace: str,
    due: bool,  # noqa: FBT001 - as the query has it
    stranded: bool,  # noqa: FBT001
) -> list[int]:
    """Give the first rows of a namespace that may be claimed, as many as it may have."""
    most = min(wanted.limit, wanted.shares.get(namespace, wanted.limit))
    rows: list[int] = []
    for is_there, query, time in ((due, _DUE, wanted.due), (stranded, _STRANDED, wanted.last)):
        if is_there and len(rows) < most:
            with closing(connection.execute(query, (namespace, time))) as found:
                rows += islice((row for (row,) in found if row not in wanted.held), most - len(rows))
    return rows
