"""What samples are made of: what they tell of, and how a Git host sends it. For trying things out, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from hookwright.scm import BRANCHES, TAGS, EventType

# The commits that samples tell of, where nobody names one.
COMMIT, BEFORE, MERGE = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c", "1" * 40, "3" * 40
ZEROS = "0" * 40
TIME = "2026-11-30T09:00:00Z"
STRANGER = "mallory"
Payload = dict[str, Any]  # Any: JSON, in the form in which a Git host writes it


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """What a sample tells of.

    `branch` is what is pushed to, or what a pull request is to be merged into; `head` is what a pull request brings,
    from a repository of somebody else if it comes from a `fork`. A `tag` is pushed instead of the branch; a release has
    one anyhow. `host` is set by whoever sends.
    """

    repository: str = "octo/hello"
    branch: str = "main"
    head: str = "feature/hello"
    tag: str | None = None
    sha: str = COMMIT
    message: str = "Say hello"
    files: tuple[str, ...] = ("README.md", "src/hello.py")
    pull_request: int = 1
    fork: bool = False
    host: str = ""

    @property
    def owner(self) -> str:
        """All of the repository's name before its last slash."""
        return self.repository.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the repository's name."""
        return self.repository.rpartition("/")[2]

    @property
    def head_repository(self) -> str:
        """Where the head of a pull request is."""
        return f"{STRANGER}/{self.name}" if self.fork else self.repository

    @property
    def ref(self) -> str:
        """What is pushed, in full."""
        return BRANCHES + self.branch if self.tag is None else TAGS + self.tag

    @property
    def before(self) -> str:
        """What it pointed at before; a tag is new."""
        return BEFORE if self.tag is None else ZEROS

    @property
    def released(self) -> str:
        """The tag of a release."""
        return self.tag or "v1.0"

    def web(self, repository: str) -> str:
        """Give the page of a repository."""
        return f"https://{self.host}/{repository}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """What is sent: the name of the event in the header, and the payload."""

    name: str
    payload: Payload


class MakeHeaders(Protocol):
    """Gives all the headers with which a Git host sends a body; without a secret it proves nothing."""

    def __call__(self, *, name: str, delivery_id: str, body: bytes, secret: bytes | None) -> dict[str, str]:
        """Give the headers of a delivery of the event `name`."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """How a Git host sends each event that its dialect knows, and what its test of a URL sends, if that has a form."""

    host: str
    events: Mapping[EventType, Callable[[Happening], Sent]]
    make_headers: MakeHeaders
    test: Callable[[Happening], Sent] | None = None

    def make(self, event: EventType, happening: Happening) -> Sent:
        """Give the delivery of an event.

        Raises:
            KeyError: the Git host sends no such event.
        """
        return self.events[event](replace(happening, host=self.host))

    def make_test(self, happening: Happening) -> Sent | None:
        """Give what the Git host sends to try a URL; None if that looks like what it tests."""
        return self.test(replace(happening, host=self.host)) if self.test is not None else None
