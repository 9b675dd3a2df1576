"""How much work one delivery may make: a number of nodes, shared by all expressions of its Webhook.

So neither many expressions nor a large document keep the receiver from other deliveries for long.
"""

from __future__ import annotations

from hookwright.errors import HookwrightError
from hookwright.filters.values import JsonValue

# A push of 2,000 commits, GitHub's largest, has 70,000 to 150,000 nodes; looking at one takes 0.2 to 1 µs.
MAX_NODES = 250_000


class EvaluationError(HookwrightError):
    """An evaluation that has no result: too many nodes, or a number with which Jayway fails."""


class Budget:
    """The nodes that may still be looked at, for one document; `spent` once an evaluation wanted more than that.

    What costs more than looking at a node counts as several: long numbers, comparing long texts, each test of a filter,
    what a regular expression reads. Paths of single names and indices cost nothing, because an expression's length
    bounds them.
    """

    __slots__ = ("found", "left")

    def __init__(self, nodes: int = MAX_NODES) -> None:
        self.left = nodes
        # What expressions have found in this document, by their texts: many Webhooks write one twice.
        self.found: dict[str, list[JsonValue]] | None = None

    @property
    def spent(self) -> bool:
        """Whether an evaluation was given up; every further one is."""
        return self.left < 0

    def spend(self, nodes: int) -> None:
        """Count nodes that are about to be looked at; raise `EvaluationError` if there are not so many left."""
        self.left -= nodes
        if self.left < 0:
            raise EvaluationError(
                f"the document is too large for this path: all paths together may lead past {MAX_NODES} nodes"
            )
