"""How an API server is reached, as a kubeconfig says it."""

from __future__ import annotations

import base64
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from support.trust import TRUST_NOBODY
from support.waiting import HTTP_SECONDS

# The garbage collector looks for kinds every 30 seconds, and stands still for as long again if one has just gone.
PATIENCE = 180.0


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach an API server."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    verify: ssl.SSLContext = TRUST_NOBODY

    def client(self) -> httpx.AsyncClient:
        """Make a client for tests."""
        return httpx.AsyncClient(base_url=self.url, headers=self.headers, verify=self.verify, timeout=HTTP_SECONDS)

    def sync_client(self) -> httpx.Client:
        """Make a client for what is set up once."""
        return httpx.Client(base_url=self.url, headers=self.headers, verify=self.verify, timeout=HTTP_SECONDS)


def read_kubeconfig(path: Path) -> Access:
    """Read the current context: a token, or a client certificate, or neither."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    context = _named(config, "contexts", config["current-context"])["context"]
    cluster = _named(config, "clusters", context["cluster"])["cluster"]
    user = _named(config, "users", context["user"])["user"]
    headers = {"authorization": f"Bearer {user['token']}"} if "token" in user else {}
    if not cluster["server"].startswith("https"):
        return Access(url=cluster["server"], headers=headers)
    context = ssl.create_default_context(cadata=_data(cluster, "certificate-authority"))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate := _data(user, "client-certificate"):
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(certificate + "\n" + (_data(user, "client-key") or ""))
            file.flush()
            context.load_cert_chain(file.name)
    return Access(url=cluster["server"], headers=headers, verify=context)


def _named(config: dict[str, Any], members: str, name: str) -> dict[str, Any]:
    return next(member for member in config[members] if member["name"] == name)


def _data(members: dict[str, Any], name: str) -> str | None:
    if f"{name}-data" in members:
        return base64.b64decode(members[f"{name}-data"]).decode()
    return Path(members[name]).read_text(encoding="utf-8") if name in members else None
