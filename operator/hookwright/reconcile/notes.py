"""What was found out about objects by asking the API server, so that it is not asked again whenever a build changes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from hookwright.cluster.mirror import Key
from hookwright.kinds import ObjectMeta

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Note(Generic[T]):
    """What is known, and for how many seconds yet; None: until it is forgotten."""

    value: T
    seconds_left: float | None


class Notes(Generic[T]):
    """One note for each object, about one generation of it, good for a time; one object has one note at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._notes: dict[Key, tuple[str, int, T, float]] = {}

    def find(self, key: Key, metadata: ObjectMeta) -> Note[T] | None:
        """Give the note about an object as it is now; None if there is none that is still good."""
        uid, generation, value, until = self._notes.get(key, ("", 0, None, -math.inf))
        left = until - self._clock()
        if value is None or left <= 0 or (uid, generation) != (metadata.uid, metadata.generation):
            return None
        return Note(value=value, seconds_left=left if left < math.inf else None)

    def keep(self, key: Key, metadata: ObjectMeta, value: T, seconds: float | None) -> Note[T]:
        """Note `value`, good for so many seconds (None: until it is forgotten)."""
        until = self._clock() + (math.inf if seconds is None else seconds)
        self._notes[key] = (metadata.uid, metadata.generation, value, until)
        return Note(value=value, seconds_left=seconds)

    def forget(self, key: Key) -> None:
        """Forget what is noted about an object."""
        self._notes.pop(key, None)

    def clear(self) -> None:
        """Forget all, also of objects that have gone while nobody looked."""
        self._notes.clear()
