"""How the CRDs of others are found and fetched."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from support import upstream
from support.binaries import Missing
from support.upstream import FILES, FetchFailed, cache, fetch, find

GO = """#!/bin/sh
echo "$@" >> {calls}
{does}
"""


@pytest.fixture
def environment(tmp_path):
    """An environment with nothing in it but a shell."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": f"{tmp_path / 'bin'}:/bin"}


def put_go(tmp_path: Path, does: str) -> Path:
    """Put a `go` into PATH, and give the file of its calls."""
    program, calls = tmp_path / "bin" / "go", tmp_path / "calls"
    program.parent.mkdir(exist_ok=True)
    program.write_text(GO.format(calls=calls, does=does))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return calls


@pytest.fixture
def go(tmp_path):
    """Put a `go` into PATH that has every file, each of which says its name, and give the file of its calls."""
    answers = {}
    for module, inside, name in FILES.values():
        folder = tmp_path / "modules" / module
        (folder / inside).mkdir(parents=True, exist_ok=True)
        (folder / inside / name).write_text(name)
        answers[module] = json.dumps({"Path": module, "Dir": str(folder)}, indent=1)
    return put_go(tmp_path, "cat <<'END'\n" + "\n".join(answers.values()) + "\nEND")


def test_nothing_is_there_yet(environment):
    """Where nothing was fetched, it is said in one line what is missing and what fetches it."""
    with pytest.raises(Missing, match=r"ServiceMonitor, PrometheusRule, HTTPRoute missing; make control-plane fetches"):
        find(environment)


def test_fetched_once(environment, go):
    """What was fetched is found, each kind's own file, and not fetched again."""
    fetched = fetch(environment)
    assert find(environment) == fetched
    assert fetch(environment) == fetched
    assert go.read_text().splitlines() == ["mod download -json"]
    assert {kind: path.read_text() for kind, path in fetched.items()} == {
        kind: name for kind, (*_, name) in FILES.items()
    }
    assert {path.name for path in cache(environment).iterdir()} == {"lock", *(name for *_, name in FILES.values())}


def test_other_versions_are_fetched_anew(environment, monkeypatch, tmp_path):
    """The CRDs of another go.sum are others."""
    before = cache(environment)
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((upstream.MODULE / name).read_bytes() + b"\n")
    monkeypatch.setattr(upstream, "MODULE", tmp_path)
    assert cache(environment) != before


def test_every_module_has_its_hash():
    """Each module that is fetched is required, and go.sum has the hash of its content, without which Go checks none."""
    required = (upstream.MODULE / "go.mod").read_text(encoding="utf-8")
    sums = [line.split()[:2] for line in (upstream.MODULE / "go.sum").read_text(encoding="utf-8").splitlines()]
    for module in {module for module, *_ in FILES.values()}:
        version = required.partition(f"\t{module} ")[2].split()[0]
        assert [module, version] in sums


def test_nothing_fetches_without_go(environment):
    """Without Go nothing can be fetched, and that is said."""
    with pytest.raises(Missing, match="no Go in PATH"):
        fetch(environment)


@pytest.mark.parametrize(
    "does", ["echo 'no route to proxy' >&2; exit 1", 'echo \'{"Error": "no route to proxy"}\'; exit 1']
)
def test_failed_fetch_leaves_nothing(tmp_path, environment, does):
    """A fetch that fails says why in one line, wherever Go has said it, and leaves no file behind."""
    put_go(tmp_path, does)
    with pytest.raises(FetchFailed, match=r"failed: .*no route to proxy") as caught:
        fetch(environment)
    assert "\n" not in str(caught.value)
    assert [path.name for path in cache(environment).iterdir()] == ["lock"]


@pytest.mark.parametrize(("ci", "has_go", "code"), [("true", True, 1), ("", True, 0), ("true", False, 0)])
def test_exit_code_of_a_fetch(tmp_path, environment, ci, has_go, code):
    """In CI a Go that cannot fetch is a failure; elsewhere, and without Go, there is a line and no CRDs."""
    if has_go:
        put_go(tmp_path, "exit 1")
    done = subprocess.run(
        [sys.executable, "-m", "support.upstream"],
        env=environment | {"CI": ci, "PYTHONPATH": str(Path(upstream.__file__).parents[1])},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert "no CRDs of others: " in done.stdout.splitlines()[-1]
