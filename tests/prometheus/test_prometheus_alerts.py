"""The alerts of the chart: each fires when it should and not before, and says what to do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from hookwright.metrics.catalogue import SPECS
from support.prometheus import FILES, ROOT, promtool, read_alerts
from support.taken import TAKEN, Counted

CASES = Path(__file__).parent / "alerts.yaml"
PAGE = (ROOT / "operator" / "docs" / "alerts.md").read_text(encoding="utf-8")
ALERTS = {rule["alert"]: rule for rule in read_alerts()}


def test_rules_are_rules():
    """Promtool finds nothing wrong with the file."""
    checked = promtool("check", "rules", FILES / "alerts.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alerts_fire_when_they_should():
    """On made-up series each alert fires, in its words, and does not while all is well or before its time."""
    tested = promtool("test", "rules", CASES)
    assert tested.returncode == 0, (tested.stdout + tested.stderr).decode()


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_is_tried(name):
    """Each alert has a case in which it fires, one before it does, and two in which all is well."""
    tests = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    tried = {
        test["name"]: [bool(case["exp_alerts"]) for case in test["alert_rule_test"] if case["alertname"] == name]
        for test in tests
    }
    assert tried["all is well"] == [False, False]
    assert tried[name] == [False, True]


def test_every_right_that_is_taken_has_its_alert():
    """What is counted while a right is gone is known for each right that a test on a real API server takes away."""
    file = ROOT / "tests" / "cluster" / "test_rights_taken.py"
    body = ast.parse(file.read_text(encoding="utf-8")).body
    assert [one.name for one in body if getattr(one, "name", "").startswith("test_")] == list(TAKEN)


@pytest.mark.parametrize(
    "counted",
    [pytest.param(one, id=f"{name}-{one.role}-{one.alert}") for name, some in TAKEN.items() for one in some],
)
def test_a_right_that_is_taken_is_told_of(counted: Counted, tmp_path: Path):
    """While it is there nobody is called; half an hour after it was taken, the alert fires that tells of it."""
    fires = f'count(ALERTS{{alertname="{counted.alert}",alertstate="firing"}})'
    case = {
        "interval": "1m",
        "input_series": [
            {"series": counted.series, "values": "1+0x30 0+0x30" if counted.down else "0+0x30 1+1x30"},
            # Without it nobody is asked whether a receiver is ready.
            {
                "series": 'hookwright_build_info{job="hookwright",instance="receiver:9090",role="receiver"}',
                "values": "1+0x60",
            },
            {"series": f'up{{job="hookwright",instance="{counted.role}:9090"}}', "values": "1+0x60"},
        ],
        "promql_expr_test": [
            {"expr": fires, "eval_time": "30m", "exp_samples": []},
            {"expr": fires, "eval_time": "59m", "exp_samples": [{"value": 1}]},
        ],
    }
    rules = {"rule_files": [str(FILES / "alerts.yaml")], "evaluation_interval": "1m", "tests": [case]}
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(rules))
    tested = promtool("test", "rules", tmp_path / "case.yaml")
    assert tested.returncode == 0, (tested.stdout + tested.stderr).decode()


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_its_runbook(name):
    """Each alert has a severity, a summary, a description and a heading of its own in docs/alerts.md."""
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert rule["annotations"]["runbook"] == f"operator/docs/alerts.md#{name.lower()}"
    row = f"| [{name}](#{name.lower()}) | {rule['labels']['severity']} | {rule['annotations']['summary']} |"
    assert row in PAGE
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert "\n- " in section


def test_page_has_no_other_alerts():
    """docs/alerts.md has no heading for an alert that there is not, and each link in it leads somewhere."""
    headings = re.findall(r"^## (\w+)$", PAGE, flags=re.MULTILINE)
    assert headings == list(ALERTS)
    assert set(re.findall(r"\(#(\w+)\)", PAGE)) <= {heading.lower() for heading in headings}
    for file in re.findall(r"\((\w+\.md)\)", PAGE):
        assert (ROOT / "operator" / "docs" / file).exists()


@pytest.mark.parametrize("text", [(FILES / "alerts.yaml").read_text(), PAGE], ids=["rules", "page"])
def test_alerts_name_metrics_that_exist(text):
    """Each metric in an alert, or in its runbook, is one that Hookwright has."""
    known = {spec.full_name for spec in SPECS.values()}
    known |= {spec.full_name + "_bucket" for spec in SPECS.values() if spec.buckets}
    assert set(re.findall(r"\bhookwright_\w+\b", text)) - known == set()


def test_questions_on_the_page_are_promql(tmp_path):
    """Promtool can read each expression in docs/metrics.md."""
    page = (ROOT / "operator" / "docs" / "metrics.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```promql\n(.*?)```", page, flags=re.DOTALL)
    queries = [line for block in blocks for line in block.splitlines()]
    assert len(queries) > 4
    rules = [{"record": f"question:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": rules}]}))
    checked = promtool("check", "rules", tmp_path / "rules.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
