"""Hookwright as Helm installs it on a real control plane."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helm_python import Config

from hookwright.kinds import KINDS
from support.chart import CHART, merge
from support.controlplane import ControlPlane
from support.waiting import Patience

NAME = "hookwright"
NAMESPACE = "hookwright-system"
# By the clock, which Helm alone knows: a machine that does much else may need minutes for some pods.
SECONDS = 480
# So that a pod that got no turn for a while is not killed with work before it.
GRACE_SECONDS = 150
# What every installation here needs, and what would only make tests wait.
LEAST: dict[str, Any] = {
    "publicUrl": "http://hooks.test",
    "image": {"repository": "example.test/hookwright", "tag": "0"},
    "settings": {"drain": 1},
    "receiver": {"preStopSeconds": 1, "terminationGracePeriodSeconds": GRACE_SECONDS},
    "operator": {"terminationGracePeriodSeconds": GRACE_SECONDS},
    "single": {"preStopSeconds": 1, "terminationGracePeriodSeconds": GRACE_SECONDS},
}


@dataclass(kw_only=True)
class Release:
    """A release of the chart, and what can be done with it."""

    control_plane: ControlPlane
    name: str = NAME
    namespace: str = NAMESPACE
    values: dict[str, Any] = field(default_factory=dict)
    """Over `LEAST`; an upgrade adds to them."""
    chart: Path = CHART

    def install(self, *, wait: bool = True) -> None:
        """Install it, and wait until all its pods are ready."""
        with self._config() as config:
            config.install(
                self.chart,
                self.name,
                merge(LEAST, self.values),
                namespace=self.namespace,
                create_namespace=True,
                wait="watcher" if wait else None,
                timeout=SECONDS,
            )

    def upgrade(self, values: Mapping[str, Any], *, wait: bool = True) -> None:
        """Upgrade it with more values, and wait until all is ready."""
        self.values = merge(self.values, values)
        with self._config() as config:
            config.upgrade(
                self.chart,
                self.name,
                merge(LEAST, self.values),
                namespace=self.namespace,
                wait="watcher" if wait else None,
                timeout=SECONDS,
            )

    def test(self) -> dict[str, Any]:
        """Run `helm test`; HelmReleaseError says that it failed."""
        with self._config() as config:
            return dict(config.test(self.name, timeout=SECONDS))

    def take_away(self) -> None:
        """Uninstall it, as a person does: its namespace stays, with what is left in it."""
        with self._config() as config:
            config.uninstall(self.name, ignore_not_found=True, wait="watcher", timeout=SECONDS)

    def uninstall(self) -> None:
        """Uninstall it, and remove its namespace with all that is left in it."""
        self.take_away()
        path = f"/api/v1/namespaces/{self.namespace}"
        with self.control_plane.access.sync_client() as client:
            client.delete(path)
            left = Patience(SECONDS)
            while client.get(path).status_code != 404:
                assert left.lasts(), f"{path} does not go"
                time.sleep(0.1)

    def _config(self) -> Config:
        return Config(kubeconfig_path=self.control_plane.kubeconfig, namespace=self.namespace)


def install(
    control_plane: ControlPlane,
    values: Mapping[str, Any] | None = None,
    *,
    name: str = NAME,
    namespace: str = NAMESPACE,
) -> Release:
    """Install the chart with `values` over the least that is needed, and wait until all its pods are ready."""
    release = Release(control_plane=control_plane, name=name, namespace=namespace, values=dict(values or {}))
    _hand_over_crds(control_plane, name, namespace)
    try:
        release.install()
    except BaseException:
        release.uninstall()
        raise
    return release


def _hand_over_crds(control_plane: ControlPlane, name: str, namespace: str) -> None:
    """Let a release have the CRDs that another test has left: Helm refuses what is not its own."""
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    annotations = {"meta.helm.sh/release-name": name, "meta.helm.sh/release-namespace": namespace}
    with control_plane.access.sync_client() as client:
        for kind in KINDS:
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.PLURAL}.hookwright.dev"
            body = {"metadata": {"labels": labels, "annotations": annotations}}
            answer = client.patch(path, json=body, headers={"content-type": "application/merge-patch+json"})
            assert answer.status_code in (200, 404), answer.text
