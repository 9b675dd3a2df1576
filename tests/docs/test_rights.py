"""examples/rights: what Hookwright asks of an API server is what the rights allow: no less, and no more."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import yaml

from hookwright.commands.files import read_manifests
from hookwright.devcluster.faults import Request
from support.running import Running, make_headers, make_push, run_hookwright

EXAMPLES = Path(__file__).parents[2] / "examples"
OURS = EXAMPLES / "rights" / "1-hookwright.yaml"
TEAMS = EXAMPLES / "rights" / "2-team.yaml"
SECRET = "example-secret-change-me"
PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/v[^/]+(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?"
)
# What everybody who is authenticated may ask: the ClusterRole system:discovery.
DISCOVERY = re.compile(r"/(?:api(?:/[^/]+)?|apis(?:/[^/]+){0,2}|version)")


class Asked(NamedTuple):
    """What one request asks for, in the words of RBAC."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Allowed(NamedTuple):
    """What one rule allows: a name and a namespace that are empty stand for all."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str

    def covers(self, asked: Asked) -> bool:
        """Say whether it allows what is asked."""
        return self[:3] == asked[:3] and self.namespace in ("", asked.namespace) and self.name in ("", asked.name)


def read_request(request: Request) -> Asked:
    """Say what a request asks for."""
    matched = PATH.fullmatch(request.path)
    assert matched is not None, request.path
    group, namespace, resource, name, sub = matched.group("group", "namespace", "resource", "name", "sub")
    watches = parse_qs(request.query).get("watch", ["false"])[0] in ("true", "1")
    verb = {"GET": "get" if name else "watch" if watches else "list", "POST": "create", "PATCH": "patch"}[
        request.method
    ]
    if namespace is None and resource == "namespaces":
        namespace = name
    return Asked(verb, group or "", f"{resource}/{sub}" if sub else resource, namespace or "", name or "")


def read_rules(manifests: Iterable[Mapping[str, Any]], account: str, *, namespace: str = "") -> Iterator[Allowed]:
    """Give what the roles bound to a ServiceAccount allow; `namespace` is where objects go that name none."""
    objects = list(manifests)
    roles = {(one["kind"], one["metadata"]["name"]): one for one in objects if "rules" in one}
    for binding in objects:
        if not any(subject["name"] == account for subject in binding.get("subjects", [])):
            continue
        role = roles[binding["roleRef"]["kind"], binding["roleRef"]["name"]]
        where = "" if role["kind"] == "ClusterRole" else role["metadata"].get("namespace", namespace)
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        for name in rule.get("resourceNames", [""]):
                            yield Allowed(verb, group, resource, where, name)


def uncomment(text: str) -> str:
    """Make the rule that stands in comments one that counts."""
    return re.sub(r"^  # ((?:- |  )\S*(?:apiGroups|resources|verbs): )", r"  \1", text, flags=re.MULTILINE)


async def live(running: Running) -> None:
    """Do all that needs a right: start up, start builds of both kinds, meet a build that is there, and hand on."""
    for manifest in read_manifests([EXAMPLES / "hello", EXAMPLES / "cronjob"]):
        running.apply({**manifest, "metadata": {"namespace": "default", **manifest["metadata"]}})
    body = make_push()
    headers = make_headers(body, secret=SECRET, delivery="once")
    for name in ("hello", "nightly"):
        url = await running.until_ready(name)
        assert (await running.client.post(url, content=body, headers=headers)).status_code == 202
        await running.until(lambda name=name: running.last(name) == ("started", "BuildCreated"))
    await running.stop()
    # Another receiver, which knows nothing of the delivery, gets it again.
    shutil.rmtree(running.settings.journal)
    await running.start()
    url = await running.until_ready()
    assert (await running.client.post(url, content=body, headers=headers)).status_code == 202
    await running.until(lambda: any(asked.status == 409 for asked in running.cluster.requests))
    await running.until(
        lambda: any(asked.method == "GET" and "/jobs/" in asked.path for asked in running.cluster.requests)
    )
    await running.stop()


async def test_rights_allow_what_is_asked_and_nothing_else(tmp_path: Path):
    """Each request is allowed by the rights in examples/, but for the watch that is optional; each right is used."""
    ours = set(read_rules(read_manifests([OURS]), "hookwright"))
    optional = set(read_rules(yaml.safe_load_all(uncomment(OURS.read_text())), "hookwright")) - ours
    team = list(read_manifests([TEAMS]))
    ours |= set(read_rules(team, "hookwright", namespace="default"))
    builders = set(read_rules(team, "default", namespace="default"))
    assert {allowed.verb for allowed in optional} == {"list", "watch"}
    assert {allowed.resource for allowed in optional} == {"secrets"}
    used: set[Allowed] = set()
    async with run_hookwright(tmp_path) as running:
        await live(running)
        requests = [one for one in running.cluster.requests if not DISCOVERY.fullmatch(one.path)]
    for request in requests:
        asked = {(read_request(request), frozenset(builders if request.impersonate_user else ours | optional))}
        if request.impersonate_user:
            _, _, namespace, account = request.impersonate_user.split(":")
            asked.add((Asked("impersonate", "", "serviceaccounts", namespace, account), frozenset(ours)))
        for one, rights in asked:
            covering = {right for right in rights if right.covers(one)}
            assert covering, f"{one}: no right allows it"
            used |= covering
    assert (ours | builders | optional) - used == set()
