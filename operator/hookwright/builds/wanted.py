"""A build that a delivery wants: all that is kept of a delivery between the answer and the start.

It is written to the journal as JSON. The payload is not in it, only what the build receives of it: what is not kept
cannot leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from hookwright.scm import ScmEvent

# Longer values are cut. Linux takes at most 128 KiB for one environment variable, name included, and a character may
# have 4 bytes.
MAX_VALUE_LENGTH = 32_000
DEFAULT_KEEP_SECONDS = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetRef:
    """What is to make the build, in the namespace of the object that wants it."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Undecided:
    """A filter that could not be decided because its `{Key}` comes from a target that was missing.

    It matches if the expanded `match_equals` is among `found`, the texts that the expression found in the payload.
    """

    match_equals: str
    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedBuild:
    """One build that is to be started for one delivery to one object."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64")

    namespace: str
    owner_kind: str
    owner_name: str
    owner_uid: str
    delivery_id: str
    index: int = 0
    accepted_at: datetime
    target: TargetRef
    service_account: str | None
    values: Mapping[str, str] = field(default_factory=dict)  # placeholders' values that the owner gives itself
    parameters: Mapping[str, str] = field(default_factory=dict)
    undecided: tuple[Undecided, ...] = ()
    open_event: ScmEvent | None = None  # to be decided again once the provider has said what its payload lacks
    event: str = ""  # the sender's name for what happened, and whence it came: for the record
    client: str = ""
    one_of_several: bool = False  # whether its delivery wants other builds too
    keep_seconds: int = DEFAULT_KEEP_SECONDS  # for how long the build stays at least
    # An older version passes over members that it does not know. A version that adds one without which the build would
    # be a wrong one, or none at all, writes 2 here where that member says something: such a row waits for its like.
    form: Literal[1] = 1

    def to_json(self) -> bytes:
        """Give the journal's form."""
        return _ADAPTER.dump_json(self)

    @classmethod
    def from_json(cls, text: bytes) -> WantedBuild:
        """Read the journal's form.

        Raises:
            ValueError: it is none, or of a later version that must be known to start it.
        """
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            # Its own text, which would be logged, repeats values: those of a payload.
            detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(step) for step in detail["loc"])
            raise ValueError(f"not a wanted build: {where}: {detail['msg']}") from None


_ADAPTER = TypeAdapter(WantedBuild)


def clean_value(text: str) -> str:
    """Make `text` fit for an environment variable: no NUL, and not longer than Linux takes."""
    return text[:MAX_VALUE_LENGTH].replace("\0", "\N{REPLACEMENT CHARACTER}")


def format_time(time: datetime) -> str:
    """Write `time` as Kubernetes does: RFC 3339, UTC, whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
