"""The chart installed in its modes up to ready pods, in a namespace that lets restricted pods alone in.

It makes kinds of others too. Their CRDs are here as they were released, so that a real API server judges by them.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support import upstream
from support.binaries import Missing
from support.chart import render
from support.chart_modes import MODES
from support.controlplane import ControlPlane
from support.kubelet import Kubelet, local
from support.release import LEAST, install, merge
from support.waiting import Patience

# What other tests work with for longer than it takes to install.
ELSEWHERE = {
    "split": "test_replicas.py",
    "single": "test_chart_upgrade.py",
    "single and namespaced": "test_chart_modes.py",
}
HERE = [mode for mode in MODES if mode not in ELSEWHERE]
WITH_OTHERS = ["everything", "everything in one pod"]
# A pod has nothing to wait for when it goes: nobody sends.
SOON: dict[str, Any] = {"settings": {"drain": 0}} | {name: {"preStopSeconds": 0} for name in ("receiver", "single")}
# How many pods there are is no matter of these modes, and every one takes seconds of a processor.
ALONE = {"replicas": 1, "podDisruptionBudget": {"enabled": False}}
FEW: dict[str, Any] = {"receiver": ALONE, "operator": ALONE}
CRDS = sorted((Path(__file__).parents[2] / "crds").glob("*.yaml"))
TEAMS = ("team-a", "team-b")
PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DISCOVERY = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
PATIENCE = 180.0


@dataclass(kw_only=True)
class Place:
    """A namespace, a node, and an administrator's client of the API server."""

    control_plane: ControlPlane
    client: httpx.Client
    namespace: str

    def ensure_namespace(self) -> None:
        """Have the namespace, which goes with a release that could not be installed, and an account in it."""
        self.ensure("/api/v1/namespaces", {"metadata": {"name": self.namespace, "labels": RESTRICTED}})
        self.ensure(f"/api/v1/namespaces/{self.namespace}/serviceaccounts", {"metadata": {"name": "theirs"}})

    def ensure(self, path: str, body: dict[str, Any]) -> None:
        """Create an object, if it is not there yet."""
        answer = self.client.post(path, json=body)
        assert answer.status_code in (201, 409), answer.text

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Get an object or a list."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def path_of(self, one: dict[str, Any]) -> str:
        """Give the path of all objects of one's kind, in its namespace if it has one."""
        version = one["apiVersion"]
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        (plural,) = [
            kind["name"]
            for kind in self.get(path)["resources"]
            if kind["kind"] == one["kind"] and "/" not in kind["name"]
        ]
        namespace = one["metadata"].get("namespace")
        return f"{path}/namespaces/{namespace}/{plural}" if namespace else f"{path}/{plural}"

    def live(self, one: dict[str, Any]) -> dict[str, Any]:
        """Get a rendered object as it is in the cluster."""
        return self.get(f"{self.path_of(one)}/{one['metadata']['name']}")

    def endpoints(self, service: str, port: str) -> list[str]:
        """Give the addresses, on this machine, of a Service's ready pods, with a port by its name."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices"
        return [
            f"{local(address)}:{number['port']}"
            for one in self.get(path, labelSelector=f"kubernetes.io/service-name={service}")["items"]
            for number in one.get("ports") or ()
            if number.get("name") == port
            for endpoint in one.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
            for address in endpoint["addresses"]
        ]

    def until(self, happened: Callable[[], object], what: str) -> None:
        """Wait until `happened` gives something true."""
        left = Patience(PATIENCE)
        while not happened():
            assert left.lasts(), f"did not happen: {what}"
            time.sleep(0.1)


@dataclass(kw_only=True)
class Installed:
    """A mode at work."""

    mode: str
    place: Place
    values: dict[str, Any]

    def objects(self) -> list[dict[str, Any]]:
        """Give what the release consists of: what is a test's comes with that."""
        rendered = render(self.values, namespace=self.place.namespace)
        return [one for one in rendered if "helm.sh/hook" not in one["metadata"].get("annotations", {})]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Give the release's objects of a kind, as they are in the cluster."""
        return [self.place.live(one) for one in self.objects() if one["kind"] == kind]


