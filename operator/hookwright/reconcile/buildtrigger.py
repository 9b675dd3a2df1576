"""Reconciling a BuildTrigger: its Job is tried by a dry run as the build's ServiceAccount; status says the result."""

from __future__ import annotations

from hookwright.builds.plan import DEFAULT_SERVICE_ACCOUNT
from hookwright.builds.targets.buildtrigger import render
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.cluster import BUILDTRIGGERS, JOBS
from hookwright.cluster.mirror import Key
from hookwright.errors import ClusterError
from hookwright.kinds import API_VERSION, BuildTrigger
from hookwright.reconcile.checks import STARTABLE, check_buildtrigger, is_judged
from hookwright.reconcile.status import write_status
from hookwright.reconcile.work import NEVER, Again
from hookwright.reconcile.world import World, make_arn

# A right that is missing may be given, without anything here changing.
FORBIDDEN_SECONDS = 30.0
REFUSED_SECONDS = 300.0
UNKNOWN_SECONDS = 10.0


async def reconcile_buildtrigger(key: Key, world: World) -> Again:
    """Bring one BuildTrigger's status in line."""
    trigger = world.mirror.buildtrigger(key.namespace, key.name)
    if trigger is None or trigger.metadata.deletion_timestamp is not None:
        return NEVER
    account, dry_run = DEFAULT_SERVICE_ACCOUNT, None
    if isinstance(trigger, BuildTrigger):
        account = trigger.spec.service_account_name or DEFAULT_SERVICE_ACCOUNT
        dry_run = await _try_build(trigger, account, world)
    transient = dry_run is not None and dry_run.transient
    if transient and isinstance(trigger, BuildTrigger) and is_judged(trigger):
        return Again(UNKNOWN_SECONDS)
    finding = check_buildtrigger(trigger, dry_run, account)
    metadata = trigger.metadata
    arn = make_arn(BuildTrigger, cluster=world.settings.cluster_name, namespace=metadata.namespace, name=metadata.name)
    await write_status(
        trigger,
        finding,
        world,
        kind=BuildTrigger,
        resource=BUILDTRIGGERS,
        good=(STARTABLE, "builds can be started"),
        members={"arn": arn},
    )
    if transient:
        return Again(UNKNOWN_SECONDS)
    if finding is None or dry_run is None:
        return NEVER
    # A policy that refuses may be mended too.
    return Again(FORBIDDEN_SECONDS if finding.heals else REFUSED_SECONDS)


async def _try_build(trigger: BuildTrigger, account: str, world: World) -> ClusterError | None:
    """Ask the API server whether it would take a Job of this trigger."""
    wanted = WantedBuild(
        namespace=trigger.metadata.namespace,
        owner_kind=BuildTrigger.KIND,
        owner_name=trigger.metadata.name,
        owner_uid=trigger.metadata.uid,
        delivery_id="dry-run",
        accepted_at=world.clock(),
        target=TargetRef(api_version=API_VERSION, kind=BuildTrigger.KIND, name=trigger.metadata.name),
        service_account=account,
    )
    try:
        await world.cluster.create(
            JOBS,
            render(wanted, trigger),
            namespace=trigger.metadata.namespace,
            service_account=account,
            dry_run=True,
        )
    except ClusterError as error:
        return error
    return None
