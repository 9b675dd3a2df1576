"""examples/rights: what each role asks of an API server is what its rights allow: no less, and no more."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import yaml

from hookwright.commands.files import read_manifests
from hookwright.commands.grant import ACCOUNTS, OPERATORS, let_create, let_impersonate, let_keep_secrets
from hookwright.kinds import Raw
from support.chart import render
from support.processes import Fleet, Request, run_fleet, until
from support.rights import OURS, Asked, Asking, Rights, compare, read_rules, split_impersonation, uncomment
from support.running import Running, make_push
from support.triggers import begin, count_secrets, deliver, make_trigger, make_trigger_secret, outlive

EXAMPLES = Path(__file__).parents[2] / "examples"
RIGHTS = EXAMPLES / "rights"
OWN, EVERYWHERE = RIGHTS / "1-own-namespace.yaml", RIGHTS / "2-all-namespaces.yaml"
CHOSEN, RUN = RIGHTS / "chosen-namespaces" / "rights.yaml", RIGHTS / "run" / "account.yaml"
SECRET = "example-secret-change-me"
PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/v[^/]+(?:/namespaces/(?P<namespace>[^/]+))?"
    r"/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?"
)
# What everybody who is authenticated may ask: the ClusterRole system:discovery.
DISCOVERY = re.compile(r"/(?:api(?:/[^/]+)?|apis(?:/[^/]+){0,2}|version)")
SPLIT = {"receiver": "hookwright-receiver", "operator": "hookwright-operator"}


def grant() -> list[Raw]:
    """Give what `hookwright grant` prints for the team, which is alike for all modes."""
    grants = let_impersonate("default", "default", OURS, ACCOUNTS)
    grants += let_create("default", "default", ["jobs"])
    grants += let_keep_secrets("default", OURS, OPERATORS)
    return [one.raw for one in grants]


@dataclass(frozen=True, kw_only=True)
class Mode:
    """A way to run Hookwright: which rights are given, which process has which ServiceAccount, and what is set."""

    files: tuple[Path, ...]
    accounts: dict[str, str]
    namespaces: str = ""

    def read(self, *, optional: bool) -> Rights:
        """Give the rights of its accounts and of the team's; `optional`: what stands in comments counts too."""
        texts = [file.read_text(encoding="utf-8") for file in self.files]
        objects = [one for text in texts for one in yaml.safe_load_all(uncomment(text) if optional else text)]
        rights = read_rules([*objects, *grant()], namespace="default")
        ours = {(OURS, name) for name in self.accounts.values()}
        return {account: rights[account] for account in {*ours, ("default", "default")}}


MODES = {
    "split": Mode(files=(OWN, EVERYWHERE), accounts=SPLIT),
    "split, chosen namespaces": Mode(files=(OWN, CHOSEN), accounts=SPLIT, namespaces="default"),
    "single": Mode(files=(OWN, EVERYWHERE, RUN), accounts={"run": "hookwright"}),
}


def read_request(request: Request) -> Asked:
    """Say what a request asks for."""
    matched = PATH.fullmatch(request.path)
    assert matched is not None, request.path
    group, namespace, resource, name, sub = matched.group("group", "namespace", "resource", "name", "sub")
    watches = parse_qs(request.query).get("watch", ["false"])[0] in ("true", "1")
    reads = "get" if name else "watch" if watches else "list"
    verb = {"GET": reads, "POST": "create", "PATCH": "patch", "DELETE": "delete"}[request.method]
    return Asked(verb, group or "", f"{resource}/{sub}" if sub else resource, namespace or "", name or "")


def gather(fleet: Fleet, accounts: dict[str, str]) -> Iterator[Asking]:
    """Give all that the processes asked for, and as whom."""
    for name, process in fleet.processes.items():
        for request in fleet.wires[name].requests:
            if not DISCOVERY.fullmatch(request.path):
                yield from split_impersonation(
                    (OURS, accounts[process.role]), request.impersonated, read_request(request)
                )


async def start_by_hand(running: Running) -> None:
    """Ask for a build by hand, and have the operator forget that it has started it."""
    path = running.cluster.url + "/apis/hookwright.dev/v1alpha1/namespaces/default/buildtriggers/hello"
    asked = {"metadata": {"annotations": {"hookwright.dev/start-requested-at": "once"}}}
    for where, patch in ((path, asked), (path + "/status", {"status": {"lastHandledStart": None}})):
        answer = await running.client.patch(where, json=patch, headers={"content-type": "application/merge-patch+json"})
        assert answer.is_success, answer.text
        await running.until(lambda: running.trigger_status().get("lastHandledStart") == "once")


