"""`hookwright dev`: what is put into the development cluster, and what is told of it."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

import pytest

from hookwright.cluster.mirror import Change, Key
from hookwright.commands.dev import apply_manifests, find_free_port, print_url
from hookwright.errors import UsageError
from support.objects import make_buildtrigger, make_webhook, raw_secret, raw_webhook

KEY = Key("Webhook", "default", "hello")
URL = {"url": "http://127.0.0.1:1/hooks/x"}


@dataclass
class FakeDevCluster:
    """The part of a development cluster that manifests are put into."""

    applied: list = field(default_factory=list)
    error: Exception | None = None

    def get(self, _resource, _namespace, name):
        return name if ("Namespace", name) in self.names() else None

    def apply(self, manifest):
        if self.error is not None and manifest["kind"] != "Namespace":
            raise self.error
        self.applied.append(manifest)

    def names(self):
        return [(obj["kind"], obj["metadata"]["name"]) for obj in self.applied]


def tell(capsys, before, found):
    print_url(Change(key=KEY, before=before, found=found))
    return capsys.readouterr().out


def test_url_is_told_when_it_appears(capsys):
    """A Webhook's URL is printed once, when it gets it, and again when it gets another one."""
    without, with_url = make_webhook(), make_webhook(status=URL)
    other = make_webhook(metadata={"uid": "another"}, status={"url": "http://127.0.0.1:1/hooks/y"})
    assert tell(capsys, None, without) == ""
    assert tell(capsys, without, with_url) == "webhook default/hello: http://127.0.0.1:1/hooks/x\n"
    assert tell(capsys, with_url, with_url) == ""
    assert tell(capsys, with_url, other) == "webhook default/hello: http://127.0.0.1:1/hooks/y\n"
    assert tell(capsys, other, None) == ""


def test_buildtriggers_url_is_told_with_how_to_try_it(capsys):
    """A BuildTrigger's payloadUrl is printed once, with the command that delivers to it."""
    with_url = make_buildtrigger(status={"payloadUrl": "http://127.0.0.1:1/hooks/t"})
    told = tell(capsys, make_buildtrigger(), with_url)
    assert told == (
        "buildtrigger default/hello: http://127.0.0.1:1/hooks/t\n  try it: hookwright deliver bt/hello --event push\n"
    )
    assert tell(capsys, with_url, with_url) == ""
    elsewhere = make_buildtrigger(metadata={"namespace": "team"}, status={"payloadUrl": "http://127.0.0.1:1/hooks/t"})
    assert "deliver bt/hello -n team --event" in tell(capsys, None, elsewhere)
    assert tell(capsys, None, make_buildtrigger()) == ""


def test_what_is_wrong_with_a_buildtrigger_is_told_with_its_url(capsys):
    """Of a BuildTrigger that is not ready it is said why, in one line, and not how to try it."""
    status = {"payloadUrl": "http://127.0.0.1:1/hooks/t", "errorMessage": "spec.source: wrong\nmend it"}
    told = tell(capsys, None, make_buildtrigger(status=status)).splitlines()
    assert told[0] == "buildtrigger default/hello: http://127.0.0.1:1/hooks/t"
    assert [told[1].startswith("  not ready: spec.source: wrong"), "mend it" in told[1], len(told)] == [True, True, 2]


def test_manifests_get_their_namespaces(capsys):
    """Objects are applied in their order, each namespace once and before what is in it; without one it is default."""
    elsewhere, nowhere = raw_webhook(metadata={"namespace": "team"}), raw_secret()
    del nowhere["metadata"]["namespace"]
    cluster = FakeDevCluster()
    apply_manifests(cluster, [nowhere, elsewhere, raw_webhook(metadata={"namespace": "team", "name": "two"})])
    assert cluster.names() == [
        ("Namespace", "default"),
        ("Secret", "hello-webhook"),
        ("Namespace", "team"),
        ("Webhook", "hello"),
        ("Webhook", "two"),
    ]
    assert cluster.applied[1]["metadata"]["namespace"] == "default"
    assert "applied Secret hello-webhook" in capsys.readouterr().out


def test_manifests_are_left_as_they_are():
    """What was read from files is not changed by being applied."""
    manifest = raw_secret()
    del manifest["metadata"]["namespace"]
    apply_manifests(FakeDevCluster(), [manifest])
    assert "namespace" not in manifest["metadata"]


def test_refused_manifest_is_a_usage_error():
    """An object that the cluster does not take is named."""
    with pytest.raises(UsageError, match="Webhook hello"):
        apply_manifests(FakeDevCluster(error=LookupError("no such kind")), [raw_webhook()])


def test_free_port_is_free():
    """The port that is found can be listened on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", find_free_port()))
