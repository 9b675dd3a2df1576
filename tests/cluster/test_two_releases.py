"""Two releases in one cluster, each for a team of its own; a third one that would serve the same is refused."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from helm_python import HelmError

from support.controlplane import ControlPlane
from support.kubelet import Kubelet
from support.release import Release, install
from support.release_site import HTTP_PORT, Installed, Site, work_at
from support.running import make_webhook


@asynccontextmanager
async def live(control_plane: ControlPlane, kubelet: Kubelet, name: str, *, crds: bool) -> AsyncIterator[Site]:
    """Install a release of one pod for a new team alone, by Roles, with policies of its own; it is gone afterwards."""
    team = f"team-{uuid.uuid4().hex[:8]}"
    values: dict[str, Any] = {
        "mode": "single",
        "watchNamespaces": [team],
        "tenants": [{"namespace": team, "serviceAccount": "default"}],
        "admissionPolicy": {"enabled": True},
        # The CRDs are the cluster's: one of the releases has them.
        "crds": {"install": crds},
    }
    with control_plane.access.sync_client() as client:
        client.post("/api/v1/namespaces", json={"metadata": {"name": team}}).raise_for_status()
        try:
            release = Release(control_plane=control_plane, name=name, namespace=f"{name}-system", values=values)
            if crds:
                release = await asyncio.to_thread(install, control_plane, values, name=name, namespace=f"{name}-system")
            else:
                await asyncio.to_thread(release.install)
            try:
                installed = Installed(control_plane=control_plane, kubelet=kubelet, release=release, team=team)
                async with work_at(installed) as site:
                    await site.set_up()
                    yield site
            finally:
                await asyncio.to_thread(release.uninstall)
        finally:
            client.delete(f"/api/v1/namespaces/{team}")


async def build(site: Site, delivery: str) -> None:
    """Deliver to the team's Webhook, and wait until that has started its build, and nobody any other there."""
    release = site.installed.release
    address = site.kubelet.address_of(release.namespace, f"{release.name}-hookwright-0")
    answer = await site.push(f"http://{address}:{HTTP_PORT}", await site.url_path(), delivery)
    assert answer.status_code == 202
    await site.until_started()


@pytest.mark.timeout(600)
async def test_releases_side_by_side(control_plane: ControlPlane, kubelet: Kubelet):
    """Each serves its own team; whoever would serve one of theirs is refused; when one goes, the other goes on."""
    async with live(control_plane, kubelet, "one", crds=True) as one:
        async with live(control_plane, kubelet, "two", crds=False) as two:
            for site in (one, two):
                await build(site, "first")
            for values, said in (
                ({}, "release one in namespace one-system serves some of them"),
                ({"watchNamespaces": [two.team]}, f"release two in namespace two-system, which serves {two.team}"),
            ):
                given = {**values, "crds": {"install": False}}
                third = Release(control_plane=control_plane, name="three", namespace="three-system", values=given)
                with pytest.raises(HelmError, match=said):
                    await asyncio.to_thread(third.install)
        await build(one, "second")
        await one.apply(make_webhook("later"))
        await one.until_ready("later")
