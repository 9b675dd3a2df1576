"""What kinds that take deliveries have in common."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from hookwright.kinds.base import Model
from hookwright.kinds.texts import DURATION

SHORTEST_WINDOW = timedelta(hours=1)
LONGEST_WINDOW = timedelta(hours=72)  # for how long a receiver remembers what it has started

# A rule of the spec that has a duplicateWindow.
WINDOW_RULE = (
    f"!has(self.duplicateWindow) || !self.duplicateWindow.matches('{DURATION}') || self.duplicateWindow == '' "
    "|| (duration(self.duplicateWindow) >= duration('1h') && duration(self.duplicateWindow) <= duration('72h'))"
)
Window = Annotated[str, StringConstraints(min_length=2, max_length=16, pattern=DURATION)]
DUPLICATE_WINDOW = Field(
    default="1h",
    description=(
        "For how long a build is kept at least, 1h to 72h (90m, 1h30m): as long as its object is there, every "
        "receiver knows that the delivery was started. The receiver that took it remembers it for 3 days."
    ),
)


class BuildReference(Model):
    """The object that was started."""

    api_version: str = Field(max_length=253, description="Its API version.")
    kind: str = Field(max_length=63, description="Its kind.")
    name: str = Field(max_length=253, description="Its name, in the object's own namespace.")


class LastDelivery(Model):
    """What became of the newest delivery."""

    id: str = Field(max_length=256, description="The sender's id of the delivery, or ours where it has none.")
    time: datetime = Field(description="When it arrived.")
    outcome: str = Field(
        max_length=32, description="started, pending, duplicate, ping, ignored, suspended, refused or failed."
    )
    reason: str = Field(max_length=64, description="Why, as one documented CamelCase word.")
    message: str = Field(max_length=1024, description="Why, for a person.")
    build: BuildReference | None = Field(default=None, description="What was started.")
