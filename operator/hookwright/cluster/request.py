"""What an API server is asked, written: as whom, which objects, what is deleted. Pure."""

from __future__ import annotations

import re
from typing import Any

from hookwright.errors import ClusterError

# Nothing else gets into the header that says as whom we act.
_ACCOUNT = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")


def impersonate(namespace: str | None, service_account: str | None) -> dict[str, str]:
    """Give the headers by which a request is made as an account; none if it is made as ourselves.

    Raises:
        ClusterError: it is no name of an account.
    """
    if service_account is None:
        return {}
    if not _ACCOUNT.fullmatch(service_account):
        raise ClusterError(f"{service_account[:253]!r} is no name of a ServiceAccount", status=422, reason="Invalid")
    # The API server adds the groups of ServiceAccounts by itself, so that no right on groups is needed.
    return {"Impersonate-User": f"system:serviceaccount:{namespace}:{service_account}"}


def select(labels: str) -> dict[str, str]:
    """Give the query by which a list or watch is of the objects with `labels` alone; empty: of all."""
    return {"labelSelector": labels} if labels else {}


def describe_deletion(uid: str) -> dict[str, Any]:  # Any: a JSON object
    """Give the DeleteOptions by which only the object with `uid` goes, and what it owns after it."""
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    return {**options, "preconditions": {"uid": uid}}
