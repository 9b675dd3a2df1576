"""What the chart makes for others to read: networks, the Prometheus operator, Grafana, and Hookwright itself."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from helm_python import HelmError

from hookwright.commands import hookwright
from support.chart import CHART, find, find_pods, render
from support.chart_modes import MODES

POLICIES = {"networkPolicy": {"enabled": True, "adminNamespaces": ["monitoring"]}}


@pytest.mark.parametrize("values", MODES.values(), ids=list(MODES))
def test_commands_are_hookwrights(values):
    """Every container's arguments are a command of this version, with options that it takes."""
    pods = list(find_pods(render(values)))
    assert pods
    for _, pod in pods:
        name, *arguments = pod["spec"]["containers"][0]["args"]
        # As main calls it: a command keeps the options that it had in its first context.
        whole = hookwright.make_context("hookwright", [name])
        command = hookwright.get_command(whole, name)
        assert command is not None
        assert command.make_context(name, list(arguments), parent=whole) is not None


def test_what_is_typed_in_a_pod_asks_its_admin_port():
    """The command in docs/alerts.md that asks a pod for its readiness is the image's, and asks the container's port."""
    page = (CHART.parents[1] / "operator" / "docs" / "alerts.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"exec POD -- hookwright (.*)", page)
    name, *arguments = typed.split()
    whole = hookwright.make_context("hookwright", [name])
    command = hookwright.get_command(whole, name)
    assert command is not None
    given = command.make_context(name, arguments, parent=whole).params
    for kind in ("receiver", "operator"):
        (container,) = find(render(), "StatefulSet", f"hookwright-{kind}")["spec"]["template"]["spec"]["containers"]
        (port,) = [one["containerPort"] for one in container["ports"] if one["name"] == "admin"]
        assert given["admins"] == (f"http://127.0.0.1:{port}",)


def test_helm_test_asks_what_is_there():
    """The pod of `helm test` asks the receivers by the public path, and every role's admin port."""
    objects = render({"publicUrl": "https://example.com/ci/"})
    (container,) = find(objects, "Pod", "hookwright-check")["spec"]["containers"]
    assert container["args"] == [
        "check",
        "--receiver",
        "http://hookwright-receiver.hookwright-system.svc:80/ci",
        "--admin",
        "http://hookwright-receiver-pods.hookwright-system.svc:9090",
        "--admin",
        "http://hookwright-operator-pods.hookwright-system.svc:9090",
    ]


def test_policies_leave_the_admin_port_to_few():
    """Senders come from everywhere; the admin port is for Hookwright's own namespace and those that are named."""
    receiver = find(render(POLICIES), "NetworkPolicy", "hookwright-receiver")["spec"]
    http, admin = receiver["ingress"]
    assert http == {"ports": [{"port": "http", "protocol": "TCP"}]}
    (peer,) = admin["from"]
    (expression,) = peer["namespaceSelector"]["matchExpressions"]
    assert admin["ports"] == [{"port": "admin", "protocol": "TCP"}]
    assert expression["values"] == ["hookwright-system", "monitoring"]
    assert receiver["policyTypes"] == ["Ingress", "Egress"]
    operator = find(render(POLICIES), "NetworkPolicy", "hookwright-operator")["spec"]
    assert [rule["ports"][0]["port"] for rule in operator["ingress"]] == ["admin"]


def test_policies_let_others_ask_the_admin_port():
    """Who is named in adminFrom may ask the admin port of every role, beside the namespaces, and nothing else."""
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}, {"podSelector": {"matchLabels": {"app": "balancer"}}}]
    objects = render({"networkPolicy": {"enabled": True, "adminFrom": peers}})
    for name in ("hookwright-receiver", "hookwright-operator"):
        admin = find(objects, "NetworkPolicy", name)["spec"]["ingress"][-1]
        assert admin["ports"] == [{"port": "admin", "protocol": "TCP"}]
        assert "namespaceSelector" in admin["from"][0]
        assert admin["from"][1:] == peers
    assert find(objects, "NetworkPolicy", "hookwright-check")["spec"]["ingress"] == []


