"""One Kubernetes API server, spoken to in plain HTTP: what the conformance tests need of a client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from support.access import PATIENCE
from support.waiting import patience

JSON_PATCH = {"content-type": "application/json-patch+json"}
MERGE_PATCH = {"content-type": "application/merge-patch+json"}
STRATEGIC_PATCH = {"content-type": "application/strategic-merge-patch+json"}
APPLY_PATCH = {"content-type": "application/apply-patch+yaml"}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}

CORE = "/api/v1"
BATCH = "/apis/batch/v1"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


async def eventually(happens: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Ask until the answer is true, and return it: a real server does some things a moment later."""
    async with patience(PATIENCE):
        # A server tells of most of these things by no event.
        while not (result := await happens()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert result, what
    return result


async def gone(api: httpx.AsyncClient, path: str) -> None:
    """Wait until there is nothing at a path."""

    async def is_gone() -> bool:
        return (await api.get(path)).status_code == 404

    await eventually(is_gone, f"{path} is gone")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A custom kind of the tests' own, and one namespace to use it in."""

    group: str
    namespace: str

    @property
    def version_path(self) -> str:
        return f"/apis/{self.group}/v1"

    @property
    def path(self) -> str:
        return f"{self.version_path}/namespaces/{self.namespace}/widgets"

    @property
    def definition_path(self) -> str:
        return f"{DEFINITIONS}/widgets.{self.group}"

    def make(self, name: str = "", *, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
        """Make a Widget that the schema takes."""
        named = {"name": name} if name else {}
        return {
            "apiVersion": f"{self.group}/v1",
            "kind": "Widget",
            "metadata": {"namespace": self.namespace, **named, **metadata},
            "spec": {"url": "https://a.example", **(spec or {})},
        }


def _list_map(key: str) -> dict[str, Any]:
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def widget_definition(group: str) -> dict[str, Any]:
    """Make the definition of the kind Widget: one of each thing that a schema can say."""
    text = {"type": "string"}
    condition = {
        "type": "object",
        "required": ["type"],
        "properties": {"type": text, "status": text, "reason": text},
    }
    part = {
        "type": "object",
        "required": ["name"],
        "properties": {"name": text, "value": text, "port": {"type": "integer", "default": 80}},
    }
    step = {"type": "object", "required": ["name"], "properties": {"name": text, "path": {**text, "pattern": r"^\$"}}}
    spec = {
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {**text, "pattern": "^https?://", "description": "Where the Widget points to."},
            "retries": {"type": "integer", "default": 5, "minimum": 0, "maximum": 10},
            "mode": {**text, "enum": ["Fast", "Safe"]},
            "note": {**text, "maxLength": 5},
            "tags": {"type": "array", "items": text, "maxItems": 2},
            "steps": {"type": "array", "items": step},
            "port": {"x-kubernetes-int-or-string": True},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "texts": {"type": "object", "additionalProperties": text},
            "parts": {"type": "array", "items": part} | _list_map("name"),
            "marks": {"type": "array", "items": text, "x-kubernetes-list-type": "set"},
            "pair": {"type": "object", "properties": {"a": text, "b": text}, "x-kubernetes-map-type": "atomic"},
            "inner": {"type": "object", "properties": {"a": text, "b": text}},
        },
    }
    status = {
        "type": "object",
        "properties": {"phase": text, "conditions": {"type": "array", "items": condition} | _list_map("type")},
    }
    ready = '.status.conditions[?(@.type=="Ready")].status'
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": "URL", "type": "string", "jsonPath": ".spec['absent','url','retries']"},
            {"name": "Ready", "type": "string", "jsonPath": ready},
            {"name": "Retries", "type": "integer", "jsonPath": ".spec.retries", "priority": 1},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
    }
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wdg"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


class Events:
    """The events of one watch, as they come."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> dict[str, Any]:
        """Return the next event; bookmarks count."""
        async with patience(PATIENCE):
            while True:
                line = await anext(self._lines)
                if line.strip():
                    return json.loads(line)

    async def take(self, count: int) -> list[tuple[str, str]]:
        """Return type and name of the next events, bookmarks left out."""
        taken: list[tuple[str, str]] = []
        while len(taken) < count:
            event = await self.next()
            if event["type"] != "BOOKMARK":
                taken.append((event["type"], event["object"]["metadata"]["name"]))
        return taken

    async def rest(self) -> list[dict[str, Any]]:
        """Return all events until the server ends the watch."""
        async with patience(PATIENCE):
            return [json.loads(line) async for line in self._lines if line.strip()]


@asynccontextmanager
async def watching(api: httpx.AsyncClient, path: str, **query: Any) -> AsyncIterator[Events]:
    """Watch a path."""
    async with api.stream("GET", path, params={"watch": "true", **query}) as response:
        assert response.status_code == 200, await response.aread()
        yield Events(response.aiter_lines())


async def version_of(api: httpx.AsyncClient, path: str) -> str:
    """Return a list's resourceVersion."""
    return (await api.get(path)).json()["metadata"]["resourceVersion"]
