"""The conformance tests of devcluster on a real API server: the very same functions, with another `server`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from integration.devcluster.test_conformance_definitions import definition  # noqa: F401 a fixture

FOLDER = Path(__file__).parents[1] / "integration" / "devcluster"
PREFIX = "test_conformance_"

for path in sorted(FOLDER.glob(f"{PREFIX}*.py")):
    about = path.stem.removeprefix(PREFIX)
    for name, member in vars(import_module(f"integration.devcluster.{path.stem}")).items():
        if name.startswith("test_"):
            # Tests of two files may have one name.
            globals()[f"test_{about}_{name.removeprefix('test_')}"] = member
