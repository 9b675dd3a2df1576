"""kubectl against devcluster: every verb that people type."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hookwright.devcluster import DevCluster
from integration.devcluster.api import widget_definition
from integration.devcluster.test_conformance_builtin import make_job

GROUP = "kubectl.example.com"
# The one that is installed with the tests comes first: its version is known.
_FOUND = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")

needs_kubectl = pytest.mark.skipif(_FOUND is None, reason="no kubectl in PATH or beside the Python interpreter")
pytestmark = needs_kubectl


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """kubectl, with a kubeconfig and a home of the test's own."""

    environment: dict[str, str]
    folder: Path

    def run(self, *words: str, code: int = 0, text: str | None = None, **environment: str) -> str:
        """Run a command, and return what it printed; its exit code has to be `code`."""
        done = subprocess.run(
            [_FOUND, *words],
            env=self.environment | environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def file(self, obj: dict[str, Any], name: str = "object.yaml") -> str:
        """Write an object to a file, and return the file's path."""
        path = self.folder / name
        path.write_text(yaml.safe_dump(obj), encoding="utf-8")
        return str(path)


@pytest.fixture(scope="module")
def running() -> Iterator[DevCluster]:
    """One cluster for all commands."""
    with DevCluster.in_thread(job_seconds=0.05) as cluster:
        yield cluster


@pytest.fixture
def kubectl(running: DevCluster, tmp_path: Path) -> Kubectl:
    """kubectl, set up for the cluster; the kind Widget is served."""
    running.apply(widget_definition(GROUP))
    return kubectl_for(running, tmp_path)


def kubectl_for(cluster: DevCluster, folder: Path) -> Kubectl:
    """Set kubectl up for a cluster, with all it needs in a folder."""
    (folder / "kubeconfig").write_text(cluster.kubeconfig(), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KUBECACHEDIR": str(folder / "cache"),
        "KUBECONFIG": str(folder / "kubeconfig"),
    }
    return Kubectl(environment=environment, folder=folder)


@pytest.fixture
def widget(running: DevCluster, request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A Widget as a user writes it; it is gone after the test."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_")).strip("-")
    yield _widget(name)
    running._call(lambda: _remove(running, name))


def _widget(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"url": "https://a.example", **spec},
    }


def _remove(cluster: DevCluster, name: str) -> None:
    key = (GROUP, "widgets")
    if stored := cluster._store.get(key, "default", name):
        cluster._store.remove(key, stored.read())


def test_version(kubectl: Kubectl) -> None:
    """The server's version is shown, and says what it is."""
    assert "+devcluster" in kubectl.run("version")


def test_api_resources(kubectl: Kubectl) -> None:
    """Built-in and custom kinds are listed with their short names."""
    shown = kubectl.run("api-resources")
    assert re.search(rf"widgets +wdg +{GROUP}/v1 +true +Widget", shown)
    assert re.search(r"namespaces +ns +v1 +false +Namespace", shown)
    assert f"{GROUP}/v1" in kubectl.run("api-versions")


