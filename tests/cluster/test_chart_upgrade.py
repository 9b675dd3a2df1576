"""A release that is upgraded, uninstalled and installed again: CRDs are those of the chart, and URLs stay."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import CHART
from support.controlplane import ControlPlane
from support.release import NAMESPACE
from support.release_site import Site, install_for_team, work_at

SINGLE = "hookwright"
CRD_FILE = Path("files", "crds", "hookwright.dev_webhooks.yaml")
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/webhooks.hookwright.dev"
STATEFULSET = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{SINGLE}"
ROOT_KEY = f"/api/v1/namespaces/{NAMESPACE}/secrets/hookwright-root-key"
NOTE = {"type": "string", "maxLength": 10}


@pytest.fixture
async def site(bare: ControlPlane, tmp_path: Path) -> AsyncIterator[Site]:
    """A release of one pod, and Webhook hello, where nobody but Helm has ever written the CRDs."""
    with install_for_team(bare, tmp_path, {"mode": "single"}) as installed:
        async with work_at(installed) as made:
            await made.set_up()
            yield made


def make_next_chart(folder: Path) -> Path:
    """Make a chart whose Webhooks have one field more, in a folder."""
    chart = folder / "hookwright"
    shutil.copytree(CHART, chart)
    definition = yaml.safe_load((chart / CRD_FILE).read_text(encoding="utf-8"))
    properties_of(definition)["note"] = NOTE
    (chart / CRD_FILE).write_text(yaml.safe_dump(definition), encoding="utf-8")
    return chart


def properties_of(definition: dict[str, Any]) -> dict[str, Any]:
    """Give the schemas of the fields of a Webhook's spec."""
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    properties: dict[str, Any] = schema["properties"]["spec"]["properties"]
    return properties


async def test_crds_are_upgraded_and_urls_stay(site: Site, tmp_path: Path):
    """`helm upgrade` upgrades CRDs; neither it nor an uninstall and another install changes root key or URLs."""
    release, url = site.installed.release, (await site.status())["url"]
    key = (await site.get(ROOT_KEY))["data"]
    assert "note" not in properties_of(await site.get(DEFINITION))

    release.chart = make_next_chart(tmp_path)
    await asyncio.to_thread(release.upgrade, {"clusterName": "renamed"})
    assert properties_of(await site.get(DEFINITION))["note"] == NOTE
    await site.until(lambda: is_renamed(site), "the new pod has looked at the Webhook")
    assert (await site.status())["url"] == url

    await asyncio.to_thread(release.take_away)
    assert await site.get(STATEFULSET) == {}
    assert properties_of(await site.get(DEFINITION))["note"] == NOTE
    assert (await site.status())["url"] == url

    release.chart, release.values["clusterName"] = CHART, "again"
    await asyncio.to_thread(release.install)
    assert "note" not in properties_of(await site.get(DEFINITION))
    await site.until(lambda: is_renamed(site, "again"), "the pod of the new release has looked at the Webhook")
    assert (await site.status())["url"] == url
    assert (await site.get(ROOT_KEY))["data"] == key
    answer = await site.push(site.address_of(f"{SINGLE}-0"), await site.url_path(), "again")
    assert answer.status_code == 202
    await site.until_started()


async def is_renamed(site: Site, name: str = "renamed") -> bool:
    """Say whether the Webhook's ARN-like ID has the cluster's new name."""
    return f":{name}:" in (await site.status()).get("arn", "")
