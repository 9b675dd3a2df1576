"""Trying a build without making it: a dry run at the API server, as the ServiceAccount that will create it."""

from __future__ import annotations

from hookwright.builds.targets import find_build_kind, find_service_account, render
from hookwright.builds.wanted import TargetRef, WantedBuild
from hookwright.cluster import SERVICE_ACCOUNTS
from hookwright.errors import ClusterError
from hookwright.kinds import ObjectKind, ObjectMeta
from hookwright.reconcile.checks import Tried
from hookwright.reconcile.world import World


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
    try:
        if await _is_absent(world, owner.namespace, account):
            return Tried(service_account=account, absent=True)
        await world.cluster.create(
            find_build_kind(wanted.target).resource,
            render(wanted, target),
            namespace=owner.namespace,
            service_account=account,
            dry_run=True,
        )
    except ClusterError as error:
        return Tried(service_account=account, error=error)
    return Tried(service_account=account)


async def _is_absent(world: World, namespace: str, account: str) -> bool:
    """Say whether there is no such ServiceAccount: its Jobs are taken all the same, but none gets a pod."""
    try:
        return await world.cluster.get(SERVICE_ACCOUNTS, namespace=namespace, name=account) is None
    except ClusterError as error:
        if error.transient:
            raise
        # Without the right to look nothing is known of it.
        return False
