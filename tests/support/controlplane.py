"""A real Kubernetes control plane for tests: etcd, kube-apiserver and the controllers, on loopback; no node."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from support.access import Access, read_kubeconfig
from support.binaries import Binaries
from support.guard import Guard
from support.ports import find_port
from support.waiting import Patience

READY_SECONDS = 120.0
POLL_SECONDS = 0.05
STARTS = 3
TOKEN_SECONDS = 24 * 3600
# What Jobs, StatefulSets, Deployments, Services, volumes, owners and namespaces need, beside a node.
CONTROLLERS = (
    "clusterrole-aggregation",
    "cronjob",
    "deployment",
    "disruption",
    "endpoints",
    "endpointslice",
    "garbage-collector",
    "job",
    "namespace",
    "persistentvolumeclaim-protection",
    "replicaset",
    "resourcequota",
    "root-ca-certificate-publisher",
    "serviceaccount",
    "statefulset",
    "ttl-after-finished",
    "validatingadmissionpolicy-status",
)
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "omitManagedFields": True}],
}


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One request as the API server saw it."""

    user: str
    impersonated: str
    """As whom the user acted; empty if as nobody else."""
    verb: str
    group: str
    resource: str
    """With its subresource: `pods/status`; empty for what is no resource, `/healthz` and the like."""
    namespace: str
    name: str
    code: int
    authorized: bool
    """Whether it came past the question if the user may; who may not act as another is not asked that."""
    uri: str
    agent: str
    pod: str
    """The pod whose token was shown; empty if it was another's."""

    @property
    def writes(self) -> bool:
        """Whether it may have changed something."""
        return self.verb not in ("get", "list", "watch")

    @classmethod
    def read(cls, event: dict[str, Any]) -> Self:
        """Read a line of the log."""
        about = event.get("objectRef", {})
        return cls(
            user=event["user"].get("username", ""),
            impersonated=event.get("impersonatedUser", {}).get("username", ""),
            verb=event["verb"],
            group=about.get("apiGroup", ""),
            resource="/".join(about[part] for part in ("resource", "subresource") if about.get(part)),
            namespace=about.get("namespace", ""),
            name=about.get("name", ""),
            code=event.get("responseStatus", {}).get("code", 0),
            authorized=event.get("annotations", {}).get("authorization.k8s.io/decision") == "allow",
            uri=event["requestURI"],
            agent=event.get("userAgent", ""),
            pod=event["user"].get("extra", {}).get("authentication.kubernetes.io/pod-name", [""])[0],
        )