def test_apply(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Apply creates, then finds nothing to do, then changes, then removes a field that is no longer there."""
    name = widget["metadata"]["name"]
    file = kubectl.file({**widget, "spec": {**widget["spec"], "mode": "Fast"}})
    assert "created" in kubectl.run("apply", "-f", file)
    assert "unchanged" in kubectl.run("apply", "-f", file)
    assert "configured" in kubectl.run("apply", "-f", kubectl.file(widget))
    spec = json.loads(kubectl.run("get", "widget", name, "-o", "json"))["spec"]
    assert spec == {"url": "https://a.example", "retries": 5}


def test_apply_of_a_definition(kubectl: Kubectl) -> None:
    """A definition is applied, waited for, used, and deleted with its objects."""
    definition = kubectl.file(widget_definition("applied.example.com"), "definition.yaml")
    obj = kubectl.file(_widget("a") | {"apiVersion": "applied.example.com/v1"})
    assert "created" in kubectl.run("apply", "-f", definition)
    assert "unchanged" in kubectl.run("apply", "-f", definition)
    kubectl.run("wait", "--for=condition=Established", "crd/widgets.applied.example.com", "--timeout=120s")
    assert "created" in kubectl.run("apply", "-f", obj)
    assert "widgets.applied.example.com" in kubectl.run("get", "crd")
    kubectl.run("delete", "-f", definition)
    assert "not found" in kubectl.run("get", "crd", "widgets.applied.example.com", code=1)


def test_apply_of_a_mistake(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Kubectl shows the server's words for an invalid value and for an unknown field."""
    name = widget["metadata"]["name"]
    shown = kubectl.run("apply", "-f", kubectl.file(_widget(name, url="ftp://x")), code=1)
    assert f'The Widget "{name}" is invalid: spec.url: Invalid value: "ftp://x": spec.url in body should match' in shown
    shown = kubectl.run("apply", "-f", kubectl.file(_widget(name, bogus=1)), code=1)
    assert 'strict decoding error: unknown field "spec.bogus"' in shown
    shown = kubectl.run("apply", "--validate=false", "-f", kubectl.file(_widget(name, bogus=1)))
    assert "created" in shown


def test_apply_of_built_in_kinds(kubectl: Kubectl) -> None:
    """A ConfigMap and a Deployment are applied and changed: their patches are strategic ones."""
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    assert "created" in kubectl.run("apply", "-f", kubectl.file(deployment))
    template["spec"]["containers"][0]["image"] = "i:2"
    assert "configured" in kubectl.run("apply", "-f", kubectl.file(deployment))
    path = "jsonpath={.spec.template.spec.containers[*].image}"
    assert kubectl.run("get", "deploy", "d", "-o", path) == "i:2"
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}
    kubectl.run("apply", "-f", kubectl.file(config_map))
    del config_map["data"]["a"]
    kubectl.run("apply", "-f", kubectl.file(config_map))
    assert json.loads(kubectl.run("get", "cm", "c", "-o", "jsonpath={.data}")) == {"b": "2"}


def test_get(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Objects are shown as tables, wide tables, YAML, JSONPath and names, of one namespace and of all."""
    name = widget["metadata"]["name"]
    widget["metadata"]["labels"] = {"color": "blue"}
    kubectl.run("create", "-f", kubectl.file(widget))
    kubectl.run("create", "namespace", "elsewhere")
    assert re.search(rf"NAME +URL +READY +AGE\n{name} +https://a.example +\S*s\n", kubectl.run("get", "wdg"))
    assert re.search(r"NAME +URL +READY +RETRIES +AGE\n", kubectl.run("get", "wdg", "-o", "wide"))
    assert re.search(rf"default +{name} +https", kubectl.run("get", "widgets", "-A"))
    assert yaml.safe_load(kubectl.run("get", "wdg", name, "-o", "yaml"))["spec"]["retries"] == 5
    assert kubectl.run("get", "wdg", name, "-o", "jsonpath={.spec.url}") == "https://a.example"
    assert kubectl.run("get", "wdg", "-o", "name", "-l", "color=blue").strip() == f"widget.{GROUP}/{name}"
    assert "No resources found" in kubectl.run("get", "wdg", "-l", "color in (red,green)")
    assert "No resources found" in kubectl.run("get", "wdg", "-n", "elsewhere")
    assert name in kubectl.run("get", "wdg", "--field-selector", f"metadata.name={name}")
    assert "not found" in kubectl.run("get", "wdg", "nope", code=1)
    assert "widgets" in kubectl.run("get", "crd", "--sort-by=.metadata.name")


def test_get_of_built_in_kinds(kubectl: Kubectl) -> None:
    """Built-in kinds have the columns that people know."""
    kubectl.run("create", "secret", "generic", "s", "--from-literal=a=b")
    assert re.search(r"NAME +STATUS +AGE\n(.*\n)*default +Active", kubectl.run("get", "ns"))
    assert re.search(r"NAME +TYPE +DATA +AGE\n(.*\n)*s +Opaque +1", kubectl.run("get", "secret"))
    kubectl.run("apply", "-f", kubectl.file(make_job("shown", suspend=False)))
    kubectl.run("wait", "--for=condition=Complete", "job/shown", "--timeout=120s")
    assert re.search(
        r"NAME +STATUS +COMPLETIONS +DURATION +AGE\n(.*\n)*shown +Complete +1/1 +\d+s", kubectl.run("get", "jobs")
    )
    assert re.search(r"NAMESPACE +NAME +STATUS", kubectl.run("get", "all", "-A"))


def test_watch(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Get -w prints a line for each change."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(widget))
    process = subprocess.Popen(
        [_FOUND, "get", "wdg", name, "-w"], env=kubectl.environment, stdout=subprocess.PIPE, text=True
    )
    killer = threading.Timer(300, process.kill)
    killer.start()
    try:
        assert process.stdout.readline().startswith("NAME")
        assert process.stdout.readline().startswith(name)
        for url in ("https://b.example", "https://c.example"):
            kubectl.run("patch", "wdg", name, "--type=merge", "-p", json.dumps({"spec": {"url": url}}))
            assert url in process.stdout.readline()
    finally:
        killer.cancel()
        process.kill()
        process.communicate()


def test_describe(kubectl: Kubectl, running: DevCluster, widget: dict[str, Any]) -> None:
    """Describe shows the object and the Kubernetes Events about it; so does `kubectl events --for`."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(widget))
    uid = json.loads(kubectl.run("get", "wdg", name, "-o", "json"))["metadata"]["uid"]
    about = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "name": name, "namespace": "default", "uid": uid}
    now = {"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z", "count": 1}
    head = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "described", "namespace": "default"}}
    why = {"reason": "Tried", "message": "It was tried.", "type": "Normal", "source": {"component": "test"}}
    running.apply(head | {"involvedObject": about} | why | now)
    shown = kubectl.run("describe", "widget", name)
    assert re.search(r"Spec:\n +Retries: +5\n +URL: +https://a.example", shown)
    assert re.search(r"Normal +Tried +.* +test +It was tried\.", shown)
    assert "It was tried." in kubectl.run("events", "--for", f"widget/{name}")
    assert re.search(rf"Normal +Tried +widget/{name} +It was tried\.", kubectl.run("get", "events"))


