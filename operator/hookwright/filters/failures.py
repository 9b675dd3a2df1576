"""What ends an evaluation, or a part of it, in the terms of Jayway's exceptions."""

from __future__ import annotations


class Unusable(Exception):
    """`InvalidPathException`: the item that is tested does not pass the filter; outside of filters nothing is found."""


class NotFound(Unusable):
    """`PathNotFoundException`: an operand of a filter is missing; a `[*]` on an array goes on with the next element."""


class OutOfBounds(Exception):
    """`IndexOutOfBoundsException` of a function: the nearest step into an array passes the element over."""


class Failed(Exception):
    """Any other exception: the evaluation has no result. Its text says why."""
