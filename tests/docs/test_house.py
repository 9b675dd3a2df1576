"""The rules of the house that a machine can check."""

from __future__ import annotations

import sys
from pathlib import Path

from hookwright.kinds import KINDS, crd_file_name, crd_yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "hookwright"


def test_crds_are_those_of_the_models():
    """crds/ and the chart hold what the models make, and nothing else: `make crds` after a change."""
    for folder in (ROOT / "crds", ROOT / "charts" / "hookwright" / "files" / "crds"):
        files = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
        assert files == {crd_file_name(kind): crd_yaml(kind) for kind in KINDS}


def test_modules_are_small():
    """No module has more than 400 lines."""
    long = {
        str(m.relative_to(PACKAGE)): n for m in PACKAGE.rglob("*.py") if (n := len(m.read_text().splitlines())) > 400
    }
    assert long == {}


def test_no_module_is_named_like_the_standard_library():
    """No top-level module or package of ours has the name of one of Python's."""
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    # `__init__` and `__main__` are Python's own names for what they are.
    assert names & set(sys.stdlib_module_names) <= {"__init__", "__main__"}


def test_operator_is_no_package():
    """operator/ has no __init__.py: a package of that name would shadow the standard library's module."""
    assert not (ROOT / "operator" / "__init__.py").exists()
