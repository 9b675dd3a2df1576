"""The chart, as Helm itself reads it: rendered, and taken apart into objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

CHART = Path(__file__).parents[2] / "charts" / "hookwright"
# What everybody must give.
LEAST: dict[str, Any] = {
    "publicUrl": "https://hooks.example.com",
    "image": {"repository": "registry.example.com/team/hookwright"},
}
# Ten times as fast as the one in Python, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What has a pod in it, beside Pods.
_TEMPLATES = ("Job", "StatefulSet")


@cache
def load_chart() -> Chart:
    """Load the chart as it is when this is first asked for."""
    return Chart.load(CHART)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay values over others as Helm does: maps are merged, all else is replaced."""
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        merged[name] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def render_files(
    values: Mapping[str, Any] | None = None, *, name: str = "hookwright", namespace: str = "hookwright-system"
) -> dict[str, str]:
    """Render each template with `values` over the least that must be given."""
    return dict(_render_files(_write(values), name, namespace))


def _write(values: Mapping[str, Any] | None) -> str:
    return json.dumps(merge(LEAST, values or {}), sort_keys=True)


@lru_cache(maxsize=64)
def _render_files(values: str, name: str, namespace: str) -> dict[str, str]:
    """Render once what many tests look at: the chart is loaded once, too."""
    rendered = load_chart().render(json.loads(values), name=name, namespace=namespace)
    return {path.removeprefix("hookwright/templates/"): text for path, text in rendered.items()}


def render(
    values: Mapping[str, Any] | None = None, *, name: str = "hookwright", namespace: str = "hookwright-system"
) -> list[dict[str, Any]]:
    """Give every object that an install would create, hooks included."""
    return deepcopy(_read_objects(_write(values), name, namespace))


@lru_cache(maxsize=64)
def _read_objects(values: str, name: str, namespace: str) -> list[dict[str, Any]]:
    return [
        document
        for path, text in _render_files(values, name, namespace).items()
        if path.endswith(".yaml")
        for document in yaml.load_all(text, Loader=_LOADER)
        if document
    ]


def find(objects: list[dict[str, Any]], kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    """Give the one object of that kind and name."""
    (found,) = [
        one
        for one in objects
        if (one["kind"], one["metadata"]["name"]) == (kind, name)
        and namespace in (None, one["metadata"].get("namespace"))
    ]
    return found


def find_pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each pod that the objects make: kind and name of what has it, and its metadata and spec."""
    for one in objects:
        name = f"{one['kind']} {one['metadata']['name']}"
        if one["kind"] == "Pod":
            yield name, one
        elif one["kind"] in _TEMPLATES:
            yield name, one["spec"]["template"]
