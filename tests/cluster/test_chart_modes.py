"""One pod for one namespace, then two roles in its place: an upgrade leaves no accepted delivery behind."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from hookwright.commands import hookwright
from support.controlplane import ControlPlane
from support.kubelet import Kubelet
from support.realapi import Object, RealApi
from support.release import NAMESPACE, install
from support.release_site import OPERATOR, RECEIVER, Installed, Site, work_at

SINGLE = "hookwright"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


def grant_by_hand(team: str) -> list[Object]:
    """Give what `hookwright grant` prints, without an option that says in which mode Hookwright is."""
    done = CliRunner().invoke(hookwright, ["grant", team, "--service-account", "default"], catch_exceptions=False)
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A release in mode single, for a team's namespace alone, which has let it in by hand, under a URL with a path."""
    team = f"team-{uuid.uuid4().hex[:8]}"
    folder: Path = tmp_path_factory.mktemp("modes")
    values = {
        "mode": "single",
        "publicUrl": "http://hooks.test/ci/",
        "watchNamespaces": [team],
        # Longer than this takes: what waits for its target waits until that is made.
        "settings": {"targetPatience": 3600},
    }
    with control_plane.access.sync_client() as client, Kubelet(control_plane, folder / "kubelet") as kubelet:
        client.post("/api/v1/namespaces", json={"metadata": {"name": team}}).raise_for_status()
        RealApi(control_plane.access).apply(*grant_by_hand(team))
        release = install(control_plane, values)
        try:
            yield Installed(control_plane=control_plane, kubelet=kubelet, release=release, team=team)
        finally:
            release.uninstall()
            client.delete(f"/api/v1/namespaces/{team}")


@pytest.fixture
async def site(installed: Installed) -> AsyncIterator[Site]:
    """That release, and Webhook hello."""
    async with work_at(installed) as made:
        await made.set_up()
        yield made


async def until_adopted(site: Site, *others: str) -> str:
    """Wait until the release has one Job alone, none of `others`, and that is complete; give its name."""

    async def adopted() -> str:
        jobs = (await site.get(JOBS))["items"]
        names = [job["metadata"]["name"] for job in jobs if job.get("status", {}).get("succeeded")]
        return names[0] if len(names) == len(jobs) == 1 and names[0] not in others else ""

    return str(await site.until(adopted, "the volume is worked off"))


async def test_one_pod_becomes_two_roles(site: Site):
    """One pod starts builds by Roles alone; what it had accepted last starts from its volume, beside two roles.

    What the team has granted to the one lets in the other two.
    """
    release, address = site.installed.release, site.address_of(f"{SINGLE}-0")
    await asyncio.to_thread(release.test)
    path = f"/ci{await site.url_path()}"
    assert (await site.status())["url"] == f"http://hooks.test{path}"
    assert (await site.push(address, path, "first")).status_code == 202
    await site.until_started()
    bound = (await site.get("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"))["items"]
    assert not [
        one for one in bound if any(subject.get("namespace") == NAMESPACE for subject in one.get("subjects", ()))
    ]

    await site.remove("BuildTrigger", "hello")
    site.accepted.clear()
    await site.until(lambda: is_missed(site), "the target is missed")
    assert (await site.push(address, path, "last")).status_code == 202
    values = {"mode": "split", "operator": {"replicas": 1}, "adoptJournals": [f"journal-{SINGLE}-0"]}
    await asyncio.to_thread(release.upgrade, values, wait=False)
    await site.until_pods(RECEIVER, 2)
    await site.until_pods(OPERATOR, 1)
    assert (await site.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{SINGLE}")) == {}
    # The garbage collector looks only every 30 seconds for kinds that have come, and then at what they own.
    await site.until(lambda: has_no_jobs(site), "the Jobs of the BuildTrigger have gone with it")
    await site.set_up()
    await site.until_started()
    first = await until_adopted(site)
    # Another value makes another Job of what cannot be changed.
    await asyncio.to_thread(release.upgrade, {"clusterName": "renamed"}, wait=False)
    await until_adopted(site, first)
    await site.until_pods(RECEIVER, 2)
    await site.until_pods(OPERATOR, 1)
    await asyncio.to_thread(release.test)


async def has_no_jobs(site: Site) -> bool:
    """Say whether the team has no Job."""
    return not await site.jobs()


async def is_missed(site: Site) -> bool:
    """Say whether the Webhook's status tells that its target is gone."""
    conditions = (await site.status()).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "False" for one in conditions)