class ControlPlane:
    """A control plane of this process's own; it ends with it."""

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        self.folder = folder
        self.url = f"https://127.0.0.1:{find_port()}"
        self.kubeconfig = folder / "kubeconfig"
        """An administrator's, who may do everything."""
        self.access = Access(url=self.url)
        """The same, for an HTTP client."""
        self._binaries = binaries
        self._guard = Guard()
        self._etcd_url = f"http://127.0.0.1:{find_port()}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = secrets.token_hex(16)
        self._audited: list[AuditEvent] = []
        self._audited_ids: set[str] = set()
        self._audit_offset = 0

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._guard.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._guard.end()
        # Hundreds of megabytes; what the processes said stays.
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)
        (self.folder / "audit.jsonl").unlink(missing_ok=True)

    @property
    def ca(self) -> str:
        """The certificates, as PEM, by which the API server proves itself."""
        return self._certificate.read_text(encoding="utf-8")

    def token_for(self, namespace: str, account: str) -> str:
        """Get a token of a ServiceAccount."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        with self.access.sync_client() as client:
            answer = client.post(path, json={"spec": {"expirationSeconds": TOKEN_SECONDS}}).raise_for_status()
        return str(answer.json()["status"]["token"])

    def kubeconfig_for(self, namespace: str, account: str) -> Path:
        """Write a kubeconfig that acts as a ServiceAccount, in its own namespace."""
        path = self.folder / f"{namespace}.{account}.kubeconfig"
        self.write_kubeconfig(path, self.token_for(namespace, account), namespace)
        return path

    def write_kubeconfig(self, path: Path, token: str, namespace: str = "default") -> None:
        """Write a kubeconfig that acts as whoever has a token."""
        cluster = {"server": self.url, "certificate-authority-data": base64.b64encode(self.ca.encode()).decode()}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
            "current-context": "test",
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(content), encoding="utf-8")

    def audit(self) -> list[AuditEvent]:
        """Give every request there was, in order; one comes a moment after its answer, a watch when it begins."""
        with (self.folder / "audit.jsonl").open("rb") as log:
            log.seek(self._audit_offset)
            data = log.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._audit_offset += len(whole)
        for line in whole.splitlines():
            event = json.loads(line)
            if event["auditID"] not in self._audited_ids:
                self._audited_ids.add(event["auditID"])
                self._audited.append(AuditEvent.read(event))
        return list(self._audited)

    def until_audited(self, wanted: Callable[[AuditEvent], bool]) -> list[AuditEvent]:
        """Wait for requests of a certain kind, and give those there are."""
        self._wait(lambda: any(map(wanted, self.audit())), "such a request is in the audit log")
        return [event for event in self.audit() if wanted(event)]

    def stop_api_server(self) -> None:
        """Kill the API server, so that nothing is said to anybody."""
        self._api_server.kill()
        self._api_server.wait()

    def start_api_server(self) -> None:
        """Start the API server again, on the same port, and wait until it is ready."""
        self._start_until(self._start_api_server, self._is_ready, "the API server is ready")

    def restart_api_server(self) -> None:
        """Kill the API server and start it again."""
        self.stop_api_server()
        self.start_api_server()

    def pause(self) -> None:
        """Stop the API server's time: connections stay, and nothing is answered."""
        self._api_server.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the API server go on."""
        self._api_server.send_signal(signal.SIGCONT)

    def compact(self) -> None:
        """Let etcd forget all versions but the newest: lists are not continued from older pages any more (410).

        A running API server remembers by itself what watches ask for; see `forget_versions`.
        """
        with httpx.Client(base_url=self._etcd_url, timeout=READY_SECONDS) as client:
            seen = client.post("/v3/kv/range", json={"key": base64.b64encode(b"/").decode()}).raise_for_status()
            revision = seen.json()["header"]["revision"]
            client.post("/v3/kv/compaction", json={"revision": revision, "physical": True}).raise_for_status()

    def forget_versions(self) -> None:
        """Start the API server again without its memory: watches from older versions get 410."""
        self.stop_api_server()
        self.compact()
        self.start_api_server()

    @property
    def _api_server(self) -> subprocess.Popen[bytes]:
        return self._processes["kube-apiserver"]

    @property
    def _certificate(self) -> Path:
        return self.folder / "certificates" / "apiserver.crt"

    def _start(self) -> None:
        (self.folder / "tokens.csv").touch(mode=0o600)
        (self.folder / "tokens.csv").write_text(f'{self._token},admin,admin,"system:masters"\n')
        (self.folder / "accounts.key").touch(mode=0o600)
        (self.folder / "accounts.key").write_text(make_key())
        (self.folder / "audit.yaml").write_text(json.dumps(AUDIT_POLICY))
        (self.folder / "audit.jsonl").touch()
        self._start_etcd()
        self._start_until(self._start_api_server, self._is_ready, "the API server is ready")
        self.access = read_kubeconfig(self.kubeconfig)
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        with self.access.sync_client() as client:
            self._start_until(
                self._start_controllers, lambda: client.get(account).status_code == 200, "the controllers work"
            )

    def _start_etcd(self) -> None:
        peer_url = f"http://127.0.0.1:{find_port()}"
        command = [
            self._binaries.etcd,
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={self._etcd_url}",
            f"--advertise-client-urls={self._etcd_url}",
            f"--listen-peer-urls={peer_url}",
            f"--initial-advertise-peer-urls={peer_url}",
            f"--initial-cluster=default={peer_url}",
            "--unsafe-no-fsync",
        ]
        # etcd lets every flag be set by a variable, and complains if both are.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        self._run("etcd", command, env=environment)

    def _start_api_server(self) -> str:
        command = [
            self._binaries.kube_apiserver,
            f"--etcd-servers={self._etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.url.rpartition(':')[2]}",
            # Loopback cannot be advertised, and a machine may have nothing else.
            "--advertise-address=192.0.2.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={self._certificate.parent}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={self.folder / 'accounts.key'}",
            f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--audit-policy-file={self.folder / 'audit.yaml'}",
            f"--audit-log-path={self.folder / 'audit.jsonl'}",
            "--audit-log-format=json",
            # Else it goes on in another file after 100 megabytes.
            "--audit-log-maxsize=1000000",
            "--allow-privileged=true",
        ]
        return self._run("kube-apiserver", command)

    def _start_controllers(self) -> str:
        command = [
            self._binaries.kube_controller_manager,
            f"--kubeconfig={self.kubeconfig}",
            f"--authentication-kubeconfig={self.kubeconfig}",
            f"--authorization-kubeconfig={self.kubeconfig}",
            f"--controllers={','.join(f'{name}-controller' for name in CONTROLLERS)}",
            f"--root-ca-file={self._certificate}",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]
        return self._run("kube-controller-manager", command)

    def _run(self, name: str, command: list[str | Path], **more: Any) -> str:
        self._processes[name] = self._guard.start(command, log=self.folder / f"{name}.log", **more)
        return name

    def _is_ready(self) -> bool:
        # The file is there before what is in it.
        if not self._certificate.exists() or "END CERTIFICATE" not in self.ca:
            return False
        if not self.kubeconfig.exists():
            self.write_kubeconfig(self.kubeconfig, self._token)
        try:
            with read_kubeconfig(self.kubeconfig).sync_client() as client:
                return client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def _start_until(self, start: Callable[[], str], happened: Callable[[], bool], what: str) -> None:
        """Start a program, and wait until it works.

        Where it got no turn for some seconds it gives up, and leaves it to whoever runs it to start it again.
        """
        started = start()
        for _ in range(STARTS - 1):
            self._wait(lambda: self._has_ended(started) or happened(), what)
            if not self._has_ended(started):
                return
            start()
        self._wait(happened, what)

    def _has_ended(self, name: str) -> bool:
        return self._processes[name].poll() is not None

    def _wait(self, happened: Callable[[], bool], what: str) -> None:
        left = Patience(READY_SECONDS)
        while not happened():
            said = f"did not happen: {what}; the end of the logs in {self.folder}:\n{self.tails()}"
            assert left.lasts(), said
            assert all(process.poll() is None for process in self._processes.values()), f"a process has ended; {said}"
            time.sleep(POLL_SECONDS)

    def tails(self) -> str:
        """Give the ends of the logs."""
        return "\n".join(f"{log.name}: {log.read_text()[-1000:]}" for log in self.folder.glob("*.log"))


def make_key() -> str:
    """Make a private key (ECDSA, P-256) as PEM; its public half may be left out (RFC 5915), and is reckoned from it."""
    scalar = (1 + secrets.randbelow(2**255)).to_bytes(32, "big")
    curve = bytes.fromhex("a00a06082a8648ce3d030107")
    content = bytes.fromhex("020101") + b"\x04\x20" + scalar + curve
    encoded = base64.b64encode(b"\x30" + bytes([len(content)]) + content).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{encoded}\n-----END EC PRIVATE KEY-----\n"
