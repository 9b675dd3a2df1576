"""What the client makes of refusals and of kubeconfigs, without a cluster."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookwright.cluster.client import MAX_MESSAGE, KubernetesCluster, _refusal, find_proxy, load_access
from hookwright.errors import UsageError

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: a
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"%s}}]
contexts: [{name: a, context: {cluster: c, user: u%s}}]
users: [{name: u, user: {token: t}}]
"""


def test_refusal_has_status_reason_and_message():
    """A Kubernetes Status object becomes an error with its status, reason and words."""
    text = json.dumps({"kind": "Status", "message": 'jobs "x" already exists', "reason": "AlreadyExists", "code": 409})
    error = _refusal(409, text.encode())
    assert (error.status, error.reason, error.message) == (409, "AlreadyExists", 'jobs "x" already exists')


@pytest.mark.parametrize("text", [b"", b"<html>Bad Gateway</html>", b"[]", b"5", b"null", b"{}", b"\xff", b'"x"'])
def test_refusal_of_a_stranger_is_named_by_its_status(text):
    """What a proxy says instead of the API server is not repeated."""
    error = _refusal(502, text)
    assert (error.status, error.reason, error.message) == (502, "", "the API server answers 502")


def test_long_refusal_is_cut():
    """A message is no longer than status has room for."""
    assert len(_refusal(422, json.dumps({"message": "m" * 10_000}).encode()).message) == MAX_MESSAGE


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(max_size=5), st.lists).map(json.dumps).map(str.encode))
def test_any_answer_makes_a_refusal(text):
    """Whatever stands in the body of a refusal, it becomes one."""
    assert _refusal(500, text).status == 500


async def test_kubeconfig_is_read(tmp_path):
    """A kubeconfig gives server, token and namespace; without one the namespace is default."""
    for extra, namespace in (("", "default"), (", namespace: team", "team")):
        file = tmp_path / "kubeconfig"
        file.write_text(KUBECONFIG % ("", extra))
        access = await load_access(file)
        assert (access.configuration.host, access.namespace) == ("https://127.0.0.1:1", namespace)


BROKEN = {
    "empty": "",
    "a list": "[1]",
    "no YAML": "a: [1",
    "no UTF-8": b"\xff\xfe",
    "no context": "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n",
    "no user": KUBECONFIG.replace("name: u,", "name: other,") % ("", ""),
    "no cluster": KUBECONFIG.replace("name: c,", "name: other,") % ("", ""),
    "nothing in the context": "current-context: a\ncontexts: [{name: a, context: null}]\nclusters: null\nusers: null\n",
    "no base64": KUBECONFIG % (', certificate-authority-data: "abcde"', ""),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_unusable_kubeconfig_is_a_usage_error(tmp_path, text):
    """A kubeconfig that is broken in whatever way is named, with what to do instead."""
    file = tmp_path / "kubeconfig"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as refused:
        await load_access(file)
    assert str(file) in refused.value.message
    assert "hookwright dev" in refused.value.message
    assert "\n" not in refused.value.message


async def test_missing_kubeconfig_is_a_usage_error(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(UsageError, match="no usable kubeconfig"):
        await load_access(tmp_path / "nowhere")


async def test_certificate_that_is_none_is_a_usage_error(tmp_path):
    """A kubeconfig whose certificate cannot be used is refused in one sentence."""
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG % (', certificate-authority-data: "bm90aGluZw=="', ""))
    access = await load_access(file)
    with pytest.raises(UsageError, match="certificate"):
        KubernetesCluster(access.configuration)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.1"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "10.0.0.2,.example.com"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
    ],
)
def test_proxy_is_that_of_the_environment(monkeypatch, environment, proxy):
    """The API server is reached through the proxy that the environment names for it, unless it is excepted."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_proxy("https://10.0.0.1:6443") == proxy
