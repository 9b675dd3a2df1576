"""operator/docs/import-codepipeline.md: its example, typed as it stands, gives what it shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from hookwright.devcluster import DevCluster
from hookwright.kinds import KINDS, crd

PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "import-codepipeline.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def find_blocks(language):
    """Give the blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def import_example(folder):
    """Run the example; give what it writes, with the page's word for the token."""
    for name, text in zip(("webhooks.json", "Shop_Release.json"), find_blocks("json"), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    (command,) = [line for line in find_blocks("sh") if line.startswith("hookwright")]
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    # The token is new, which the page calls not carried over.
    assert ran.returncode == 1
    return re.sub(r"token: '?[\w-]{43}'?", "token: RANDOM", (folder / "webhooks.yaml").read_text(encoding="utf-8"))


def test_example_gives_what_the_page_shows(tmp_path):
    """The files of the page, imported as the page says, become the YAML of the page."""
    (shown,) = find_blocks("yaml")
    assert import_example(tmp_path) == shown


def test_example_can_be_applied(tmp_path):
    """An API server with Hookwright's CRDs takes what was imported."""
    cluster = DevCluster()
    for kind in KINDS:
        cluster.apply(crd(kind))
    for manifest in yaml.safe_load_all(import_example(tmp_path)):
        cluster.apply({**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}})
    assert cluster.get("webhooks.hookwright.dev", "default", "shop-github")


def test_example_is_json_as_aws_prints_it():
    """The JSON on the page is a listing and a pipeline."""
    listing, pipeline = map(json.loads, find_blocks("json"))
    assert set(listing) == {"webhooks"}
    assert listing["webhooks"][0]["definition"]["targetPipeline"] == pipeline["pipeline"]["name"]