@pytest.fixture(scope="module")
def place(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """What the modes take for granted: the teams' namespaces, a priority, and Hookwright's CRDs."""
    folder = tmp_path_factory.mktemp("installed") / "kubelet"
    with Kubelet(control_plane, folder), control_plane.access.sync_client() as client:
        made = Place(control_plane=control_plane, client=client, namespace=f"chart-{uuid.uuid4().hex[:8]}")
        for team in TEAMS:
            made.ensure("/api/v1/namespaces", {"metadata": {"name": team}})
        made.ensure(PRIORITIES, {"metadata": {"name": "important"}, "value": 1})
        for file in CRDS:
            made.ensure(DEFINITIONS, read(file))
        yield made
        client.delete(f"{PRIORITIES}/important")
        for name in (made.namespace, *TEAMS):
            client.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture(scope="module")
def others(place: Place) -> Iterator[Place]:
    """A place that serves the kinds of others."""
    try:
        files = upstream.find()
    except Missing as missing:
        pytest.skip(str(missing))
    definitions = [read(file) for file in files.values()]
    for definition in definitions:
        place.ensure(DEFINITIONS, definition)
    # Helm asks what there is, which is told by another part of the API server than the one that serves it.
    place.until(lambda: files.keys() <= find_kinds(place), "the kinds of others are told")
    for definition in definitions:
        place.until(lambda one=definition: is_served(place, one), "the kinds of others are served")
    yield place
    for definition in definitions:
        place.client.delete(f"{DEFINITIONS}/{definition['metadata']['name']}").raise_for_status()


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest, place: Place) -> Iterator[Installed]:
    """A mode, installed until Helm finds all of it ready."""
    mode = request.param
    place.ensure_namespace()
    if mode in WITH_OTHERS:
        request.getfixturevalue("others")
    values = merge(MODES[mode] if mode in WITH_OTHERS else merge(FEW, MODES[mode]), SOON)
    for claim in values.get("adoptJournals", ()):
        path = f"/api/v1/namespaces/{place.namespace}/persistentvolumeclaims"
        place.ensure(path, {"metadata": {"name": claim}, "spec": CLAIM})
    with made_by_hand(place, values):
        release = install(place.control_plane, values, namespace=place.namespace)
        yield Installed(mode=mode, place=place, values=merge(LEAST, values))
        release.take_away()


def is_served(place: Place, definition: dict[str, Any]) -> bool:
    """Say whether the objects of a CRD can be listed."""
    spec = definition["spec"]
    versions = [version["name"] for version in spec["versions"] if version["served"]]
    paths = [f"/apis/{spec['group']}/{version}/{spec['names']['plural']}" for version in versions]
    return all(place.client.get(path).status_code == 200 for path in paths)


@contextmanager
def made_by_hand(place: Place, values: dict[str, Any]) -> Iterator[None]:
    """Let a release have the rights that it does not make itself, for the length of a `with` block."""
    rights: list[dict[str, Any]] = []
    if not values.get("rights", {}).get("create", True):
        rendered = render(merge(values, {"rights": {"create": True}}), namespace=place.namespace)
        rights = [one for one in rendered if one["apiVersion"].startswith("rbac.authorization.k8s.io/")]
    for one in rights:
        place.ensure(place.path_of(one), one)
    try:
        yield
    finally:
        for one in rights:
            place.client.delete(f"{place.path_of(one)}/{one['metadata']['name']}").raise_for_status()


