"""README.md: its commands, typed as they stand, do what it says; its table holds every setting."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hookwright.settings import PREFIX, Settings
from support.ports import find_port

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The environment's own commands: hookwright, and the kubectl of the test requirements.
BIN = Path(sys.executable).parent


def find_blocks(text: str) -> list[str]:
    """Give the shell commands of a text, block by block."""
    return re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """`hookwright dev` in one shell; the environment of the second one, as README says to set it up."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {
        "PATH": f"{BIN}:{environment['PATH']}",
        "HOME": str(tmp_path),
        "KUBECACHEDIR": str(tmp_path / "kube"),
    }
    environment.pop("KUBECONFIG", None)
    # Only the port differs from README: a test must not want a port of the machine for itself.
    process = subprocess.Popen(
        ["hookwright", "dev", "--port", str(find_port())],
        cwd=ROOT,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("export KUBECONFIG="), line
        # It works from here on: the 30 seconds of a `kubectl wait` are not for its start.
        assert process.stdout.readline().startswith("receiver: ")
        yield environment | {"KUBECONFIG": line.strip().partition("=")[2]}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 0


def type_blocks(section: str, folder: Path, shell: dict[str, str]) -> str:
    """Type the commands of a section in a folder, a block after the other; give what they printed."""
    printed = ""
    for block in find_blocks(section):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=folder,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        printed += done.stdout
    return printed


def ask_kubectl(shell: dict[str, str], *arguments: str) -> str:
    """Give what kubectl says."""
    command = ["kubectl", *arguments]
    return subprocess.run(command, env=shell, capture_output=True, text=True, check=True, timeout=180).stdout


def test_readme_commands_work(shell):
    """The commands of "Try it with your own kubectl" lead from nothing to a Job and a status that tells of it."""
    type_blocks(README.partition("In a second shell")[2].partition("\n## ")[0], ROOT, shell)
    assert ask_kubectl(shell, "get", "jobs", "-o", "name").startswith("job.batch/hello-")
    ask_kubectl(shell, "wait", "--for=jsonpath={.status.lastDelivery.reason}=BuildCreated", "webhook/hello")


def test_readme_leads_from_an_empty_folder_to_a_merge_request(shell, tmp_path):
    """The commands of that section, typed in an empty folder, start a Job for the merge request and none for a push."""
    title = "## From an empty folder to a build of a GitLab merge request\n"
    folder = tmp_path / "empty"
    folder.mkdir()
    printed = type_blocks(README.partition(title)[2].partition("\n## ")[0], folder, shell)
    assert "202 started (Accepted)" in printed
    assert "200 ignored (NoGroupPassed)" in printed
    assert "ready (Startable)" in printed
    ask_kubectl(shell, "wait", "--for=jsonpath={.status.lastTriggered}", "buildtrigger/app")
    of_trigger = "{.items[*].spec.template.spec.containers[0].env[?(@.name=='HOOKWRIGHT_WEBHOOK_TRIGGER')].value}"
    assert ask_kubectl(shell, "get", "jobs", "-o", f"jsonpath={of_trigger}") == "pr/1"


def test_readme_lists_every_setting():
    """The table of settings has a row for each, with its default, and no other row."""
    rows = dict(re.findall(r"^\| `(HOOKWRIGHT_\w+)` \| `([^`]*)` \|", README, flags=re.MULTILINE))
    fields = {PREFIX + name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    assert rows == fields
    for name, field in Settings.model_fields.items():
        assert f"| `{PREFIX}{name.upper()}`" in README
        assert (field.description or "").rstrip(".") in README, name


def test_readme_names_what_is_there():
    """Every file that README links to is there, and every make target that it names."""
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z]+)", README):
        if target != "and":
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
