"""Server-side apply in plain HTTP, and what its answers say of owners and conflicts."""

from __future__ import annotations

import json
from typing import Any

import httpx

from integration.devcluster.api import APPLY_PATCH


async def apply(
    api: httpx.AsyncClient, path: str, body: dict[str, Any] | str, manager: str = "one", **query: str
) -> httpx.Response:
    """Apply a configuration, as YAML or as an object; without a manager none is named."""
    content = body if isinstance(body, str) else json.dumps(body)
    parameters = {"fieldManager": manager, **query} if manager else query
    return await api.patch(path, content=content, headers=APPLY_PATCH, params=parameters)


def owners_of(response: httpx.Response) -> dict[tuple[str, str], dict[str, Any]]:
    """Return whose is what: by manager and operation."""
    assert response.status_code in (200, 201), response.text
    entries = response.json()["metadata"].get("managedFields", [])
    return {(one["manager"], one["operation"]): one["fieldsV1"] for one in entries}


def conflicts_of(response: httpx.Response) -> set[tuple[str, str]]:
    """Return the fields of a conflict, and what is said of them."""
    assert (response.status_code, response.json()["reason"]) == (409, "Conflict"), response.text
    causes = response.json()["details"]["causes"]
    assert {one["reason"] for one in causes} == {"FieldManagerConflict"}
    return {(one["field"], one["message"]) for one in causes}
