"""Figures of several rounds: their median and span, ratios to a peer of the same round, and tables of them."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spread:
    """What several rounds gave: the median, and the least and the most, because machines are noisy."""

    median: float
    least: float
    most: float

    def show(self, digits: int = 0) -> str:
        """Write it as `median (least-most)`."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f}-{self.most:,.{digits}f})"


def spread(values: Sequence[float]) -> Spread:
    """Sum up the values of several rounds."""
    return Spread(median=statistics.median(values), least=min(values), most=max(values))


def compare(values: Sequence[float], peers: Sequence[float]) -> Spread:
    """Sum up the ratios of each round's value to its peer's value in the same round."""
    return spread([value / peer for value, peer in zip(values, peers, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """Give the smallest of `values` that is not exceeded by this share of them; NaN if there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def write_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table: the first column to the left, all others to the right."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]
    lines = []
    for row in (headings, *rows):
        first, *others = (
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join((first, *others)).rstrip())
    return "\n".join(lines)


def tell(what: str) -> None:
    """Say on a terminal what is going on, in place of what was said before; elsewhere say nothing."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)  # noqa: T201 - a script's words