def test_explain(kubectl: Kubectl) -> None:
    """Explain tells types, what is required, and the descriptions of the schema."""
    shown = kubectl.run("explain", "widget.spec")
    assert re.search(r"url\t<string> -required-\n +Where the Widget points to\.", shown)
    assert re.search(r"mode\t<string>\n +enum: Fast, Safe", shown)
    assert "ObjectMeta" in kubectl.run("explain", "widget")


def test_wait(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Wait sees conditions, JSONPaths and deletions."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(widget))
    status = {"status": {"phase": "Up", "conditions": [{"type": "Ready", "status": "True"}]}}
    kubectl.run("patch", "wdg", name, "--subresource=status", "--type=merge", "-p", json.dumps(status))
    kubectl.run("wait", "--for=condition=Ready", f"wdg/{name}", "--timeout=120s")
    kubectl.run("wait", "--for=jsonpath={.status.phase}=Up", f"wdg/{name}", "--timeout=120s")
    assert "timed out" in kubectl.run("wait", "--for=condition=Other", f"wdg/{name}", "--timeout=1s", code=1)
    kubectl.run("delete", "wdg", name, "--wait=false")
    kubectl.run("wait", "--for=delete", f"wdg/{name}", "--timeout=120s")


def test_edit(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Edit changes what the editor changed."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(widget))
    assert "edited" in kubectl.run("edit", "wdg", name, EDITOR="sed -i s#a.example#edited.example#")
    assert kubectl.run("get", "wdg", name, "-o", "jsonpath={.spec.url}") == "https://edited.example"


@pytest.mark.parametrize(
    ("kind", "patch", "path", "value"),
    [
        ("merge", {"spec": {"note": "x"}}, "{.spec.note}", "x"),
        ("json", [{"op": "add", "path": "/spec/note", "value": "y"}], "{.spec.note}", "y"),
        ("json", [{"op": "test", "path": "/spec/url", "value": "z"}], "", ""),
        ("strategic", {"spec": {"note": "x"}}, "", ""),
    ],
    ids=["merge", "json", "json-that-fails", "strategic"],
)
def test_patch(kubectl: Kubectl, widget: dict[str, Any], *, kind: str, patch: Any, path: str, value: str) -> None:
    """Custom objects take merge and JSON patches; a test that fails and a strategic patch are errors."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(widget))
    kubectl.run("patch", "wdg", name, f"--type={kind}", "-p", json.dumps(patch), code=0 if path else 1)
    if path:
        assert kubectl.run("get", "wdg", name, "-o", f"jsonpath={path}") == value


def test_strategic_patch(kubectl: Kubectl) -> None:
    """The default patch of a built-in kind merges lists by name."""
    kubectl.run("apply", "-f", kubectl.file(make_job("patched")))
    patch = {"metadata": {"labels": {"a": "b"}}, "spec": {"suspend": True}}
    assert "patched" in kubectl.run("patch", "job", "patched", "-p", json.dumps(patch))


def test_replace(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Replace puts a whole object in the place of another."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(_widget(name, note="x")))
    assert "replaced" in kubectl.run("replace", "-f", kubectl.file(widget))
    assert kubectl.run("get", "wdg", name, "-o", "jsonpath={.spec.note}") == ""


def test_label_and_annotate(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Labels and annotations are set, overwritten and taken off; illegal ones are refused."""
    name = widget["metadata"]["name"]
    kubectl.run("create", "-f", kubectl.file(widget))
    kubectl.run("label", "wdg", name, "a=b")
    kubectl.run("label", "wdg", name, "a=c", "--overwrite")
    kubectl.run("annotate", "wdg", name, "note=some text")
    metadata = json.loads(kubectl.run("get", "wdg", name, "-o", "json"))["metadata"]
    assert (metadata["labels"], metadata["annotations"]["note"]) == ({"a": "c"}, "some text")
    kubectl.run("label", "wdg", name, "a-")
    assert "labels" not in json.loads(kubectl.run("get", "wdg", name, "-o", "json"))["metadata"]


def test_create(kubectl: Kubectl) -> None:
    """The kinds that kubectl makes out of words arrive, though it sends them in protobuf."""
    kubectl.run("create", "namespace", "team-a")
    kubectl.run("create", "secret", "generic", "s1", "--from-literal=a=grüße", "-n", "team-a")
    kubectl.run("create", "configmap", "c1", "--from-literal=a=b", "-n", "team-a")
    kubectl.run("create", "serviceaccount", "builder", "-n", "team-a")
    assert kubectl.run("get", "secret", "s1", "-n", "team-a", "-o", "jsonpath={.data.a}") == "Z3LDvMOfZQ=="
    assert kubectl.run("get", "cm", "c1", "-n", "team-a", "-o", "jsonpath={.data.a}") == "b"
    assert "builder" in kubectl.run("get", "sa", "-n", "team-a")
    assert "already exists" in kubectl.run("create", "namespace", "team-a", code=1)
    shown = kubectl.run("create", "job", "j", "--image=i", code=1)
    assert "--dry-run=client" in shown
    kubectl.run("delete", "namespace", "team-a")
    assert "not found" in kubectl.run("get", "ns", "team-a", code=1)


def test_the_way_out_of_protobuf(kubectl: Kubectl) -> None:
    """What the hint about protobuf says works."""
    made = kubectl.run("create", "job", "hinted", "--image=i", "--dry-run=client", "-o", "yaml")
    assert "created" in kubectl.run("apply", "-f", "-", text=made)


def test_dry_run(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """A server's dry run shows what would be, for creation, apply and deletion."""
    name = widget["metadata"]["name"]
    file = kubectl.file(widget)
    shown = yaml.safe_load(kubectl.run("create", "--dry-run=server", "-o", "yaml", "-f", file))
    assert shown["spec"]["retries"] == 5
    kubectl.run("get", "wdg", name, code=1)
    kubectl.run("create", "-f", file)
    kubectl.run("apply", "--dry-run=server", "-f", kubectl.file(_widget(name, note="x")))
    kubectl.run("delete", "wdg", name, "--dry-run=server")
    assert kubectl.run("get", "wdg", name, "-o", "jsonpath={.spec.note}") == ""


def test_diff(kubectl: Kubectl, widget: dict[str, Any]) -> None:
    """Diff finds a difference, with exit code 1, or none."""
    kubectl.run("apply", "-f", kubectl.file(widget))
    assert kubectl.run("diff", "-f", kubectl.file(widget)) == ""
    changed = _widget(widget["metadata"]["name"], url="https://b.example")
    assert "+  url: https://b.example" in kubectl.run("diff", "-f", kubectl.file(changed), code=1)


@pytest.mark.parametrize(
    "words",
    [
        lambda name: ("wdg", name),
        lambda name: ("wdg", name, "--cascade=orphan"),
        lambda name: ("wdg", name, "--cascade=foreground"),
        lambda name: ("wdg", name, "--grace-period=0", "--force"),
        lambda _: ("wdg", "--all"),
        lambda _: ("wdg", "-l", "color=red"),
    ],
    ids=["name", "orphan", "foreground", "force", "all", "selector"],
)
def test_delete(kubectl: Kubectl, widget: dict[str, Any], words: Callable[[str], tuple[str, ...]]) -> None:
    """Delete waits until the object is gone, however it was named."""
    name = widget["metadata"]["name"]
    widget["metadata"]["labels"] = {"color": "red"}
    kubectl.run("create", "-f", kubectl.file(widget))
    assert "deleted" in kubectl.run("delete", *words(name))
    assert "not found" in kubectl.run("get", "wdg", name, code=1)
