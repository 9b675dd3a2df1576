"""The Grafana dashboard of the chart: each panel asks for what there is, in PromQL that is right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from hookwright.metrics.catalogue import SPECS, Type
from support.prometheus import FILES, promtool

DASHBOARD = json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))


def find_panels() -> list[dict[str, Any]]:
    """Give the panels that show something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def find_queries(*, interval: str = "5m") -> Iterator[str]:
    """Give the expression of each panel, with values for Grafana's variables."""
    for panel in find_panels():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", interval)
            yield query.replace("$namespace", ".*").replace("$job", ".+")


def test_panels_show_what_is_chosen():
    """Each metric of a panel is of the chosen releases and jobs; All is also what has no namespace."""
    asked = [target["expr"] for panel in find_panels() for target in panel["targets"]]
    for query in asked:
        chosen = 'namespace=~"$namespace",job=~"$job"'
        assert len(re.findall(r"\b(?:hookwright|process)_\w+", query)) == query.count("{" + chosen), query
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "namespace", "job"]
    assert variables["namespace"]["allValue"] == ".*"


def test_panels_are_told_apart():
    """Each panel has an id, a title and a place of its own."""
    for of in (lambda panel: panel["id"], lambda panel: panel["title"], lambda panel: str(panel["gridPos"])):
        found = [of(panel) for panel in find_panels()]
        assert len(set(found)) == len(found)


def test_panels_ask_for_metrics_that_exist():
    """Each metric of ours that a panel asks for is in the catalogue, and each in the catalogue is in a panel."""
    asked = {name for query in find_queries() for name in re.findall(r"\bhookwright_\w+\b", query)}
    known = {spec.full_name + ("_bucket" if spec.type is Type.HISTOGRAM else "") for spec in SPECS.values()}
    assert asked == known


def test_panels_ask_for_labels_that_exist():
    """Each label that a panel chooses or groups by is one of its metric, or what Prometheus adds itself."""
    given = {"namespace", "job", "instance", "le"}
    for query in find_queries():
        (metric, *others) = dict.fromkeys(re.findall(r"\b(?:hookwright|process)_\w+\b", query))
        allowed = set(given)
        for name in (metric, *others):
            short = name.removeprefix("hookwright_").removesuffix("_bucket").removesuffix("_total")
            allowed |= set(SPECS[short].labels) if short in SPECS else set()
        used = {name for group in re.findall(r"(?:by|on|group_left) ?\(([^)]*)\)", query) for name in group.split(",")}
        used |= {name for chosen in re.findall(r"\{([^}]*)\}", query) for name in re.findall(r"(\w+)[=!]", chosen)}
        assert {name.strip() for name in used} <= allowed, query


def test_queries_are_promql(tmp_path):
    """Promtool can read each expression."""
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(find_queries())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = promtool("check", "rules", tmp_path / "rules.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_promtool_would_find_a_mistake(tmp_path):
    """An expression that is none is refused: the check above can fail."""
    broken = {"groups": [{"name": "broken", "rules": [{"record": "panel:0", "expr": "sum by (reason (rate(x[5m]))"}]}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(broken))
    assert promtool("check", "rules", tmp_path / "rules.yaml").returncode != 0