def test_policies_hold_senders_to_where_they_may_be():
    """With receiverFrom only those send, and the pod of `helm test`."""
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    policy = find(
        render({"networkPolicy": {"enabled": True, "receiverFrom": peers}}), "NetworkPolicy", "hookwright-receiver"
    )
    first, test = policy["spec"]["ingress"][0]["from"]
    assert [first] == peers
    assert test["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "check"


def test_policies_let_pods_reach_names_and_the_api_server():
    """Pods reach port 53 and the API server's ports, within its ranges if they are named, and what is added."""
    more = {"ports": [{"port": 443}], "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    api_server = {"cidrs": ["10.0.0.1/32"], "ports": [6443]}
    policies = {"enabled": True, "apiServer": api_server, "extraEgress": [more]}
    objects = render({"networkPolicy": policies, "adoptJournals": ["old"]})
    for name in ("hookwright-receiver", "hookwright-operator", "hookwright-adopt"):
        names, api, added = find(objects, "NetworkPolicy", name)["spec"]["egress"]
        assert names["ports"] == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
        assert api == {"ports": [{"port": 6443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}
        assert added == more


@pytest.mark.parametrize("mode", ["split", "single"])
def test_service_monitor_finds_the_admin_ports(mode):
    """Prometheus is led to the admin port of each role's pods, by labels that the other Service does not have."""
    objects = render(
        {"mode": mode, "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}}}
    )
    monitor = find(objects, "ServiceMonitor", "hookwright")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert set(monitor["spec"]) == {"jobLabel", "selector", "endpoints"}
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint == {"port": "admin", "path": "/metrics", "interval": "30s"}
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    found = [one for one in objects if one["kind"] == "Service" and wanted <= one["metadata"]["labels"].items()]
    assert len(found) == len([one for one in objects if one["kind"] == "StatefulSet"])
    for service in found:
        assert service["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "hookwright"
        assert service["spec"]["clusterIP"] == "None"
        assert [port["name"] for port in service["spec"]["ports"]] == ["admin"]


def test_rules_and_dashboard_are_the_files():
    """The PrometheusRule has the groups of alerts.yaml for its namespace, the ConfigMap the very dashboard."""
    enabled = {"enabled": True}
    objects = render({"metrics": {"prometheusRule": enabled, "dashboard": enabled}})
    alerts = (CHART / "files" / "alerts.yaml").read_text(encoding="utf-8")
    rules = yaml.safe_load(alerts.replace('namespace=~".*"', 'namespace="hookwright-system"'))
    assert find(objects, "PrometheusRule", "hookwright")["spec"] == rules
    assert rules["groups"]
    board = find(objects, "ConfigMap", "hookwright-dashboard")
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    text = (CHART / "files" / "dashboard.json").read_text(encoding="utf-8")
    assert board["data"]["hookwright.json"].rstrip() == text.rstrip()
    assert json.loads(text)["panels"]


@pytest.mark.parametrize(("mode", "role"), [("split", "receiver"), ("single", "single")])
def test_what_runs_once_runs_where_deliveries_are_taken(mode, role):
    """The pod of `helm test` and those that adopt journals run on those nodes, with those labels and annotations."""
    chosen = {
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "apart", "operator": "Exists"}],
        "podLabels": {"sidecar.istio.io/inject": "false", "app.kubernetes.io/component": "mine"},
        "podAnnotations": {"example.com/a": "b", "helm.sh/hook": "mine"},
    }
    objects = render({"mode": mode, role: chosen, "adoptJournals": ["old"]})
    (job,) = (one for one in objects if one["kind"] == "Job")
    for name, pod in (("check", find(objects, "Pod", "hookwright-check")), ("adopt", job["spec"]["template"])):
        assert (pod["spec"]["nodeSelector"], pod["spec"]["tolerations"]) == (
            chosen["nodeSelector"],
            chosen["tolerations"],
        )
        labels, annotations = pod["metadata"]["labels"], pod["metadata"]["annotations"]
        assert (labels["sidecar.istio.io/inject"], labels["app.kubernetes.io/component"]) == ("false", name)
        assert annotations["example.com/a"] == "b"
    assert find(objects, "Pod", "hookwright-check")["metadata"]["annotations"]["helm.sh/hook"] == "test"


def test_runbooks_are_where_they_are_read():
    """Each alert has the address of its heading if that of the page is given, else only its place in the repository."""
    url = "https://git.example.com/hookwright/alerts.md?ref=v1"

    def find_runbooks(**given: str) -> list[tuple[str, dict[str, str]]]:
        objects = render({"metrics": {"prometheusRule": {"enabled": True, **given}}})
        groups = find(objects, "PrometheusRule", "hookwright")["spec"]["groups"]
        return [(rule["alert"].lower(), rule["annotations"]) for group in groups for rule in group["rules"]]

    for name, said in find_runbooks(runbookUrl=url):
        assert said["runbook_url"] == f"{url}#{name}"
        assert "runbook" not in said
    for name, said in find_runbooks():
        assert said["runbook"] == f"operator/docs/alerts.md#{name}"
        assert "runbook_url" not in said


@pytest.mark.parametrize("url", ["operator/docs/alerts.md", "https://a.example.com/x#y", "https://a.example.com/ x"])
def test_what_no_heading_can_be_added_to_is_refused(url):
    """An address of the runbooks is one that Alertmanager can lead to, and to each heading."""
    with pytest.raises(HelmError, match="runbookUrl"):
        render({"metrics": {"prometheusRule": {"enabled": True, "runbookUrl": url}}})


def test_adopting_mounts_that_very_volume():
    """Each volume that is named is worked off by a Job of its own, as a receiver's account, with its settings."""
    objects = render({"adoptJournals": ["journal-hookwright-receiver-7", "old"]})
    jobs = {one["metadata"]["annotations"]["hookwright.dev/journal"]: one for one in objects if one["kind"] == "Job"}
    assert set(jobs) == {"journal-hookwright-receiver-7", "old"}
    receiver = find(objects, "StatefulSet", "hookwright-receiver")["spec"]["template"]["spec"]
    for claim, job in jobs.items():
        spec = job["spec"]["template"]["spec"]
        assert {"name": "journal", "persistentVolumeClaim": {"claimName": claim}} in spec["volumes"]
        assert {"name": "journal", "mountPath": "/var/lib/hookwright"} in spec["containers"][0]["volumeMounts"]
        assert spec["serviceAccountName"] == receiver["serviceAccountName"]
        assert spec["containers"][0]["env"] == receiver["containers"][0]["env"]


def test_changed_job_is_another():
    """A Job cannot be changed: where its pod differs, its name does, so that an upgrade goes through."""
    one, other = (
        next(job["metadata"]["name"] for job in render({"adoptJournals": ["old"], **more}) if job["kind"] == "Job")
        for more in ({}, {"clusterName": "other"})
    )
    assert one != other
    assert len(one) <= 63
