"""The kubeconfig with which kubectl and the clients find the development API server."""

from __future__ import annotations

from typing import Final

import yaml

NAME: Final = "devcluster"


def kubeconfig(url: str, *, namespace: str) -> str:
    """Return the YAML text of a kubeconfig without credentials: the server asks for none."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NAME, "cluster": {"server": url}}],
            "users": [{"name": NAME, "user": {}}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": namespace}}],
            "current-context": NAME,
        },
        sort_keys=False,
    )
