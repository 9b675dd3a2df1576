"""Asking for a build by hand, with nothing but the caller's own right to write the BuildTrigger, and waiting for it.

The request is an annotation, of which there is one: whoever asks waits until the one before was dealt with, so that two
who ask at the same time get two builds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hookwright.builds.by_hand import REF, REQUESTED_AT, find_value, identify_request
from hookwright.builds.names import name_build
from hookwright.builds.targets.job import JOB
from hookwright.cluster import BUILDTRIGGERS, Cluster
from hookwright.errors import ClusterError, UsageError
from hookwright.kinds import BuildTrigger, InvalidObject, read
from hookwright.kinds.conditions import LAST_START_FAILED, START_PENDING
from hookwright.reasons import BUILD_CREATED, Outcome

LOOK_SECONDS = 0.25
_FORBIDDEN, _CONFLICT = 403, 409


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of the request; `job` is the build's name, whether it is there or not."""

    outcome: Outcome
    reason: str
    message: str
    job: str


@dataclass(kw_only=True)
class Asking:
    """One request: `value` names it, `ref` is what to build; None: the BuildTrigger's own branch.

    It is waited for so many `seconds`, by the monotonic clock `now`.
    """

    cluster: Cluster
    namespace: str
    name: str
    value: str
    ref: str | None
    seconds: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.now() + self.seconds

    async def ask(self) -> Answer:
        """Write the request, and wait until it was dealt with.

        Raises:
            UsageError: there is no such BuildTrigger, or nothing says what to build.
            ClusterError: the API server refuses, or is away.
        """
        uid = await self._write()
        if uid is None:
            return self._give_up(
                await self._look(), "an earlier request is not dealt with yet, so that nothing was asked"
            )
        while True:
            try:
                trigger = await self._look()
                answer = await self._judge(trigger, uid)
            except ClusterError as error:
                # The request is written: an API server that is away for a moment changes nothing of it.
                if not error.transient or not await self._wait():
                    raise
                continue
            if answer is not None:
                return answer
            if not await self._wait():
                return self._give_up(trigger, "the request is written, and was not dealt with yet")

    async def _write(self) -> str | None:
        """Write the request once no other waits; give the BuildTrigger's UID, None if one still waits."""
        while True:
            trigger = await self._look()
            self._check(trigger)
            if not _waits(trigger):
                try:
                    await self._patch(trigger)
                except ClusterError as error:
                    # Somebody else has written meanwhile, perhaps another request.
                    if error.status != _CONFLICT:
                        raise
                else:
                    return trigger.metadata.uid
            if not await self._wait():
                return None

    async def _patch(self, trigger: BuildTrigger | InvalidObject) -> None:
        metadata = trigger.metadata
        patch = {
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
            "annotations": {REQUESTED_AT: self.value, REF: self.ref},
        }
        await self.cluster.patch(BUILDTRIGGERS, {"metadata": patch}, namespace=self.namespace, name=self.name)

    def _check(self, trigger: BuildTrigger | InvalidObject) -> None:
        if self.ref is None and isinstance(trigger, BuildTrigger) and trigger.spec.source.branch is None:
            raise UsageError(f"BuildTrigger {self.name} has no spec.source.branch: say what to build with --ref")

    async def _look(self) -> BuildTrigger | InvalidObject:
        raw = await self.cluster.get(BUILDTRIGGERS, namespace=self.namespace, name=self.name)
        if raw is None:
            raise UsageError(f"there is no BuildTrigger {self.name} in namespace {self.namespace}")
        try:
            return read(BuildTrigger, raw)
        except InvalidObject as invalid:
            return invalid

    async def _wait(self) -> bool:
        """Wait a moment; say whether there is time left."""
        if self.now() >= self._until:
            return False
        await self.sleep(LOOK_SECONDS)
        return True

    async def _judge(self, trigger: BuildTrigger | InvalidObject, uid: str) -> Answer | None:
        """Say what became of the request; None: nothing yet."""
        job = name_build(owner_name=self.name, owner_uid=uid, delivery_id=identify_request(self.value))
        if trigger.metadata.uid == uid and _handled(trigger) == self.value:
            failed = _find(trigger, LAST_START_FAILED)
            if failed is not None:
                return Answer(outcome=Outcome.FAILED, reason=failed[0], message=failed[1], job=job)
            return self._started(job)
        if trigger.metadata.uid == uid and find_value(trigger.metadata) == self.value:
            return None
        # Another request, or another BuildTrigger, has taken its place: before or after it was dealt with?
        if await self._is_there(job):
            return self._started(job)
        message = "another request has taken its place before it was dealt with; start it again"
        return Answer(outcome=Outcome.FAILED, reason="", message=message, job=job)

    async def _is_there(self, job: str) -> bool:
        try:
            return await self.cluster.get(JOB.resource, namespace=self.namespace, name=job) is not None
        except ClusterError as error:
            if error.status != _FORBIDDEN:
                raise
            return False

    def _started(self, job: str) -> Answer:
        message = f"{JOB.kind} {self.namespace}/{job} was started"
        return Answer(outcome=Outcome.STARTED, reason=BUILD_CREATED.name, message=message, job=job)

    def _give_up(self, trigger: BuildTrigger | InvalidObject, what: str) -> Answer:
        job = name_build(owner_name=self.name, owner_uid=trigger.metadata.uid, delivery_id=identify_request(self.value))
        reason, why = _find(trigger, START_PENDING) or ("", "see whether an operator is at work")
        message = f"after {self.seconds:g} seconds {what}: {why}"
        return Answer(outcome=Outcome.PENDING, reason=reason, message=message, job=job)


def _waits(trigger: BuildTrigger | InvalidObject) -> bool:
    """Say whether a request was written that was not dealt with yet."""
    value = find_value(trigger.metadata)
    return bool(value) and value != _handled(trigger)


def _handled(trigger: BuildTrigger | InvalidObject) -> str | None:
    if isinstance(trigger, BuildTrigger):
        return trigger.status.last_handled_start
    found = trigger.found_status.get("lastHandledStart")
    return found if isinstance(found, str) else None


def _find(trigger: BuildTrigger | InvalidObject, kind: str) -> tuple[str, str] | None:
    """Give reason and message of a condition, if it is there."""
    conditions = trigger.status.conditions if isinstance(trigger, BuildTrigger) else trigger.conditions
    return next(((one.reason, one.message) for one in conditions if one.type == kind), None)
