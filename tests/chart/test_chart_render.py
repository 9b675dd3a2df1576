"""What the chart makes: valid in every mode, named as it is documented, and fit for a cluster with strict rules."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import helm_python
import kubernetes_validate
import pytest

from support.chart import CHART, LEAST, find, find_pods, merge, render, render_files
from support.chart_modes import MODES

# kubernetes-validate knows no kinds of others; test_chart_others.py looks at what is written of these.
OTHERS = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}
CLUSTER_WIDE = {
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
VERSIONS = ("1.30", "1.34")
every_mode = pytest.mark.parametrize("values", MODES.values(), ids=list(MODES))


@pytest.fixture(scope="module", autouse=True)
def _schemas_are_read_once():
    """Have kubernetes-validate keep its files, which it reads anew for each object: a megabyte for each version."""
    utils = kubernetes_validate.utils
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@every_mode
def test_lint_finds_nothing(values):
    """Helm's linter, as strict as it gets, finds no more to say than that there is no icon."""
    report = helm_python.lint(CHART, merge(LEAST, values), strict=True, namespace="hookwright-system")
    assert report["errors"] == []
    assert {message["error"] for message in report["messages"]} <= {"icon is recommended"}


@pytest.mark.parametrize("version", VERSIONS)
@every_mode
def test_objects_are_valid(values, version):
    """Each object fits the schema of its kind, without unknown fields, in the oldest version and in today's."""
    objects = render(values)
    for one in objects:
        # The CRDs are the same in each mode: once is enough.
        if one["kind"] not in OTHERS and not (values and one["kind"] == "CustomResourceDefinition"):
            kubernetes_validate.validate(one, version, strict=True)
    assert len(objects) > 10


@pytest.mark.parametrize("word", ["123", "1e3", "0x1f", "2026-01-01", "yes", "null"])
@pytest.mark.parametrize("mode", ["split", "single"])
def test_name_that_looks_like_something_else_is_a_name(mode, word):
    """A namespace, release or other name of digits, or that YAML has a meaning for, comes to the cluster as text."""
    role = {"serviceAccount": {"name": f"{word}.0"}, "priorityClassName": word, "journal": {"storageClass": word}}
    values = {
        "mode": mode,
        "fullnameOverride": word if word.isalpha() else "hookwright",
        "watchNamespaces": ["7", word],
        "tenants": [{"namespace": "7", "serviceAccount": word}, {"namespace": word, "serviceAccount": "7"}],
        "adoptJournals": [word],
        "ingress": {"enabled": True, "className": word, "tlsSecretName": word},
        "networkPolicy": {"enabled": True, "adminNamespaces": [word]},
        "admissionPolicy": {"enabled": True},
        "receiver": role | {"service": {"type": "LoadBalancer", "loadBalancerClass": word}},
        "operator": {**role, "serviceAccount": {"name": word}},
        "single": {**role, "serviceAccount": {"name": "7"}},
        "metrics": {
            "serviceMonitor": {"enabled": True},
            "prometheusRule": {"enabled": True},
            "dashboard": {"enabled": True},
        },
        "crds": {"install": False},
    }
    objects = render(values, name=word, namespace="8")
    for one in objects:
        if one["kind"] not in OTHERS:
            kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
    assert {one["metadata"].get("namespace") for one in objects} == {"7", "8", word, None}
    assert {one["metadata"]["labels"]["app.kubernetes.io/instance"] for one in objects} == {word}
    # Helm reads more as numbers than the tests do.
    for path, text in render_files(values, name=word, namespace="8").items():
        assert re.findall(rf"[:-] {re.escape(word)}$", text, re.MULTILINE) == [], path


@every_mode
def test_each_object_has_its_place(values):
    """No two objects share kind, namespace and name, and each says its namespace, unless it has none."""
    objects = render(values)
    places = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects]
    assert len(places) == len(set(places))
    for kind, namespace, name in places:
        assert (namespace is None) == (kind in CLUSTER_WIDE), name