async def keep_a_secret(running: Running) -> None:
    """Have the secret of a BuildTrigger made, and replaced."""
    trigger = make_trigger("watched")
    running.apply(trigger)
    await running.until(lambda: count_secrets(running, "watched") == 1, "a secret is made")
    trigger["metadata"]["annotations"] = {"hookwright.dev/rotate-secret": "1"}
    running.apply(trigger)
    await running.until(lambda: count_secrets(running, "watched") == 2, "it is replaced")


async def live(fleet: Fleet, receiver: str) -> None:
    """Do all that needs a right: start up, start builds of both kinds, meet a build that is there, and hand on."""
    running = fleet.running
    for manifest in read_manifests([EXAMPLES / "hello", EXAMPLES / "cronjob"]):
        # Without the label that has a Secret watched, which is another right.
        running.apply({**manifest, "metadata": {"namespace": "default", **manifest["metadata"], "labels": {}}})
    await keep_a_secret(running)
    body = make_push()
    signed = {"body": body, "secret": SECRET, "delivery": "once"}
    for name in ("hello", "nightly"):
        await running.until_ready(name)
        assert (await fleet.push(receiver, name, **signed)).status_code == 202
        await running.until(lambda name=name: running.last(name) == ("started", "BuildCreated"))
    await start_by_hand(running)
    running.apply(make_trigger_secret("team"))
    url = await begin(running, "team")
    address = fleet.processes[receiver].address + "/hooks/" + url.rpartition("/")[2]
    assert (await deliver(running, address, name="team")).status_code == 202
    await running.until(lambda: "lastTriggered" in running.trigger_status("team"))
    # A receiver that knows nothing of the delivery gets it again.
    process = fleet.processes[receiver]
    assert await process.signal(signal.SIGTERM) == 0
    shutil.rmtree(process.environment["HOOKWRIGHT_JOURNAL"])
    await process.start()
    await fleet.until_ready(receiver)
    assert (await fleet.push(receiver, "hello", **signed)).status_code == 202
    requests = fleet.wires[receiver].requests
    await until(lambda: any(one.method == "GET" and "/jobs/" in one.path for one in requests), "it looks at the build")
    await outlive(running, "hello")
    for each in fleet.processes.values():
        assert await each.signal(signal.SIGTERM) == 0


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
async def test_rights_allow_what_is_asked_and_nothing_else(tmp_path: Path, mode: Mode):
    """Each role's requests are allowed by its rights, but for a watch that is optional; and it needs each of them."""
    rights, needed = mode.read(optional=True), mode.read(optional=False)
    optional = {allowed for account, all_allowed in rights.items() for allowed in all_allowed - needed[account]}
    assert {allowed[:3] for allowed in optional} == {("list", "", "secrets"), ("watch", "", "secrets")}
    roles = {f"the-{role}": role for role in sorted(mode.accounts)}
    async with run_fleet(tmp_path, roles, HOOKWRIGHT_NAMESPACES=mode.namespaces) as fleet:
        await live(fleet, next(name for name, role in roles.items() if role != "operator"))
        refused, unused = compare(gather(fleet, mode.accounts), rights)
    assert refused == set()
    assert unused == set()
    if mode.namespaces:
        assert all(allowed.namespace for all_allowed in rights.values() for allowed in all_allowed)


def test_chosen_namespaces_have_the_same_rights():
    """What is given for chosen namespaces is what is given for all, in each of them."""
    both = [
        {account: {(*allowed[:3], allowed.name) for allowed in all_allowed} for account, all_allowed in read.items()}
        for read in (read_rules(read_manifests([file]), namespace="default") for file in (EVERYWHERE, CHOSEN))
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_chart_gives_the_same_rights(mode: Mode, optional):
    """The chart gives its accounts, and tenants, what the files give, and to those of the other mode a grant alone."""
    values = {
        "mode": "single" if "run" in mode.accounts else "split",
        "watchNamespaces": [mode.namespaces] if mode.namespaces else [],
        "rights": {"watchSecrets": optional},
        "tenants": [{"namespace": "default", "serviceAccount": "default"}],
    }
    found = read_rules([one for one in render(values) if "rules" in one or "roleRef" in one])
    expected = mode.read(optional=optional)
    assert {account: found[account] for account in expected} == expected
    idle = {(OURS, name) for name in ACCOUNTS} - set(expected)
    granted = read_rules(grant())
    assert {account: found[account] for account in found if account not in expected} == {
        one: granted[one] for one in idle
    }
