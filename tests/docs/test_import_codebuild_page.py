"""operator/docs/import-codebuild.md: its example, typed as it stands, gives what it shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from hookwright.devcluster import DevCluster
from hookwright.kinds import KINDS, crd

PAGE = (Path(__file__).parents[2] / "operator" / "docs" / "import-codebuild.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def find_block(language):
    """Give the one block of a language."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return block


def shell(folder, command):
    """Run a command as the page has it; give its exit code."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    ).returncode


def import_example(folder):
    """Run the example; give what it writes."""
    (folder / "projects.json").write_text(find_block("json"), encoding="utf-8")
    # The password is somewhere else, which the page calls not carried over.
    assert shell(folder, find_block("sh")) == 1
    return (folder / "triggers.yaml").read_text(encoding="utf-8")


def test_example_gives_what_the_page_shows(tmp_path):
    """The file of the page, imported as the page says, becomes the YAML of the page."""
    assert import_example(tmp_path) == find_block("yaml")


def test_example_is_right_and_can_be_applied(tmp_path):
    """`hookwright lint` finds nothing in what was imported, and an API server with Hookwright's CRDs takes it."""
    written = import_example(tmp_path)
    assert "hookwright lint -f triggers.yaml\n" in PAGE
    assert shell(tmp_path, "hookwright lint -f triggers.yaml") == 0
    cluster = DevCluster()
    for kind in KINDS:
        cluster.apply(crd(kind))
    manifest = yaml.safe_load(written)
    cluster.apply({**manifest, "metadata": {**manifest["metadata"], "namespace": "default"}})
    assert cluster.get("buildtriggers.hookwright.dev", "default", "shop-test")


def test_example_is_json_as_aws_prints_it():
    """The JSON on the page is an answer to batch-get-projects."""
    answer = json.loads(find_block("json"))
    assert set(answer) == {"projects", "projectsNotFound"}
    assert answer["projects"][0]["webhook"]["filterGroups"]
