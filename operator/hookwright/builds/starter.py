"""Starting one build: what the plan says is done at the API server, and its answer means something for the delivery.

However often it is tried, a build is made once: its name is that of the delivery, and AlreadyExists is success if the
object carries our annotation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from hookwright.builds.facts import FactSource, NoFacts, decide_open
from hookwright.builds.names import identify, name_wanted
from hookwright.builds.plan import End, Start, Wait, is_another, judge_refusal, plan
from hookwright.builds.state import Build, read_job
from hookwright.builds.targets import find_build_kind
from hookwright.builds.targets.job import DELIVERY_ANNOTATION
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.cluster import Cluster
from hookwright.errors import ClusterError
from hookwright.kinds import BuildReference, BuildTrigger, InvalidObject, ObjectKind
from hookwright.reasons import BUILD_CREATED, BUILD_NAME_TAKEN, BUILD_UNSEEN, START_DELAYED, Reason

_FORBIDDEN = 403


class Targets(Protocol):
    """Where targets are found."""

    def target(self, namespace: str, ref: TargetRef) -> ObjectKind | InvalidObject | None:
        """Give the target that `ref` names; None if it does not exist."""
        ...


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What became of one try to start a build; `build` is set once it exists.

    `found` is how it was found if its name was taken; None too where that is no build of a BuildTrigger.
    """

    wanted: WantedBuild
    reason: Reason
    message: str
    time: datetime
    build: BuildReference | None = None
    found: Build | None = None


def refer_build(wanted: WantedBuild) -> BuildReference:
    """Say which object is, or will be, the build of `wanted`."""
    build = find_build_kind(wanted.target)
    return BuildReference(api_version=build.api_version, kind=build.kind, name=name_wanted(wanted))


@dataclass(kw_only=True)
class Starter:
    """Starts builds of `targets`.

    `hidden` says whether targets of a kind may be in a namespace and not be seen. A target that is missing is waited
    for until `patience` has passed. `settling` says whether the API server was away just now: then it refuses what it
    allows, and no refusal is believed. `facts` asks providers for what decides an event that was left open.
    """

    cluster: Cluster
    targets: Targets
    clock: Callable[[], datetime]
    patience: timedelta
    hidden: Callable[[str, str], bool] = lambda _kind, _namespace: False
    settling: Callable[[], bool] = lambda: False
    facts: FactSource = field(default_factory=NoFacts)

    async def start(self, wanted: WantedBuild, *, attempts: int = 0) -> Conclusion:
        """Create the build, or say why not; `attempts` that failed were made before."""
        target = self.targets.target(wanted.namespace, wanted.target)
        if isinstance(target, BuildTrigger) and not is_another(wanted, target):
            open_ = await decide_open(wanted, target, self.facts)
            if open_ is not None:
                return self.conclude(wanted, open_.reason, open_.message or open_.reason.sentence)
        hidden = self.hidden(wanted.target.kind, wanted.namespace)
        step = plan(wanted, target, now=self.clock(), patience=self.patience, attempts=attempts, hidden=hidden)
        match step:
            case Wait() | End():
                conclusion = self.conclude(wanted, step.reason, step.message)
            case Start():
                try:
                    await self.cluster.create(
                        find_build_kind(wanted.target).resource,
                        step.manifest,
                        namespace=wanted.namespace,
                        service_account=step.service_account,
                    )
                    conclusion = self._succeed(wanted)
                except ClusterError as error:
                    conclusion = await self._explain(wanted, error, step.service_account)
        return conclusion

    async def _explain(self, wanted: WantedBuild, error: ClusterError, service_account: str) -> Conclusion:
        """Make of the API server's refusal what it means for the delivery."""
        if error.reason == "AlreadyExists":
            return await self._recognise(wanted)
        reason = judge_refusal(error)
        if reason is None or (error.status == _FORBIDDEN and self.settling()):
            return self.conclude(wanted, START_DELAYED, error.message)
        return self.conclude(wanted, reason, f"as ServiceAccount {service_account}: {error.message}")

    async def _recognise(self, wanted: WantedBuild) -> Conclusion:
        """The name is taken: by this very delivery, which is success, or by a stranger."""
        name, build = name_wanted(wanted), find_build_kind(wanted.target)
        try:
            found = await self.cluster.get(build.resource, namespace=wanted.namespace, name=name)
        except ClusterError as error:
            if error.status == _FORBIDDEN:
                # It may well be this delivery's: to call it a stranger's would have somebody remove it.
                return self.conclude(wanted, BUILD_UNSEEN, f"{build.kind} {name} exists; {error.message}")
            if not error.transient:
                return self.conclude(wanted, BUILD_NAME_TAKEN, f"{build.kind} {name} exists; {error.message}")
            return self.conclude(wanted, START_DELAYED, error.message)
        if found is None:
            # It was there just now, under a name that only this delivery makes: to create it anew would start twice.
            return self._succeed(wanted)
        annotations = (found.get("metadata") or {}).get("annotations") or {}
        if annotations.get(DELIVERY_ANNOTATION) == identify(wanted):
            return self._succeed(wanted, read_job(found))
        return self.conclude(wanted, BUILD_NAME_TAKEN, f"{build.kind} {name} exists and is not of this delivery")

    def _succeed(self, wanted: WantedBuild, found: Build | None = None) -> Conclusion:
        build = refer_build(wanted)
        return Conclusion(
            wanted=wanted,
            reason=BUILD_CREATED,
            message=f"{build.kind} {build.name} was created",
            time=self.clock(),
            build=build,
            found=found,
        )

    def conclude(self, wanted: WantedBuild, reason: Reason, message: str) -> Conclusion:
        """Say what became of a try that made no build, with the remedy."""
        text = f"{message}. {reason.remedy}" if reason.remedy else message
        return Conclusion(wanted=wanted, reason=reason, message=text, time=self.clock())
