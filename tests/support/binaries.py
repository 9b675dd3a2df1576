"""The programs of a real control plane: found, or built from the Go module in tests/cluster/controlplane.

They are looked for in KUBEBUILDER_ASSETS (the folder that envtest uses), else in a cache outside the tree, which
`make control-plane` fills. etcd may be in PATH instead; a built one is preferred, since distributions have old ones
that cannot do what Kubernetes has come to expect.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULE = Path(__file__).parents[1] / "cluster" / "controlplane"
PACKAGES = {
    "etcd": "./etcd",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
}
GO_MISSING = "no Go in PATH to build it with"
BUILD_SECONDS = 3600


class Missing(Exception):
    """There is no control plane here; the text says what is missing."""


class BuildFailed(Exception):
    """Go is here, but could not build; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """Where the programs are."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path


def find(environment: Mapping[str, str] = os.environ) -> Binaries:
    """Find all programs without building any.

    Raises:
        Missing: at least one is not there.
    """
    if assets := environment.get("KUBEBUILDER_ASSETS"):
        folder, remedy = (
            Path(assets),
            f"put it into KUBEBUILDER_ASSETS={assets}, or unset that and run make control-plane",
        )
    else:
        folder, remedy = cache(environment), "make control-plane builds it"
    found = {name: path for name in PACKAGES if (path := _find_one(name, folder, environment))}
    if missing := sorted(PACKAGES.keys() - found.keys()):
        raise Missing(f"no control plane: {', '.join(missing)} missing; {remedy}")
    return Binaries(**{name.replace("-", "_"): path for name, path in found.items()})


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder of the programs that are built from the module as it is now."""
    return find_folder("control-plane", MODULE, environment)


def find_folder(name: str, module: Path, environment: Mapping[str, str]) -> Path:
    """Give the folder of what comes from a Go module as it is now."""
    home = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    content = b"".join((module / part).read_bytes() for part in ("go.mod", "go.sum"))
    return home / "hookwright" / name / hashlib.sha256(content).hexdigest()[:16]


def build(environment: Mapping[str, str] = os.environ) -> Binaries:
    """Build what is not there yet; whoever builds at the same time waits for the first one.

    Raises:
        Missing: something has to be built, and there is no Go.
        BuildFailed: Go could not build.
    """
    if environment.get("KUBEBUILDER_ASSETS"):
        return find(environment)
    folder = cache(environment)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        wanted = [name for name in PACKAGES if not (folder / name).exists()]
        if not wanted:
            return find(environment)
        go = shutil.which("go", path=environment.get("PATH"))
        if go is None:
            raise Missing(f"no control plane: {', '.join(wanted)} missing; {GO_MISSING}")
        say(f"control plane: building {', '.join(wanted)} from Go modules; the first time takes minutes")
        with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as place:
            for name in wanted:
                _build_one(go, name, Path(place), environment)
            # A program is there whole or not at all.
            for name in wanted:
                Path(place, name).replace(folder / name)
    return find(environment)


def _find_one(name: str, folder: Path, environment: Mapping[str, str]) -> Path | None:
    found = shutil.which(name, path=str(folder))
    if found is None and name == "etcd":
        found = shutil.which(name, path=environment.get("PATH"))
    return Path(found) if found else None


def _build_one(go: str, name: str, place: Path, environment: Mapping[str, str]) -> None:
    version = re.search(r"k8s\.io/kubernetes v(\d+)\.(\d+)\.(\d+)", (MODULE / "go.mod").read_text())
    assert version is not None
    major, minor, _ = version.groups()
    variables = {"gitVersion": version[0].partition(" ")[2], "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in variables.items())
    command = [go, "build", "-o", str(place / name), "-ldflags", f"-s -w {flags}", PACKAGES[name]]
    try:
        subprocess.run(
            command,
            cwd=MODULE,
            env={**environment, "CGO_ENABLED": "0"},
            check=True,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if not line.startswith("go: downloading")]
        raise BuildFailed(f"no control plane: go build of {name} failed: {' '.join(lines[-2:])[:500]}") from None
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"no control plane: go build of {name} took more than {BUILD_SECONDS} s") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep all others out of a block that names the same file."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Build, and say in one line what was done or is missing; 1 only where Go is there in CI and could not build."""
    start = time.monotonic()
    try:
        binaries = build()
    except Missing as missing:
        say(str(missing))
        return 0
    except BuildFailed as failed:
        say(str(failed))
        return int(os.environ.get("CI", "").lower() in ("1", "true"))
    say(f"control plane: {binaries.kube_apiserver.parent} ({time.monotonic() - start:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
