"""The alerts of one release, as the chart makes them: no other release, or what else has its name, counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import find, render
from support.prometheus import promtool, read_alerts

# A release that does all it should, and one that is not scraped any more after 20 minutes.
ALIVE, GONE = "1x90", "1x20 stale"


def make_rules(namespace: str) -> dict[str, Any]:
    """Give the rules of a release in a namespace."""
    objects = render({"metrics": {"prometheusRule": {"enabled": True}}}, namespace=namespace)
    return find(objects, "PrometheusRule", "hookwright", namespace)["spec"]


def make_release(namespace: str, values: str) -> dict[str, str]:
    """Give the series of a release of which each is `values`."""
    labels = f'job="hookwright",namespace="{namespace}",instance="{namespace}:9090",pod="hookwright-0"'
    return {
        f"up{{{labels}}}": values,
        f"hookwright_ready{{{labels}}}": values,
        f'hookwright_build_info{{{labels},version="1",role="run"}}': values,
        f"hookwright_leader{{{labels}}}": values,
    }


def make_requests(namespace: str, code: str, values: str) -> dict[str, str]:
    """Give the series of a release's requests that the API server answers with a code."""
    labels = f'job="hookwright",namespace="{namespace}",instance="{namespace}:9090",verb="get",resource="secrets"'
    return {f'hookwright_api_requests_total{{{labels},code="{code}"}}': values}


def expect(namespace: str, series: Mapping[str, str], told: Mapping[str, str], folder: Path) -> None:
    """Hold that of these series the rules of a release fire the alerts in `told`, with that namespace, alone."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(make_rules(namespace)))
    fires = 'count by (alertname, namespace) (ALERTS{alertstate="firing"})'
    samples = [
        {"labels": f'{{alertname="{name}", namespace="{whose}"}}', "value": 1} for name, whose in sorted(told.items())
    ]
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": fires, "eval_time": "80m", "exp_samples": samples}],
    }
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}
    (folder / "case.yaml").write_text(yaml.safe_dump(tests))
    tested = promtool("test", "rules", folder / "case.yaml")
    assert tested.returncode == 0, (tested.stdout + tested.stderr).decode()


@pytest.mark.parametrize("rule", read_alerts(), ids=lambda rule: rule["alert"])
def test_every_metric_is_that_of_the_release(rule):
    """Each metric in an alert is asked for by the release's namespace, and no sum loses it."""
    (made,) = [one for group in make_rules("two")["groups"] for one in group["rules"] if one["alert"] == rule["alert"]]
    metrics = re.findall(r"\b(?:hookwright_\w+|up)\b", made["expr"])
    assert metrics
    assert len(metrics) == made["expr"].count('{namespace="two"')
    assert all("namespace" in group for group in re.findall(r"\b(?:by|on) \(([^)]+)\)", made["expr"]))
    assert made["expr"].replace('namespace="two"', 'namespace=~".*"') == rule["expr"]


def test_a_release_that_is_gone_is_missed(tmp_path: Path):
    """Where no target of a release is left, its own alerts say so, however well another one is."""
    series = make_release("one", ALIVE) | make_release("two", GONE)
    told = {"HookwrightNoReceiver": "two", "HookwrightNoLeader": "two"}
    expect("two", series, told, tmp_path)


def test_a_release_is_not_called_for_another(tmp_path: Path):
    """The alerts of a release that is well say nothing of one that is gone."""
    expect("one", make_release("one", ALIVE) | make_release("two", GONE), {}, tmp_path)


def test_a_release_without_an_api_server_is_not_hidden(tmp_path: Path):
    """A release whose requests all fail is told of, however many of another succeed."""
    series = make_release("one", ALIVE) | make_release("two", ALIVE)
    series |= make_requests("one", "200", "0+600x90") | make_requests("two", "0", "0+6x90")
    expect("two", series, {"HookwrightApiServerAway": "two"}, tmp_path)


def test_what_only_has_the_name_is_no_release(tmp_path: Path):
    """A job of a team whose name has hookwright in it calls nobody, whether it is there or not."""
    demo = {'up{job="kubernetes-pods/hookwright-demo",namespace="team",instance="demo:80"}': "1x20 0x70"}
    expect("one", make_release("one", ALIVE) | demo, {}, tmp_path)
