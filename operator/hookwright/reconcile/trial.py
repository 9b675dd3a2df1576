"""Trying a build without making it: a dry run at the API server, as the ServiceAccount that will create it."""

from __future__ import annotations

from collections.abc import Mapping

from hookwright.builds.targets import DEFAULT_SERVICE_ACCOUNT, find_build_kind, find_service_account, render
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.cluster import SERVICE_ACCOUNTS
from hookwright.errors import ClusterError
from hookwright.kinds import ObjectKind, ObjectMeta, Raw
from hookwright.reconcile.checks import Tried
from hookwright.reconcile.world import World

_FORBIDDEN = 403


async def try_build(
    owner_kind: str, owner: ObjectMeta, target: ObjectKind, world: World, *, service_account: str | None
) -> Tried:
    """Ask the API server whether it would take a build that `owner` starts of `target`."""
    wanted = WantedBuild(
        namespace=owner.namespace,
        owner_kind=owner_kind,
        owner_name=owner.name,
        owner_uid=owner.uid,
        delivery_id="dry-run",
        accepted_at=world.clock(),
        target=TargetRef(api_version=target.api_version, kind=target.KIND, name=target.metadata.name),
        service_account=service_account,
    )
    account = find_service_account(wanted, target)
    job = render(wanted, target)
    pods = find_account_of_pods(job)
    try:
        await world.cluster.create(
            find_build_kind(wanted.target).resource,
            job,
            namespace=owner.namespace,
            service_account=account,
            dry_run=True,
        )
        missing = await _is_absent(world, owner.namespace, pods)
    except ClusterError as error:
        # Who has misspelt the account is not to hear that it lacks a right.
        lacks = error.status == _FORBIDDEN and " cannot " in error.message
        absent = lacks and await _is_absent(world, owner.namespace, account, doubtful=False)
        return Tried(service_account=account, error=error, absent=absent)
    return Tried(service_account=account, missing_of_pods=pods if missing else None)


def find_account_of_pods(job: Raw) -> str:
    """Give the ServiceAccount that a Job's pods have; whatever is no Job has the default one."""
    found: object = job
    for step in ("spec", "template", "spec"):
        found = found.get(step) if isinstance(found, Mapping) else None
    pod = found if isinstance(found, Mapping) else {}
    return str(pod.get("serviceAccountName") or pod.get("serviceAccount") or DEFAULT_SERVICE_ACCOUNT)


async def _is_absent(world: World, namespace: str, account: str, *, doubtful: bool = True) -> bool:
    """Say whether there is no such ServiceAccount; without the right to look nothing is known of it.

    Raises:
        ClusterError: the API server is away, and the answer is `doubtful` then; else it is no.
    """
    try:
        return await world.cluster.get(SERVICE_ACCOUNTS, namespace=namespace, name=account) is None
    except ClusterError as error:
        if error.transient and doubtful:
            raise
        return False