@every_mode
def test_pods_are_restricted(values):
    """Every pod, those of hooks and Jobs too, fits Pod Security's level "restricted", and cannot write to its image."""
    pods = list(find_pods(render(values)))
    assert len(pods) >= 2
    for name, pod in pods:
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec), name
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert security.get("runAsUser") != 0, name
        assert "sysctls" not in security, name
        for volume in spec.get("volumes", []):
            assert set(volume) - {"name"} <= {"emptyDir", "persistentVolumeClaim"}, name
        assert "initContainers" not in spec
        for container in spec["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert own["readOnlyRootFilesystem"] is True, name
            assert own.get("privileged", False) is False, name
            assert all("hostPort" not in port for port in container.get("ports", []))
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"], name


@every_mode
def test_pods_know_what_they_mount_and_who_they_are(values):
    """Each mount has its volume, each named port its container's, and each pod an account that the chart makes."""
    objects = render(values)
    accounts = {one["metadata"]["name"] for one in objects if one["kind"] == "ServiceAccount"}
    for name, pod in find_pods(objects):
        spec = pod["spec"]
        (container,) = spec["containers"]
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        if name.startswith("StatefulSet"):
            volumes.add("journal")
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert container[probe]["httpGet"]["port"] in ports
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes, name
        if "serviceAccountName" in spec:
            assert spec["serviceAccountName"] in accounts | {"theirs"}, name


@every_mode
def test_what_selects_pods_finds_them(values):
    """Each Service, budget and policy, and each StatefulSet, selects pods that are there."""
    objects = render(values)
    labels = [pod["metadata"]["labels"] for _, pod in find_pods(objects)]
    for one in objects:
        spec = one.get("spec", {})
        if one["kind"] == "Service":
            wanted = spec["selector"]
        elif one["kind"] in ("PodDisruptionBudget", "StatefulSet"):
            wanted = spec["selector"]["matchLabels"]
        elif one["kind"] == "NetworkPolicy":
            wanted = spec["podSelector"]["matchLabels"]
        else:
            continue
        assert any(wanted.items() <= having.items() for having in labels), one["metadata"]["name"]


def names_of(objects: list[dict[str, Any]], kind: str) -> set[str]:
    return {one["metadata"]["name"] for one in objects if one["kind"] == kind}


def test_names_are_those_that_are_documented():
    """Release hookwright in hookwright-system has the names that docs, dashboards and other manifests count on."""
    split, single = render(), render({"mode": "single"})
    accounts = {"hookwright-receiver", "hookwright-operator", "hookwright"}
    assert names_of(split, "ServiceAccount") == names_of(single, "ServiceAccount") == accounts
    assert names_of(split, "StatefulSet") == {"hookwright-receiver", "hookwright-operator"}
    assert names_of(split, "Service") == {
        "hookwright-receiver",
        "hookwright-receiver-pods",
        "hookwright-operator-pods",
    }
    assert names_of(single, "StatefulSet") == {"hookwright"}
    assert names_of(single, "Service") == {"hookwright-receiver", "hookwright-pods"}
    receiver = find(split, "StatefulSet", "hookwright-receiver")["spec"]
    (container,) = receiver["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/team/hookwright:0.1.0"
    assert container["args"] == ["receiver"]
    assert {port["name"]: port["containerPort"] for port in container["ports"]} == {"http": 8080, "admin": 9090}
    assert receiver["volumeClaimTemplates"][0]["metadata"]["name"] == "journal"
    assert {"name": "journal", "mountPath": "/var/lib/hookwright"} in container["volumeMounts"]
    (port,) = find(split, "Service", "hookwright-receiver")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (80, "http")


def test_release_of_another_name_has_other_names():
    """What lives in Hookwright's own namespace is named by the release, so that others can be there too."""
    assert names_of(render(name="ci"), "StatefulSet") == {"ci-hookwright-receiver", "ci-hookwright-operator"}
    assert names_of(render(name="my-hookwright"), "StatefulSet") == {
        "my-hookwright-receiver",
        "my-hookwright-operator",
    }


@every_mode
def test_journals_are_never_taken_away(values):
    """Every StatefulSet has a volume for its journal, which stays when it is scaled down or deleted."""
    for one in render(values):
        if one["kind"] == "StatefulSet":
            assert one["spec"]["persistentVolumeClaimRetentionPolicy"] == {
                "whenDeleted": "Retain",
                "whenScaled": "Retain",
            }
            (claim,) = one["spec"]["volumeClaimTemplates"]
            assert claim["metadata"]["name"] == "journal"


@every_mode
def test_pod_that_does_not_start_holds_no_upgrade_up(values):
    """Pods are replaced one by one, and one that is broken by mended values too: OrderedReady would wait for it."""
    for one in render(values):
        if one["kind"] == "StatefulSet":
            assert one["spec"]["podManagementPolicy"] == "Parallel"
            assert one["spec"]["updateStrategy"] == {"type": "RollingUpdate"}


@every_mode
def test_pods_have_time_to_end(values):
    """The grace period covers the wait before SIGTERM, what is still taken after it, and what is finished then."""
    for _, pod in find_pods([one for one in render(values) if one["kind"] == "StatefulSet"]):
        (container,) = pod["spec"]["containers"]
        waits = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        (drain,) = [int(env["value"]) for env in container["env"] if env["name"] == "HOOKWRIGHT_DRAIN"]
        assert pod["spec"]["terminationGracePeriodSeconds"] >= waits + drain + 25


@every_mode
def test_changed_settings_roll_the_pods(values):
    """Settings stand in the pods' own template: a change of one makes new pods."""
    before, after = (
        {one["metadata"]["name"]: one["spec"]["template"] for one in render(with_) if one["kind"] == "StatefulSet"}
        for with_ in (values, merge(values, {"settings": {"webhookQuota": 7}}))
    )
    for name in before:
        assert before[name] != after[name]


@every_mode
def test_root_key_is_not_the_charts(values):
    """No Secret is in the release: the root key is made by the operator, and outlives upgrades and uninstalls."""
    assert not names_of(render(values), "Secret")


def test_pods_are_spread_by_their_own_labels():
    """A spread without a selector counts the role's pods; one that has a selector keeps it as it is."""
    own = {"matchLabels": {"a": "b"}}
    given = [{"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"} for key in ("zone", "node")]
    given[1]["labelSelector"] = own
    objects = render({"receiver": {"topologySpreadConstraints": given}})
    spec = find(objects, "StatefulSet", "hookwright-receiver")["spec"]
    first, second = spec["template"]["spec"]["topologySpreadConstraints"]
    assert first == {**given[0], "labelSelector": spec["selector"]}
    assert second == {**given[1], "labelSelector": own}
    operator = find(render(), "StatefulSet", "hookwright-operator")["spec"]
    (default,) = operator["template"]["spec"]["topologySpreadConstraints"]
    assert default["labelSelector"] == operator["selector"]


def test_senders_keep_their_addresses():
    """A Service that is reached from outside passes the sender's address on, and only such a one says so."""
    for kind, policy in (("ClusterIP", None), ("NodePort", "Local"), ("LoadBalancer", "Local")):
        service = find(render({"receiver": {"service": {"type": kind}}}), "Service", "hookwright-receiver")
        assert service["spec"].get("externalTrafficPolicy") == policy


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/hooks"),
        ("https://hooks.example.com/", "hooks.example.com", "/hooks"),
        ("https://example.com:8443/in/ci/", "example.com", "/in/ci/hooks"),
        ("https://Hooks.Example.com/CI", "hooks.example.com", "/CI/hooks"),
    ],
)
def test_ways_in_are_those_of_the_public_url(url, host, path):
    """Ingress and HTTPRoute take host and path from publicUrl, and lead to the receivers' Service."""
    objects = render(
        {
            "publicUrl": url,
            "ingress": {"enabled": True, "tlsSecretName": "cert"},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]},
        }
    )
    (rule,) = find(objects, "Ingress", "hookwright-receiver")["spec"]["rules"]
    (found,) = rule["http"]["paths"]
    assert (rule["host"], found["path"], found["pathType"]) == (host, path, "Prefix")
    assert found["backend"]["service"] == {"name": "hookwright-receiver", "port": {"name": "http"}}
    route = find(objects, "HTTPRoute", "hookwright-receiver")["spec"]
    (rule,) = route["rules"]
    assert route["hostnames"] == [host]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": path}}]
    assert rule["backendRefs"] == [{"name": "hookwright-receiver", "port": 80}]


