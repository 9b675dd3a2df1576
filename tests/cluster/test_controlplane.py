"""The control plane of the tests: what can be done with it."""

from __future__ import annotations

import httpx
import pytest

from support.access import read_kubeconfig
from support.controlplane import ControlPlane

PODS = "/api/v1/namespaces/default/pods"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


async def test_version_is_real(server):
    """The API server that answers is Kubernetes' own."""
    async with server.client() as client:
        assert (await client.get("/version")).json()["gitVersion"].startswith("v1.")


async def test_account_has_no_rights_of_its_own(control_plane):
    """A ServiceAccount's kubeconfig is its own: RBAC is on, and TLS is verified."""
    path = control_plane.kubeconfig_for("default", "default")
    assert "insecure" not in path.read_text()
    async with read_kubeconfig(path).client() as client:
        answer = await client.get(PODS)
    assert answer.status_code == 403
    assert "system:serviceaccount:default:default" in answer.json()["message"]


async def test_audit(control_plane):
    """Each request is in the audit log: who did what as whom, and what the answer was."""
    async with control_plane.access.client() as client:
        headers = {"impersonate-user": "system:serviceaccount:default:default", "user-agent": "audited"}
        await client.get(f"{PODS}/audited/status", headers=headers)
    [event] = control_plane.until_audited(lambda event: event.agent == "audited")
    assert (event.user, event.impersonated) == ("admin", "system:serviceaccount:default:default")
    assert (event.verb, event.group, event.resource, event.namespace, event.name, event.code) == (
        "get",
        "",
        "pods/status",
        "default",
        "audited",
        403,
    )


async def test_restart_of_the_api_server(control_plane):
    """A killed API server takes no connection; started again, it is at the same place and knows what it knew."""
    async with control_plane.access.client() as client:
        made = await client.post(CONFIG_MAPS, json={"metadata": {"generateName": "restart-"}})
        path = f"{CONFIG_MAPS}/{made.json()['metadata']['name']}"
        control_plane.stop_api_server()
        with pytest.raises(httpx.TransportError):
            await client.get(path)
        control_plane.start_api_server()
        assert (await client.get(path)).json() == made.json()
        await client.delete(path)


async def test_pause(control_plane: ControlPlane):
    """A paused API server answers nothing, and goes on as if nothing had been."""
    async with control_plane.access.client() as client:
        control_plane.pause()
        try:
            with pytest.raises(httpx.TimeoutException):
                await client.get(CONFIG_MAPS, timeout=0.5)
        finally:
            control_plane.resume()
        assert (await client.get(CONFIG_MAPS)).status_code == 200


async def test_forgotten_versions(control_plane):
    """After compaction and a restart, a watch from an older version and the next page of an older list get 410."""
    async with control_plane.access.client() as client:
        names = [f"forgotten-{number}" for number in range(3)]
        for name in names:
            (await client.post(CONFIG_MAPS, json={"metadata": {"name": name}})).raise_for_status()
        page = (await client.get(CONFIG_MAPS, params={"limit": 1})).json()["metadata"]
        for name in names:
            (await client.delete(f"{CONFIG_MAPS}/{name}")).raise_for_status()
        control_plane.forget_versions()
        # It ends by its error: no time is left for it that a busy server could miss.
        watch = {"watch": "true", "resourceVersion": page["resourceVersion"], "timeoutSeconds": 600}
        assert (await client.get(CONFIG_MAPS, params=watch)).json()["object"]["code"] == 410
        assert (await client.get(CONFIG_MAPS, params={"limit": 1, "continue": page["continue"]})).status_code == 410
