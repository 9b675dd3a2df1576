"""operator/docs/install.md: its values render, its manifests are whole, and what it names is there."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from lupa.lua51 import LuaRuntime  # Argo CD's is 5.1 too

from hookwright.commands import hookwright
from hookwright.kinds import KINDS
from hookwright.reconcile import rootkey
from support.chart import render

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "operator" / "docs" / "install.md"
TEXT = PAGE.read_text(encoding="utf-8")


def make_condition(kind: str, status: str) -> dict[str, str]:
    """Give a condition as our objects have them."""
    return {"type": kind, "status": status, "reason": "Any", "message": f"{kind} is {status}"}


BLOCKS = [
    yaml.safe_load(re.sub(r"(?m)^  ", "", block) if indent else block)
    for indent, block in re.findall(r"(?m)^( *)```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
]
VALUES = [block for block in BLOCKS if "apiVersion" not in block]
# What kubeadm gives Services.
SERVICES = ip_network("10.96.0.0/12")
MANIFESTS = {block["kind"]: block for block in BLOCKS if "apiVersion" in block}


@pytest.mark.parametrize("values", VALUES, ids=[",".join(block) for block in VALUES])
def test_values_on_the_page_render(values):
    """Each block of values is taken by the chart as it stands there."""
    assert render(values)


def test_manifests_on_the_page_have_values_that_render():
    """What Argo CD and Flux are given renders too."""
    application, release = MANIFESTS["Application"]["spec"], MANIFESTS["HelmRelease"]["spec"]
    assert render(application["source"]["helm"]["valuesObject"])
    assert render(release["values"])
    for path in (application["source"]["path"], release["chart"]["spec"]["chart"]):
        assert (ROOT / path / "Chart.yaml").exists()


def test_api_server_is_not_looked_for_behind_its_service():
    """The ranges on the page are not those that clusters give Services: networks look at where a connection ends."""
    named = [one["networkPolicy"]["apiServer"] for one in VALUES if "apiServer" in one.get("networkPolicy", {})]
    assert named
    for one in named:
        assert not any(ip_network(cidr).overlaps(SERVICES) for cidr in one["cidrs"])
        assert one["ports"] != [443]


def test_grant_in_a_pod_prints_what_tenants_make():
    """What is typed in a pod lets the chart's own accounts in, as the tenant on the page does."""
    ((pod, typed),) = re.findall(r"(?m)^kubectl exec --namespace hookwright-system (\S+) -- hookwright (.*) \|", TEXT)
    done = CliRunner().invoke(hookwright, typed.split())
    assert done.exit_code == 0, done.output
    (tenants,) = [block for block in VALUES if "tenants" in block]
    made = [one for one in render(tenants) if one["metadata"].get("namespace") == "team-a"]
    for one in made:
        del one["metadata"]["labels"]
    assert sorted(made, key=str) == sorted(yaml.safe_load_all(done.output), key=str)
    assert pod.rpartition("-")[0] in {one["metadata"]["name"] for one in render() if one["kind"] == "StatefulSet"}


def test_page_gives_the_health_of_every_kind():
    """Argo CD is told of each of our kinds how its health is read."""
    data: dict[str, Any] = MANIFESTS["ConfigMap"]["data"]
    assert set(data) == {f"resource.customizations.health.hookwright.dev_{kind.KIND}" for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)
@pytest.mark.parametrize(
    ("status", "health"),
    [
        (None, "Progressing"),
        ({"observedGeneration": 1, "conditions": [make_condition("Ready", "True")]}, "Progressing"),
        ({"observedGeneration": 2}, "Progressing"),
        ({"observedGeneration": 2, "conditions": [make_condition("Ready", "True")]}, "Healthy"),
        ({"observedGeneration": 2, "conditions": [make_condition("Ready", "False")]}, "Progressing"),
        (
            {
                "observedGeneration": 2,
                "conditions": [make_condition("Ready", "False"), make_condition("Stalled", "True")],
            },
            "Degraded",
        ),
    ],
)
def test_argo_cd_reads_our_conditions(kind, status, health):
    """What Argo CD is given makes the health of an object of its conditions, as they are for this generation."""
    script = MANIFESTS["ConfigMap"]["data"][f"resource.customizations.health.hookwright.dev_{kind.KIND}"]
    lua = LuaRuntime()
    obj = {"metadata": {"generation": 2}} | ({} if status is None else {"status": status})
    lua.globals().obj = lua.table_from(obj, recursive=True)
    found = lua.execute(script)
    assert found.status == health
    assert found.message


def test_page_names_what_is_there():
    """The root key's Secret, and each file and heading that is linked to, are there."""
    assert f"`{rootkey.NAME}`" in TEXT
    for target, _, heading in re.findall(r"\]\(([^)#:]+)(#([^)]*))?\)", TEXT):
        file = (PAGE.parent / target).resolve()
        assert file.exists(), target
        if heading:
            headings = re.findall(r"(?m)^#+ (.*)$", file.read_text(encoding="utf-8"))
            assert heading in {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_nothing_has_to_be_freed():
    """Nothing in the release has a finalizer or waits for a hook, as the page says of uninstalling."""
    for one in render():
        assert one["metadata"].get("annotations", {}).get("helm.sh/hook") in (None, "test")
        assert "finalizers" not in one["metadata"]


def test_page_names_the_volumes_as_they_are():
    """The selector by which the page deletes the volumes finds each of them."""
    assert "app.kubernetes.io/instance=hookwright" in TEXT
    for one in render():
        if one["kind"] == "StatefulSet":
            (claim,) = one["spec"]["volumeClaimTemplates"]
            assert claim["metadata"]["labels"]["app.kubernetes.io/instance"] == "hookwright"
