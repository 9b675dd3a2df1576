"""The CRDs in the release: those of crds/, upgraded with it, and kept when it goes."""

from __future__ import annotations

from typing import Any

from hookwright.kinds import KINDS, crd
from support.chart import render


def find_crds(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in render(values) if one["kind"] == "CustomResourceDefinition"]


def test_release_has_the_crds():
    """The CRDs are objects of the release, which `helm upgrade` changes; but for labels they are the models'."""
    found = {one["metadata"]["name"]: one for one in find_crds({"crds": {"keep": False}})}
    for kind in KINDS:
        wanted = crd(kind)
        one = found.pop(wanted["metadata"]["name"])
        assert one["metadata"].pop("labels")["helm.sh/chart"].startswith("hookwright-")
        assert one == wanted
    assert found == {}


def test_crds_stay_when_the_release_goes():
    """Helm keeps them, and with them every Webhook, unless one says otherwise."""
    for one in find_crds({}):
        assert one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    for one in find_crds({"crds": {"keep": False}}):
        assert "annotations" not in one["metadata"]


def test_crds_can_come_from_elsewhere():
    """Who applies them by hand leaves them out of the release."""
    assert find_crds({"crds": {"install": False}}) == []
