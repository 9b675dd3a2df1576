"""values.yaml: every value is documented, in the schema, and used; every setting of Hookwright has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from annotated_types import Ge, Le
from helm_python import HelmError

from hookwright import __version__
from hookwright.settings import PREFIX, Settings
from support.chart import CHART, find_pods, merge, render, render_files
from support.values_page import PAGE, VALUES, Value, make_page, read_values

FOUND = read_values(VALUES.read_text(encoding="utf-8"))
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
# Only to be refused in plain words (single.replicas), or given by a chart that this one is part of.
SCHEMA_ONLY = {"enabled", "global", "single.replicas"}
# All values, and the maps that they are in.
PATHS = sorted({value.path[:length] for value in FOUND for length in range(1, len(value.path) + 1)})
# Where null is not what is there by default, but none.
NULL_IS_NONE = ("runAsUser", ".resources", ".topologySpreadConstraints", "metrics.dashboard.labels")
# What must be set for a value to count.
GIVEN: dict[str, dict[str, Any]] = {
    "single": {"mode": "single"},
    "ingress": {"ingress": {"enabled": True}},
    "httpRoute": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]}},
    "networkPolicy": {"networkPolicy": {"enabled": True}},
    "metrics.serviceMonitor": {"metrics": {"serviceMonitor": {"enabled": True}}},
    "metrics.prometheusRule": {"metrics": {"prometheusRule": {"enabled": True}}},
    "metrics.dashboard": {"metrics": {"dashboard": {"enabled": True}}},
    "receiver.service.nodePort": {"receiver": {"service": {"type": "NodePort"}}},
    "receiver.service.loadBalancer": {"receiver": {"service": {"type": "LoadBalancer"}}},
}
# Another value for each whose kind does not say one.
OTHERWISE: dict[str, Any] = {
    "mode": "single",
    "publicUrl": "https://example.com/hookwright",
    "clusterName": "other",
    "image.repository": "registry.example.com/other/hookwright",
    "image.tag": "1.2.3",
    "image.digest": "sha256:" + "0" * 64,
    "image.pullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "nameOverride": "other",
    "fullnameOverride": "other",
    "watchNamespaces": ["team-a"],
    "trustedProxies": ["10.0.0.0/8"],
    "listenAddress": "::",
    "runAsUser": None,
    "settings.logFormat": "console",
    "settings.logLevel": "debug",
    "serviceAccount.name": "other",
    "serviceAccount.annotations": {"a": "b"},
    "journal.size": "2Gi",
    "journal.storageClass": "fast",
    "journal.accessMode": "ReadWriteOncePod",
    "service.type": "LoadBalancer",
    "service.nodePort": 30080,
    "service.loadBalancerClass": "example.com/internal",
    "service.loadBalancerSourceRanges": ["192.0.2.0/24"],
    "service.annotations": {"a": "b"},
    "podDisruptionBudget.minAvailable": 1,
    "podDisruptionBudget.maxUnavailable": "50%",
    "terminationGracePeriodSeconds": 90,
    "resources": {"limits": {"memory": "1Gi"}},
    "topologySpreadConstraints": [],
    "nodeSelector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "important",
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "extraEnv": [{"name": "A", "value": "b"}],
    "updateStrategy": {"type": "OnDelete"},
    "tenants": [{"namespace": "team-a", "serviceAccount": "builder"}],
    "ingress.className": "nginx",
    "annotations": {"a": "b"},
    "labels": {"a": "b"},
    "ingress.tlsSecretName": "cert",
    "httpRoute.parentRefs": [{"name": "other"}],
    "networkPolicy.receiverFrom": [{"podSelector": {}}],
    "networkPolicy.adminNamespaces": ["monitoring"],
    "networkPolicy.adminFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    "networkPolicy.apiServer.cidrs": ["10.0.0.0/8"],
    "networkPolicy.apiServer.ports": [16443],
    "networkPolicy.extraEgress": [{"ports": [{"port": 443}]}],
    "metrics.serviceMonitor.interval": "1m",
    "metrics.prometheusRule.runbookUrl": "https://git.example.com/alerts.md",
    "adoptJournals": ["journal-hookwright-receiver-9"],
}
# What a render without a cluster cannot show: test_chart_cluster.py does.
IN_A_CLUSTER = {"rights.checkOverlap"}
# Allowed in one form only, which is the default's too; test_chart_problems.py has the others.
CHECKED_ONLY = {"ingress.host"}
# What cannot be left at its default.
LEAST_GIVEN = {"publicUrl", "image.repository", "httpRoute.parentRefs"}
# What a StatefulSet lets nobody change.
FROZEN = ("serviceName", "podManagementPolicy", "selector", "volumeClaimTemplates")
# Set by the chart itself, and why no value is needed.
BY_THE_CHART = {
    "public_url": "publicUrl",
    "cluster_name": "clusterName",
    "namespaces": "watchNamespaces",
    "trusted_proxies": "trustedProxies",
    "listen": "listenAddress; the port is the container's own",
    "admin": "listenAddress; the port is the container's own",
    "journal": "where the volume is mounted",
    "namespace": "the release's",
    "identity": "the pod's name",
}


def alter(value: Value) -> Any:
    """Give another value than the default."""
    for length in range(len(value.path)):
        name = ".".join(value.path[length:])
        if name in OTHERWISE:
            return OTHERWISE[name]
    if isinstance(value.default, bool):
        return not value.default
    if isinstance(value.default, int):
        return value.default + 1
    return pytest.fail(f"give another value for {value.path} in OTHERWISE")


def place(path: tuple[str, ...], content: Any) -> dict[str, Any]:
    for name in reversed(path):
        content = {name: content}
    return content


def find_frozen(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        one["metadata"]["name"]: {name: one["spec"][name] for name in FROZEN}
        for one in render(values)
        if one["kind"] == "StatefulSet"
    }


@pytest.mark.parametrize("value", FOUND, ids=[".".join(value.path) for value in FOUND])
def test_every_value_is_used(value):
    """Another value makes other objects; none but the volume's own changes what a StatefulSet cannot change."""
    name = ".".join(value.path)
    if name in IN_A_CLUSTER | CHECKED_ONLY:
        return
    given: dict[str, Any] = {"crds": {"install": name.startswith("crds.")}}
    for prefix, needed in GIVEN.items():
        if name.startswith(prefix):
            given = merge(given, needed)
    changed = merge(given, place(value.path, alter(value)))
    if name not in LEAST_GIVEN:
        given = merge(given, place(value.path, value.default))
    assert render_files(given) != render_files(changed)
    if value.path[0] not in ("mode", "nameOverride", "fullnameOverride") and "journal" not in value.path:
        assert find_frozen(given) == find_frozen(changed)


