"""The CRDs of others whose kinds the chart makes: kept, or fetched as the Go module in tests/cluster/upstream has them.

They are in a module of their own: the control plane is built anew whenever its module has changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.binaries import Missing, find_folder, locked, say

MODULE = Path(__file__).parents[1] / "cluster" / "upstream"
_MONITORING = "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd"
_GATEWAY = "sigs.k8s.io/gateway-api", "config/crd/standard"
# The file of each kind's CRD: module, folder and name.
FILES = {
    "ServiceMonitor": (*_MONITORING, "monitoring.coreos.com_servicemonitors.yaml"),
    "PrometheusRule": (*_MONITORING, "monitoring.coreos.com_prometheusrules.yaml"),
    "HTTPRoute": (*_GATEWAY, "gateway.networking.k8s.io_httproutes.yaml"),
}
GO_MISSING = "no Go in PATH to fetch them with"
FETCH_SECONDS = 600


class FetchFailed(Exception):
    """Go is here, but could not fetch; the text says why."""


def find(environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """Find the file of each kind's CRD without fetching any.

    Raises:
        Missing: at least one is not there.
    """
    folder = cache(environment)
    if missing := [kind for kind, (*_, name) in FILES.items() if not (folder / name).exists()]:
        raise Missing(f"no CRDs of others: {', '.join(missing)} missing; make control-plane fetches them")
    return {kind: folder / name for kind, (*_, name) in FILES.items()}


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder of what the module has as it is now."""
    return find_folder("upstream", MODULE, environment)


def fetch(environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """Fetch what is not there yet, some ten megabytes, of which go.sum has the hashes.

    Raises:
        Missing: something has to be fetched, and there is no Go.
        FetchFailed: Go could not fetch.
    """
    folder = cache(environment)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        try:
            return find(environment)
        except Missing as missing:
            go = shutil.which("go", path=environment.get("PATH"))
            if go is None:
                raise Missing(f"{missing}; {GO_MISSING}") from None
        modules = dict(_download(go, environment))
        with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as place:
            for module, inside, name in FILES.values():
                # A file is there whole or not at all.
                shutil.copyfile(modules[module] / inside / name, Path(place, name))
                Path(place, name).replace(folder / name)
    return find(environment)


def _download(go: str, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Give the folder of each module."""
    command = [go, "mod", "download", "-json"]
    try:
        done = subprocess.run(
            command,
            cwd=MODULE,
            env=dict(environment),
            check=True,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = " ".join((error.stderr or error.stdout).split())
        raise FetchFailed(f"no CRDs of others: go mod download failed: {said[:500]}") from None
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"no CRDs of others: go mod download took more than {FETCH_SECONDS} s") from None
    rest = done.stdout.strip()
    while rest:
        module, end = json.JSONDecoder().raw_decode(rest)
        yield module["Path"], Path(module["Dir"])
        rest = rest[end:].lstrip()


def main() -> int:
    """Fetch, and say in one line what was done or is missing; 1 only where Go is there in CI and could not fetch."""
    start = time.monotonic()
    try:
        fetch()
    except Missing as missing:
        say(str(missing))
        return 0
    except FetchFailed as failed:
        say(str(failed))
        return int(os.environ.get("CI", "").lower() in ("1", "true"))
    say(f"CRDs of others: {cache()} ({time.monotonic() - start:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