def read(file: Path) -> dict[str, Any]:
    """Read a CRD, as fast as can be: one of them has 8,000 lines."""
    return dict(yaml.load(file.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def find_kinds(place: Place) -> set[str]:
    """Give all kinds that the API server says it serves."""
    found = place.client.get("/apis", headers=DISCOVERY).raise_for_status().json()
    return {
        resource["responseKind"]["kind"]
        for group in found["items"]
        for version in group["versions"]
        for resource in version["resources"]
        if resource.get("responseKind")
    }


def differences(wanted: Any, found: Any, at: str) -> Iterator[str]:
    """Give what is not as it was wanted; what the API server has added is no difference."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            yield from differences(value, found.get(name), f"{at}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (value, other) in enumerate(zip(wanted, found, strict=True)):
            yield from differences(value, other, f"{at}[{number}]")
    elif wanted != found and (wanted or found):
        yield f"{at}: {found!r} in place of {wanted!r}"


def test_every_mode_is_installed():
    """Each mode is installed here, or by another test that is there."""
    assert ELSEWHERE.keys() < MODES.keys()
    assert [name for name in ELSEWHERE.values() if not Path(__file__).with_name(name).exists()] == []
    enabled = {mode for mode, values in MODES.items() if values.get("httpRoute", {}).get("enabled")}
    assert enabled == set(WITH_OTHERS)


@pytest.mark.parametrize("installed", HERE, indirect=True)
def test_pods_of_every_mode_get_ready(installed: Installed):
    """As many pods as are wanted are ready, each let in by a restricted namespace; what is to be adopted is."""

    def is_ready(one: dict[str, Any]) -> bool:
        return bool(one["status"].get("readyReplicas") == one["spec"]["replicas"])

    assert installed.of_kind("StatefulSet")
    installed.place.until(lambda: all(map(is_ready, installed.of_kind("StatefulSet"))), "every pod is ready")
    installed.place.until(
        lambda: all(one["status"].get("succeeded") for one in installed.of_kind("Job")), "every Job is complete"
    )


@pytest.mark.parametrize("installed", HERE, indirect=True)
def test_installed_is_what_was_rendered(installed: Installed):
    """Each object of a release, read back, has every field that the chart has written, as it has written it."""
    objects = installed.objects()
    assert {one["kind"] for one in objects} >= ({*upstream.FILES} if installed.mode in WITH_OTHERS else set())
    for one in objects:
        found = differences(one, installed.place.live(one), one["kind"])
        assert list(found) == []


@pytest.mark.parametrize("installed", WITH_OTHERS, indirect=True)
def test_prometheus_operator_is_led_to_every_pod(installed: Installed):
    """Services by the ServiceMonitor's labels have its port, at which each pod of the release shows metrics."""
    (monitor,) = installed.of_kind("ServiceMonitor")
    (endpoint,) = monitor["spec"]["endpoints"]
    selector = ",".join(f"{name}={value}" for name, value in monitor["spec"]["selector"]["matchLabels"].items())
    path = f"/api/v1/namespaces/{installed.place.namespace}/services"
    found = installed.place.get(path, labelSelector=selector)["items"]
    assert {one["metadata"]["labels"][monitor["spec"]["jobLabel"]] for one in found} == {"hookwright"}

    def find_pods() -> list[str]:
        return [at for one in found for at in installed.place.endpoints(one["metadata"]["name"], endpoint["port"])]

    count = sum(one["spec"]["replicas"] for one in installed.of_kind("StatefulSet"))
    installed.place.until(lambda: len(set(find_pods())) == count, "Prometheus finds every pod")
    for at in find_pods():
        answer = httpx.get(f"http://{at}{endpoint['path']}", trust_env=False, timeout=60)
        assert "hookwright_build_info" in answer.text
    (rule,) = installed.of_kind("PrometheusRule")
    assert [one["alert"] for group in rule["spec"]["groups"] for one in group["rules"] if "alert" in one]


@pytest.mark.parametrize("installed", WITH_OTHERS, indirect=True)
def test_gateway_is_led_to_the_receivers(installed: Installed):
    """The HTTPRoute has the public URL's host and path, a Gateway for its parent, and all that take deliveries."""
    (route,) = installed.of_kind("HTTPRoute")
    spec = route["spec"]
    (parent,), (rule,) = spec["parentRefs"], spec["rules"]
    assert (parent["kind"], parent["namespace"], parent["name"]) == ("Gateway", "gateways", "public")
    assert spec["hostnames"] == ["example.com"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/hookwright/hooks"}}]
    (backend,) = rule["backendRefs"]
    assert (backend["kind"], backend["group"]) == ("Service", "")
    (service,) = [one for one in installed.of_kind("Service") if one["metadata"]["name"] == backend["name"]]
    (port,) = [one["name"] for one in service["spec"]["ports"] if one["port"] == backend["port"]]
    count = 3 if installed.mode == "everything" else 1
    installed.place.until(
        lambda: len(installed.place.endpoints(backend["name"], port)) == count, "the Gateway finds every receiver"
    )


ROUTE = {"enabled": True, "parentRefs": [{"name": "public"}]}
GATEWAYS = [
    {"name": "public", "namespace": "gateways", "sectionName": "https"},
    {"name": "public", "namespace": "gateways", "sectionName": "http", "port": 80},
]


@pytest.mark.parametrize(
    "values",
    [
        {"publicUrl": "https://Hooks.Example.com", "httpRoute": ROUTE},
        {"publicUrl": "https://hooks.example.com/a/b~c/$&'()*+,;=:@/%20/", "httpRoute": ROUTE},
        {"httpRoute": {"enabled": True, "parentRefs": GATEWAYS, "annotations": {"a": "b"}, "labels": {"a": "b"}}},
        {"metrics": {"serviceMonitor": {"enabled": True, "interval": "5m"}, "prometheusRule": {"enabled": True}}},
        {"mode": "single", "metrics": {"serviceMonitor": {"enabled": True, "interval": "15s"}}},
    ],
    ids=["host", "path", "gateways", "metrics", "single"],
)
def test_kinds_of_others_are_taken_strictly(others: Place, values: dict[str, Any]):
    """What else the chart can make of them has no unknown field, and breaks no rule of theirs; nothing is warned of."""
    objects = [one for one in render(values, name="tried", namespace=others.namespace) if one["kind"] in upstream.FILES]
    assert objects
    others.ensure_namespace()
    for one in objects:
        answer = others.client.post(others.path_of(one), json=one, params=STRICT)
        assert answer.status_code == 201, answer.text
        assert "warning" not in answer.headers


def add_colour(one: dict[str, Any]) -> None:
    one["spec"]["colour"] = "red"


def misspell_interval(one: dict[str, Any]) -> None:
    one["spec"]["endpoints"][0]["interval"] = "soon"


def misspell_patience(one: dict[str, Any]) -> None:
    one["spec"]["groups"][0]["rules"][0]["for"] = "soon"


def begin_path_without_slash(one: dict[str, Any]) -> None:
    one["spec"]["rules"][0]["matches"][0]["path"]["value"] = "hooks"


@pytest.mark.parametrize(
    ("kind", "spoil", "status", "said"),
    [
        *((kind, add_colour, 400, 'unknown field "spec.colour"') for kind in upstream.FILES),
        ("ServiceMonitor", misspell_interval, 422, "spec.endpoints[0].interval"),
        ("PrometheusRule", misspell_patience, 422, "spec.groups[0].rules[0].for"),
        ("HTTPRoute", begin_path_without_slash, 422, "value must be an absolute path"),
    ],
)
def test_kinds_of_others_are_judged(others: Place, kind: str, spoil: Callable[[Any], None], status: int, said: str):
    """An unknown field, or a value against the pattern or the rule that the CRD has, is refused: they are in force."""
    (one,) = [
        one for one in render(MODES["everything"], name="tried", namespace=others.namespace) if one["kind"] == kind
    ]
    spoil(one)
    others.ensure_namespace()
    answer = others.client.post(others.path_of(one), json=one, params=STRICT)
    assert answer.status_code == status
    assert said in answer.json()["message"]
