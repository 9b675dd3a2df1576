"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
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


def test_no_two_test_files_have_one_name():
    """Pytest imports test files by their names alone: of two with one name the second ends the whole run."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []


def test_walks_are_played_on_a_real_api_server_too():
    """Each file of walks is played there, or is named in tests/cluster/walks as one that is not, and why."""
    tests = ROOT / "tests"
    walks = {path.stem for path in (tests / "integration" / "walks").glob("test_*.py")}
    there = tests / "cluster" / "walks"
    played = {path.stem.replace("test_real_", "test_") for path in there.glob("test_real_*.py")}
    left_out = ast.get_docstring(ast.parse((there / "conftest.py").read_text(encoding="utf-8"))) or ""
    assert played <= walks
    assert walks - played == set(re.findall(r"\btest_\w+", left_out))
