"""The catalogue of metrics: no label has a value that comes from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hookwright.cluster import client
from hookwright.metrics import catalogue
from hookwright.metrics.catalogue import ANY_VALUE, SPECS, Type

PAGE = (Path(__file__).parents[3] / "operator" / "docs" / "metrics.md").read_text(encoding="utf-8")
UNITS = ("seconds", "bytes")


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_label_has_few_values(spec):
    """Each label of each metric has a set of values of its own that is small, and written down."""
    for label, values in spec.labels.items():
        # The reasons are the largest set: 54 since BuildTriggers have theirs.
        assert values is ANY_VALUE or 1 < len(values) < 70, label
    assert all(values is not ANY_VALUE for values in spec.labels.values()) or spec is catalogue.BUILD_INFO


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_every_metric_says_what_it_is(spec):
    """Each metric has a name in Prometheus' style and a sentence."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", spec.name)
    assert re.fullmatch(r"[A-Z1].{10,}\.", spec.meaning)
    assert bool(spec.buckets) == (spec.type is Type.HISTOGRAM)
    assert not spec.buckets or (sorted(spec.buckets) == list(spec.buckets) and spec.name.endswith(UNITS))


def test_verbs_are_those_that_the_client_speaks():
    """What the client can ask for has a verb here."""
    assert set(client._METHODS) == catalogue.VERBS


def test_page_has_every_metric_with_its_labels():
    """docs/metrics.md has a row for each metric, with its type, its labels and its meaning, and none besides."""
    rows = re.findall(r"^\| `(hookwright_\w+)` \| (\w+) \| ([^|]*) \| (.*) \|$", PAGE, flags=re.MULTILINE)
    wanted = [
        (spec.full_name, str(spec.type), ", ".join(f"`{label}`" for label in spec.labels), spec.meaning)
        for spec in SPECS.values()
    ]
    assert rows == wanted


def test_page_names_nothing_that_is_not_there():
    """Whatever docs/metrics.md calls a metric of ours is one."""
    known = {spec.full_name for spec in SPECS.values()}
    histograms = [spec.full_name for spec in SPECS.values() if spec.buckets]
    known |= {name + end for name in histograms for end in ("_bucket", "_sum", "_count")}
    assert set(re.findall(r"\bhookwright_[a-z_]+\b", PAGE)) - known == set()
