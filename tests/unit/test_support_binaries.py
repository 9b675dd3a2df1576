"""How the programs of a real control plane are found and built."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from support import binaries
from support.binaries import PACKAGES, BuildFailed, Missing, build, cache, find

GO = """#!/bin/sh
echo "$@" >> {calls}
while [ "$1" != -o ]; do shift; done
{does}
"""


def make_program(path: Path, content: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def environment(tmp_path):
    """An environment with nothing in it but a shell."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": f"{tmp_path / 'bin'}:/bin"}


@pytest.fixture
def go(tmp_path):
    """Put a `go` into PATH that makes empty programs, and give the file of its calls."""
    calls = tmp_path / "calls"
    make_program(tmp_path / "bin" / "go", GO.format(calls=calls, does='touch "$2"; chmod +x "$2"'))
    return calls


def test_named_folder_is_used(tmp_path, environment):
    """What is in KUBEBUILDER_ASSETS is used, and etcd of PATH where it is not there."""
    for name in ("kube-apiserver", "kube-controller-manager"):
        make_program(tmp_path / "assets" / name)
    etcd = make_program(tmp_path / "bin" / "etcd")
    found = find(environment | {"KUBEBUILDER_ASSETS": str(tmp_path / "assets")})
    assert found.etcd == etcd
    assert found.kube_controller_manager == tmp_path / "assets" / "kube-controller-manager"


def test_missing_program_is_named(tmp_path, environment):
    """A folder of envtest's own lacks the controllers: that is said in one line."""
    for name in ("kube-apiserver", "etcd"):
        make_program(tmp_path / "assets" / name)
    with pytest.raises(Missing, match=r"kube-controller-manager missing; put it into KUBEBUILDER_ASSETS=") as caught:
        find(environment | {"KUBEBUILDER_ASSETS": str(tmp_path / "assets")})
    assert "\n" not in str(caught.value)


def test_nothing_is_there(environment):
    """Where nothing is built, it is said what builds it."""
    with pytest.raises(Missing, match=r"kube-apiserver, kube-controller-manager missing; make control-plane builds it"):
        find(environment)


def test_built_once(environment, go):
    """What was built is found, and not built again."""
    built = build(environment)
    assert find(environment) == built
    assert build(environment) == built
    assert len(go.read_text().splitlines()) == len(PACKAGES)
    assert {path.name for path in cache(environment).iterdir()} == {"lock", *PACKAGES}


def test_version_is_that_of_the_module(environment, go):
    """The API server says of itself the version that go.mod requires."""
    build(environment)
    required = (binaries.MODULE / "go.mod").read_text().partition("k8s.io/kubernetes ")[2].split()[0]
    assert f"gitVersion={required} " in go.read_text()


def test_another_module_is_built_anew(environment, monkeypatch, tmp_path):
    """The programs of another go.sum are others."""
    before = cache(environment)
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((binaries.MODULE / name).read_bytes() + b"\n")
    monkeypatch.setattr(binaries, "MODULE", tmp_path)
    assert cache(environment) != before


def test_no_go(environment):
    """Without Go nothing can be built, and that is said."""
    with pytest.raises(Missing, match="no Go in PATH"):
        build(environment)


def test_failed_build_leaves_nothing(tmp_path, environment, go):
    """A build that fails says why in one line, and leaves no program behind."""
    make_program(tmp_path / "bin" / "go", GO.format(calls=go, does='touch "$2"; echo "no route to proxy" >&2; exit 1'))
    with pytest.raises(BuildFailed, match="failed: no route to proxy"):
        build(environment)
    assert [path.name for path in cache(environment).iterdir()] == ["lock"]


@pytest.mark.parametrize(("ci", "has_go", "code"), [("true", True, 1), ("", True, 0), ("true", False, 0)])
def test_exit_code(tmp_path, environment, ci, has_go, code):
    """In CI a Go that cannot build is a failure; elsewhere, and without Go, there is a line and no control plane."""
    if has_go:
        make_program(tmp_path / "bin" / "go", "#!/bin/sh\nexit 1\n")
    done = subprocess.run(
        [sys.executable, binaries.__file__], env=environment | {"CI": ci}, check=False, capture_output=True, text=True
    )
    assert done.returncode == code
    assert "no control plane: " in done.stdout.splitlines()[-1]
