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
        ["hookwright", "dev", "--port", "0"],
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
        yield environment | {"KUBECONFIG": line.strip().partition("=")[2]}
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_readme_commands_work(shell):
    """The commands of "Try it with your own kubectl" lead from nothing to a Job and a status that tells of it."""
    section = README.partition("In a second shell")[2].partition("## In a cluster")[0]
    for block in find_blocks(section):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=ROOT,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    jobs = subprocess.run(
        ["kubectl", "get", "jobs", "-o", "name"], env=shell, capture_output=True, text=True, check=True
    )
    assert jobs.stdout.startswith("job.batch/hello-")
    told = ["kubectl", "wait", "--for=jsonpath={.status.lastDelivery.reason}=BuildCreated", "webhook/hello"]
    subprocess.run(told, env=shell, check=True, timeout=60, stdout=subprocess.DEVNULL)


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
