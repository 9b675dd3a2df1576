"""Any body for any kind is taken, or refused with an answer: never an exception of another sort."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookwright.devcluster import ApiError, DevCluster
from hookwright.devcluster.lifecycle import Lifecycle, WriteOptions
from hookwright.devcluster.resources import BUILT_IN, Resource
from integration.devcluster.api import widget_definition

NAMES = st.sampled_from(
    (
        *("name", "spec", "template", "metadata", "labels", "annotations", "finalizers", "ownerReferences", "uid"),
        *("containers", "env", "value", "restartPolicy", "suspend", "data", "stringData", "status", "conditions"),
        *("versions", "names", "schema", "openAPIV3Schema", "plural", "group", "involvedObject", "namespace", "url"),
        *("properties", "type", "items", "enum", "pattern", "minimum", "anyOf", "not", "additionalProperties"),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "Never", "object", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def _kinds() -> list[Resource]:
    cluster = DevCluster()
    cluster.apply(widget_definition("any.example.com"))
    return [*BUILT_IN, cluster._registry.find("any.example.com", "v1", "widgets")]


def _try(lifecycle: Lifecycle, kind: Resource, body: dict[str, Any]) -> int:
    """Create an object and update it; return the HTTP status that says how it ended."""
    namespace = "default" if kind.namespaced else ""
    head = {"apiVersion": kind.api_version, "kind": kind.kind}
    try:
        lifecycle.create(kind, namespace, head | body, WriteOptions())
        lifecycle.update(kind, namespace, body["metadata"]["name"], head | body, WriteOptions(is_patch=True))
    except ApiError as error:
        return error.status
    return 200


@pytest.mark.parametrize("kind", _kinds(), ids=lambda kind: kind.full_name)
@given(body=st.dictionaries(NAMES, VALUES, max_size=5), spec=VALUES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_body(kind: Resource, body: dict[str, Any], spec: Any) -> None:
    """A body of any shape is answered 200, or with an error of the caller's."""
    named = {**body, "spec": spec, "metadata": body.get("metadata") or {"name": "a"}}
    assert _try(DevCluster()._lifecycle, kind, named) in (200, 400, 403, 404, 409, 422)


@given(schema=VALUES)
@settings(max_examples=200, deadline=None)
def test_any_schema(schema: Any) -> None:
    """A definition with a schema of any shape is answered 200, or 422."""
    definition = widget_definition("any.example.com")
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = {"type": "object", "properties": {"spec": schema}}
    kind = next(one for one in BUILT_IN if one.kind == "CustomResourceDefinition")
    assert _try(DevCluster()._lifecycle, kind, definition) in (200, 400, 404, 422)