def give_null(path: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give values under which a value counts, and the same with null in its place."""
    given: dict[str, Any] = {"mode": "single" if path[0] == "single" else "split", "crds": {"install": False}}
    for prefix, needed in GIVEN.items():
        if prefix.startswith(".".join(path)) or ".".join(path).startswith(prefix):
            given = merge(given, needed)
    return given, merge(given, place(path, None))


@pytest.mark.parametrize("path", PATHS, ids=[".".join(path) for path in PATHS])
def test_null_is_nothing_or_refused(path):
    """A key with nothing behind it is as good as its default if that is nothing too, or means none, or is refused."""
    name, (given, nulled) = ".".join(path), give_null(path)
    try:
        made = render(nulled)
    except HelmError as error:
        (line,) = [line for line in str(error).splitlines() if line.startswith(f"- {name}: ")]
        assert ";" in line, "it says nothing of what to do"
    else:
        assert (made == render(given)) is not name.endswith(NULL_IS_NONE)


def test_every_value_is_documented():
    """Each value has a comment, and the page of values is made of them: `make values` after a change."""
    for value in FOUND:
        assert value.said.endswith((".", "].")), value.path
    assert PAGE.read_text(encoding="utf-8") == make_page(FOUND)


def list_schema(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Give the dotted name of each value that the schema knows, and that holds none that it knows."""
    for name, found in schema.items():
        path = f"{above}{name}"
        member = SCHEMA["definitions"][found["$ref"].rpartition("/")[2]] if "$ref" in found else found
        if "properties" in member and path.rpartition(".")[2] not in ("resources", "updateStrategy"):
            yield from list_schema(member["properties"], f"{path}.")
        else:
            yield path


def test_schema_knows_every_value():
    """The schema and values.yaml have the same values."""
    assert set(list_schema(SCHEMA["properties"])) - SCHEMA_ONLY == {".".join(value.path) for value in FOUND}


def list_objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" in schema:
            yield schema
        for member in schema.values():
            yield from list_objects(member)


def test_schema_is_strict():
    """No map of the chart's own takes a name that it does not know: a typing error is no silent default."""
    assert SCHEMA["additionalProperties"] is False
    own = list(list_objects(SCHEMA))
    assert len(own) > 15
    assert all(one["additionalProperties"] is False for one in own)


def find_env(values: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Give the environment of each StatefulSet's pods."""
    return {
        name: {one["name"]: one.get("value", "") for one in pod["spec"]["containers"][0]["env"]}
        for name, pod in find_pods(render(values))
        if name.startswith("StatefulSet")
    }


def name_setting(name: str) -> str:
    """Give the setting's name in Python."""
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def test_every_setting_can_be_reached():
    """Each HOOKWRIGHT_ variable is set by a value of its own, or by the chart; settings are named as the variables."""
    named = {name_setting(value.path[1]) for value in FOUND if value.path[0] == "settings"}
    assert named | set(BY_THE_CHART) == set(Settings.model_fields)
    everything = {"watchNamespaces": ["team-a"], "trustedProxies": ["10.0.0.0/8"]}
    for mode in ("split", "single"):
        for variables in find_env({"mode": mode, **everything}).values():
            assert set(variables) == {PREFIX + name.upper() for name in Settings.model_fields}


def test_pods_start_with_their_settings():
    """Hookwright itself takes every environment that the chart makes, and understands it as it is meant."""
    values = {
        "publicUrl": "https://example.com/ci/",
        "listenAddress": "::",
        "watchNamespaces": ["team-b", "team-a"],
        "trustedProxies": ["10.0.0.0/8", "fd00::/8"],
        "receiver": {"resources": {"limits": None}},
        "settings": {"bodyMemory": 65536, "webhookQuota": 100000, "drain": 0, "logLevel": "debug"},
    }
    for variables in find_env(values).values():
        settings = Settings.from_environ(variables)
        assert settings.public_url == "https://example.com/ci"
        assert (settings.listen, settings.admin) == ("[::]:8080", "[::]:9090")
        assert settings.trusted_proxies == "10.0.0.0/8,fd00::/8"
        assert variables["HOOKWRIGHT_NAMESPACES"] == "team-a,team-b"
        assert (settings.body_memory, settings.webhook_quota, settings.drain) == (65536, 100000, 0)
        assert settings.log_format == "json"


def test_defaults_and_bounds_are_those_of_the_settings():
    """Chart and Hookwright have the same default and the same bounds for each setting, but for the log's form."""
    defaults = yaml.safe_load(VALUES.read_text(encoding="utf-8"))["settings"]
    for name, member in SCHEMA["properties"]["settings"]["properties"].items():
        field = Settings.model_fields[name_setting(name)]
        if name != "logFormat":
            assert defaults[name] == field.default
        bounds = {type(one): getattr(one, "ge", getattr(one, "le", None)) for one in field.metadata}
        if member.get("type") == "integer":
            assert (member["minimum"], member["maximum"]) == (bounds[Ge], bounds[Le]), name
        else:
            assert member["enum"] == list(field.annotation.__args__), name


def test_chart_has_hookwrights_version():
    """Chart and image are one release: both versions in Chart.yaml are that of the package."""
    found = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (found["version"], found["appVersion"]) == (__version__, __version__)


def test_chart_can_be_part_of_another():
    """What a parent chart gives to all its parts is not refused."""
    assert render({"global": {"anything": True}, "enabled": True})


def test_unknown_setting_is_refused():
    """A setting that Hookwright does not have cannot be given."""
    with pytest.raises(HelmError, match="'retries'"):
        render({"settings": {"retries": 3}})
