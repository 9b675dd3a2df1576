"""Jobs that play themselves: they run for a moment and then complete, without any pod.

A Job fails instead if it carries the annotation `devcluster.hookwright.dev/outcome: failed`; the annotation
`devcluster.hookwright.dev/seconds` says how long it runs. A suspended Job waits until it is released. The statuses are
those that the Job controller of Kubernetes 1.34 writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hookwright.devcluster.lifecycle import Lifecycle
from hookwright.devcluster.resources import JOBS
from hookwright.devcluster.store import Change, Store, Stored
from hookwright.devcluster.values import JsonObject, find, timestamp

OUTCOME: Final = "devcluster.hookwright.dev/outcome"
SECONDS: Final = "devcluster.hookwright.dev/seconds"

_COMPLETE: Final = ("CompletionsReached", "Reached expected number of succeeded pods")
_FAILED: Final = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_SUSPENDED: Final = ("JobSuspended", "Job suspended")
_RESUMED: Final = ("JobResumed", "Job resumed")


class JobPlayer:
    """Follows the Jobs in the store and writes their statuses; `seconds` is how long a Job runs."""

    def __init__(self, store: Store, lifecycle: Lifecycle, *, seconds: float) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to play, with the Jobs that are there."""
        self._loop = loop
        for stored in self._store.all(JOBS):
            self._plan(stored)

    def stop(self) -> None:
        """Leave all Jobs as they are."""
        self._loop = None
        for uid in list(self._timers):
            self._cancel(uid)

    def observe(self, change: Change) -> None:
        """Follow a change in the store."""
        if change.new.key == JOBS:
            self._cancel(change.new.uid)
            if change.type != "DELETED":
                self._plan(change.new)

    def _cancel(self, uid: str) -> None:
        if timer := self._timers.pop(uid, None):
            timer.cancel()

    def _plan(self, stored: Stored) -> None:
        """Plan a Job's next step; a controller acts after the write that it saw, never within it."""
        job = stored.read()
        conditions = _conditions(job)
        if self._loop is None or "Complete" in conditions or "Failed" in conditions:
            return
        step: Callable[[JsonObject], JsonObject] | None = None
        wait = 0.0
        if find(job, "spec", "suspend"):
            step = None if conditions.get("Suspended") == "True" else _suspend
        elif not find(job, "status", "startTime"):
            step = _begin
        else:
            step, wait = _end, self._duration(job)
        if step:
            self._timers[stored.uid] = self._loop.call_later(wait, self._take, stored.uid, step)

    def _take(self, uid: str, step: Callable[[JsonObject], JsonObject]) -> None:
        self._timers.pop(uid, None)
        if stored := self._store.get_by_uid(uid):
            job = stored.read()
            constants = {"ready": 0, "terminating": 0, "uncountedTerminatedPods": {}}
            self._lifecycle.set_status(stored, step(job) | constants)

    def _duration(self, job: JsonObject) -> float:
        try:
            return float(find(job, "metadata", "annotations", SECONDS) or self._seconds)
        except ValueError:
            return self._seconds


def _begin(job: JsonObject) -> JsonObject:
    status: JsonObject = job.get("status") or {}
    status |= {"active": find(job, "spec", "parallelism"), "startTime": timestamp()}
    return _with_condition(status, "Suspended", _RESUMED, "False") if _conditions(job) else status


def _suspend(job: JsonObject) -> JsonObject:
    status = _without(job.get("status") or {}, "active", "startTime")
    return _with_condition(status, "Suspended", _SUSPENDED)


def _end(job: JsonObject) -> JsonObject:
    status = _without(job["status"], "active")
    if find(job, "metadata", "annotations", OUTCOME) == "failed":
        status |= {"failed": 1}
        return _with_condition(_with_condition(status, "FailureTarget", _FAILED), "Failed", _FAILED)
    status |= {"succeeded": find(job, "spec", "completions"), "completionTime": timestamp()}
    return _with_condition(_with_condition(status, "SuccessCriteriaMet", _COMPLETE), "Complete", _COMPLETE)


def _conditions(job: JsonObject) -> dict[str, str]:
    return {one["type"]: one["status"] for one in find(job, "status", "conditions") or ()}


def _without(status: JsonObject, *names: str) -> JsonObject:
    return {name: member for name, member in status.items() if name not in names}


def _with_condition(status: JsonObject, name: str, why: tuple[str, str], value: str = "True") -> JsonObject:
    now = timestamp()
    others = [one for one in status.get("conditions", ()) if one["type"] != name]
    condition = {"type": name, "status": value, "reason": why[0], "message": why[1]}
    return status | {"conditions": [*others, condition | {"lastProbeTime": now, "lastTransitionTime": now}]}
