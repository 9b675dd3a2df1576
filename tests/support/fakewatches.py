"""The watches of the API server in memory: what was written, who watches from where, and how a watch ends."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hookwright.cluster import Resource
from hookwright.cluster.answers import ADDED, BOOKMARK, DELETED, MODIFIED
from hookwright.errors import ClusterError

Object = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which objects a list or a watch is about; `selector` has `label`, `!label` and `label=value`, with commas."""

    resource: Resource
    namespace: str | None
    selector: str

    def has(self, obj: Object) -> bool:
        """Whether an object of the resource is chosen."""
        metadata = obj["metadata"]
        labels = metadata.get("labels") or {}
        labelled = all(_chooses(one, labels) for one in self.selector.split(",") if one)
        return labelled and self.namespace in (None, metadata.get("namespace"))


def _chooses(requirement: str, labels: Mapping[str, str]) -> bool:
    label, _, value = requirement.removeprefix("!").partition("=")
    if value:
        return labels.get(label) == value
    return (label in labels) != requirement.startswith("!")


@dataclass(frozen=True, kw_only=True)
class Written:
    """A write: what was there before it, and what after."""

    version: int
    plural: str
    before: Object | None
    after: Object | None

    def show(self, choice: Choice) -> tuple[str, Object] | None:
        """Give the event of a watch, if there is one: an object may enter and leave what is chosen."""
        if self.plural != choice.resource.plural:
            return None
        before, after = ((obj if obj and choice.has(obj) else None) for obj in (self.before, self.after))
        if after is not None:
            return ADDED if before is None else MODIFIED, copy.deepcopy(after)
        if before is None:
            return None
        metadata = {**before["metadata"], "resourceVersion": str(self.version)}
        return DELETED, copy.deepcopy({**before, "metadata": metadata})


@dataclass(eq=False, kw_only=True)
class Watch:
    """An open watch; `coming` are its events, and at last None where it ends, or the error that breaks it."""

    choice: Choice
    version: int
    coming: asyncio.Queue[tuple[str, Object] | Exception | None] = field(default_factory=asyncio.Queue)

    def show(self, written: Written) -> None:
        """Pass on a write that it is about."""
        event = written.show(self.choice)
        if event is not None:
            self.coming.put_nowait(event)


@dataclass
class FakeWatches:
    """All watches of an API server; what goes on from a version older than `expired` is answered 410."""

    open: list[Watch] = field(default_factory=list)
    history: list[Written] = field(default_factory=list)
    expired: int = 0

    def record(self, version: int, plural: str, before: Object | None, after: Object | None) -> None:
        """Remember a write, and show it to the watches."""
        written = Written(version=version, plural=plural, before=before, after=after)
        self.history.append(written)
        for watch in self.open:
            watch.show(written)

    def begin(self, choice: Choice, version: int) -> Watch:
        """Open a watch that goes on from `version`."""
        self.check(version)
        watch = Watch(choice=choice, version=version)
        for written in self.history:
            if written.version > version:
                watch.show(written)
        self.open.append(watch)
        return watch

    async def follow(self, watch: Watch) -> AsyncGenerator[tuple[str, Object]]:
        """Give the events of a watch until it ends."""
        try:
            yield BOOKMARK, {"metadata": {"resourceVersion": str(watch.version)}}
            while (event := await watch.coming.get()) is not None:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            if watch in self.open:
                self.open.remove(watch)

    def check(self, version: int) -> None:
        """Refuse a version that nobody remembers."""
        if version < self.expired:
            raise ClusterError(f"too old resource version: {version}", status=410, reason="Expired")

    def end(self, error: Exception | None = None) -> None:
        """End all watches in order, or break them with `error`."""
        for watch in self.open:
            watch.coming.put_nowait(error)
        self.open.clear()

    def bookmark(self, version: int) -> None:
        """Tell all watches how far they have come."""
        for watch in self.open:
            watch.coming.put_nowait((BOOKMARK, {"metadata": {"resourceVersion": str(version)}}))