def test_accounts_of_the_other_mode_are_made_unless_they_are_somebodys():
    """An account is made once; one that is not for the chart to make is not made for the mode that nothing runs in."""
    alike = {"mode": "single", "single": {"serviceAccount": {"name": "hookwright-operator", "annotations": {"a": "b"}}}}
    account = find(render(alike), "ServiceAccount", "hookwright-operator")
    assert account["metadata"]["annotations"] == {"a": "b"}
    theirs = {"operator": {"serviceAccount": {"create": False, "name": "hookwright"}}}
    assert names_of(render(theirs), "ServiceAccount") == {"hookwright-receiver"}
    both = {
        "receiver": {"serviceAccount": {"create": False, "name": "a"}},
        "operator": {"serviceAccount": {"name": "a"}},
    }
    assert names_of(render(both), "ServiceAccount") == {"a", "hookwright"}


def test_notes_say_what_to_type():
    """What Helm prints after an install has the commands for this very release."""
    notes = render_files({"watchNamespaces": ["team-a"]}, name="ci", namespace="tools")["NOTES.txt"]
    assert "helm test ci --namespace tools" in notes
    assert "--hookwright-account ci-hookwright-receiver --hookwright-account ci-hookwright-operator" in notes
    assert "--operator-account ci-hookwright-operator --operator-account ci-hookwright |" in notes
    assert "ServiceAccounts ci-hookwright-receiver, ci-hookwright-operator, ci-hookwright in: with other names" in notes
    plain = "hookwright grant TEAM-NAMESPACE --service-account BUILDER --hookwright-namespace hookwright-system |"
    assert plain in render_files()["NOTES.txt"]
    assert "for team-a" in notes
