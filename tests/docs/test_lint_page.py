"""operator/docs/explain.md, "Before anything is applied": its example is said of as it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "operator" / "docs"
SECTION = (DOCS / "explain.md").read_text(encoding="utf-8").partition("## Before anything is applied")[2]
BIN = Path(sys.executable).parent


def test_example_is_linted_as_shown(tmp_path):
    """The BuildTrigger of the page, linted as it says, gives the lines that it shows, and exit code 1."""
    (manifest,), (shown,) = (re.findall(rf"```{name}\n(.*?)```", SECTION, flags=re.DOTALL) for name in ("yaml", "text"))
    (tmp_path / "app.yaml").write_text(manifest, encoding="utf-8")
    (command,) = re.findall(r"`(hookwright lint -f app.yaml)`", SECTION)
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert (ran.returncode, ran.stdout) == (1, shown)
