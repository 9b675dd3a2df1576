"""operator/docs/starting-by-hand.md: its commands start builds, and what it names is what there is."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import test_readme

from hookwright.builds.by_hand import MAX_REQUEST, REF, REQUESTED_AT
from hookwright.builds.environment import describe_request
from hookwright.kinds.conditions import LAST_START_FAILED, START_PENDING
from hookwright.kinds.source import BuildSource
from hookwright.reasons import CATALOGUE, Outcome
from hookwright.reconcile.by_hand import START_FAILED, STARTED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "operator" / "docs" / "starting-by-hand.md").read_text(encoding="utf-8")
shell = test_readme.shell


def type_in(shell: dict[str, str], command: str) -> str:
    """Type a command as it stands; give what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_commands_start_builds(shell):
    """Each command of the page starts a build of the BuildTrigger of examples/hello."""
    type_in(shell, "kubectl apply -f examples/hello")
    by_hookwright, by_kubectl = test_readme.find_blocks(PAGE)
    form = re.findall(r"^(Job default/hello)-[0-9a-f]{20}( was started)$", PAGE, flags=re.MULTILINE)
    assert re.findall(r"^(Job default/hello)-[0-9a-f]{20}( was started)$", type_in(shell, by_hookwright)) == form
    type_in(shell, by_kubectl)
    # The second command does not wait.
    there = "kubectl get jobs -o name | grep -c hello"
    type_in(shell, f"for i in $(seq 300); do [ $({there}) = 2 ] && exit; sleep 0.2; done; exit 1")
    jobs = json.loads(type_in(shell, "kubectl get jobs -o json"))["items"]
    owners = {job["metadata"]["ownerReferences"][0]["name"] for job in jobs}
    assert (len(jobs), owners) == (2, {"hello"})


def test_page_names_what_there_is():
    """Annotations, conditions, Kubernetes Events, reasons and variables are named as they are written."""
    for word in (REQUESTED_AT, REF, LAST_START_FAILED, START_PENDING, STARTED, START_FAILED):
        assert f"`{word}" in PAGE
    assert f"at most {MAX_REQUEST} printable characters" in PAGE
    for variable in describe_request("main", BuildSource(provider="GitHub", repository="octo/hello")):
        assert variable in PAGE
    own = [name for name, one in CATALOGUE.items() if name.startswith("Start") and one.outcome is Outcome.FAILED]
    assert re.findall(r"`(Start\w+)`", PAGE.partition(" more: ")[2]) == own


def test_links_lead_somewhere():
    """What the page links to is there."""
    for target in re.findall(r"\]\(([^)#:]+)", PAGE):
        assert (ROOT / "operator" / "docs" / target).exists(), target
