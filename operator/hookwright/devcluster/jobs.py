"""Jobs that play themselves: they run for a moment and then complete, without any pod.

A Job fails instead if it carries the annotation `devcluster.hookwright.dev/outcome: failed`; the annotation
`devcluster.hookwright.dev/seconds` says how long it runs. A suspended Job waits until it is released. The statuses are
those that the Job controller of Kubernetes 1.34 writes.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hookwright.devcluster.lifecycle import Lifecycle
from hookwright.devcluster.resources import JOBS
from hookwright.devcluster.store import Change, Store, Stored
from hookwright.devcluster.values import JsonObject, find, timestamp

OUTCOME: Final = "devcluster.hookwright.dev/outcome"
SECONDS: Final = "devcluster.hookwright.dev/seconds"

_COMPLETE: Final = ("SuccessCriteriaMet", "Complete")
_FAILED: Final = ("FailureTarget", "Failed")
_WHY: Final = {
    _COMPLETE: ("CompletionsReached", "Reached expected number of succeeded pods"),
    _FAILED: ("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
}


class JobPlayer:
    """Follows the Jobs in the store and writes their statuses; `seconds` is how long a Job runs."""

    def __init__(self, store: Store, lifecycle: Lifecycle, *, seconds: float) -> None:
        self._store = store
        self._lifecycle = lifecycle
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[str, asyncio.TimerHandle | asyncio.Handle] = {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to play, with the Jobs that are there."""
        self._loop = loop
        for stored in self._store.all(JOBS):
            self._schedule(stored)

    def stop(self) -> None:
        """Leave all Jobs as they are."""
        self._loop = None
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def observe(self, change: Change) -> None:
        """Follow a change in the store."""
        if change.new.key != JOBS:
            return
        if change.type == "DELETED":
            self._cancel(change.new.uid)
        else:
            self._schedule(change.new)

    def _cancel(self, uid: str) -> None:
        timer = self._timers.pop(uid, None)
        if timer:
            timer.cancel()

    def _schedule(self, stored: Stored) -> None:
        """Plan the next step of a Job; a controller acts after the write that it saw, never within it."""
        if self._loop is None or stored.terminating or _is_finished(stored.obj):
            return
        suspended = bool(stored.obj["spec"].get("suspend"))
        running = "startTime" in _status(stored.obj)
        if suspended == (_suspension(stored.obj) == "True") and (suspended or (running and stored.uid in self._timers)):
            return
        self._cancel(stored.uid)
        if suspended or not running:
            self._timers[stored.uid] = self._loop.call_soon(self._begin, stored.uid)
        else:
            self._timers[stored.uid] = self._loop.call_later(
                _duration(stored.obj, self._seconds), self._end, stored.uid
            )

    def _begin(self, uid: str) -> None:
        """Write that a Job runs, or that it is suspended."""
        stored = self._store.get_by_uid(uid)
        self._timers.pop(uid, None)
        if stored is None:
            return
        status = dict(_status(stored.obj))
        others = [one for one in status.get("conditions", ()) if one["type"] != "Suspended"]
        if stored.obj["spec"].get("suspend"):
            for name in ("active", "startTime"):
                status.pop(name, None)
            status["conditions"] = [*others, _condition("Suspended", "JobSuspended", "Job suspended")]
        else:
            status |= {"active": stored.obj["spec"].get("parallelism", 1), "startTime": timestamp()}
            if _suspension(stored.obj):
                status["conditions"] = [*others, _condition("Suspended", "JobResumed", "Job resumed", "False")]
        self._write(stored, status)

    def _end(self, uid: str) -> None:
        """Write that a Job has come to its end."""
        stored = self._store.get_by_uid(uid)
        self._timers.pop(uid, None)
        if stored is None:
            return
        status = {name: member for name, member in _status(stored.obj).items() if name != "active"}
        failed = find(stored.obj, "metadata", "annotations", OUTCOME) == "failed"
        conditions = _FAILED if failed else _COMPLETE
        if failed:
            status["failed"] = 1
        else:
            status |= {"succeeded": stored.obj["spec"].get("completions", 1), "completionTime": timestamp()}
        ended = [_condition(name, *_WHY[conditions]) for name in conditions]
        status["conditions"] = [*status.get("conditions", ()), *ended]
        self._write(stored, status)

    def _write(self, stored: Stored, status: JsonObject) -> None:
        self._lifecycle.set_status(stored, status | {"ready": 0, "terminating": 0, "uncountedTerminatedPods": {}})


def _status(obj: JsonObject) -> JsonObject:
    status: JsonObject = obj.get("status") or {}
    return status


def _is_finished(obj: JsonObject) -> bool:
    conditions = _status(obj).get("conditions", ())
    return any(one["type"] in ("Complete", "Failed") and one["status"] == "True" for one in conditions)


def _suspension(obj: JsonObject) -> str:
    conditions = _status(obj).get("conditions", ())
    return next((str(one["status"]) for one in conditions if one["type"] == "Suspended"), "")


def _duration(obj: JsonObject, default: float) -> float:
    try:
        return float(find(obj, "metadata", "annotations", SECONDS) or default)
    except ValueError:
        return default


def _condition(name: str, reason: str, message: str, status: str = "True") -> JsonObject:
    now = timestamp()
    times = {"lastProbeTime": now, "lastTransitionTime": now}
    return {"type": name, "status": status, "reason": reason, "message": message, **times}
