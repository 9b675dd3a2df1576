"""What is not taken in a pattern."""

from __future__ import annotations


class PatternRefusal(Exception):
    """Something that is not taken in a pattern: why, from which place to which, and what to write there instead."""

    def __init__(self, why: str, *, at: int, stop: int, instead: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.at = at
        self.stop = stop
        self.instead = instead
