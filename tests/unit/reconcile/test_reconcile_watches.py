"""How kopf is set up: the same access as the client's, and nothing that it does on its own account."""

from __future__ import annotations

from kubernetes.aio.client import Configuration

from hookwright.reconcile.watches import _connect, _make_settings


async def test_kopf_has_the_clients_access():
    """Server, certificates and token are those of the client."""
    configuration = Configuration()
    configuration.host = "https://10.0.0.1:6443"
    configuration.ssl_ca_cert = "/ca.crt"
    configuration.cert_file, configuration.key_file = "/tls.crt", "/tls.key"
    configuration.api_key["BearerToken"] = "Bearer t0ken"
    info = await _connect(configuration)
    assert (info.server, info.ca_path, info.insecure) == ("https://10.0.0.1:6443", "/ca.crt", False)
    assert (info.scheme, info.token) == ("Bearer", "t0ken")
    assert (info.certificate_path, info.private_key_path) == ("/tls.crt", "/tls.key")


async def test_kopf_has_no_token_where_the_client_has_none():
    """Without a token none is sent."""
    configuration = Configuration()
    configuration.verify_ssl = False
    info = await _connect(configuration)
    assert (info.scheme, info.token, info.insecure) == (None, None, True)


def test_kopf_posts_nothing():
    """Kubernetes Events are our own business, and a watch is renewed before it falls silent."""
    settings = _make_settings()
    assert settings.posting.enabled is False
    assert settings.watching.server_timeout <= 300
